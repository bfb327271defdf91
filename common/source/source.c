/* What both kinds of source share: the cache, the findings, and the way to the right functions. */
#include "common/source/source_ops.h"

#include <stdlib.h>

void source_init(struct source *source, const struct source_ops *ops)
{
    *source = (struct source){.ops = ops, .cache = cache_new()};
    source->findings.arena = arena_new(0);
}

struct object *source_reduce(const struct source *source, struct object *object)
{
    return source->calls.reduce ? source->calls.reduce(source->calls.ctx, object) : object;
}

void source_put(struct source *source, struct object *object)
{
    scoped_ptr(object) struct object *before = cache_put(source->cache, object);
    if (source->calls.changed)
        source->calls.changed(source->calls.ctx, before, object);
}

void source_remove(struct source *source, enum kind_id kind, struct str key)
{
    scoped_ptr(object) struct object *before = cache_remove(source->cache, kind, key);
    if (before && source->calls.changed)
        source->calls.changed(source->calls.ctx, before, NULL);
}

struct diag_list *source_reset_findings(struct source *source)
{
    diag_done(&source->findings);
    (void)arena_free(source->findings.arena);
    source->findings = (struct diag_list){.arena = arena_new(0)};
    return &source->findings;
}

void source_start(struct source *source, const struct source_follow *follow, size_t count,
                  const struct source_calls *calls)
{
    source->calls = *calls;
    source->ops->start(source, follow, count);
}

struct source *source_free(struct source *source)
{
    if (!source)
        return NULL;
    source->calls = (struct source_calls){0};
    struct cache *cache = source->cache;
    struct diag_list findings = source->findings;
    source->ops->free(source);
    diag_done(&findings);
    (void)arena_free(findings.arena);
    (void)cache_free(cache);
    return NULL;
}

void source_refresh(struct source *source)
{
    source->ops->refresh(source);
}

const struct object *source_get(const struct source *source, enum kind_id kind,
                                struct str namespace, struct str name)
{
    return cache_find(source->cache, kind, namespace, name);
}

const struct object **source_list(const struct source *source, enum kind_id kind,
                                  struct arena *arena, size_t *ret_count)
{
    return cache_list(source->cache, kind, arena, ret_count);
}

size_t source_count(const struct source *source, enum kind_id kind)
{
    return cache_count(source->cache, kind);
}

size_t source_index(struct source *source, enum kind_id kind,
                    void (*value_of)(const struct object *object, struct sbuf *out))
{
    return cache_index(source->cache, kind, value_of);
}

const struct object *const *source_by(const struct source *source, size_t index, struct str value,
                                      size_t *ret_count)
{
    return cache_by(source->cache, index, value, ret_count);
}

const struct diag_list *source_findings(const struct source *source)
{
    return &source->findings;
}

struct source_saved source_saved(const struct source *source)
{
    return source->saved;
}

struct source_request *source_write(struct source *source, const struct source_write *write)
{
    return source->ops->write(source, write);
}

struct source_request *source_cancel(struct source_request *request)
{
    return request ? request->source->ops->cancel(request) : NULL;
}

void source_elect(struct source *source, const struct source_election *election)
{
    source->ops->elect(source, election);
}

void source_resign(struct source *source, void (*done)(void *ctx), void *ctx)
{
    source->ops->resign(source, done, ctx);
}

void source_event(struct source *source, const struct source_event *event)
{
    source->ops->event(source, event);
}
