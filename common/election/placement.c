#include "common/election/placement.h"

#include <assert.h>

#include "common/base/names.h"
#include "common/base/sbuf.h"
#include "crd/name.h"

static const char *const verdict_names[] = {
    [PLACEMENT_VALID] = "valid",
    [PLACEMENT_NOT_PUBLISHED] = "notPublished",
    [PLACEMENT_BAD_EPOCH] = "badEpoch",
    [PLACEMENT_NO_OWNER] = "noOwner",
    [PLACEMENT_BAD_NODE] = "badNode",
    [PLACEMENT_DUPLICATE_NODE] = "duplicateNode",
    [PLACEMENT_TOO_MANY_NODES] = "tooManyNodes",
};
static const struct names verdicts = NAMES(verdict_names);
_Static_assert(sizeof(verdict_names) / sizeof(verdict_names[0]) == PLACEMENT_VERDICTS,
               "a name each");

const char *placement_verdict_name(enum placement_verdict verdict)
{
    return names_of(&verdicts, verdict);
}

static size_t count_parts(struct str text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len && count < PLACEMENT_NODES_MAX; i++)
        count += text.ptr[i] == ' ';
    return count;
}

static enum placement_verdict read_nodes(struct str text, struct arena *arena,
                                         struct str_list *nodes)
{
    struct str rest = text, name;
    bool more = true;
    nodes->items = arena_array(arena, count_parts(text), sizeof(struct str));
    while (more) {
        more = str_cut(rest, ' ', &name, &rest);
        if (!name_is_subdomain(name))
            return PLACEMENT_BAD_NODE;
        if (str_list_has(nodes, name))
            return PLACEMENT_DUPLICATE_NODE;
        if (nodes->count == PLACEMENT_NODES_MAX)
            return PLACEMENT_TOO_MANY_NODES;
        nodes->items[nodes->count++] = name;
    }
    return PLACEMENT_VALID;
}

enum placement_verdict placement_parse(struct str text, struct arena *arena, struct placement *ret)
{
    struct placement placement = {0};
    struct str epoch, nodes;
    if (text.len == 0)
        return PLACEMENT_NOT_PUBLISHED;
    bool has_nodes = str_cut(text, ' ', &epoch, &nodes);
    if (str_to_u64(epoch, UINT64_MAX, &placement.epoch) < 0)
        return PLACEMENT_BAD_EPOCH;
    if (!has_nodes)
        return PLACEMENT_NO_OWNER;
    enum placement_verdict verdict = read_nodes(nodes, arena, &placement.nodes);
    if (verdict == PLACEMENT_VALID)
        *ret = placement;
    return verdict;
}

struct str placement_format(const struct placement *placement, struct arena *arena)
{
    struct sbuf text = {0};
    assert(placement->nodes.count >= 1 && placement->nodes.count <= PLACEMENT_NODES_MAX);
    sbuf_u64(&text, placement->epoch);
    for (size_t i = 0; i < placement->nodes.count; i++) {
        assert(name_is_subdomain(placement->nodes.items[i]));
        sbuf_putc(&text, ' ');
        sbuf_put(&text, placement->nodes.items[i]);
    }
    return sbuf_move(&text, arena);
}
