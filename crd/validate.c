/* The order of judgement: an object is judged after all that its kind's rule looks at. First those
 * that refer to nothing (pools, communities, BFD profiles), then peers, then advertisements.
 *
 * Findings are collected by kind and joined in the order of kinds, so that a report reads the same
 * whatever the order of judgement. */
#include "crd/validate.h"

#include <assert.h>
#include <stdarg.h>

#include "common/base/err.h"
#include "crd/ipreservation.h"
#include "crd/node.h"
#include "crd/selector.h"
#include "crd/validate_rules.h"

/* Kinds with rules, in the order of judgement; the others follow. */
static const struct {
    enum kind_id kind;
    validate_rule *rule;
} rules[] = {
    {KIND_IP_ADDRESS_POOL, validate_pool},
    {KIND_COMMUNITY, validate_community_object},
    {KIND_BFD_PROFILE, NULL},
    {KIND_BGP_PEER, validate_peer},
    {KIND_BGP_ADVERTISEMENT, validate_bgpadvertisement},
    {KIND_L2_ADVERTISEMENT, NULL},
    {KIND_IP_RESERVATION, validate_reservation},
};

bool validate_fail(struct validate_run *run, const struct object *object, const char *field,
                   const char *format, ...)
{
    scoped_sbuf struct sbuf message = {0};
    va_list args;
    va_start(args, format);
    sbuf_vprintf(&message, format, args);
    va_end(args);
    diag_add(run->found, DIAG_ERROR, object_id(object), str_from(field), "%s", sbuf_cstr(&message));
    return false;
}

bool *validate_nodes(struct validate_run *run, const struct list *selectors)
{
    const struct objects *nodes = &run->input->of[KIND_NODE];
    bool *selected = arena_array(run->arena, nodes->count, sizeof(bool));
    for (size_t i = 0; i < nodes->count; i++)
        selected[i] = selectors_match_or_none(selectors, &nodes->items[i]->labels);
    return selected;
}

/* User configuration counts only in our namespace, where names are unique. */
static bool has_its_place(struct validate_run *run, const struct object *object)
{
    const struct kind *kind = object->kind;
    if (!kind->config)
        return true;
    struct str ours = run->input->namespace;
    if (ours.len && !str_eq(object_namespace(object), ours))
        return validate_fail(run, object, "metadata.namespace",
                             "resource must be created in " STR_FMT " namespace", STR_ARG(ours));
    const struct object *other = map_get(&run->names[kind->id], object_name(object));
    if (other)
        return validate_fail(run, object, "metadata.name",
                             "duplicate definition of %s \"" STR_FMT "\", which " STR_FMT
                             " defines already",
                             kind->name, STR_ARG(object_name(object)), STR_ARG(object_id(other)));
    return true;
}

/* Who is judged first wins against who is judged later: what was in force before, then the older,
 * then by key. So a newcomer never pushes out what works, whatever its name. */
struct turn {
    const struct object *object;
    bool stands;
};

static int by_precedence(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;
    if (x->stands != y->stands)
        return x->stands ? -1 : 1;
    if (x->object->meta->created != y->object->meta->created)
        return x->object->meta->created < y->object->meta->created ? -1 : 1;
    return str_cmp(x->object->key, y->object->key);
}

static struct turn *in_order(struct validate_run *run, const struct objects *all)
{
    const struct validate_input *input = run->input;
    struct turn *turns = arena_array(run->arena, all->count, sizeof(*turns));
    for (size_t i = 0; i < all->count; i++)
        turns[i] = (struct turn){
            .object = all->items[i],
            .stands = input->stands && input->stands(input->stands_ctx, all->items[i]),
        };
    if (all->count)
        qsort(turns, all->count, sizeof(*turns), by_precedence);
    return turns;
}

static int by_key(const void *a, const void *b)
{
    const struct object *x = *(const struct object *const *)a;
    const struct object *y = *(const struct object *const *)b;
    return str_cmp(x->key, y->key);
}

static void judge_kind(struct validate_run *run, enum kind_id id, validate_rule *rule)
{
    const struct objects *all = &run->input->of[id];
    struct objects *kept = &run->result->of[id];
    struct turn *turns = in_order(run, all);
    kept->items = arena_array(run->arena, all->count, sizeof(*kept->items));
    for (size_t i = 0; i < all->count; i++) {
        const struct object *object = turns[i].object;
        diag_add_all(run->found, &object->source->findings);
        if (object->refused || !has_its_place(run, object) || (rule && !rule(run, object)))
            continue;
        kept->items[kept->count++] = object;
        if (object->kind->config)
            (void)map_put(&run->names[id], object_name(object), (void *)object);
    }
    if (kept->count)
        qsort(kept->items, kept->count, sizeof(*kept->items), by_key);
}

static void join(struct diag_list *to, struct diag_list *from)
{
    for (size_t i = 0; i < from->found.len; i++)
        vec_push(&to->found, from->found.items[i]);
    diag_done(from);
}

static void run_done(struct validate_run *run)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        map_done(&run->names[i]);
    vec_done(&run->pool_spans.list);
    vec_done(&run->reserved_spans.list);
    vec_done(&run->pools);
    vec_done(&run->peers);
    vec_done(&run->advertisements);
}

void validate(const struct validate_input *input, struct arena *arena, struct validated *ret)
{
    *ret = (struct validated){.found.arena = arena};
    struct validate_run run = {.input = input, .arena = arena, .result = ret};
    struct diag_list found[KIND_COUNT] = {0};
    bool judged[KIND_COUNT] = {false};
    for (size_t i = 0; i < KIND_COUNT; i++)
        found[i].arena = arena;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        run.found = &found[rules[i].kind];
        judge_kind(&run, rules[i].kind, rules[i].rule);
        judged[rules[i].kind] = true;
    }
    for (size_t i = 0; i < KIND_COUNT; i++) {
        run.found = &found[i];
        if (!judged[i])
            judge_kind(&run, (enum kind_id)i, NULL);
        join(&ret->found, &found[i]);
    }
    run_done(&run);
}

void validate_done(struct validated *result)
{
    diag_done(&result->found);
    map_done(&result->aliases);
}

int validate_community(const struct validated *result, struct str text, struct community_value *ret)
{
    const struct community_value *alias = map_get(&result->aliases, text);
    if (!alias)
        return community_parse(text, ret);
    *ret = *alias;
    return 0;
}
