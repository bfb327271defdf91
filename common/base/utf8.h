/* UTF-8 (RFC 3629), just what validation needs. */
#ifndef COMMON_BASE_UTF8_H
#define COMMON_BASE_UTF8_H

#include "common/base/str.h"

/* Length in bytes (1 to 4) of the well-formed character at the start of s, 0 when there is none
 * (s is empty, or the bytes are overlong, a surrogate, past U+10FFFF or cut off). */
size_t utf8_len(struct str s);

/* Is all of s well-formed? */
bool utf8_valid(struct str s);

#endif
