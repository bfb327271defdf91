/* Texts that may be written into BIRD's configuration. BIRD has no way to escape anything, so what
 * does not fit is not written at all. Pure. */
#ifndef BGP_SAFE_H
#define BGP_SAFE_H

#include "common/base/arena.h"

/* The name of a protocol, filter or class: a lower-case letter, then letters, digits and '_', at
 * most 63 in all, none of which is a word of BIRD's language (all of ours have a '_'). */
bool safe_is_symbol(struct str text);

/* Text between quotation marks that is shown to people: printable ASCII without '"'. */
bool safe_is_text(struct str text);

/* A name for BIRD of a name in Kubernetes, in the arena: PREFIX_NAME when that is a symbol, else
 * one that is made of its head and its hash. Different names give different ones. */
struct str safe_protocol(struct str prefix, struct str name, struct arena *arena);

#endif
