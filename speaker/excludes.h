/* Interfaces that are left out by their names: those of containers and of overlay networks.
 *
 * The list is MetalLB's: a YAML document whose key announcedInterfacesToExclude holds regular
 * expressions; a name that one of them finds a match in is left out. They are read by PCRE2, whose
 * syntax holds that of Go's for all that names are matched with. Pure. */
#ifndef SPEAKER_EXCLUDES_H
#define SPEAKER_EXCLUDES_H

#include "common/base/arena.h"

/* Where MetalLB's ConfigMap metallb-excludel2 is mounted. */
#define EXCLUDES_FILE_DEFAULT "/etc/metallb/excludel2.yaml"

struct excludes;

enum {
    EXCLUDES_MAX = 256,         /* expressions of a list */
    EXCLUDES_LENGTH_MAX = 1024, /* bytes of one */
};

/* The list that MetalLB is shipped with, and lxc of its chart. */
struct excludes *excludes_default(void);

/* A list from a file's text. ERR_SYNTAX with a sentence that names the line in ret_error (arena):
 * nothing of the text counts then. A document without the key, or with an empty list, leaves no
 * interface out. */
int excludes_parse(struct str text, struct arena *arena, struct excludes **ret,
                   struct str *ret_error) __attribute__((warn_unused_result));

/* NULL is fine; returns NULL. */
struct excludes *excludes_free(struct excludes *excludes);
SCOPE_DEFINE(excludes, struct excludes, excludes_free)

/* Is an interface of this name left out? */
bool excludes_has(const struct excludes *excludes, struct str name);

size_t excludes_count(const struct excludes *excludes);

#endif
