#include "ctl/check.h"

#include "controller/config.h"
#include "controller/plan.h"
#include "controller/report.h"

static void add_all(struct diag_list *to, const struct diag_list *from)
{
    for (size_t i = 0; i < from->found.len; i++) {
        const struct diag *diag = &from->found.items[i];
        diag_add(to, diag->severity, diag->object, diag->field, STR_FMT, STR_ARG(diag->message));
    }
}

/* The conflicts of our own namespace. */
static struct quarantine *read_quarantine(const struct world_input *input, struct arena *arena)
{
    const struct objects *all = &input->of[KIND_ADDRESS_CONFLICT];
    const struct object **ours = arena_array(arena, all->count, sizeof(*ours));
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (!input->namespace.len || str_eq(all->items[i]->meta.namespace, input->namespace))
            ours[count++] = all->items[i];
    }
    return quarantine_new(NULL, ours, count, input->now);
}

/* Why nobody would announce the addresses of a record, or NULL. */
static const char *silence_of(const struct eligible *eligible, const struct plan_record *record,
                              struct arena *arena)
{
    const struct service *service = (const struct service *)record->object;
    struct candidacy candidacy;
    eligible_judge_at(eligible, service, record->ips, record->ip_count, arena, &candidacy);
    if (!candidacy.stands)
        return reason_name(candidacy.reason);
    return nodeset_is_empty(&candidacy.nodes) ? "noNode" : NULL;
}

static void add_silent(const struct world *world, const struct plan_record *const *records,
                       size_t count, struct arena *arena, struct diag_list *findings)
{
    for (size_t i = 0; i < count; i++) {
        if (!records[i]->managed || !records[i]->ip_count)
            continue;
        const char *why = silence_of(world->eligible, records[i], arena);
        if (why)
            diag_add(findings, DIAG_WARNING, records[i]->object->id, STR(""),
                     "no node may announce its addresses on the local network: %s", why);
    }
}

/* All Services placed as a leader would that may move what it likes. */
static struct placing *make_placing(const struct world_input *input, const struct config *config,
                                    const struct plan_record *const *records, size_t count,
                                    struct arena *arena)
{
    struct placing *placing = placing_new(
        &(struct placing_options){.hash = input->hash, .ignore_excluded = input->ignore_excluded});
    struct placing_world world = {
        .nodes = input->of[KIND_NODE],
        .pools = config_in_force(config, KIND_IP_ADDRESS_POOL, arena),
        .advertisements = config_in_force(config, KIND_L2_ADVERTISEMENT, arena),
    };
    placing_set_world(placing, &world);
    placing_offer_all(placing, records, count, &input->of[KIND_ENDPOINT_SLICE]);
    (void)placing_run(placing, SIZE_MAX);
    return placing;
}

size_t check_show(const struct world_input *input, const struct diag_list *input_findings,
                  enum show_format format, struct arena *arena, struct sbuf *out)
{
    struct diag_list findings = {.arena = arena};
    scoped_ptr(config) struct config *config = config_new();
    scoped_ptr(plan) struct plan *plan =
        plan_new(&(struct plan_options){.lb_class = input->lb_class});
    struct config_input what = {.namespace = input->namespace, .now = input->now};
    struct world *world = world_make(input, arena);
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        what.objects[kind] = input->of[kind].items;
        what.counts[kind] = input->of[kind].count;
    }
    plan_set_pools(plan, config_build(config, &what));
    plan_set_quarantine(plan, read_quarantine(input, arena));
    for (size_t i = 0; i < input->of[KIND_SERVICE].count; i++)
        plan_offer(plan, input->of[KIND_SERVICE].items[i], false);
    plan_run(plan);
    size_t count;
    const struct plan_record **records = plan_list(plan, arena, &count);
    scoped_ptr(placing) struct placing *placing =
        make_placing(input, config, records, count, arena);
    add_all(&findings, input_findings);
    add_all(&findings, config_findings(config));
    add_silent(world, records, count, arena, &findings);
    struct report report = {
        .records = records, .count = count, .placing = placing, .findings = &findings};
    if (format == SHOW_JSON)
        report_json(&report, out);
    else
        report_text(&report, out);
    size_t errors = diag_errors(&findings);
    diag_done(&findings);
    world_done(world);
    return errors;
}
