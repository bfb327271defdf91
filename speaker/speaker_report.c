/* What the speaker tells others of itself: the answers to what its report asks, the news of BGP,
 * and what REST API and metrics are made from. */
#include "common/program/program_findings.h"
#include "speaker/speaker_internal.h"

/* --- the report, and BGP --------------------------------------------------------------------- */

static bool announced_bgp(void *ctx, struct str key, struct arena *arena,
                          struct str_list *ret_peers, bool *ret_known)
{
    const struct speaker *s = ctx;
    const struct model *model = bgp_model(s->options.bgp);
    const struct model_service *service = model_find(model, key);
    (void)arena; /* the model outlives the call */
    *ret_known = model != NULL;
    if (!service || service->reason)
        return false;
    *ret_peers = service->peers;
    return true;
}

static void bgp_service_changed(void *ctx, struct str service)
{
    report_bgp_service(((struct speaker *)ctx)->report, service);
}

static bool bgp_session(void *ctx, struct str peer, struct arena *arena, struct session_want *ret,
                        bool *ret_known)
{
    const struct speaker *s = ctx;
    size_t count;
    const struct bgp_view *views = bgp_views(s->options.bgp, arena, &count);
    *ret_known = bgp_model(s->options.bgp) != NULL;
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(views[i].peer, peer))
            continue;
        if (ip_is_set(&views[i].address))
            ret->address = arena_str(arena, str_from(ip_format(&views[i].address).text));
        ret->up = views[i].state == STATUS_ESTABLISHED;
        ret->since = views[i].since;
        ret->why = views[i].why;
        return true;
    }
    return false;
}

static void bgp_session_changed(void *ctx, struct str peer)
{
    report_bgp_session(((struct speaker *)ctx)->report, peer);
}

static void bgp_planned(void *ctx)
{
    report_bgp_planned(((struct speaker *)ctx)->report);
}

/* By the plan told of last: what is announced is known of no other (tell_plans). */
static bool announced(void *ctx, struct str key, struct arena *arena,
                      struct str_list *ret_interfaces, bool *ret_known)
{
    const struct speaker *s = ctx;
    struct plan_service service;
    *ret_known = s->told.plan != NULL;
    if (!plan_find(s->told.plan, key, &service) || !service.announced)
        return false;
    size_t count = service.all_interfaces ? 0 : service.interfaces.count;
    *ret_interfaces =
        (struct str_list){.items = arena_array(arena, count, sizeof(struct str)), .count = count};
    for (size_t i = 0; i < count; i++)
        ret_interfaces->items[i] = arena_str(arena, service.interfaces.items[i]);
    return true;
}

static struct str_list errors(void *ctx, struct arena *arena)
{
    const struct speaker *s = ctx;
    return program_findings_errors(config_findings(s->config), source_findings(s->source), arena);
}

void speaker_report_begin(struct speaker *s, const struct validated *(*config)(void *ctx))
{
    static const struct report_calls calls = {.announced = announced,
                                              .announced_bgp = announced_bgp,
                                              .session = bgp_session,
                                              .errors = errors};
    struct report_options options = {.node = s->options.node,
                                     .namespace = s->options.namespace,
                                     .pod = s->options.pod,
                                     .seed = s->options.seed};
    struct bgp_calls bgp = {.config = config,
                            .service_changed = bgp_service_changed,
                            .session_changed = bgp_session_changed,
                            .planned = bgp_planned,
                            .ctx = s};
    s->report = report_new(s->loop, s->source, &options, &calls, s);
    bgp_attach(s->options.bgp, s->source, &bgp);
}

/* --- what it is made from -------------------------------------------------------------------- */

const struct plan *speaker_plan(const struct speaker *s)
{
    return s->told.plan;
}

struct bgp *speaker_bgp(const struct speaker *s)
{
    return s->options.bgp;
}

const struct peers *speaker_peers(const struct speaker *s)
{
    return s->peers;
}

const struct duty *speaker_duty(const struct speaker *s)
{
    return s->duty;
}

const struct apply *speaker_apply(const struct speaker *s)
{
    return duty_apply(s->duty);
}

const struct local *speaker_local(const struct speaker *s)
{
    return s->local;
}

struct carrier *speaker_carrier(const struct speaker *s)
{
    return s->carrier;
}

const struct excludes_file *speaker_excludes(const struct speaker *s)
{
    return s->excludes;
}

const struct netlink *speaker_netlink(const struct speaker *s)
{
    return s->netlink;
}

const struct diag_list *speaker_findings(const struct speaker *s)
{
    return config_findings(s->config);
}

const struct diag_list *speaker_input_findings(const struct speaker *s)
{
    return source_findings(s->source);
}

struct source_saved speaker_saved(const struct speaker *s)
{
    return source_saved(s->source);
}

struct str speaker_node(const struct speaker *s)
{
    return s->options.node;
}
