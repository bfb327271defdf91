#include <stdio.h>

#include "common/base/err.h"
#include "ctl/run.h"

enum {
    CONFLICTS_MAX = 5, /* times that somebody else may have written in between */
    CONFLICT_MS = 100,
};

static void write_next(struct run *run);

static void read_again(void *ctx)
{
    struct run *run = ctx;
    run->later = NULL;
    world_done(run->world);
    run_read_objects(run);
    run_edits(run);
}

static void on_written(void *ctx, int result, struct str message, struct str version)
{
    struct run *run = ctx;
    const struct edit *edit = &run->edits.items[run->next];
    (void)version;
    run->write = NULL;
    if (result == ERR_CONFLICT && ++run->conflicts < CONFLICTS_MAX) {
        /* Somebody else has written; the watch brings the newer version. */
        run->later = loop_timer_start(run->program->loop, CONFLICT_MS, 0, read_again, run);
        return;
    }
    if (result < 0) {
        struct str why = message.len ? message : str_from(err_text(result));
        run_fail(run, RUN_REFUSED,
                 arena_printf(run->arena, STR_FMT ": " STR_FMT, STR_ARG(edit->id), STR_ARG(why)));
        return;
    }
    sbuf_printf(&run->out, STR_FMT " %s\n", STR_ARG(edit->id),
                edit->removes ? "no annotation any more" : "annotated");
    run->next++;
    write_next(run);
}

static void write_next(struct run *run)
{
    if (run->next == run->edits.count) {
        run_end(run, RUN_DONE);
        return;
    }
    const struct edit *edit = &run->edits.items[run->next];
    struct source_write write = {
        .verb = SOURCE_PATCH,
        .kind = edit->kind,
        .namespace = edit->namespace,
        .name = edit->name,
        .body = edit_body(edit, run->arena),
        .done = on_written,
        .ctx = run,
    };
    run->write = source_write(run->source, &write);
}

static void tell_by_hand(struct run *run)
{
    for (size_t i = 0; i < run->edits.count; i++) {
        struct str text = edit_instruction(&run->edits.items[i], run->arena);
        sbuf_put(&run->out, text);
        sbuf_putc(&run->out, '\n');
    }
    run_end(run, RUN_BY_HAND);
}

static void carry_out(struct run *run)
{
    run->next = 0;
    if (run->edits.refusal.len) {
        run_fail(run, RUN_REFUSED, run->edits.refusal);
        return;
    }
    if (run->edits.note.len)
        (void)fprintf(stderr, "%s: " STR_FMT "\n", run->program->name, STR_ARG(run->edits.note));
    if (!run->edits.count) {
        sbuf_puts(&run->out, "it is so already\n");
        run_end(run, RUN_DONE);
    } else if (run->settings->common.manifests.len) {
        tell_by_hand(run);
    } else {
        write_next(run);
    }
}

void run_edits(struct run *run)
{
    const struct str *operands = run->operands.items;
    struct str name = str_from(run->command->name);
    (void)run_show(run);
    if (str_eq(name, STR("move")))
        run->edits = edit_move(run->world, operands[0],
                               run->operands.count > 1 ? operands[1] : STR(""), run->arena);
    else
        run->edits = edit_drain(run->world, operands[0], str_eq(name, STR("drain")), run->arena);
    carry_out(run);
}

void run_move(struct run *run)
{
    if (run->settings->back != (run->operands.count == 1)) {
        run_fail(run, RUN_USAGE, STR("move needs an address or a Service, and a node or --back"));
        return;
    }
    run_edits(run);
}
