#include "controller/unsure.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "controller/alloc.h"

struct open_write {
    struct arena *arena; /* its own, and of the texts */
    struct str id, version;
    struct ip ips[UNSURE_IPS];
    size_t count;
};

struct unsure {
    struct map writes; /* id → struct open_write */
};

struct unsure *unsure_new(void)
{
    struct unsure *unsure = heap_alloc(sizeof(*unsure));
    *unsure = (struct unsure){0};
    return unsure;
}

static void drop(struct unsure *unsure, struct open_write *write)
{
    (void)map_remove(&unsure->writes, write->id);
    (void)arena_free(write->arena);
}

struct unsure *unsure_free(struct unsure *unsure)
{
    if (!unsure)
        return NULL;
    size_t cursor = 0;
    for (struct map_entry *at; (at = map_next(&unsure->writes, &cursor)); cursor = 0)
        drop(unsure, at->value);
    map_done(&unsure->writes);
    free(unsure);
    return NULL;
}

static struct open_write *write_new(struct unsure *unsure, struct str id, struct str version)
{
    struct arena *arena = arena_new(256);
    struct open_write *write = arena_alloc(arena, sizeof(*write));
    *write = (struct open_write){
        .arena = arena, .id = arena_str(arena, id), .version = arena_str(arena, version)};
    (void)map_put(&unsure->writes, write->id, write);
    return write;
}

static bool has(const struct open_write *write, const struct ip *ip)
{
    for (size_t i = 0; i < write->count; i++) {
        if (ip_eq(&write->ips[i], ip))
            return true;
    }
    return false;
}

void unsure_add(struct unsure *unsure, struct str id, struct str version, const struct ip *ips,
                size_t count)
{
    (void)unsure_pass(unsure, id, version);
    struct open_write *write = map_get(&unsure->writes, id);
    if (!write)
        write = write_new(unsure, id, version);
    for (size_t i = 0; i < count && write->count < UNSURE_IPS; i++) {
        if (!has(write, &ips[i]))
            write->ips[write->count++] = ips[i];
    }
}

bool unsure_pass(struct unsure *unsure, struct str id, struct str version)
{
    struct open_write *write = map_get(&unsure->writes, id);
    if (!write || str_eq(write->version, version))
        return false;
    drop(unsure, write);
    return true;
}

size_t unsure_ips(const struct unsure *unsure, struct str id, struct ip ret[UNSURE_IPS])
{
    const struct open_write *write = map_get(&unsure->writes, id);
    for (size_t i = 0; write && i < write->count; i++)
        ret[i] = write->ips[i];
    return write ? write->count : 0;
}

bool unsure_is_full(const struct unsure *unsure, struct str id)
{
    const struct open_write *write = map_get(&unsure->writes, id);
    return write && write->count + ALLOC_IPS > UNSURE_IPS;
}

bool unsure_is_empty(const struct unsure *unsure)
{
    return map_count(&unsure->writes) == 0;
}

void unsure_fence(const struct unsure *unsure, struct fence *fence)
{
    size_t cursor = 0;
    for (struct map_entry *at; (at = map_next(&unsure->writes, &cursor));) {
        const struct open_write *write = at->value;
        fence_add(fence, write->id, write->version);
    }
}
