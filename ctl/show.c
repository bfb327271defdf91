#include "ctl/show.h"

#include "common/json/patch.h"
#include "crd/node.h"

enum { HASH_BACKUPS = 3 };

const char *show_node_state(const struct world_node *node)
{
    if (node->object->network_unavailable)
        return "noNetwork";
    if (!node->available)
        return "excluded";
    if (node->object->draining)
        return "draining";
    return node->left_out ? "leftOut" : "available";
}

struct str_list show_order(const struct show *show, const struct world_unit *unit, size_t from,
                           size_t to)
{
    struct str_list names = {.items = arena_array(show->scratch, to - from, sizeof(struct str))};
    for (size_t i = from; i < to; i++)
        names.items[names.count++] = world_order_name(show->world, unit, i);
    return names;
}

struct str_list show_backups(const struct show *show, const struct world_unit *unit)
{
    size_t last = unit->published_count ? unit->published_count : 1 + HASH_BACKUPS;
    if (last > unit->order_count)
        last = unit->order_count;
    return show_order(show, unit, last ? 1 : 0, last);
}

struct str_list show_sharers(const struct show *show, const struct world_address *address)
{
    struct str_list keys = {
        .items = arena_array(show->scratch, address->service_count, sizeof(struct str))};
    for (size_t i = 0; i < address->service_count; i++)
        keys.items[keys.count++] = show->world->services[address->services[i]].key;
    return keys;
}

const char *show_election(const struct world_service *service, const struct world_unit *unit)
{
    if (unit->published_count)
        return "by the published order";
    if (unit->hashed)
        return "by hash, as the L2Advertisement or the controller's --election says";
    return service->placement == PLACEMENT_NOT_PUBLISHED
               ? "by hash, no order is published"
               : "by hash, the published order cannot be read";
}

struct str show_silence_name(const struct show *show, const struct world_service *service)
{
    if (!service->candidacy.stands)
        return str_from(reason_name(service->candidacy.reason));
    return show->world->units[service->unit].order_count ? STR("") : STR("noNode");
}

/* The first error of an object that is refused. */
static struct str refusal_of(const struct show *show, const struct object *object)
{
    const struct diag *first = diag_first_error(&object->source->findings, object_id(object));
    if (!first)
        return STR("the object is refused");
    return arena_printf(show->scratch, "the object is refused: " STR_FMT " " STR_FMT,
                        STR_ARG(first->field), STR_ARG(first->message));
}

struct str show_silence(const struct show *show, const struct world_service *service)
{
    if (service->candidacy.stands)
        return show->world->units[service->unit].order_count
                   ? STR("")
                   : STR("no node may announce all that stays together");
    switch (service->candidacy.reason) {
    case REASON_NOT_OWNER:
        return STR("no endpoint can serve it");
    case REASON_NO_IP:
        return STR("it has no address");
    case REASON_IP_NOT_ALLOWED:
        return STR("no pool in force holds all of its addresses");
    case REASON_INVALID_IP:
        return STR("its status holds a text that is no address");
    case REASON_SHARED_WITH_SELECTOR:
        return STR("it may share its address, and an L2Advertisement has serviceSelectors");
    case REASON_INVALID_SERVICE:
        return refusal_of(show, &service->object->object);
    default:
        return str_from(reason_name(service->candidacy.reason));
    }
}

void show_put_list(struct patch *json, const char *key, const struct str_list *list)
{
    patch_list(json, key);
    for (size_t i = 0; i < list->count; i++)
        patch_str(json, NULL, list->items[i]);
    patch_close(json);
}

void show_put_ips(struct patch *json, const char *key, const struct ip *ips, size_t count)
{
    patch_list(json, key);
    for (size_t i = 0; i < count; i++)
        patch_str(json, NULL, str_from(ip_format(&ips[i]).text));
    patch_close(json);
}

struct str show_ips(const struct show *show, const struct ip *ips, size_t count)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < count; i++)
        sbuf_printf(&text, "%s%s", i ? "," : "", ip_format(&ips[i]).text);
    return sbuf_move(&text, show->scratch);
}

struct str show_text(const json_t *tree, const char *key)
{
    const json_t *value = json_object_get(tree, key);
    return (struct str){json_string_value(value), json_string_length(value)};
}
