#include "common/gossip/window.h"

static uint64_t *word_of(struct window *window, uint64_t number)
{
    return &window->bits[number % WINDOW_BITS / 64];
}

static uint64_t bit_of(uint64_t number)
{
    return (uint64_t)1 << number % 64;
}

/* Forgets what lies between the last number and the new one. */
static void slide(struct window *window, uint64_t number)
{
    uint64_t from = window->last + 1;
    if (number - window->last >= WINDOW_BITS)
        from = number - WINDOW_BITS + 1;
    for (uint64_t i = from; i <= number; i++)
        *word_of(window, i) &= ~bit_of(i);
    window->last = number;
}

bool window_take(struct window *window, uint64_t number)
{
    if (number == 0)
        return false;
    if (number > window->last)
        slide(window, number);
    else if (window->last - number >= WINDOW_BITS || *word_of(window, number) & bit_of(number))
        return false;
    *word_of(window, number) |= bit_of(number);
    return true;
}
