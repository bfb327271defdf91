#include "common/gossip/member_internal.h"

static int compare_members(const void *a, const void *b)
{
    const struct gossip_member *left = a, *right = b;
    return str_cmp(left->name, right->name);
}

const struct gossip_member *member_list(const struct member *m, struct arena *arena,
                                        size_t *ret_count)
{
    size_t count = m->roster.all.len;
    struct gossip_member *list = arena_array(arena, count, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        const struct peer *peer = m->roster.all.items[i];
        list[i] = (struct gossip_member){
            .name = arena_str(arena, peer->name),
            .state = peer->state,
            .address = peer->address,
            .self = peer->self,
        };
        if (peer->self) { /* more than we tell others, perhaps */
            list[i].meta = meta_copy(&m->meta, arena);
            continue;
        }
        struct wire in = wire_reader(peer->meta.ptr, peer->meta.len);
        /* It was read once before it was kept. */
        (void)(meta_decode(&in, arena, &list[i].meta) == 0);
    }
    qsort(list, count, sizeof(*list), compare_members);
    *ret_count = count;
    return list;
}

bool member_is_settled(const struct member *m)
{
    return m->settled;
}

bool member_is_stalled(const struct member *m, uint64_t now)
{
    return m->stalled_at != 0 ||
           (member_may_have_others(m) && now >= m->ticked_at + MEMBER_STALL_US);
}

struct member_figures member_figures(const struct member *m)
{
    struct member_figures figures = m->figures;
    figures.rtt_us = m->node.rtt;
    figures.health = m->health;
    for (size_t i = 0; i < sizeof(figures.members) / sizeof(figures.members[0]); i++)
        figures.members[i] = m->roster.counts[i];
    return figures;
}
