/* For the tests of the directory source: real directories, a real loop, and programs that use the
 * source. Nothing sleeps: the loop runs until what is waited for is there, or until a bound. */
#ifndef COMMON_SOURCE_DIR_WORLD_H
#define COMMON_SOURCE_DIR_WORLD_H

#include "common/base/test.h"
#include "common/source/source_dir.h"

enum { BOUND_MS = 10000 };

/* Two directories and a loop. */
struct world {
    char root[32];
    struct arena *arena;
    struct loop *loop;
    struct str manifests, status;
};

/* One program's source and what it was told. */
struct program {
    struct world *world;

    struct source *source;
    struct sbuf told; /* "+Kind/key" came, "*" changed, "-" went, each with a blank behind it */
    unsigned synced, findings;
    bool leading;
    int result; /* of the last write; 1: under way */
    struct sbuf message, version;
};

struct world world_new(void);
void world_done(struct world *world);

/* A file below the manifests. */
const char *world_path(struct world *world, const char *name);
/* Writes it in place, as an editor or a shell would. */
void world_put(struct world *world, const char *name, const char *text);
void world_move(struct world *world, const char *from, const char *to);

#define NODE(name) "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name "}\n"
#define LABELLED(name, label) \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name ", labels: {l: " label "}}\n"
#define SERVICE(name)                                                  \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name "}\n" \
    "spec: {type: LoadBalancer, ports: [{port: 80}]}\n"

/* Starts a program that follows nodes and Services; status may be empty. */
/* Follows one kind, or some of its objects. */
void program_follow(struct program *program, struct world *world, const struct source_follow *what);
void program_start(struct program *program, struct world *world, struct str status);
/* The same with other options; the directories in them are set here. */
void program_start_with(struct program *program, struct world *world, struct str status,
                        struct source_dir_options options);
void program_end(struct program *program);

/* Waiting: a condition on a program and a text, looked at every few milliseconds. */
typedef bool condition_fn(struct program *program, const char *text);
void await_at(struct program *program, condition_fn *condition, const char *text, int line);
#define await(program, condition, text) await_at((program), (condition), (text), __LINE__)

/* Waits until exactly this has been told, and forgets it. */
void await_told_at(struct program *program, const char *text, int line);
#define await_told(program, text) await_told_at((program), (text), __LINE__)

condition_fn has_told;
/* As many times as the text has letters. */
condition_fn is_synced;
/* The findings as "object: message" with " | " between. */
condition_fn has_findings;

#endif
