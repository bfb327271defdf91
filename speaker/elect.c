#include "speaker/elect.h"

#include "common/base/names.h"
#include "crd/name.h"

static const char *const verdict_names[] = {
    [ELECT_VALID] = "valid",
    [ELECT_NOT_PUBLISHED] = "notPublished",
    [ELECT_BAD_EPOCH] = "badEpoch",
    [ELECT_NO_OWNER] = "noOwner",
    [ELECT_BAD_NODE] = "badNode",
    [ELECT_DUPLICATE_NODE] = "duplicateNode",
    [ELECT_TOO_MANY_NODES] = "tooManyNodes",
};
static const struct names verdicts = NAMES(verdict_names);
_Static_assert(sizeof(verdict_names) / sizeof(verdict_names[0]) == ELECT_VERDICTS, "a name each");

const char *elect_verdict_name(enum elect_verdict verdict)
{
    return names_of(&verdicts, verdict);
}

static size_t count_parts(struct str text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len && count < ELECT_NODES_MAX; i++)
        count += text.ptr[i] == ' ';
    return count;
}

static enum elect_verdict read_nodes(struct str text, struct arena *arena, struct str_list *nodes)
{
    struct str rest = text, name;
    bool more = true;
    nodes->items = arena_array(arena, count_parts(text), sizeof(struct str));
    while (more) {
        more = str_cut(rest, ' ', &name, &rest);
        if (!name_is_subdomain(name))
            return ELECT_BAD_NODE;
        if (str_list_has(nodes, name))
            return ELECT_DUPLICATE_NODE;
        if (nodes->count == ELECT_NODES_MAX)
            return ELECT_TOO_MANY_NODES;
        nodes->items[nodes->count++] = name;
    }
    return ELECT_VALID;
}

enum elect_verdict elect_parse(struct str text, struct arena *arena, struct elect_placement *ret)
{
    struct elect_placement placement = {0};
    struct str epoch, nodes;
    if (text.len == 0)
        return ELECT_NOT_PUBLISHED;
    bool has_nodes = str_cut(text, ' ', &epoch, &nodes);
    if (str_to_u64(epoch, UINT64_MAX, &placement.epoch) < 0)
        return ELECT_BAD_EPOCH;
    if (!has_nodes)
        return ELECT_NO_OWNER;
    enum elect_verdict verdict = read_nodes(nodes, arena, &placement.nodes);
    if (verdict == ELECT_VALID)
        *ret = placement;
    return verdict;
}

size_t elect_owner(const struct elect_unit *unit, struct arena *scratch)
{
    for (size_t i = 0; unit->published && i < unit->published->nodes.count; i++) {
        for (size_t j = 0; j < unit->count; j++) {
            if (str_eq(unit->candidates[j].name, unit->published->nodes.items[i]))
                return j;
        }
    }
    if (unit->count == 0)
        return 0;
    return election_order(unit->candidates, unit->count, &unit->ip, scratch)[0];
}
