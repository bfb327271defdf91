/* What the tests of the plan share: a small cluster, made of YAML, that shows what is written to
 * it. Every step applies manifests, plans, writes the patches into the objects as the API server
 * would, and compares the outcome as text. */
#ifndef CONTROLLER_TEST_CLUSTER_H
#define CONTROLLER_TEST_CLUSTER_H

#include "common/base/map.h"
#include "common/base/test.h"
#include "common/json/patch.h"
#include "common/json/yaml.h"
#include "controller/config.h"
#include "controller/plan.h"
#include "controller/report.h"
#include "controller/service_patch.h"
#include "crd/service.h"

#define POOL(name, spec)                                                               \
    "---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: " name \
    ", namespace: metallb-system}\nspec: {" spec "}\n"
#define SERVICE(name, meta, spec)                                                            \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: default" meta \
    "}\nspec: {type: LoadBalancer, clusterIP: 198.18.0.1, clusterIPs: [198.18.0.1], ports: " \
    "[{port: 80}]" spec "}\n"
#define DUAL(name, policy)                                                                       \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: default}\nspec: " \
    "{type: LoadBalancer, clusterIP: 198.18.0.1, clusterIPs: [198.18.0.1, \"2001:db8:fd::1\"], " \
    "ipFamilies: [IPv4, IPv6], ipFamilyPolicy: " policy ", ports: [{port: 80}]}\n"

struct cluster_item {
    json_t *tree;
    struct object *object;
    int64_t version;
};

struct cluster {
    struct arena *arena;
    struct map items; /* id → struct cluster_item */
    struct config *config;
    struct plan *plan;
    struct str lb_class;
    int64_t versions, now;
    const struct quarantine_members *members; /* of the speakers; NULL: all conflicts count */
    size_t writes;                            /* patches written by the last step */
    struct str writing;                       /* key of the Service that a write is under way of */
    struct sbuf events;
};

static inline bool cluster_writes(const void *ctx, struct str key, const struct ip *ip)
{
    const struct cluster *c = ctx;
    (void)ip;
    return str_eq(key, c->writing);
}

/* A new leader: it knows what the objects show, and nothing else. */
static inline void cluster_restart(struct cluster *c)
{
    struct plan_options options = {
        .lb_class = c->lb_class, .seed = 1, .writes = cluster_writes, .ctx = c};
    (void)plan_free(c->plan);
    (void)config_free(c->config);
    c->plan = plan_new(&options);
    c->config = config_new();
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&c->items, &cursor));) {
        struct cluster_item *item = slot->value;
        if (item->object->kind->id == KIND_SERVICE)
            plan_offer(c->plan, item->object, false);
    }
}

static inline void cluster_init(struct cluster *c, const char *lb_class)
{
    *c = (struct cluster){.arena = arena_new(0), .now = 1000000, .lb_class = str_from(lb_class)};
    cluster_restart(c);
}

static inline void cluster_forget(struct cluster *c, struct cluster_item *item)
{
    if (item->object->kind->id == KIND_SERVICE)
        plan_drop(c->plan, item->object->key);
    (void)map_remove(&c->items, object_id(item->object));
    (void)object_unref(item->object);
    json_decref(item->tree);
}

static inline void cluster_done(struct cluster *c)
{
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&c->items, &cursor)); cursor = 0)
        cluster_forget(c, slot->value);
    map_done(&c->items);
    (void)plan_free(c->plan);
    (void)config_free(c->config);
    (void)arena_free(c->arena);
    sbuf_done(&c->events);
}

/* Stores a tree (taken over) as the newest version of its object, and offers it to the plan. */
static inline struct cluster_item *cluster_store(struct cluster *c, json_t *tree)
{
    json_t *meta = json_object_get(tree, "metadata");
    struct str kind = str_from(json_string_value(json_object_get(tree, "kind")));
    struct str version = str_from(json_string_value(json_object_get(tree, "apiVersion")));
    const struct kind *of = kinds_find(version, kind);
    TEST_ASSERT(of != NULL && meta != NULL);
    json_object_set_new(meta, "resourceVersion",
                        json_string(arena_printf(c->arena, "%lld", (long long)++c->versions).ptr));
    struct object *object = object_decode(of, tree, STR(""));
    struct cluster_item *item = map_get(&c->items, object_id(object));
    if (item) {
        (void)map_remove(&c->items, object_id(object));
        (void)object_unref(item->object);
        if (item->tree != tree)
            json_decref(item->tree);
    } else {
        item = arena_alloc(c->arena, sizeof(*item));
    }
    *item = (struct cluster_item){.tree = tree, .object = object};
    (void)map_put(&c->items, object_id(object), item);
    if (of->id == KIND_SERVICE)
        plan_offer(c->plan, object, false);
    return item;
}

/* kubectl apply: spec and metadata are the manifest's; status stays unless the manifest has one.
 * Annotations of ours (…ip-allocated-from-pool) stay too. */
static inline void cluster_apply(struct cluster *c, const char *yaml)
{
    struct yaml_documents documents = yaml_parse(str_from(yaml), c->arena);
    for (size_t i = 0; i < documents.list.len; i++) {
        struct yaml_document *document = &documents.list.items[i];
        if (document->error.len)
            printf("\n" STR_FMT "\n%s\n", STR_ARG(document->error), yaml);
        TEST_ASSERT(document->tree != NULL);
        json_t *tree = document->tree;
        document->tree = NULL;
        struct object *probe = object_decode(
            kinds_find(str_from(json_string_value(json_object_get(tree, "apiVersion"))),
                       str_from(json_string_value(json_object_get(tree, "kind")))),
            tree, STR(""));
        struct cluster_item *before = map_get(&c->items, object_id(probe));
        (void)object_unref(probe);
        json_t *status = before ? json_object_get(before->tree, "status") : NULL;
        if (status && !json_object_get(tree, "status"))
            json_object_set(tree, "status", status);
        json_t *mine =
            before ? json_object_get(json_object_get(before->tree, "metadata"), "annotations")
                   : NULL;
        json_t *pool = json_object_get(mine, "metallb.io/ip-allocated-from-pool");
        json_t *meta = json_object_get(tree, "metadata");
        if (pool && !json_object_get(meta, "annotations"))
            json_object_set_new(meta, "annotations", json_object());
        if (pool)
            json_object_set(json_object_get(meta, "annotations"),
                            "metallb.io/ip-allocated-from-pool", pool);
        (void)cluster_store(c, tree);
    }
    yaml_done(&documents);
}

static inline void cluster_delete(struct cluster *c, const char *id)
{
    struct cluster_item *item = map_get(&c->items, str_from(id));
    TEST_ASSERT(item != NULL);
    cluster_forget(c, item);
}

/* Puts the pools and conflicts of the objects there are in force. */
static inline void cluster_configure(struct cluster *c)
{
    struct config_input input = {.now = c->now};
    size_t total;
    struct map_entry *sorted = map_sorted(&c->items, c->arena, &total);
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        const struct object **list = arena_array(c->arena, total, sizeof(*list));
        for (size_t i = 0; i < total; i++) {
            struct object *object = ((struct cluster_item *)sorted[i].value)->object;
            if ((size_t)object->kind->id == kind)
                list[input.counts[kind]++] = object;
        }
        input.objects[kind] = list;
    }
    plan_set_pools(c->plan, config_build(c->config, &input));
    plan_set_quarantine(
        c->plan, quarantine_new(plan_quarantine(c->plan), input.objects[KIND_ADDRESS_CONFLICT],
                                input.counts[KIND_ADDRESS_CONFLICT], c->members, c->now));
}

/* Carries out a patch, as the API server would take it. */
static inline void cluster_patch(struct cluster *c, struct cluster_item *item, struct str body)
{
    json_error_t error;
    json_t *patch = json_loadb(body.ptr, body.len, 0, &error);
    TEST_ASSERT(patch != NULL);
    json_t *tree = patch_merge(json_deep_copy(item->tree), patch);
    json_decref(patch);
    (void)cluster_store(c, tree);
}

/* Writes one record into its object. */
static inline void cluster_write(struct cluster *c, struct str key)
{
    const struct plan_record *record = plan_get(c->plan, key);
    struct str id = arena_printf(c->arena, "Service/" STR_FMT, STR_ARG(key));
    struct cluster_item *item = map_get(&c->items, id);
    if (!record || !item)
        return;
    struct str body =
        service_patch(record, NULL, (const struct service *)item->object, c->now, c->arena);
    if (body.len == 0) {
        plan_forget_notes(c->plan, key);
        return;
    }
    for (size_t i = 0; i < record->note_count; i++)
        sbuf_printf(&c->events, "%s " STR_FMT " %s: " STR_FMT "\n",
                    record->notes[i].warning ? "!" : "*", STR_ARG(key), record->notes[i].reason,
                    STR_ARG(record->notes[i].message));
    plan_forget_notes(c->plan, key);
    c->writes++;
    cluster_patch(c, item, body);
}

/* Plans and writes until nothing changes any more; a plan that flaps fails the test. */
static inline void cluster_settle(struct cluster *c)
{
    c->writes = 0;
    sbuf_clear(&c->events);
    cluster_configure(c);
    for (unsigned round = 0;; round++) {
        TEST_ASSERT(round < 5);
        size_t before = c->writes;
        plan_run(c->plan);
        struct str_list keys = plan_changes(c->plan, c->arena);
        for (size_t i = 0; i < keys.count; i++)
            cluster_write(c, keys.items[i]);
        if (c->writes == before)
            return;
    }
}

/* "default/web 192.0.2.1 office Allocated" per Service, then the events of the last settling. */
static inline struct str cluster_text(struct cluster *c)
{
    struct sbuf out = {0};
    size_t count;
    const struct plan_record **records = plan_list(c->plan, c->arena, &count);
    for (size_t i = 0; i < count; i++) {
        const struct plan_record *r = records[i];
        sbuf_printf(&out, STR_FMT " ", STR_ARG(r->key));
        for (size_t j = 0; j < r->ip_count; j++)
            sbuf_printf(&out, "%s%s", j ? "," : "", ip_format(&r->ips[j]).text);
        sbuf_printf(&out, "%s " STR_FMT "%s%s\n", r->ip_count ? "" : "-",
                    STR_ARG(r->pool.len ? r->pool : STR("-")), " ", r->reason);
    }
    sbuf_put(&out, sbuf_str(&c->events));
    return sbuf_move(&out, c->arena);
}

/* One step: apply (may be NULL), settle, compare the whole outcome. */
static inline void cluster_step(struct cluster *c, const char *yaml, const char *want)
{
    if (yaml)
        cluster_apply(c, yaml);
    cluster_settle(c);
    TEST_STR(cluster_text(c), want);
}

#endif
