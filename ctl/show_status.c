#include "common/json/patch.h"
#include "crd/node.h"
#include "ctl/sheet.h"
#include "ctl/show.h"

/* A Service that has no address and could have one; the controller's words, or that it has not
 * spoken. */
struct waiting {
    struct str key, reason, message;
};

static struct waiting *list_waiting(const struct show *show, size_t *ret_count)
{
    const struct world *w = show->world;
    struct waiting *list = arena_array(show->scratch, w->service_count, sizeof(*list));
    *ret_count = 0;
    for (size_t i = 0; i < w->service_count; i++) {
        const struct world_service *s = &w->services[i];
        if (s->candidacy.ip_count)
            continue;
        struct waiting *waiting = &list[(*ret_count)++];
        *waiting = (struct waiting){.key = s->key, .reason = STR("Unseen")};
        waiting->message = STR("no controller has looked at this Service");
        if (s->object->object.refused) {
            waiting->reason = STR("InvalidObject");
            waiting->message = show_silence(show, s);
        } else if (s->allocated) {
            waiting->reason = s->allocated->reason;
            waiting->message = s->allocated->message;
        }
    }
    return list;
}

/* The first of the Services that have the address: what is true of it is of all. */
static const struct world_service *first_of(const struct show *show,
                                            const struct world_address *address)
{
    return &show->world->services[address->services[0]];
}

static struct str_list announcers_of(const struct show *show, const struct world_address *address)
{
    return first_of(show, address)->announcers;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put_address(const struct show *show, struct patch *json,
                        const struct world_address *address)
{
    const struct world_unit *unit = &show->world->units[address->unit];
    struct str_list services = show_sharers(show, address), backups = show_backups(show, unit),
                    announcers = announcers_of(show, address);
    patch_open(json, NULL);
    patch_str(json, "ip", str_from(ip_format(&address->ip).text));
    show_put_list(json, "services", &services);
    patch_str(json, "owner", world_order_name(show->world, unit, 0));
    show_put_list(json, "backups", &backups);
    patch_int(json, "epoch", (int64_t)unit->epoch);
    show_put_list(json, "announcedBy", &announcers);
    patch_str(json, "reason", show_silence_name(show, first_of(show, address)));
    patch_close(json);
}

static void put_node(struct patch *json, const struct world_node *node)
{
    patch_open(json, NULL);
    patch_str(json, "name", node->name);
    patch_str(json, "state", str_from(show_node_state(node)));
    patch_bool(json, "ready", node->object->ready);
    patch_int(json, "units", (int64_t)node->units);
    patch_int(json, "addresses", (int64_t)node->ips);
    patch_int(json, "firstBackupOf", (int64_t)node->standby);
    patch_int(json, "announces", (int64_t)node->announced);
    patch_close(json);
}

static void put_waiting(const struct show *show, struct patch *json)
{
    size_t count;
    const struct waiting *waiting = list_waiting(show, &count);
    patch_list(json, "waiting");
    for (size_t i = 0; i < count; i++) {
        patch_open(json, NULL);
        patch_str(json, "service", waiting[i].key);
        patch_str(json, "reason", waiting[i].reason);
        patch_str(json, "message", waiting[i].message);
        patch_close(json);
    }
    patch_close(json);
}

static void put_members(const struct show *show, struct patch *json)
{
    const json_t *members = json_object_get(show->announcements, "members");
    scoped_heap char *text = members ? json_dumps(members, JSON_COMPACT) : NULL;
    patch_raw(json, "members", text ? str_from(text) : STR("[]"));
}

static void status_json(const struct show *show)
{
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_list(&json, "addresses");
    for (size_t i = 0; i < show->world->address_count; i++)
        put_address(show, &json, &show->world->addresses[i]);
    patch_close(&json);
    put_waiting(show, &json);
    patch_list(&json, "nodes");
    for (size_t i = 0; i < show->world->node_count; i++)
        put_node(&json, &show->world->nodes[i]);
    patch_close(&json);
    if (show->announcements)
        put_members(show, &json);
    patch_close(&json);
    sbuf_put(show->out, patch_text(&json));
    sbuf_putc(show->out, '\n');
}

/* --- text ------------------------------------------------------------------------------------ */

static void addresses_text(const struct show *show)
{
    struct sheet sheet;
    sheet_begin(&sheet, "ADDRESS|SERVICES|OWNER|BACKUPS|ANNOUNCED BY|NOTE", show->scratch);
    for (size_t i = 0; i < show->world->address_count; i++) {
        const struct world_address *address = &show->world->addresses[i];
        const struct world_unit *unit = &show->world->units[address->unit];
        struct str_list services = show_sharers(show, address), backups = show_backups(show, unit),
                        announcers = announcers_of(show, address);
        sheet_put(&sheet, str_from(ip_format(&address->ip).text));
        sheet_put_list(&sheet, &services);
        sheet_put(&sheet, world_order_name(show->world, unit, 0));
        sheet_put_list(&sheet, &backups);
        sheet_put_list(&sheet, &announcers);
        sheet_put(&sheet, show_silence(show, first_of(show, address)));
    }
    sheet_end(&sheet, show->out);
}

static void waiting_text(const struct show *show)
{
    size_t count;
    const struct waiting *waiting = list_waiting(show, &count);
    struct sheet sheet;
    if (!count)
        return;
    sbuf_putc(show->out, '\n');
    sheet_begin(&sheet, "WITHOUT ADDRESS|REASON|MESSAGE", show->scratch);
    for (size_t i = 0; i < count; i++) {
        sheet_put(&sheet, waiting[i].key);
        sheet_put(&sheet, waiting[i].reason);
        sheet_put(&sheet, waiting[i].message);
    }
    sheet_end(&sheet, show->out);
}

static void nodes_text(const struct show *show)
{
    struct sheet sheet;
    sbuf_putc(show->out, '\n');
    sheet_begin(&sheet, "NODE|STATE|UNITS|ADDRESSES|FIRST BACKUP OF|ANNOUNCES", show->scratch);
    for (size_t i = 0; i < show->world->node_count; i++) {
        const struct world_node *node = &show->world->nodes[i];
        sheet_put(&sheet, node->name);
        sheet_put(&sheet, str_from(show_node_state(node)));
        sheet_put_number(&sheet, node->units);
        sheet_put_number(&sheet, node->ips);
        sheet_put_number(&sheet, node->standby);
        sheet_put_number(&sheet, node->announced);
    }
    sheet_end(&sheet, show->out);
}

static void members_text(const struct show *show)
{
    const json_t *members = json_object_get(show->announcements, "members"), *member;
    struct sheet sheet;
    size_t i;
    if (!show->announcements)
        return;
    sbuf_printf(show->out, "\nMembers, as " STR_FMT " counts them%s\n",
                STR_ARG(show_text(show->announcements, "node")),
                json_is_true(json_object_get(show->announcements, "watches"))
                    ? ""
                    : " (it does not watch them: no --ml-bindaddr)");
    sheet_begin(&sheet, "MEMBER|STATE|ADDRESS|ROLE|HELD|LEAVING", show->scratch);
    json_array_foreach(members, i, member)
    {
        sheet_put(&sheet, show_text(member, "name"));
        sheet_put(&sheet, show_text(member, "state"));
        sheet_put(&sheet, show_text(member, "address"));
        sheet_put(&sheet, show_text(member, "role"));
        sheet_put(&sheet, json_is_true(json_object_get(member, "held")) ? STR("yes") : STR(""));
        sheet_put(&sheet, json_is_true(json_object_get(member, "leaving")) ? STR("yes") : STR(""));
    }
    sheet_end(&sheet, show->out);
}

void show_status(const struct show *show)
{
    if (show->format == SHOW_JSON) {
        status_json(show);
        return;
    }
    addresses_text(show);
    waiting_text(show);
    nodes_text(show);
    members_text(show);
}
