#include "common/json/rfc3339.h"
#include "crd/bgpsessionstatus.h"
#include "crd/node.h"
#include "ctl/run.h"

/* A node that is away must not take the time of those that are there. */
enum { SPEAKER_MS = 3000 };

static const struct node_address *internal_address(const struct node *node)
{
    const struct node_address *all = node->addresses.items;
    for (size_t i = 0; i < node->addresses.count; i++) {
        if (str_eq(all[i].type, STR("InternalIP")) && ip_is_set(&all[i].ip))
            return &all[i];
    }
    return NULL;
}

static void ask_by_nodes(struct run *run)
{
    const struct objects *nodes = &run->input.of[KIND_NODE];
    unsigned port = (unsigned)run->settings->speaker_port;
    run->answers = arena_array(run->arena, nodes->count, sizeof(*run->answers));
    for (size_t i = 0; i < nodes->count; i++) {
        const struct node_address *address = internal_address((const struct node *)nodes->items[i]);
        struct bgp_answer *answer = &run->answers[run->answer_count];
        if (!address)
            continue;
        *answer = (struct bgp_answer){.node = object_name(nodes->items[i])};
        answer->url = arena_printf(run->arena,
                                   address->ip.family == IP_V6 ? "http://[%s]:%u" : "http://%s:%u",
                                   ip_format(&address->ip).text, port);
        run->answer_count++;
    }
}

void run_bgp_survey(struct run *run, void (*done)(void *ctx))
{
    struct str_list urls = settings_parts(&run->settings->speaker, run->arena);
    uint64_t timeout = run->settings->timeout_ms;
    if (urls.count) {
        run->answers = arena_array(run->arena, urls.count, sizeof(*run->answers));
        for (size_t i = 0; i < urls.count; i++)
            run->answers[i] = (struct bgp_answer){.node = urls.items[i], .url = urls.items[i]};
        run->answer_count = urls.count;
    } else {
        ask_by_nodes(run);
    }
    if (timeout > 2 * SPEAKER_MS)
        timeout = 2 * SPEAKER_MS;
    run->survey = survey_start(run->program->loop, run->answers, run->answer_count,
                               STR("/api/v1/bgp"), timeout / 2, run->arena, done, run);
}

/* A session as the REST API would have told it. */
static json_t *session_of(const struct bgpsessionstatus_status *status)
{
    bool up = str_eq(status->state, STR(BGPSESSION_UP));
    scoped_sbuf struct sbuf since = {0};
    if (status->since)
        rfc3339_format(&since, status->since, 0, 0);
    return json_pack("{s:s%, s:s%, s:s%, s:b, s:s%, s:s%}", "peer", status->peer.ptr,
                     status->peer.len, "address", status->address.ptr, status->address.len, "state",
                     status->state.ptr, status->state.len, "up", up, "since",
                     since.ptr ? since.ptr : "", since.len, "why", status->message.ptr,
                     status->message.len);
}

/* Puts what the speaker of a node has written to the API server in the place of its answer. */
static void take_written(struct run *run, struct bgp_answer *answer)
{
    const struct objects *all = &run->input.of[KIND_BGP_SESSION_STATUS];
    json_t *sessions = json_array();
    for (size_t i = 0; i < all->count; i++) {
        const struct bgpsessionstatus *one = (const struct bgpsessionstatus *)all->items[i];
        if (!one->object.refused && str_eq(one->status.node, answer->node))
            (void)json_array_append_new(sessions, session_of(&one->status));
    }
    if (json_array_size(sessions) == 0) {
        json_decref(sessions);
        return;
    }
    json_t *tree = json_pack("{s:o}", "sessions", sessions);
    if (!run->written)
        run->written = json_array();
    (void)json_array_append_new(run->written, tree);
    answer->tree = tree;
    answer->written = true;
}

/* False, with the run ended, when no speaker has told anything. */
static bool begin(struct run *run, struct show_bgp *ret)
{
    *ret = (struct show_bgp){.format = (enum show_format)run->settings->output,
                             .answers = run->answers,
                             .count = run->answer_count,
                             .scratch = run->arena,
                             .out = &run->out};
    for (size_t i = 0; i < run->answer_count; i++) {
        if (run->answers[i].tree)
            return true;
    }
    if (run->answer_count == 0) {
        run_fail(run, RUN_NO_ANSWER,
                 STR("no Node has an InternalIP to ask a speaker at; name the "
                     "speakers with --speaker URL"));
        return false;
    }
    run_fail(run, RUN_NO_ANSWER,
             arena_printf(run->arena,
                          "no speaker answers; " STR_FMT " says: " STR_FMT
                          ". A speaker serves its REST API on 127.0.0.1 alone unless it is started "
                          "with --bind-address; on a node, --speaker http://127.0.0.1:%u asks its "
                          "own",
                          STR_ARG(run->answers[0].url), STR_ARG(run->answers[0].error),
                          (unsigned)run->settings->speaker_port));
    return false;
}

void run_bgp(struct run *run)
{
    struct show_bgp show;
    for (size_t i = 0; i < run->answer_count; i++) {
        if (!run->answers[i].tree)
            take_written(run, &run->answers[i]);
    }
    if (!begin(run, &show))
        return;
    show_bgp_sessions(&show);
    run_end(run, RUN_DONE);
}

void run_bgp_routes(struct run *run)
{
    struct show_bgp show;
    struct str peer = run->operands.count ? run->operands.items[0] : STR("");
    if (!begin(run, &show))
        return;
    if (show_bgp_routes(&show, peer))
        run_end(run, RUN_DONE);
    else
        run_fail(run, RUN_REFUSED,
                 arena_printf(run->arena, "no speaker that answers has a peer \"" STR_FMT "\"",
                              STR_ARG(peer)));
}

void run_bgp_explain(struct run *run)
{
    struct show_bgp show;
    struct str what = run->operands.items[0];
    if (!begin(run, &show))
        return;
    if (show_bgp_explain(&show, what))
        run_end(run, RUN_DONE);
    else
        run_fail(run, RUN_REFUSED,
                 arena_printf(run->arena,
                              "no speaker that answers knows a Service of type LoadBalancer "
                              "\"" STR_FMT "\", or one with an address there",
                              STR_ARG(what)));
}
