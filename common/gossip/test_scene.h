/* A simulated cluster that runs, and what its members note; for the tests of member.h. */
#ifndef COMMON_GOSSIP_TEST_SCENE_H
#define COMMON_GOSSIP_TEST_SCENE_H

#include "common/base/sbuf.h"
#include "common/base/scope.h"
#include "common/base/test.h"
#include "common/gossip/sim.h"

enum { SECOND = 1000000 };

/* What the nodes noted, as text; the test says which types it wants. */
struct record {
    struct sbuf text;
    unsigned types;
};

static inline void record_note(void *ctx, struct sim *sim, size_t node,
                               const struct member_note *note)
{
    struct record *record = ctx;
    (void)sim;
    if (!(record->types & 1U << note->type))
        return;
    sbuf_printf(&record->text, "%zu", node);
    if (note->type == MEMBER_NOTE_STATE)
        sbuf_printf(&record->text, ":%s=%s", note->name.ptr + sizeof("node-") - 1,
                    gossip_state_name(note->state));
    sbuf_putc(&record->text, ' ');
}

/* What was noted, its words in order. */
static inline struct str sorted(struct record *record, struct arena *arena)
{
    VEC(struct str) words = {0};
    struct str rest = sbuf_str(&record->text), word;
    while (str_next(&rest, ' ', &word))
        vec_push(&words, word);
    vec_sort(&words, str_cmp_ptr);
    struct sbuf text = {0};
    for (size_t i = 0; i < words.len; i++) {
        sbuf_put(&text, words.items[i]);
        sbuf_putc(&text, ' ');
    }
    vec_done(&words);
    return sbuf_move(&text, arena);
}

static inline struct sim *start(size_t nodes, struct record *record)
{
    struct sim_options options = {
        .nodes = nodes, .seed = 1, .delay_us = 100, .jitter_us = 100, .hold_us = 10 * SECOND};
    struct sim *sim = sim_new(&options);
    TEST_ASSERT(sim_start_all(sim));
    sim_run(sim, sim->now + 2 * SECOND);
    sim->note = record_note;
    sim->ctx = record;
    return sim;
}

static inline struct gossip_member view(struct sim *sim, size_t of, size_t about,
                                        struct arena *arena)
{
    size_t count;
    const struct gossip_member *list = member_list(sim->nodes[of].member, arena, &count);
    const struct gossip_member *found = gossip_find(list, count, str_from(sim->nodes[about].name));
    TEST_ASSERT(found != NULL);
    return *found;
}

static inline bool is_held(struct sim *sim, size_t of, size_t about)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    return view(sim, of, about, arena).meta.held;
}

#endif
