#include "controller/handover.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"
#include "common/base/scope.h"
#include "common/base/vec.h"

/* Who gives up which addresses. */
struct giver {
    struct ip ips[HANDOVER_IPS];
    size_t count;
    char id[];
};

/* An address that somebody gives up. */
struct passage {
    struct ip_text text;
    size_t givers;
    VEC(char *) waiting; /* ids */
};

struct handover {
    struct map givers;   /* id → struct giver */
    struct map passages; /* address → struct passage */
};

struct handover *handover_new(void)
{
    struct handover *handover = heap_alloc(sizeof(*handover));
    *handover = (struct handover){0};
    return handover;
}

static void passage_free(struct passage *passage)
{
    for (size_t i = 0; i < passage->waiting.len; i++)
        free(passage->waiting.items[i]);
    vec_done(&passage->waiting);
    free(passage);
}

struct handover *handover_free(struct handover *handover)
{
    if (!handover)
        return NULL;
    size_t cursor = 0;
    for (struct map_entry *at; (at = map_next(&handover->givers, &cursor));)
        free(at->value);
    cursor = 0;
    for (struct map_entry *at; (at = map_next(&handover->passages, &cursor));)
        passage_free(at->value);
    map_done(&handover->givers);
    map_done(&handover->passages);
    free(handover);
    return NULL;
}

static bool gives(const struct giver *giver, const struct ip *ip)
{
    for (size_t i = 0; giver && i < giver->count; i++) {
        if (ip_eq(&giver->ips[i], ip))
            return true;
    }
    return false;
}

static struct passage *passage_find(const struct handover *handover, const struct ip *ip)
{
    struct ip_text text = ip_format(ip);
    return map_get(&handover->passages, str_from(text.text));
}

static void passage_open(struct handover *handover, const struct ip *ip)
{
    struct passage *passage = passage_find(handover, ip);
    if (!passage) {
        passage = heap_alloc(sizeof(*passage));
        *passage = (struct passage){.text = ip_format(ip)};
        (void)map_put(&handover->passages, str_from(passage->text.text), passage);
    }
    passage->givers++;
}

/* One giver less; after the last, who waited is in `ret`. */
static void passage_close(struct handover *handover, const struct ip *ip, struct str_list *ret,
                          struct arena *arena)
{
    struct passage *passage = passage_find(handover, ip);
    if (--passage->givers > 0)
        return;
    struct str *items = arena_array(arena, ret->count + passage->waiting.len, sizeof(*items));
    for (size_t i = 0; i < ret->count; i++)
        items[i] = ret->items[i];
    for (size_t i = 0; i < passage->waiting.len; i++)
        items[ret->count++] = arena_str(arena, str_from(passage->waiting.items[i]));
    ret->items = items;
    (void)map_remove(&handover->passages, str_from(passage->text.text));
    passage_free(passage);
}

static struct giver *giver_new(struct str id, const struct ip *ips, size_t count)
{
    struct giver *giver = heap_alloc(sizeof(*giver) + id.len + 1);
    *giver = (struct giver){0};
    memcpy(giver->id, id.ptr, id.len);
    giver->id[id.len] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (!gives(giver, &ips[i]))
            giver->ips[giver->count++] = ips[i];
    }
    return giver;
}

struct str_list handover_give(struct handover *handover, struct str id, const struct ip *ips,
                              size_t count, struct arena *arena)
{
    assert(count <= HANDOVER_IPS);
    struct str_list freed = {0};
    struct giver *before = map_remove(&handover->givers, id);
    struct giver *now = count ? giver_new(id, ips, count) : NULL;
    for (size_t i = 0; now && i < now->count; i++) {
        if (!gives(before, &now->ips[i]))
            passage_open(handover, &now->ips[i]);
    }
    for (size_t i = 0; before && i < before->count; i++) {
        if (!gives(now, &before->ips[i]))
            passage_close(handover, &before->ips[i], &freed, arena);
    }
    if (now)
        (void)map_put(&handover->givers, str_from(now->id), now);
    free(before);
    return freed;
}

static void wait_for(struct passage *passage, struct str id)
{
    for (size_t i = 0; i < passage->waiting.len; i++) {
        if (str_eq(str_from(passage->waiting.items[i]), id))
            return;
    }
    char *copy = heap_alloc(id.len + 1);
    memcpy(copy, id.ptr, id.len);
    copy[id.len] = '\0';
    vec_push(&passage->waiting, copy);
}

bool handover_must_wait(struct handover *handover, struct str id, const struct ip *ips,
                        size_t count)
{
    const struct giver *self = map_get(&handover->givers, id);
    for (size_t i = 0; i < count; i++) {
        struct passage *passage = passage_find(handover, &ips[i]);
        if (!passage || passage->givers == (gives(self, &ips[i]) ? 1 : 0))
            continue;
        wait_for(passage, id);
        return true;
    }
    return false;
}
