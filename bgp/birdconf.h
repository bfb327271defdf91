/* BIRD's configuration files in one directory, and what of them is known to be good.
 *
 * Files are written beside their names and renamed, so that BIRD reads them whole whenever it
 * starts. The texts that BIRD took last are kept: what it refuses is put back. Only our user may
 * read them: they hold passwords. */
#ifndef BGP_BIRDCONF_H
#define BGP_BIRDCONF_H

#include "common/base/arena.h"

/* The names in the directory. */
#define BIRDCONF_MAIN "bird.conf"
#define BIRDCONF_ROUTES "routes.conf"
#define BIRDCONF_EXTRAS "extras.conf"
#define BIRDCONF_TRIAL "trial.conf" /* a main file that is only to be checked */
#define BIRDCONF_TRIED "tried.conf" /* the extras that it includes */

/* All files; the main one includes the others. */
struct birdconf_texts {
    struct str main, routes, extras; /* extras may be empty: not included */
};

struct birdconf;

/* Makes the directory when it is not there (mode 0700). 0 or a negative errno. */
int birdconf_open(struct str directory, struct birdconf **ret) __attribute__((warn_unused_result));
struct birdconf *birdconf_close(struct birdconf *conf); /* NULL is fine; returns NULL */

/* The path of a file in the directory, borrowed until the close. */
struct str birdconf_path(struct birdconf *conf, const char *name);

/* Is there a main file, from before this process? */
bool birdconf_is_saved(struct birdconf *conf);

/* Writes what differs from what is there. 1 when something did, 0 when nothing, or a negative
 * errno. Texts are copied. */
int birdconf_write(struct birdconf *conf, const struct birdconf_texts *texts)
    __attribute__((warn_unused_result));

/* BIRD has taken what is there. */
void birdconf_mark_good(struct birdconf *conf);

/* Writes the last good texts again; -ENOENT when there are none. */
int birdconf_restore(struct birdconf *conf) __attribute__((warn_unused_result));

/* Takes away all that BIRD reads, the main file first: no BIRD starts with it again, and what it
 * held is forgotten. 0, also when nothing is there, or a negative errno, and some may be left. */
int birdconf_remove(struct birdconf *conf) __attribute__((warn_unused_result));

/* Writes a main file with extras under names of their own. 0 or a negative errno. */
int birdconf_write_trial(struct birdconf *conf, struct str main, struct str extras)
    __attribute__((warn_unused_result));

/* A small file of our own, of up to 256 bytes. 0 or a negative errno. */
int birdconf_save(struct birdconf *conf, const char *name, struct str text)
    __attribute__((warn_unused_result));
int birdconf_load(struct birdconf *conf, const char *name, struct arena *arena, struct str *ret)
    __attribute__((warn_unused_result));

#endif
