#include "controller/lost.h"

#include <stdlib.h>

struct lost {
    struct arena *arena; /* of the names */
    struct str_list names;
    bool begun;
};

struct lost *lost_new(void)
{
    struct lost *lost = heap_alloc(sizeof(*lost));
    *lost = (struct lost){.arena = arena_new(256)};
    return lost;
}

struct lost *lost_free(struct lost *lost)
{
    if (lost)
        (void)arena_free(lost->arena);
    free(lost);
    return NULL;
}

static bool is_lost(const struct gossip_member *member, bool before)
{
    if (member->meta.role != GOSSIP_SPEAKER || member->state == GOSSIP_LEFT)
        return false;
    return !gossip_is_alive(member->state) || (before && member->meta.held);
}

struct lost_news *lost_update(struct lost *lost, const struct gossip_member *members, size_t count,
                              struct arena *arena, size_t *ret_count)
{
    struct lost_news *news = arena_array(arena, count, sizeof(*news));
    struct arena *now_arena = arena_new(256);
    struct str_list now = {.items = arena_array(now_arena, count, sizeof(struct str))};
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct gossip_member *member = &members[i];
        bool before = str_list_has(&lost->names, member->name), is = is_lost(member, before);
        if (is)
            now.items[now.count++] = arena_str(now_arena, member->name);
        if (is != before && lost->begun && member->state != GOSSIP_LEFT)
            news[(*ret_count)++] =
                (struct lost_news){.node = arena_str(arena, member->name), .is_back = !is};
    }
    (void)arena_free(lost->arena);
    lost->arena = now_arena;
    lost->names = now;
    lost->begun = true;
    return news;
}
