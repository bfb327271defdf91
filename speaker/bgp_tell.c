#include "speaker/bgp_tell.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "common/base/sbuf.h"
#include "crd/announced.h"
#include "crd/service.h"
#include "speaker/tell.h"

/* A session as it was told of last. */
struct told {
    struct str peer; /* heap */
    bool up;
    uint64_t look; /* hash of what else people see of it */
    uint64_t last; /* updates of the session as they were last */
    struct bgp_told counts;
};

struct bgp_tell {
    struct source *source;
    struct str node;
    struct bgp_tell_calls calls;
    struct map sessions;  /* peer → struct told, owned */
    struct sbuf findings; /* as they were logged last */
};

struct bgp_tell *bgp_tell_new(struct source *source, struct str node,
                              const struct bgp_tell_calls *calls)
{
    struct bgp_tell *tell = heap_alloc(sizeof(*tell));
    *tell = (struct bgp_tell){.source = source, .node = node, .calls = *calls};
    return tell;
}

struct bgp_tell *bgp_tell_free(struct bgp_tell *tell)
{
    size_t cursor = 0;
    if (!tell)
        return NULL;
    for (struct map_entry *slot; (slot = map_next(&tell->sessions, &cursor));) {
        struct told *told = slot->value;
        free((char *)told->peer.ptr);
        free(told);
    }
    map_done(&tell->sessions);
    sbuf_done(&tell->findings);
    free(tell);
    return NULL;
}

/* --- Services -------------------------------------------------------------------------------- */

/* What a process before this one announced from here: "namespace/name" → anything. */
static void read_shown(const struct bgp_tell *tell, struct arena *arena, struct map *ret)
{
    size_t count;
    const struct object **all = source_list(tell->source, KIND_SERVICE_BGP_STATUS, arena, &count);
    for (size_t i = 0; i < count; i++) {
        const struct servicebgpstatus *one = (const struct servicebgpstatus *)all[i];
        if (str_eq(one->status.node, tell->node))
            (void)map_put(ret,
                          arena_printf(arena, STR_FMT "/" STR_FMT,
                                       STR_ARG(one->status.service_namespace),
                                       STR_ARG(one->status.service_name)),
                          (void *)one);
    }
}

static void tell_announced(const struct bgp_tell *tell, const struct model_service *service)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct tell events = {.source = tell->source, .node = tell->node};
    log_info("service announced over BGP", kv_str("service", service->key),
             kv_uint("prefixes", service->prefix_count), kv_uint("peers", service->peers.count));
    tell_event(&events, service->key, false, STR("nodeAssigned"),
               arena_printf(scratch, "announcing from node \"" STR_FMT "\" with protocol \"bgp\"",
                            STR_ARG(tell->node)));
}

static enum reason reason_gone(const struct bgp_tell *tell, struct str key)
{
    struct str namespace, name;
    (void)str_cut(key, '/', &namespace, &name);
    const struct object *service = source_get(tell->source, KIND_SERVICE, namespace, name);
    return service ? REASON_NOT_LOAD_BALANCER : REASON_SERVICE_DELETED;
}

static bool same_peers(const struct model_service *a, const struct model_service *b)
{
    if (a->peers.count != b->peers.count)
        return false;
    for (size_t i = 0; i < a->peers.count; i++) {
        if (!str_eq(a->peers.items[i], b->peers.items[i]))
            return false;
    }
    return true;
}

static void tell_service(const struct bgp_tell *tell, const struct map *shown,
                         const struct model_service *was, const struct model_service *now)
{
    enum reason before = was ? was->reason : REASON_SERVICE_DELETED;
    if ((now->reason == REASON_NONE) != (before == REASON_NONE) ||
        (now->reason == REASON_NONE && !same_peers(was, now)))
        tell->calls.service(tell->calls.ctx, now->key);
    if (now->reason == before)
        return;
    if (now->reason == REASON_NONE && !map_get(shown, now->key))
        tell_announced(tell, now);
    else if (before == REASON_NONE)
        log_info("service withdrawn from BGP", kv_str("service", now->key),
                 kv_cstr("reason", reason_name(now->reason)));
}

static void tell_gone(const struct bgp_tell *tell, const struct model_service *gone)
{
    if (gone->reason)
        return;
    tell->calls.service(tell->calls.ctx, gone->key);
    log_info("service withdrawn from BGP", kv_str("service", gone->key),
             kv_cstr("reason", reason_name(reason_gone(tell, gone->key))));
}

/* Both are sorted. */
static void tell_services(const struct bgp_tell *tell, const struct model *before,
                          const struct model *after)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct map shown = {0};
    size_t count = before ? before->service_count : 0, at = 0;
    if (!before)
        read_shown(tell, scratch, &shown);
    for (size_t i = 0; i < after->service_count; i++) {
        const struct model_service *now = &after->services[i];
        int order = 1;
        while (at < count && (order = str_cmp(before->services[at].key, now->key)) < 0)
            tell_gone(tell, &before->services[at++]);
        bool same = at < count && order == 0;
        tell_service(tell, &shown, same ? &before->services[at] : NULL, now);
        at += same;
    }
    while (at < count)
        tell_gone(tell, &before->services[at++]);
    map_done(&shown);
}

/* Logs them when they read otherwise than before. */
static void tell_model_findings(struct bgp_tell *tell, const struct diag_list *findings)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < findings->found.len; i++) {
        sbuf_put(&text, findings->found.items[i].object);
        sbuf_put(&text, findings->found.items[i].message);
    }
    bool same = str_eq(sbuf_str(&text), sbuf_str(&tell->findings));
    sbuf_done(&tell->findings);
    tell->findings = text;
    if (!same)
        tell_findings(findings);
}

static bool has_session(const struct model *model, struct str peer)
{
    for (size_t i = 0; model && i < model->session_count; i++) {
        if (str_eq(model->sessions[i].peer, peer))
            return true;
    }
    return false;
}

/* Those of one model that the other does not have. */
static void tell_others(const struct bgp_tell *tell, const struct model *one,
                        const struct model *other)
{
    for (size_t i = 0; one && i < one->session_count; i++) {
        if (!has_session(other, one->sessions[i].peer))
            tell->calls.session(tell->calls.ctx, one->sessions[i].peer);
    }
}

void bgp_tell_model(struct bgp_tell *tell, const struct model *before, const struct model *after)
{
    tell_services(tell, before, after);
    tell_others(tell, before, after);
    tell_others(tell, after, before);
    tell_model_findings(tell, &after->findings);
}

void bgp_tell_changes(struct bgp_tell *tell, const struct model_change *changes, size_t count)
{
    static const struct map none;
    for (size_t i = 0; i < count; i++) {
        const struct model_change *one = &changes[i];
        if (one->is)
            tell_service(tell, &none, one->was ? &one->before : NULL, &one->after);
        else
            tell_gone(tell, &one->before);
    }
}

/* --- sessions -------------------------------------------------------------------------------- */

static struct told *find_told(struct bgp_tell *tell, struct str peer)
{
    struct told *told = map_get(&tell->sessions, peer);
    if (told)
        return told;
    struct sbuf name = {0};
    sbuf_put(&name, peer);
    sbuf_putc(&name, '\0'); /* so that there is memory also for the empty name */
    told = heap_alloc(sizeof(*told));
    told->peer = (struct str){.ptr = name.ptr, .len = peer.len};
    (void)map_put(&tell->sessions, told->peer, told);
    return told;
}

static uint64_t look_of(const struct bgp_view *view)
{
    scoped_sbuf struct sbuf text = {0};
    sbuf_puts(&text, ip_is_set(&view->address) ? ip_format(&view->address).text : "");
    sbuf_put(&text, view->why);
    if (view->state == STATUS_ESTABLISHED)
        sbuf_i64(&text, view->since);
    return map_hash(0, sbuf_str(&text));
}

void bgp_tell_sessions(struct bgp_tell *tell, const struct bgp_view *views, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct told *told = find_told(tell, views[i].peer);
        bool up = views[i].state == STATUS_ESTABLISHED;
        /* BIRD counts from the start of each session. */
        told->counts.updates += views[i].updates - (views[i].updates < told->last ? 0 : told->last);
        told->last = views[i].updates;
        uint64_t look = look_of(&views[i]);
        if (look != told->look || up != told->up)
            tell->calls.session(tell->calls.ctx, views[i].peer);
        told->look = look;
        if (up == told->up)
            continue;
        told->up = up;
        if (up) {
            log_info("BGP session up", kv_str("peer", views[i].peer),
                     kv_ip("address", &views[i].address), kv_uint("as", views[i].peer_as));
            continue;
        }
        told->counts.downs++;
        log_warn("BGP session down", kv_str("peer", views[i].peer),
                 kv_ip("address", &views[i].address), kv_str("reason", views[i].why),
                 kv_uint("times", told->counts.downs));
    }
}

struct bgp_told bgp_tell_session(const struct bgp_tell *tell, struct str peer)
{
    const struct told *told = map_get(&tell->sessions, peer);
    return told ? told->counts : (struct bgp_told){0};
}
