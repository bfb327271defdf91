#include "controller/status_patch.h"

#include "crd/bfdprofile.h"
#include "crd/bgpadvertisement.h"
#include "crd/bgppeer.h"
#include "crd/community.h"
#include "crd/condition_patch.h"
#include "crd/ipaddresspool.h"
#include "crd/ipreservation.h"
#include "crd/l2advertisement.h"
#include "crd/sentences.h"

/* Where each judged kind keeps its conditions; 0: it is not judged. */
static const size_t conditions_at[KIND_COUNT] = {
    [KIND_IP_ADDRESS_POOL] = offsetof(struct ipaddresspool, status.conditions),
    [KIND_L2_ADVERTISEMENT] = offsetof(struct l2advertisement, conditions),
    [KIND_BGP_ADVERTISEMENT] = offsetof(struct bgpadvertisement, conditions),
    [KIND_BGP_PEER] = offsetof(struct bgppeer, conditions),
    [KIND_BFD_PROFILE] = offsetof(struct bfdprofile, conditions),
    [KIND_COMMUNITY] = offsetof(struct community, conditions),
    [KIND_IP_RESERVATION] = offsetof(struct ipreservation, status.conditions),
};

bool status_is_judged(enum kind_id kind)
{
    return conditions_at[kind] != 0;
}

static const struct list *conditions_of(const struct object *object)
{
    size_t at = conditions_at[object->kind->id];
    return (const struct list *)((const char *)object + at);
}

bool status_is_accepted(const struct object *object)
{
    const struct condition *shown = condition_find(conditions_of(object), STR("Accepted"));
    return shown && str_eq(shown->status, STR("True")) && object->meta->generation &&
           shown->observed_generation == object->meta->generation;
}

static struct str sentence(const struct diag *why, struct arena *arena)
{
    if (why->field.len == 0)
        return why->message;
    return arena_printf(arena, STR_FMT ": " STR_FMT, STR_ARG(why->field), STR_ARG(why->message));
}

/* What is in force, and what of it has no effect. */
static struct str in_force(const struct object *object, struct arena *arena)
{
    struct sentences text = {.separator = "; "};
    sentences_add(&text, STR("the object is in force"));
    for (size_t i = 0; i < object->source->findings.found.len; i++) {
        const struct diag *diag = &object->source->findings.found.items[i];
        if (diag->severity == DIAG_WARNING)
            sentences_add(&text, sentence(diag, arena));
    }
    return sentences_move(&text, arena);
}

/* Why it is not. The sentence may hold texts of the object, which can be long. */
static struct str refusal(const struct diag *why, struct arena *arena)
{
    struct sentences text = {.separator = "; "};
    sentences_add(&text, sentence(why, arena));
    return sentences_move(&text, arena);
}

static struct condition accepted(const struct object *object, const struct diag *why, int64_t now,
                                 struct arena *arena)
{
    struct condition condition = {
        .type = STR("Accepted"),
        .status = STR("True"),
        .reason = STR("Accepted"),
        .message = in_force(object, arena),
        .since = now,
        .observed_generation = object->meta->generation,
    };
    if (why) {
        condition.status = STR("False");
        condition.reason = STR("Invalid");
        condition.message = refusal(why, arena);
    }
    return condition;
}

static bool shows_usage(const struct object *object, const struct alloc_usage *usage)
{
    const struct ipaddresspool_status *shown = &((const struct ipaddresspool *)object)->status;
    return shown->counted && shown->assigned_ipv4 == usage[0].assigned &&
           shown->assigned_ipv6 == usage[1].assigned &&
           shown->available_ipv4 == usage[0].available &&
           shown->available_ipv6 == usage[1].available;
}

static void put_usage(struct patch *patch, const struct alloc_usage *usage)
{
    patch_int(patch, "assignedIPv4", usage[0].assigned);
    patch_int(patch, "assignedIPv6", usage[1].assigned);
    patch_int(patch, "availableIPv4", usage[0].available);
    patch_int(patch, "availableIPv6", usage[1].available);
}

static bool shows_assigned(const struct object *object, const struct str_list *assigned)
{
    const struct str_list *shown =
        &((const struct ipreservation *)object)->status.assigned_addresses;
    if (shown->count != assigned->count)
        return false;
    for (size_t i = 0; i < shown->count; i++) {
        if (!str_eq(shown->items[i], assigned->items[i]))
            return false;
    }
    return true;
}

static void put_assigned(struct patch *patch, const struct str_list *assigned)
{
    patch_list(patch, "assignedAddresses");
    for (size_t i = 0; i < assigned->count; i++)
        patch_str(patch, NULL, assigned->items[i]);
    patch_close(patch);
}

static void open_patch(struct patch *patch, const struct object *shown)
{
    patch_open(patch, NULL);
    if (shown) {
        patch_open(patch, "metadata");
        patch_str(patch, "resourceVersion", shown->resource_version);
        patch_close(patch);
    }
    patch_open(patch, "status");
}

static struct str close_patch(struct patch *patch, struct arena *arena)
{
    patch_close(patch);
    patch_close(patch);
    return patch_move(patch, arena);
}

struct str status_patch(const struct object *object, const struct status_want *want, int64_t now,
                        struct arena *arena)
{
    const struct list *shown = conditions_of(object);
    struct condition ours = accepted(object, want->why, now, arena);
    const struct condition_want conditions = {.type = ours.type, .ours = &ours};
    bool condition = !condition_patch_is_done(shown, &conditions, 1);
    bool usage = want->usage && !shows_usage(object, want->usage);
    bool assigned = want->assigned && !shows_assigned(object, want->assigned);
    if (!condition && !usage && !assigned)
        return STR("");
    struct patch patch = {0};
    open_patch(&patch, object);
    if (condition)
        condition_patch(&patch, shown, &conditions, 1);
    if (usage)
        put_usage(&patch, want->usage);
    if (assigned)
        put_assigned(&patch, want->assigned);
    return close_patch(&patch, arena);
}
