#include "speaker/bgp.h"

#include <stdlib.h>

#include "bgp/paths.h"
#include "bgp/render.h"
#include "common/base/err.h"
#include "common/base/map.h"
#include "crd/endpointslice.h"
#include "crd/node.h"
#include "crd/secret.h"
#include "speaker/bgp_metrics.h"
#include "speaker/bgp_tell.h"
#include "speaker/matters.h"

#define EXTRAS_KEY "extras"

enum { TOUCHED_MAX = 500 }; /* that many Services are better looked at with all others */

static const uint64_t MS = 1000000;

/* A model with its arena. */
struct modelled {
    struct model *model; /* NULL: none yet */
    struct arena *arena;
};

struct bgp {
    struct bgp_options options;
    struct loop *loop;
    struct engine *engine; /* NULL: no BGP */
    struct source *source; /* NULL: not attached yet */
    struct bgp_calls calls;
    struct modelled now;
    size_t by_service;           /* index of EndpointSlices */
    struct map touched;          /* keys of Services to look at again; in touched_arena */
    struct arena *touched_arena; /* NULL: none */
    bool all_touched;
    struct bgp_tell *tell;
    struct bgp_metrics *metrics;
    struct loop_timer *turn;
    uint64_t took_ns, ended_ns; /* the last turn */
    enum model_drain drain;
    struct loop_timer *drain_timer;
    struct sbuf refusal, extras_refusal;
    void (*left)(void *ctx);
    void *left_ctx;
};

/* --- draining -------------------------------------------------------------------------------- */

static void drain_is_over(void *ctx)
{
    struct bgp *b = ctx;
    b->drain_timer = NULL;
    b->drain = MODEL_DRAINED;
    bgp_changed(b);
}

/* First the peers are asked to go elsewhere, then there is nothing to come here for. A speaker that
 * finds its node drained when it starts does not begin anew. */
static void set_drain(struct bgp *b, bool draining)
{
    if (!draining) {
        b->drain_timer = loop_timer_cancel(b->drain_timer);
        b->drain = MODEL_SERVES;
    } else if (!b->now.model || !b->options.drain_ms) {
        b->drain = MODEL_DRAINED;
    } else if (b->drain == MODEL_SERVES) {
        b->drain = MODEL_DRAINS;
        b->drain_timer = loop_timer_start(b->loop, b->options.drain_ms, 0, drain_is_over, b);
        log_info("peers are asked to go elsewhere", kv_str("node", b->options.node),
                 kv_uint("milliseconds", b->options.drain_ms));
    }
}

static bool is_draining(const struct bgp *b)
{
    const struct object *node = source_get(b->source, KIND_NODE, STR(""), b->options.node);
    return node && ((const struct node *)node)->draining;
}

/* --- a turn ---------------------------------------------------------------------------------- */

static struct objects list(const struct bgp *b, enum kind_id kind, struct arena *scratch)
{
    struct objects objects;
    objects.items = source_list(b->source, kind, scratch, &objects.count);
    return objects;
}

/* Only BFD asks where a peer is; see bgp/session.c. */
static void find_paths(struct model_input *input, struct arena *scratch)
{
    const struct objects *peers = &input->config->of[KIND_BGP_PEER];
    struct ip *ips = arena_array(scratch, peers->count, sizeof(*ips));
    size_t count = 0;
    for (size_t i = 0; i < peers->count; i++) {
        const struct bgppeer *peer = (const struct bgppeer *)peers->items[i];
        if (peer->spec.bfd_profile.len && ip_is_set(&peer->peer_address))
            ips[count++] = peer->peer_address;
    }
    if (count)
        input->paths = paths_find(ips, count, scratch, &input->path_count);
}

/* All of it but Services and EndpointSlices. */
static struct model_input input_for_all(const struct bgp *b, struct arena *scratch)
{
    struct model_input input = {
        .node = b->options.node,
        .lb_class = b->options.lb_class,
        .ignore_excluded = b->options.ignore_excluded,
        .seed = b->options.seed,
        .drain = b->drain,
        .listen_port = engine_listen_port(b->engine),
        .config = b->calls.config(b->calls.ctx),
        .nodes = list(b, KIND_NODE, scratch),
    };
    input.secrets = input.config->of[KIND_SECRET];
    return input;
}

static void make_model(const struct bgp *b, struct arena *scratch, struct modelled *ret)
{
    struct model_input input = input_for_all(b, scratch);
    input.services = list(b, KIND_SERVICE, scratch);
    input.slices = list(b, KIND_ENDPOINT_SLICE, scratch);
    find_paths(&input, scratch);
    ret->arena = arena_new(0);
    ret->model = model_make(&input, ret->arena);
}

static struct model_touched find_touched(const struct bgp *b, struct str key)
{
    struct str namespace, name;
    struct model_touched touched = {.key = key};
    (void)str_cut(key, '/', &namespace, &name);
    touched.service = (const struct service *)source_get(b->source, KIND_SERVICE, namespace, name);
    touched.slices.items =
        (const struct object **)source_by(b->source, b->by_service, key, &touched.slices.count);
    return touched;
}

/* Brings the model up to date with the Services that were touched. False: that is not enough. */
static bool update_model(const struct bgp *b, struct arena *scratch, model_changes *changes)
{
    size_t count;
    if (b->all_touched || !b->now.model)
        return false;
    struct model_input input = input_for_all(b, scratch);
    struct map_entry *sorted = map_sorted(&b->touched, scratch, &count);
    struct model_touched *touched = arena_array(scratch, count, sizeof(*touched));
    for (size_t i = 0; i < count; i++)
        touched[i] = find_touched(b, sorted[i].key);
    return model_update(b->now.model, &input, touched, count, b->now.arena, changes);
}

static void forget_touched(struct bgp *b)
{
    map_done(&b->touched);
    b->touched_arena = arena_free(b->touched_arena);
    b->all_touched = false;
}

static struct str find_extras(const struct bgp *b)
{
    const struct object *object =
        source_get(b->source, KIND_CONFIG_MAP, b->options.namespace, STR(MATTERS_EXTRAS));
    if (!object || object->refused)
        return STR("");
    return str_map_get(&((const struct configmap *)object)->data, STR(EXTRAS_KEY), NULL);
}

static void apply(struct bgp *b, struct model *model)
{
    static const struct render_options options = {.routes = STR_INIT("routes.conf")};
    if (model->session_count == 0) {
        engine_apply(b->engine, NULL);
        return;
    }
    struct sbuf main = {0}, routes = {0};
    render_main(model, &options, &model->findings, &main);
    render_routes(model, &routes);
    struct engine_texts texts = {
        .main = sbuf_str(&main), .routes = sbuf_str(&routes), .extras = find_extras(b)};
    engine_apply(b->engine, &texts);
    sbuf_wipe(&main); /* passwords */
    sbuf_done(&routes);
}

static void modelled_done(struct modelled *modelled)
{
    model_done(modelled->model);
    arena_wipe(modelled->arena); /* passwords */
    (void)arena_free(modelled->arena);
    *modelled = (struct modelled){0};
}

static void turn(void *ctx)
{
    struct bgp *b = ctx;
    uint64_t start = loop_clock_ns();
    b->turn = NULL;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct modelled before = {0};
    model_changes changes = {0};
    enum model_drain drain = b->drain;
    set_drain(b, is_draining(b));
    bool enough = update_model(b, scratch, &changes);
    if (!enough) {
        before = b->now;
        make_model(b, scratch, &b->now);
    }
    forget_touched(b);
    if (!enough || changes.len || b->drain != drain)
        apply(b, b->now.model);
    bgp_tell_changes(b->tell, changes.items, changes.len);
    if (!enough)
        bgp_tell_model(b->tell, before.model, b->now.model);
    if (!enough && !before.model)
        b->calls.planned(b->calls.ctx);
    modelled_done(&before);
    vec_done(&changes);
    b->ended_ns = loop_clock_ns();
    b->took_ns = b->ended_ns - start;
}

/* The first change is carried out at once, with those that came with it; the next ones wait as long
 * as that took. */
static void schedule(struct bgp *b)
{
    if (!b->engine || !b->source || b->turn || b->left || source_saved(b->source).stale)
        return;
    uint64_t pause = b->took_ns < BGP_LATEST_MS * MS ? b->took_ns : BGP_LATEST_MS * MS;
    uint64_t since = loop_clock_ns() - b->ended_ns;
    b->turn = since >= pause ? loop_defer(b->loop, turn, b)
                             : loop_timer_start(b->loop, (pause - since + MS - 1) / MS, 0, turn, b);
}

void bgp_changed(struct bgp *b)
{
    b->all_touched = true;
    schedule(b);
}

static void touch(struct bgp *b, struct str service)
{
    if (b->all_touched || !service.len || map_get(&b->touched, service))
        return;
    if (map_count(&b->touched) >= TOUCHED_MAX) {
        b->all_touched = true;
        return;
    }
    if (!b->touched_arena)
        b->touched_arena = arena_new(0);
    (void)map_put(&b->touched, arena_str(b->touched_arena, service), b);
}

static void touch_service_of(struct bgp *b, const struct object *slice)
{
    if (slice)
        touch(b, ((const struct endpointslice *)slice)->service);
}

void bgp_object_changed(struct bgp *b, const struct object *before, const struct object *after)
{
    enum kind_id kind = (after ? after : before)->kind->id;
    if (!b->engine)
        return;
    if (kind == KIND_SERVICE) {
        touch(b, (after ? after : before)->key);
    } else if (kind == KIND_ENDPOINT_SLICE) {
        touch_service_of(b, before);
        touch_service_of(b, after);
    } else if (kind != KIND_NODE || !matters_drains_alone(before, after)) {
        b->all_touched = true; /* a drain is looked at in each turn */
    }
    schedule(b);
}

/* --- what the engine tells ------------------------------------------------------------------- */

static void engine_changed(void *ctx)
{
    struct bgp *b = ctx;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    const struct bgp_view *views = bgp_views(b, scratch, &count);
    if (b->tell)
        bgp_tell_sessions(b->tell, views, count);
}

static void engine_refused(void *ctx, bool extras, struct str why)
{
    struct bgp *b = ctx;
    struct sbuf *text = extras ? &b->extras_refusal : &b->refusal;
    sbuf_clear(text);
    sbuf_put(text, why);
}

static void engine_applied(void *ctx, uint64_t duration_ns)
{
    struct bgp *b = ctx;
    sbuf_clear(&b->refusal);
    bgp_metrics_applied(b->metrics, (double)duration_ns / 1e9);
}

static void engine_ended(void *ctx)
{
    struct bgp *b = ctx;
    void (*left)(void *) = b->left;
    if (left)
        left(b->left_ctx);
}

static void engine_failed(void *ctx)
{
    struct bgp *b = ctx;
    b->options.failed(b->options.ctx);
}

/* --- life ------------------------------------------------------------------------------------ */

struct bgp *bgp_open(struct loop *loop, const struct bgp_options *options)
{
    struct bgp *b = heap_alloc(sizeof(*b));
    *b = (struct bgp){.options = *options, .loop = loop, .metrics = bgp_metrics_new()};
    struct engine_options engine = {.directory = options->directory, .program = options->program};
    struct engine_calls calls = {.changed = engine_changed,
                                 .refused = engine_refused,
                                 .applied = engine_applied,
                                 .ended = engine_ended,
                                 .failed = engine_failed,
                                 .ctx = b};
    if (options->program.len == 0)
        return b;
    int result = engine_open(loop, &engine, &calls, &b->engine);
    if (result < 0)
        log_error("there is no BGP", kv_str("directory", options->directory), kv_err(result));
    return b;
}

static void slice_service(const struct object *slice, struct sbuf *out)
{
    sbuf_put(out, ((const struct endpointslice *)slice)->service);
}

void bgp_attach(struct bgp *b, struct source *source, const struct bgp_calls *calls)
{
    b->source = source;
    b->calls = *calls;
    if (b->engine)
        b->by_service = source_index(source, KIND_ENDPOINT_SLICE, slice_service);
    struct bgp_tell_calls tell = {
        .service = calls->service_changed, .session = calls->session_changed, .ctx = calls->ctx};
    b->tell = bgp_tell_new(source, b->options.node, &tell);
}

struct bgp *bgp_close(struct bgp *b)
{
    if (!b)
        return NULL;
    (void)loop_timer_cancel(b->turn);
    (void)loop_timer_cancel(b->drain_timer);
    (void)engine_close(b->engine);
    (void)bgp_tell_free(b->tell);
    (void)bgp_metrics_free(b->metrics);
    modelled_done(&b->now);
    forget_touched(b);
    sbuf_done(&b->refusal);
    sbuf_done(&b->extras_refusal);
    free(b);
    return NULL;
}

static bool any_restarts(const struct model *model)
{
    for (size_t i = 0; model && i < model->session_count; i++) {
        if (model->sessions[i].graceful_restart)
            return true;
    }
    return false;
}

void bgp_leave(struct bgp *b, void (*done)(void *ctx), void *ctx)
{
    if (!b->engine) {
        done(ctx);
        return;
    }
    b->left = done;
    b->left_ctx = ctx;
    b->turn = loop_timer_cancel(b->turn);
    engine_end(b->engine,
               b->drain == MODEL_SERVES && (!b->now.model || any_restarts(b->now.model)));
}

const struct model *bgp_model(const struct bgp *b)
{
    return b->now.model;
}

const struct bgp_view *bgp_views(const struct bgp *b, struct arena *arena, size_t *ret_count)
{
    *ret_count = b->engine && b->now.model ? b->now.model->session_count : 0;
    if (*ret_count == 0)
        return NULL;
    bool ready = engine_figures(b->engine).bird.state == LIFE_READY;
    return bgp_view_make(b->now.model, engine_status(b->engine), engine_bfd(b->engine), ready,
                         arena);
}

struct engine_figures bgp_figures(const struct bgp *b)
{
    return b->engine ? engine_figures(b->engine) : (struct engine_figures){0};
}

const struct metrics *bgp_metrics(struct bgp *b)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    const struct bgp_view *views = bgp_views(b, scratch, &count);
    struct bgp_metrics_session *sessions = arena_array(scratch, count, sizeof(*sessions));
    for (size_t i = 0; i < count; i++) {
        struct bgp_told told = bgp_tell_session(b->tell, views[i].peer);
        sessions[i] = (struct bgp_metrics_session){
            .view = &views[i], .updates = told.updates, .downs = told.downs};
    }
    struct engine_figures figures = bgp_figures(b);
    struct bgp_metrics_bird bird = {
        .up = figures.bird.state == LIFE_READY,
        .starts = figures.bird.starts,
        .crashes = figures.bird.crashes,
        .taken = figures.applied,
        .refused = figures.refused,
    };
    bgp_metrics_sessions(b->metrics, sessions, count);
    bgp_metrics_services(b->metrics, b->now.model);
    bgp_metrics_bird(b->metrics, &bird);
    return bgp_metrics_set(b->metrics);
}

struct str bgp_refusal(const struct bgp *b)
{
    return sbuf_str(&b->refusal);
}

struct str bgp_extras_refusal(const struct bgp *b)
{
    return bgp_figures(b).extras_are_refused ? sbuf_str(&b->extras_refusal) : STR("");
}
