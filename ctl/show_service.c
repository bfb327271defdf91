#include "common/election/holding.h"
#include "common/json/patch.h"
#include "crd/annotations.h"
#include "crd/ipaddresspool.h"
#include "crd/l2advertisement.h"
#include "ctl/sheet.h"
#include "ctl/show.h"

/* What there is to say about a node and a Service. */
struct part {
    size_t place; /* in the order, from 1; 0: it has none */
    int64_t score;
    const char *role; /* "owner", "backup", "leftOut", or why it may not */
};

static struct part part_of(const struct show *show, const struct world_service *s, size_t node)
{
    const struct world_unit *unit = &show->world->units[s->unit];
    struct part part = {.score = unit->scores ? unit->scores[node] : 0};
    const char *refusal = world_refusal(show->world, s, node);
    for (size_t i = 0; i < unit->order_count && !part.place; i++) {
        if (unit->order[i] == node)
            part.place = i + 1;
    }
    part.role = refusal                         ? refusal
                : part.place == 1               ? "owner"
                : world_is_left_out(unit, node) ? "leftOut"
                                                : "backup";
    return part;
}

/* Whom the published order leaves out. */
static struct str_list left_out_of(const struct show *show, const struct world_unit *unit)
{
    const struct world *w = show->world;
    struct str_list names = {.items =
                                 arena_array(show->scratch, w->node_count, sizeof(struct str))};
    for (size_t i = 0; i < w->node_count; i++) {
        if (world_is_left_out(unit, i))
            names.items[names.count++] = w->nodes[i].name;
    }
    return names;
}

static struct str_list advertisements_of(const struct show *show, const struct world_service *s)
{
    const struct candidacy *c = &s->candidacy;
    struct str_list names = {
        .items = arena_array(show->scratch, c->advertisement_count, sizeof(struct str))};
    for (size_t i = 0; i < c->advertisement_count; i++)
        names.items[names.count++] = object_name(
            &eligible_advertisement(show->world->eligible, c->advertisements[i])->object);
    return names;
}

/* Interfaces that the advertisements name; empty: one of them names none, so that all count. */
static struct str_list interfaces_of(const struct show *show, const struct world_service *s)
{
    const struct candidacy *c = &s->candidacy;
    struct str_list all = {0};
    size_t most = 0;
    for (size_t i = 0; i < c->advertisement_count; i++)
        most += eligible_advertisement(show->world->eligible, c->advertisements[i])
                    ->spec.interfaces.count;
    all.items = arena_array(show->scratch, most, sizeof(struct str));
    for (size_t i = 0; i < c->advertisement_count; i++) {
        const struct str_list *names =
            &eligible_advertisement(show->world->eligible, c->advertisements[i])->spec.interfaces;
        if (names->count == 0)
            return (struct str_list){0};
        for (size_t j = 0; j < names->count; j++) {
            if (!str_list_has(&all, names->items[j]))
                all.items[all.count++] = names->items[j];
        }
    }
    return all;
}

/* Other Services of the unit. */
static struct str_list companions_of(const struct show *show, const struct world_service *s)
{
    const struct world *w = show->world;
    struct str_list keys = {.items =
                                arena_array(show->scratch, w->service_count, sizeof(struct str))};
    for (size_t i = s->unit; i < w->service_count; i++) {
        if (w->services[i].unit == s->unit && &w->services[i] != s)
            keys.items[keys.count++] = w->services[i].key;
    }
    return keys;
}

static struct str pool_of(const struct show *show, const struct world_service *s)
{
    const struct objects *pools = &show->world->judged.of[KIND_IP_ADDRESS_POOL];
    size_t pool = s->candidacy.ip_count
                      ? holding_pool(s->candidacy.ips, s->candidacy.ip_count, pools)
                      : pools->count;
    return pool < pools->count ? object_name(pools->items[pool]) : STR("");
}

static struct str annotation_of(const struct world_service *s, enum annotation_id id)
{
    return annotations_read(&s->object->object, id, NULL);
}

/* What the asked speaker carries of an address, as its REST API says it; NULL: nothing, or none was
 * asked. */
static const json_t *carried(const struct show *show, const struct ip *ip)
{
    const json_t *all = json_object_get(show->announcements, "carrying"), *one;
    size_t i;
    json_array_foreach(json_object_get(all, "addresses"), i, one)
    {
        if (str_eq(show_text(one, "ip"), str_from(ip_format(ip).text)))
            return one;
    }
    return NULL;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put_nodes(const struct show *show, struct patch *json, const struct world_service *s)
{
    patch_list(json, "nodes");
    for (size_t i = 0; i < show->world->node_count; i++) {
        struct part part = part_of(show, s, i);
        patch_open(json, NULL);
        patch_str(json, "name", show->world->nodes[i].name);
        patch_int(json, "place", (int64_t)part.place);
        patch_int(json, "score", part.score);
        patch_str(json, "role", part.place ? str_from(part.role) : STR("none"));
        patch_str(json, "why", part.place ? STR("") : str_from(part.role));
        patch_close(json);
    }
    patch_close(json);
}

static void put_explained(const struct show *show, struct patch *json)
{
    scoped_heap char *text = show->explained ? json_dumps(show->explained, JSON_COMPACT) : NULL;
    if (text)
        patch_raw(json, "controller", str_from(text));
}

static void put_carried(const struct show *show, struct patch *json, const struct ip *ips,
                        size_t count)
{
    if (!show->announcements)
        return;
    patch_list(json, "carried");
    for (size_t i = 0; i < count; i++) {
        const json_t *one = carried(show, &ips[i]);
        scoped_heap char *text = one ? json_dumps(one, JSON_COMPACT) : NULL;
        if (text)
            patch_raw(json, NULL, str_from(text));
    }
    patch_close(json);
}

static void service_json(const struct show *show, struct patch *json, const struct world_service *s)
{
    const struct world_unit *unit = &show->world->units[s->unit];
    struct str_list advertisements = advertisements_of(show, s),
                    interfaces = interfaces_of(show, s), companions = companions_of(show, s),
                    backups = show_backups(show, unit), left_out = left_out_of(show, unit);
    patch_open(json, NULL);
    patch_str(json, "service", s->key);
    show_put_ips(json, "ips", s->candidacy.ips, s->candidacy.ip_count);
    patch_str(json, "pool", pool_of(show, s));
    patch_str(json, "allocation", s->allocated ? s->allocated->reason : STR("Unseen"));
    patch_str(json, "message", s->allocated ? s->allocated->message : STR(""));
    patch_str(json, "reason", show_silence_name(show, s));
    show_put_list(json, "advertisements", &advertisements);
    show_put_list(json, "interfaces", &interfaces);
    show_put_list(json, "staysWith", &companions);
    patch_str(json, "election", str_from(show_election(s, unit)));
    patch_int(json, "epoch", (int64_t)unit->epoch);
    patch_str(json, "owner", world_order_name(show->world, unit, 0));
    show_put_list(json, "backups", &backups);
    show_put_list(json, "leftOut", &left_out);
    show_put_list(json, "announcedBy", &s->announcers);
    patch_str(json, "askedFor", unit->wish);
    patch_str(json, "handoff", annotation_of(s, ANNOTATION_HANDOFF));
    put_carried(show, json, s->candidacy.ips, s->candidacy.ip_count);
    put_nodes(show, json, s);
    put_explained(show, json);
    patch_close(json);
}

/* --- text ------------------------------------------------------------------------------------ */

static void line(const struct show *show, const char *title, struct str text)
{
    if (text.len)
        sbuf_printf(show->out, "  %-15s" STR_FMT "\n", title, STR_ARG(text));
}

static void line_list(const struct show *show, const char *title, const struct str_list *list)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < list->count; i++)
        sbuf_printf(&text, "%s" STR_FMT, i ? ", " : "", STR_ARG(list->items[i]));
    line(show, title, sbuf_move(&text, show->scratch));
}

static struct str election_text(const struct show *show, const struct world_service *s)
{
    const struct world_unit *unit = &show->world->units[s->unit];
    if (unit->published_count)
        return arena_printf(show->scratch, "%s, epoch %llu", show_election(s, unit),
                            (unsigned long long)unit->epoch);
    if (s->placement == PLACEMENT_NOT_PUBLISHED || unit->hashed)
        return str_from(show_election(s, unit));
    return arena_printf(show->scratch, "%s: %s", show_election(s, unit),
                        placement_verdict_name(s->placement));
}

static void allocation_text(const struct show *show, const struct world_service *s)
{
    struct str pool = pool_of(show, s);
    struct str addresses = show_ips(show, s->candidacy.ips, s->candidacy.ip_count);
    if (pool.len)
        addresses = arena_printf(show->scratch, STR_FMT " of pool \"" STR_FMT "\"",
                                 STR_ARG(addresses), STR_ARG(pool));
    line(show, "addresses", addresses.len ? addresses : STR("none"));
    if (s->allocated)
        line(show, "allocation",
             arena_printf(show->scratch, STR_FMT ": " STR_FMT, STR_ARG(s->allocated->reason),
                          STR_ARG(s->allocated->message)));
    else
        line(show, "allocation", STR("no controller has looked at this Service"));
}

/* An address whose older connections go another way than its new ones. */
static void carried_text(const struct show *show, const struct ip *ips, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *one = carried(show, &ips[i]);
        if (!one)
            continue;
        struct str from = show_text(show->announcements, "node"), to = show_text(one, "node"),
                   address = show_text(one, "address"), before = show_text(one, "openedBefore"),
                   until = show_text(one, "until");
        line(show, "connections",
             arena_printf(show->scratch,
                          "new ones to %s are served where they arrive; packets of those opened "
                          "before " STR_FMT " go on from " STR_FMT " to " STR_FMT " (" STR_FMT
                          ") until " STR_FMT,
                          ip_format(&ips[i]).text, STR_ARG(before), STR_ARG(from), STR_ARG(to),
                          STR_ARG(address), STR_ARG(until)));
    }
}

static void nodes_text(const struct show *show, const struct world_service *s)
{
    struct sheet sheet;
    sbuf_putc(show->out, '\n');
    sheet_begin(&sheet, "NODE|PLACE|SCORE|ROLE", show->scratch);
    for (size_t i = 0; i < show->world->node_count; i++) {
        struct part part = part_of(show, s, i);
        sheet_put(&sheet, show->world->nodes[i].name);
        sheet_put(&sheet, part.place ? arena_printf(show->scratch, "%zu", part.place) : STR(""));
        sheet_put(&sheet, arena_printf(show->scratch, "%lld", (long long)part.score));
        sheet_put(&sheet, str_from(part.role));
    }
    sheet_end(&sheet, show->out);
}

static void service_text(const struct show *show, const struct world_service *s)
{
    const struct world_unit *unit = &show->world->units[s->unit];
    struct str_list advertisements = advertisements_of(show, s),
                    interfaces = interfaces_of(show, s), companions = companions_of(show, s),
                    backups = show_backups(show, unit), left_out = left_out_of(show, unit);
    sbuf_printf(show->out, "Service " STR_FMT "\n", STR_ARG(s->key));
    allocation_text(show, s);
    if (s->candidacy.stands) {
        line_list(show, "advertised by", &advertisements);
        line_list(show, "interfaces", &interfaces);
        line_list(show, "stays with", &companions);
        line(show, "election", election_text(show, s));
    }
    line(show, "asked for", unit->wish);
    line(show, "hand-off", annotation_of(s, ANNOTATION_HANDOFF));
    line(show, "owner", world_order_name(show->world, unit, 0));
    line_list(show, "backups", &backups);
    line_list(show, "left out", &left_out);
    line(show, "nobody, since", show_silence(show, s));
    line_list(show, "announced by", &s->announcers);
    carried_text(show, s->candidacy.ips, s->candidacy.ip_count);
    if (s->candidacy.stands)
        nodes_text(show, s);
}

/* --- the calls ------------------------------------------------------------------------------- */

static void show_one(const struct show *show, const struct world_service *s)
{
    if (show->format == SHOW_TEXT) {
        service_text(show, s);
        return;
    }
    scoped_patch struct patch json = {0};
    service_json(show, &json, s);
    sbuf_put(show->out, patch_text(&json));
    sbuf_putc(show->out, '\n');
}

void show_service(const struct show *show, size_t service)
{
    show_one(show, &show->world->services[service]);
}

/* The pool that would hold the address, or empty. */
static struct str pool_for(const struct show *show, const struct ip *ip)
{
    const struct objects *pools = &show->world->judged.of[KIND_IP_ADDRESS_POOL];
    size_t pool = holding_pool(ip, 1, pools);
    return pool < pools->count ? object_name(pools->items[pool]) : STR("");
}

static void address_json(const struct show *show, const struct ip *ip,
                         const struct world_address *address)
{
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_str(&json, "ip", str_from(ip_format(ip).text));
    patch_str(&json, "pool", pool_for(show, ip));
    patch_list(&json, "services");
    for (size_t i = 0; address && i < address->service_count; i++)
        service_json(show, &json, &show->world->services[address->services[i]]);
    patch_close(&json);
    patch_close(&json);
    sbuf_put(show->out, patch_text(&json));
    sbuf_putc(show->out, '\n');
}

void show_address(const struct show *show, const struct ip *ip)
{
    const struct world_address *address = world_find_address(show->world, ip);
    struct str pool = pool_for(show, ip);
    if (show->format == SHOW_JSON) {
        address_json(show, ip, address);
        return;
    }
    sbuf_printf(show->out, "Address %s\n", ip_format(ip).text);
    line(show, "pool", pool.len ? pool : STR("none holds it"));
    line(show, "services", address ? STR("") : STR("none shows it"));
    for (size_t i = 0; address && i < address->service_count; i++) {
        sbuf_putc(show->out, '\n');
        show_one(show, &show->world->services[address->services[i]]);
    }
}
