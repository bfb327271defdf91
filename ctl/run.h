/* One run of stentorctl, shared by the files of its commands: objects and answers are here by the
 * time that a command runs; it ends the run by run_end or run_fail, now or from the loop. */
#ifndef CTL_RUN_H
#define CTL_RUN_H

#include "common/program/program_main.h"
#include "common/program/program_source.h"
#include "ctl/edit.h"
#include "ctl/live.h"
#include "ctl/settings.h"
#include "ctl/show.h"
#include "ctl/survey.h"

enum { RUN_DONE = 0, RUN_REFUSED = 1, RUN_USAGE = 2, RUN_NO_ANSWER = 3, RUN_BY_HAND = 4 };

struct run;

struct command {
    const char *name, *of; /* "explain", "service"; of is NULL: the name is all */
    size_t least, most;    /* operands behind that */
    void (*run)(struct run *run);
    bool surveys; /* wants to know what every speaker says of BGP */
};

struct run {
    struct program *program;
    const struct settings *settings;
    const struct command *command;
    struct str_list operands;
    struct source *source;
    struct loop_timer *timeout;
    struct loop_timer *later; /* the next step */
    struct live *live;
    struct survey *survey;
    struct bgp_answer *answers; /* of the speakers, by BGP */
    size_t answer_count;
    json_t *written; /* a list of the trees of answers that the API server has given instead */
    struct arena *arena;
    json_t *announcements, *explained;
    bool asked_speaker, asked_controller;
    struct world_input input;
    struct world *world;
    struct sbuf out;
    struct edit_list edits;
    size_t next; /* edit to be written */
    unsigned conflicts;
    struct source_request *write;
    int status;
};

void run_end(struct run *run, int status);
/* Says why on standard error and ends. */
void run_fail(struct run *run, int status, struct str sentence);

/* Everything that the source holds now, into the input. */
void run_read_objects(struct run *run);
/* The world of the input, for what shows it. */
struct show run_show(struct run *run);

/* Commands that write (run_edit.c). */
void run_edits(struct run *run);
void run_move(struct run *run);

/* Commands about BGP (run_bgp.c). Starts to ask the speakers; then calls done from the loop. */
void run_bgp_survey(struct run *run, void (*done)(void *ctx));
void run_bgp(struct run *run);
void run_bgp_routes(struct run *run);
void run_bgp_explain(struct run *run);

#endif
