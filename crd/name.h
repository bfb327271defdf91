/* The forms of names in the Kubernetes API. */
#ifndef CRD_NAME_H
#define CRD_NAME_H

#include "common/base/str.h"

/* Lower-case letters, digits and '-', a letter or digit at both ends, 1 to 63 bytes (RFC 1123). */
bool name_is_label(struct str s);

/* Such labels joined by dots, at most 253 bytes: the name of nearly every object. */
bool name_is_subdomain(struct str s);

/* The key of a label: an optional subdomain and '/', then 1 to 63 letters, digits, '-', '_', '.',
 * a letter or digit at both ends. */
bool name_is_label_key(struct str s);

/* The value of a label: empty, or as the second part of a key. */
bool name_is_label_value(struct str s);

/* A network interface or VRF of Linux: 1 to 15 bytes, letters, digits, '.', '_', '-', ':' and '@'.
 * The kernel takes others too, which nobody uses and no configuration file can bear. */
bool name_is_interface(struct str s);

#endif
