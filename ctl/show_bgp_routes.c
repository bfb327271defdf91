#include "common/json/patch.h"
#include "common/net/prefix.h"
#include "ctl/sheet.h"
#include "ctl/show_bgp.h"
#include "ctl/tree.h"

enum { SERVICES_SHOWN = 3 };

/* A prefix that a node sends, or would send, to a peer. */
struct row {
    struct str peer, text, attributes, node;
    struct prefix prefix;
    const json_t *tree; /* the attributes */
    int64_t weight;     /* 0: none */
    bool up;            /* the session is */
};

/* A Service that a prefix is for. */
struct use {
    struct prefix prefix;
    struct str key;
};

struct table {
    const struct show_bgp *show;
    struct str peer; /* the only one; empty: all */
    VEC(struct row) rows;
    VEC(struct use) uses;
};

static int by_route(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = str_cmp(x->peer, y->peer);
    if (!order)
        order = prefix_cmp(&x->prefix, &y->prefix);
    return order ? order : str_cmp(x->attributes, y->attributes);
}

static int by_route_and_node(const void *a, const void *b)
{
    int order = by_route(a, b);
    return order ? order : str_cmp(((const struct row *)a)->node, ((const struct row *)b)->node);
}

static int by_use(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    int order = prefix_cmp(&x->prefix, &y->prefix);
    return order ? order : str_cmp(x->key, y->key);
}

/* --- reading --------------------------------------------------------------------------------- */

static bool carries(const json_t *export, const struct prefix *prefix)
{
    return tree_bool(export, prefix->base.family == IP_V4 ? "ipv4" : "ipv6");
}

static void read_export(struct table *table, const struct bgp_answer *answer, const json_t *export,
                        const json_t *class)
{
    struct str peer = tree_text(export, "peer");
    const json_t *prefixes = json_object_get(class, "prefixes");
    const json_t *weights = json_object_get(class, "weights");
    struct row row = {.peer = peer,
                      .node = answer->node,
                      .tree = json_object_get(export, "attributes"),
                      .up = tree_bool(show_bgp_session(answer, peer), "up")};
    if (table->peer.len && !str_eq(table->peer, peer))
        return;
    for (size_t i = 0; i < json_array_size(prefixes); i++) {
        row.text = tree_of(json_array_get(prefixes, i));
        if (prefix_parse(row.text, &row.prefix) < 0 || !carries(export, &row.prefix))
            continue;
        row.weight = json_integer_value(json_array_get(weights, i));
        row.attributes = show_bgp_attributes(table->show, row.tree, row.weight);
        vec_push(&table->rows, row);
    }
}

static void read_routes(struct table *table, const struct bgp_answer *answer)
{
    const json_t *classes = json_object_get(answer->tree, "routes");
    for (size_t i = 0; i < json_array_size(classes); i++) {
        const json_t *class = json_array_get(classes, i);
        const json_t *peers = json_object_get(class, "peers");
        for (size_t j = 0; j < json_array_size(peers); j++)
            read_export(table, answer, json_array_get(peers, j), class);
    }
}

static void read_services(struct table *table, const struct bgp_answer *answer)
{
    const json_t *services = json_object_get(answer->tree, "services");
    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);
        const json_t *prefixes = json_object_get(service, "prefixes");
        struct use use = {.key = show_bgp_key(table->show, service)};
        for (size_t j = 0; j < json_array_size(prefixes); j++) {
            if (prefix_parse(tree_of(json_array_get(prefixes, j)), &use.prefix) == 0)
                vec_push(&table->uses, use);
        }
    }
}

/* The Services of a prefix, each once: the nodes tell of the same ones. */
static struct str_list services_of(const struct table *table, const struct prefix *prefix)
{
    struct str_list keys = {0};
    size_t from = 0, to = table->uses.len;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (prefix_cmp(&table->uses.items[middle].prefix, prefix) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (to = from; to < table->uses.len && prefix_eq(&table->uses.items[to].prefix, prefix);)
        to++;
    keys.items = arena_array(table->show->scratch, to - from, sizeof(struct str));
    for (; from < to; from++) {
        struct str key = table->uses.items[from].key;
        if (keys.count == 0 || !str_eq(keys.items[keys.count - 1], key))
            keys.items[keys.count++] = key;
    }
    return keys;
}

/* --- showing --------------------------------------------------------------------------------- */

/* One row after the other that differ in the node alone. */
struct group {
    const struct row *first;
    struct str_list up, down; /* nodes */
    struct str_list services;
};

static struct group next_group(const struct table *table, size_t *at)
{
    size_t from = *at;
    struct arena *scratch = table->show->scratch;
    struct group group = {.first = &table->rows.items[from]};
    while (*at < table->rows.len && by_route(group.first, &table->rows.items[*at]) == 0)
        (*at)++;
    group.up.items = arena_array(scratch, *at - from, sizeof(struct str));
    group.down.items = arena_array(scratch, *at - from, sizeof(struct str));
    for (; from < *at; from++) {
        struct str_list *list = table->rows.items[from].up ? &group.up : &group.down;
        list->items[list->count++] = table->rows.items[from].node;
    }
    group.services = services_of(table, &group.first->prefix);
    return group;
}

static void routes_json(const struct table *table)
{
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_list(&json, "routes");
    for (size_t at = 0; at < table->rows.len;) {
        struct group group = next_group(table, &at);
        scoped_heap char *attributes = json_dumps(group.first->tree, JSON_COMPACT);
        patch_open(&json, NULL);
        patch_str(&json, "peer", group.first->peer);
        patch_str(&json, "prefix", group.first->text);
        show_put_list(&json, "services", &group.services);
        show_put_list(&json, "sentBy", &group.up);
        show_put_list(&json, "heldBackBy", &group.down);
        patch_raw(&json, "attributes", attributes ? str_from(attributes) : STR("{}"));
        patch_int(&json, "weight", group.first->weight);
        patch_close(&json);
    }
    patch_close(&json);
    patch_list(&json, "silent");
    for (size_t i = 0; i < table->show->count; i++) {
        if (!table->show->answers[i].tree)
            patch_str(&json, NULL, table->show->answers[i].node);
    }
    patch_close(&json);
    patch_close(&json);
    sbuf_put(table->show->out, patch_text(&json));
    sbuf_putc(table->show->out, '\n');
}

static struct str few(const struct table *table, const struct str_list *services)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < services->count && i < SERVICES_SHOWN; i++)
        sbuf_printf(&text, "%s" STR_FMT, i ? "," : "", STR_ARG(services->items[i]));
    if (services->count > SERVICES_SHOWN)
        sbuf_printf(&text, " and %zu more", services->count - SERVICES_SHOWN);
    return sbuf_move(&text, table->show->scratch);
}

static void routes_text(const struct table *table)
{
    scoped_sbuf struct sbuf notes = {0};
    struct sheet sheet;
    bool any_down = false;
    sheet_begin(&sheet, "PEER|PREFIX|SERVICES|SENT BY|HELD BACK BY|ATTRIBUTES",
                table->show->scratch);
    for (size_t at = 0; at < table->rows.len;) {
        struct group group = next_group(table, &at);
        sheet_put(&sheet, group.first->peer);
        sheet_put(&sheet, group.first->text);
        sheet_put(&sheet, few(table, &group.services));
        sheet_put_list(&sheet, &group.up);
        sheet_put_list(&sheet, &group.down);
        sheet_put(&sheet, group.first->attributes);
        any_down |= group.down.count > 0;
    }
    sheet_end(&sheet, table->show->out);
    if (any_down)
        sbuf_puts(&notes, "Held back: the session with the peer is not up; stentorctl "
                          "bgp says why.\n");
    show_bgp_silent(table->show, &notes);
    show_bgp_notes(table->show, &notes);
}

bool show_bgp_routes(const struct show_bgp *show, struct str peer)
{
    struct table table = {.show = show, .peer = peer};
    bool known = peer.len == 0;
    for (size_t i = 0; i < show->count; i++) {
        known |= show_bgp_session(&show->answers[i], peer) != NULL;
        read_routes(&table, &show->answers[i]);
        read_services(&table, &show->answers[i]);
    }
    vec_sort(&table.rows, by_route_and_node);
    vec_sort(&table.uses, by_use);
    if (known && show->format == SHOW_JSON)
        routes_json(&table);
    else if (known)
        routes_text(&table);
    vec_done(&table.rows);
    vec_done(&table.uses);
    return known;
}
