#include "common/json/patch.h"
#include "crd/node.h"
#include "ctl/sheet.h"
#include "ctl/show.h"

/* Its place in the order of a unit, from 1; 0: it has none. */
static size_t place_of(const struct world_unit *unit, size_t node)
{
    for (size_t i = 0; i < unit->order_count; i++) {
        if (unit->order[i] == node)
            return i + 1;
    }
    return 0;
}

static bool announces(const struct show *show, const struct world_address *address, size_t node)
{
    const struct world *w = show->world;
    return str_list_has(&w->services[address->services[0]].announcers, w->nodes[node].name);
}

static struct str role_of(const struct show *show, size_t place)
{
    if (place == 1)
        return STR("owner");
    return place ? arena_printf(show->scratch, "backup %zu", place - 1) : STR("");
}

/* Addresses that it may answer for, the ones it owns first. */
static const struct world_address **list_addresses(const struct show *show, size_t node,
                                                   size_t *ret_count)
{
    const struct world *w = show->world;
    const struct world_address **list = arena_array(show->scratch, w->address_count, sizeof(*list));
    *ret_count = 0;
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < w->address_count; i++) {
            size_t place = place_of(&w->units[w->addresses[i].unit], node);
            if (place && (place == 1) == (round == 0))
                list[(*ret_count)++] = &w->addresses[i];
        }
    }
    return list;
}

static void node_json(const struct show *show, size_t node)
{
    const struct world_node *n = &show->world->nodes[node];
    scoped_patch struct patch json = {0};
    size_t count;
    const struct world_address **addresses = list_addresses(show, node, &count);
    patch_open(&json, NULL);
    patch_str(&json, "name", n->name);
    patch_str(&json, "state", str_from(show_node_state(n)));
    patch_bool(&json, "ready", n->object->ready);
    patch_int(&json, "units", (int64_t)n->units);
    patch_int(&json, "firstBackupOf", (int64_t)n->standby);
    patch_list(&json, "addresses");
    for (size_t i = 0; i < count; i++) {
        struct str_list services = show_sharers(show, addresses[i]);
        patch_open(&json, NULL);
        patch_str(&json, "ip", str_from(ip_format(&addresses[i]->ip).text));
        show_put_list(&json, "services", &services);
        patch_int(&json, "place", (int64_t)place_of(&show->world->units[addresses[i]->unit], node));
        patch_bool(&json, "announced", announces(show, addresses[i], node));
        patch_close(&json);
    }
    patch_close(&json);
    patch_close(&json);
    sbuf_put(show->out, patch_text(&json));
    sbuf_putc(show->out, '\n');
}

/* What the state means. */
static const char *meaning_of(const struct world_node *node)
{
    if (node->object->network_unavailable)
        return "its condition NetworkUnavailable is True: it announces nothing";
    if (!node->available)
        return "it has the label node.kubernetes.io/exclude-from-external-load-balancers: it "
               "announces nothing";
    if (node->object->draining)
        return "it is drained (stentor.io/drain): it announces only what nobody else may";
    if (node->left_out)
        return "the published orders leave it out: its speaker has given no sign of life lately, "
               "or "
               "has none of the interfaces";
    return "it may announce what L2Advertisements name it for";
}

static void node_text(const struct show *show, size_t node)
{
    const struct world_node *n = &show->world->nodes[node];
    struct sheet sheet;
    size_t count;
    const struct world_address **addresses = list_addresses(show, node, &count);
    sbuf_printf(show->out,
                "Node " STR_FMT "\n  state          %s: %s\n  ready          %s\n"
                "  units          %zu owned, first backup of %zu\n",
                STR_ARG(n->name), show_node_state(n), meaning_of(n),
                n->object->ready ? "yes" : "no", n->units, n->standby);
    if (!count)
        return;
    sbuf_putc(show->out, '\n');
    sheet_begin(&sheet, "ADDRESS|SERVICES|ROLE|ANNOUNCED HERE", show->scratch);
    for (size_t i = 0; i < count; i++) {
        struct str_list services = show_sharers(show, addresses[i]);
        sheet_put(&sheet, str_from(ip_format(&addresses[i]->ip).text));
        sheet_put_list(&sheet, &services);
        sheet_put(&sheet, role_of(show, place_of(&show->world->units[addresses[i]->unit], node)));
        sheet_put(&sheet, announces(show, addresses[i], node) ? STR("yes") : STR(""));
    }
    sheet_end(&sheet, show->out);
}

void show_node(const struct show *show, size_t node)
{
    if (show->format == SHOW_JSON)
        node_json(show, node);
    else
        node_text(show, node);
}
