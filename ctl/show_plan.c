#include "common/json/patch.h"
#include "ctl/sheet.h"
#include "ctl/show.h"

/* "dead", "leaving" and so on, or what else is special about the node. */
static const char *state_of(const struct whatif_node *node)
{
    if (node->state == PLACE_DEAD)
        return "killed";
    if (node->state == PLACE_LEAVING)
        return "draining";
    if (node->added)
        return "new";
    return node->available ? "" : "not available";
}

/* The Services of a unit. */
static struct str_list services_of(const struct show *show, size_t unit)
{
    const struct world *w = show->world;
    struct str_list keys = {
        .items = arena_array(show->scratch, w->service_count - unit, sizeof(struct str))};
    for (size_t i = unit; i < w->service_count; i++) {
        if (w->services[i].unit == unit && w->services[i].candidacy.stands)
            keys.items[keys.count++] = w->services[i].key;
    }
    return keys;
}

/* The addresses of a unit, sorted. */
static struct ip *ips_of(const struct show *show, size_t unit, size_t *ret_count)
{
    const struct world *w = show->world;
    struct ip *ips = arena_array(show->scratch, w->units[unit].ips, sizeof(*ips));
    *ret_count = 0;
    for (size_t i = 0; i < w->address_count; i++) {
        if (w->addresses[i].unit == unit)
            ips[(*ret_count)++] = w->addresses[i].ip;
    }
    return ips;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put_capacity(struct patch *json, const struct whatif *whatif,
                         const struct show_capacity *capacity)
{
    size_t pools = whatif_ceil(whatif->units, capacity->per_node), each = capacity->failures + 1;
    patch_open(json, "capacity");
    patch_int(json, "perNode", (int64_t)capacity->per_node);
    patch_int(json, "failures", (int64_t)capacity->failures);
    patch_int(json, "pools", (int64_t)pools);
    patch_int(json, "nodesPerPool", (int64_t)each);
    patch_int(json, "nodes", (int64_t)(pools * each));
    patch_close(json);
}

static void put_moves(const struct show *show, struct patch *json, const struct whatif *whatif)
{
    patch_list(json, "moves");
    for (size_t i = 0; i < whatif->move_count; i++) {
        const struct whatif_move *move = &whatif->moves[i];
        size_t count;
        const struct ip *ips = ips_of(show, move->unit, &count);
        struct str_list services = services_of(show, move->unit);
        patch_open(json, NULL);
        show_put_ips(json, "ips", ips, count);
        show_put_list(json, "services", &services);
        patch_str(json, "from", move->from);
        patch_str(json, "to", move->to);
        patch_str(json, "why", str_from(place_why_name(move->why)));
        patch_close(json);
    }
    patch_close(json);
}

static void plan_json(const struct show *show, const struct whatif *whatif,
                      const struct show_capacity *capacity)
{
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    put_moves(show, &json, whatif);
    patch_list(&json, "nodes");
    for (size_t i = 0; i < whatif->node_count; i++) {
        const struct whatif_node *node = &whatif->nodes[i];
        patch_open(&json, NULL);
        patch_str(&json, "name", node->name);
        patch_str(&json, "state", str_from(state_of(node)));
        patch_int(&json, "before", (int64_t)node->before);
        patch_int(&json, "after", (int64_t)node->after);
        patch_close(&json);
    }
    patch_close(&json);
    patch_int(&json, "units", (int64_t)whatif->units);
    patch_int(&json, "lost", (int64_t)whatif->lost);
    patch_int(&json, "most", (int64_t)whatif->most);
    patch_int(&json, "least",
              whatif->standing ? (int64_t)whatif_ceil(whatif->units, whatif->standing) : 0);
    if (capacity->per_node)
        put_capacity(&json, whatif, capacity);
    patch_close(&json);
    sbuf_put(show->out, patch_text(&json));
    sbuf_putc(show->out, '\n');
}

/* --- text ------------------------------------------------------------------------------------ */

static void moves_text(const struct show *show, const struct whatif *whatif)
{
    struct sheet sheet;
    if (!whatif->move_count) {
        sbuf_puts(show->out, "Nothing moves.\n\n");
        return;
    }
    sheet_begin(&sheet, "ADDRESSES|SERVICES|FROM|TO|WHY", show->scratch);
    for (size_t i = 0; i < whatif->move_count; i++) {
        const struct whatif_move *move = &whatif->moves[i];
        size_t count;
        const struct ip *ips = ips_of(show, move->unit, &count);
        struct str_list services = services_of(show, move->unit);
        sheet_put(&sheet, show_ips(show, ips, count));
        sheet_put_list(&sheet, &services);
        sheet_put(&sheet, move->from);
        sheet_put(&sheet, move->to);
        sheet_put(&sheet, str_from(place_why_name(move->why)));
    }
    sheet_end(&sheet, show->out);
    sbuf_putc(show->out, '\n');
}

static void nodes_text(const struct show *show, const struct whatif *whatif)
{
    struct sheet sheet;
    sheet_begin(&sheet, "NODE|NOW|THEN|NOTE", show->scratch);
    for (size_t i = 0; i < whatif->node_count; i++) {
        const struct whatif_node *node = &whatif->nodes[i];
        sheet_put(&sheet, node->name);
        sheet_put_number(&sheet, node->before);
        sheet_put_number(&sheet, node->after);
        sheet_put(&sheet, str_from(state_of(node)));
    }
    sheet_end(&sheet, show->out);
}

static void sums_text(const struct show *show, const struct whatif *whatif)
{
    sbuf_printf(show->out, "\n%zu of %zu move", whatif->move_count, whatif->units);
    if (whatif->lost)
        sbuf_printf(show->out, ", %zu of them to nowhere: no node may answer for them",
                    whatif->lost);
    sbuf_printf(show->out, ". The fullest node has %zu", whatif->most);
    if (whatif->standing)
        sbuf_printf(show->out, "; spread over all %zu it is at least ceil(%zu / %zu) = %zu",
                    whatif->standing, whatif->units, whatif->standing,
                    whatif_ceil(whatif->units, whatif->standing));
    sbuf_puts(show->out, ".\n");
}

static void capacity_text(const struct show *show, const struct whatif *whatif,
                          const struct show_capacity *capacity)
{
    size_t pools = whatif_ceil(whatif->units, capacity->per_node), each = capacity->failures + 1;
    sbuf_printf(show->out,
                "With at most %zu on a node: ceil(%zu / %zu) = %zu pool%s, of %zu node%s each for "
                "%zu that may fail: %zu nodes.\n",
                capacity->per_node, whatif->units, capacity->per_node, pools, pools == 1 ? "" : "s",
                each, each == 1 ? "" : "s", capacity->failures, pools * each);
}

void show_plan(const struct show *show, const struct whatif *whatif,
               const struct show_capacity *capacity)
{
    if (show->format == SHOW_JSON) {
        plan_json(show, whatif, capacity);
        return;
    }
    moves_text(show, whatif);
    nodes_text(show, whatif);
    sums_text(show, whatif);
    if (capacity->per_node)
        capacity_text(show, whatif, capacity);
}
