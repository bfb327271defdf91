#include "ctl/survey.h"

#include <stdlib.h>

#include "ctl/live.h"
#include "ctl/tree.h"

struct asked {
    struct survey *survey;
    struct bgp_answer *answer;
    struct live *live;
    json_t *tree;
};

struct survey {
    struct loop *loop;
    struct arena *arena;
    struct asked *asked;
    size_t count, open;
    struct loop_timer *end;
    void (*done)(void *ctx);
    void *ctx;
};

static void on_end(void *ctx)
{
    struct survey *survey = ctx;
    survey->end = NULL;
    survey->done(survey->ctx);
}

static void on_answer(void *ctx, json_t *tree, struct str error)
{
    struct asked *asked = ctx;
    struct survey *survey = asked->survey;
    asked->tree = tree;
    asked->answer->tree = tree;
    asked->answer->error = arena_str(survey->arena, error);
    if (tree && tree_text(tree, "node").len)
        asked->answer->node = tree_text(tree, "node");
    if (--survey->open == 0)
        survey->end = loop_defer(survey->loop, on_end, survey);
}

struct survey *survey_start(struct loop *loop, struct bgp_answer *answers, size_t count,
                            struct str path, uint64_t timeout_ms, struct arena *arena,
                            void (*done)(void *ctx), void *ctx)
{
    struct survey *survey = heap_alloc(sizeof(*survey));
    *survey = (struct survey){.loop = loop,
                              .arena = arena,
                              .asked = arena_array(arena, count, sizeof(struct asked)),
                              .count = count,
                              .open = count,
                              .done = done,
                              .ctx = ctx};
    for (size_t i = 0; i < count; i++) {
        struct asked *asked = &survey->asked[i];
        *asked = (struct asked){.survey = survey, .answer = &answers[i]};
        asked->live = live_ask(loop, answers[i].url, path, timeout_ms, on_answer, asked);
    }
    if (count == 0)
        survey->end = loop_defer(loop, on_end, survey);
    return survey;
}

struct survey *survey_free(struct survey *survey)
{
    if (!survey)
        return NULL;
    (void)loop_timer_cancel(survey->end);
    for (size_t i = 0; i < survey->count; i++) {
        (void)live_cancel(survey->asked[i].live);
        json_decref(survey->asked[i].tree);
    }
    free(survey);
    return NULL;
}
