/* Frames as text, for the tests of this folder. */
#ifndef ARP_TEST_FRAMES_H
#define ARP_TEST_FRAMES_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* Reads hexadecimal digits; blanks are for the reader. Returns how many bytes. */
static inline size_t test_from_hex(const char *text, uint8_t *out, size_t room)
{
    size_t digits = 0;
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        assert(digits / 2 < room);
        uint8_t value = (uint8_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | value);
        digits++;
    }
    return digits / 2;
}

#endif
