#include "common/kube/lease_state.h"

#include "common/json/patch.h"
#include "common/json/rfc3339.h"

void lease_state_init(struct lease_state *state, const struct lease_config *config)
{
    *state =
        (struct lease_state){.config = *config, .gain = LEASE_SUCCEEDED, .arena = arena_new(0)};
}

void lease_state_done(struct lease_state *state)
{
    state->arena = arena_free(state->arena);
}

struct str lease_holder(const struct lease_state *state)
{
    return state->observed.holder;
}

static struct str micro_time(int64_t wall_ns, struct arena *arena)
{
    struct sbuf text = {0};
    rfc3339_format(&text, wall_ns / 1000000000, (int32_t)(wall_ns % 1000000000), 6);
    return sbuf_move(&text, arena);
}

static void set_phase(struct lease_state *state, enum lease_phase phase)
{
    state->phase = phase;
}

static bool is_same(const struct lease_record *a, const struct lease_record *b)
{
    return str_eq(a->holder, b->holder) && str_eq(a->renewed, b->renewed) &&
           str_eq(a->acquired, b->acquired) && a->transitions == b->transitions &&
           a->duration_s == b->duration_s;
}

/* Keeps a copy of the record, and the time when it differs from what we knew. */
static void observe(struct lease_state *state, const struct lease_record *record, uint64_t now)
{
    if (!is_same(&state->observed, record))
        state->observed_at = now;
    struct arena *arena = arena_new(0);
    struct lease_record copy = *record;
    copy.holder = arena_str(arena, record->holder);
    copy.acquired = arena_str(arena, record->acquired);
    copy.renewed = arena_str(arena, record->renewed);
    copy.version = arena_str(arena, record->version);
    state->observed = copy;
    (void)arena_free(state->arena);
    state->arena = arena;
}

static bool is_ours(const struct lease_state *state)
{
    return str_eq(state->observed.holder, state->config.identity);
}

/* When the lease of another runs out by our clock. */
static uint64_t expires_at(const struct lease_state *state)
{
    int64_t seconds = state->observed.duration_s;
    seconds = seconds < 1 ? 1 : seconds > 3600 ? 3600 : seconds;
    return state->observed_at + (uint64_t)seconds * 1000;
}

static uint64_t deadline(const struct lease_state *state)
{
    return state->renewed_at + state->config.renew_ms;
}

/* Every action ends here: it says when the state wants to be woken. */
static struct lease_action finish(const struct lease_state *state, struct lease_action action)
{
    action.wake_at = UINT64_MAX;
    if (state->phase == LEASE_WAITING)
        action.wake_at = state->next_at;
    if (state->phase == LEASE_RELEASING || (state->leading && deadline(state) < action.wake_at))
        action.wake_at = deadline(state);
    return action;
}

static struct lease_action wait_until(struct lease_state *state, uint64_t at)
{
    set_phase(state, LEASE_WAITING);
    state->next_at = at;
    return (struct lease_action){.deed = LEASE_NOTHING};
}

/* The pause between tries: the holder's is exact, others' vary by a fifth. */
static uint64_t retry_at(const struct lease_state *state, const struct lease_clock *clock)
{
    uint64_t pause = state->config.retry_ms;
    if (!state->leading)
        pause += ((pause / 5) * clock->random) >> 32;
    return clock->now + pause;
}

static struct lease_action read_lease(struct lease_state *state)
{
    set_phase(state, LEASE_READING);
    return (struct lease_action){.deed = LEASE_DO_READ};
}

/* From whom it would be gained. A lease that is ours already was gained by a try that seemed to
 * have failed, or has run out: what is known about it stays so. */
static void note_gain(struct lease_state *state)
{
    if (!state->observed.holder.len)
        state->gain = LEASE_GAINED;
    else if (!is_ours(state))
        state->gain = LEASE_SUCCEEDED;
}

/* Writes us as the holder, from what was observed (`create`: there is no Lease). */
static struct lease_action write_lease(struct lease_state *state, const struct lease_clock *clock,
                                       bool create)
{
    struct str now = micro_time(clock->wall_ns, state->arena);
    if (!state->leading)
        note_gain(state);
    struct lease_record record = {
        .holder = state->config.identity,
        .duration_s = (int64_t)((state->config.lease_ms + 999) / 1000),
        .acquired = now,
        .renewed = now,
    };
    if (!create) {
        record.version = state->observed.version;
        record.transitions = state->observed.transitions + (is_ours(state) ? 0 : 1);
        if (is_ours(state) && state->observed.acquired.len)
            record.acquired = state->observed.acquired;
    }
    set_phase(state, LEASE_WRITING);
    state->sent_at = clock->now;
    state->writing = record;
    return (struct lease_action){.deed = create ? LEASE_DO_CREATE : LEASE_DO_UPDATE,
                                 .record = record};
}

/* Gives the lease back so that another may have it at once. */
static struct lease_action release(struct lease_state *state, const struct lease_clock *clock)
{
    struct str now = micro_time(clock->wall_ns, state->arena);
    state->leading = false;
    set_phase(state, LEASE_RELEASING);
    return (struct lease_action){.deed = LEASE_DO_UPDATE,
                                 .record = {.duration_s = 1,
                                            .transitions = state->observed.transitions,
                                            .acquired = now,
                                            .renewed = now,
                                            .version = state->observed.version}};
}

static struct lease_action stopped(struct lease_state *state)
{
    state->leading = false;
    set_phase(state, LEASE_STOPPED);
    return (struct lease_action){.deed = LEASE_DONE};
}

/* Has another one it, as far as was seen, for some time yet? */
static bool is_held(const struct lease_state *state, const struct lease_clock *clock)
{
    return state->observed.holder.len && !is_ours(state) && clock->now < expires_at(state);
}

static struct lease_action wait_for_holder(struct lease_state *state,
                                           const struct lease_clock *clock)
{
    uint64_t at = retry_at(state, clock);
    return wait_until(state, at < expires_at(state) ? at : expires_at(state));
}

static struct lease_action after_read(struct lease_state *state, const struct lease_event *event,
                                      const struct lease_clock *clock)
{
    switch (event->type) {
    case LEASE_ABSENT: /* deleted perhaps, while who holds it has not noticed yet */
        return is_held(state, clock) ? wait_for_holder(state, clock)
                                     : write_lease(state, clock, true);
    case LEASE_READ: {
        observe(state, &event->record, clock->now);
        enum lease_change change = LEASE_UNCHANGED;
        if (state->leading && !is_ours(state)) {
            state->leading = false; /* another took it: only possible past our deadline */
            change = LEASE_LOST;
        }
        struct lease_action action = is_held(state, clock) ? wait_for_holder(state, clock)
                                                           : write_lease(state, clock, false);
        action.change = change;
        return action;
    }
    default:
        return wait_until(state, retry_at(state, clock));
    }
}

static struct lease_action after_write(struct lease_state *state, const struct lease_event *event,
                                       const struct lease_clock *clock)
{
    switch (event->type) {
    case LEASE_WRITTEN: {
        struct lease_record record = state->writing;
        record.version = event->record.version;
        observe(state, &record, clock->now);
        state->renewed_at = state->sent_at;
        if (state->stopping) /* taken from one whose writes may still be done: not given back */
            return state->gain == LEASE_SUCCEEDED ? stopped(state) : release(state, clock);
        enum lease_change change = state->leading ? LEASE_UNCHANGED : state->gain;
        state->leading = true;
        state->gain = LEASE_RESUMED;
        struct lease_action action = wait_until(state, state->sent_at + state->config.retry_ms);
        action.change = change;
        return action;
    }
    case LEASE_CONFLICT:
        if (state->stopping)
            return stopped(state);
        return state->leading ? read_lease(state) : wait_until(state, retry_at(state, clock));
    default:
        if (state->stopping)
            return stopped(state);
        return wait_until(state, retry_at(state, clock));
    }
}

static struct lease_action on_timer(struct lease_state *state, const struct lease_clock *clock)
{
    if (state->phase == LEASE_RELEASING && clock->now >= deadline(state)) {
        struct lease_action action = stopped(state);
        action.cancel = true;
        return action;
    }
    if (state->leading && clock->now >= deadline(state)) {
        state->leading = false;
        struct lease_action action = state->stopping ? stopped(state) : read_lease(state);
        action.change = state->stopping ? LEASE_UNCHANGED : LEASE_LOST;
        action.cancel = true;
        return action;
    }
    if (state->phase != LEASE_WAITING || clock->now < state->next_at)
        return (struct lease_action){.deed = LEASE_NOTHING};
    return state->leading ? write_lease(state, clock, false) : read_lease(state);
}

/* The owner has stopped writing already, so leading ends now; what is left is to tell others. A
 * write under way is waited for, since only its outcome tells which version to release. */
static struct lease_action on_stop(struct lease_state *state, const struct lease_clock *clock)
{
    enum lease_change change = state->leading ? LEASE_LOST : LEASE_UNCHANGED;
    struct lease_action action;
    state->stopping = true;
    if (state->phase == LEASE_WRITING) {
        if (!state->leading)
            state->renewed_at = clock->now;
        state->leading = true; /* until the deadline: bounds the waiting */
        action = (struct lease_action){.deed = LEASE_NOTHING};
    } else if (state->leading) {
        action = release(state, clock);
        action.cancel = true;
    } else {
        action = stopped(state);
        action.cancel = true;
    }
    action.change = change;
    return action;
}

static struct lease_action dispatch(struct lease_state *state, const struct lease_event *event,
                                    const struct lease_clock *clock)
{
    static const struct lease_action nothing = {.deed = LEASE_NOTHING};
    if (event->type == LEASE_TIMER)
        return on_timer(state, clock);
    if (event->type == LEASE_STOP)
        return state->stopping ? nothing : on_stop(state, clock);
    switch (state->phase) {
    case LEASE_IDLE:
        return event->type == LEASE_START ? read_lease(state) : nothing;
    case LEASE_READING:
        return after_read(state, event, clock);
    case LEASE_WRITING:
        return after_write(state, event, clock);
    case LEASE_RELEASING:
        return stopped(state);
    case LEASE_WAITING:
    case LEASE_STOPPED:
        return nothing;
    }
    return nothing;
}

struct lease_action lease_step(struct lease_state *state, const struct lease_event *event,
                               const struct lease_clock *clock)
{
    return finish(state, dispatch(state, event, clock));
}

static struct str member_text(const json_t *object, const char *key, struct arena *arena)
{
    return arena_str(arena, str_from(json_string_value(json_object_get(object, key))));
}

struct lease_record lease_decode(const json_t *tree, struct arena *arena)
{
    const json_t *spec = json_object_get(tree, "spec");
    const json_t *metadata = json_object_get(tree, "metadata");
    return (struct lease_record){
        .holder = member_text(spec, "holderIdentity", arena),
        .duration_s = json_integer_value(json_object_get(spec, "leaseDurationSeconds")),
        .transitions = json_integer_value(json_object_get(spec, "leaseTransitions")),
        .acquired = member_text(spec, "acquireTime", arena),
        .renewed = member_text(spec, "renewTime", arena),
        .version = member_text(metadata, "resourceVersion", arena),
    };
}

struct str lease_body(const struct lease_record *record, struct str namespace, struct str name,
                      struct arena *arena)
{
    struct patch body = {0};
    patch_open(&body, NULL);
    patch_str(&body, "apiVersion", STR("coordination.k8s.io/v1"));
    patch_str(&body, "kind", STR("Lease"));
    patch_open(&body, "metadata");
    patch_str(&body, "namespace", namespace);
    patch_str(&body, "name", name);
    if (record->version.len)
        patch_str(&body, "resourceVersion", record->version);
    patch_close(&body);
    patch_open(&body, "spec");
    patch_str(&body, "holderIdentity", record->holder);
    patch_int(&body, "leaseDurationSeconds", record->duration_s);
    patch_int(&body, "leaseTransitions", record->transitions);
    patch_str(&body, "acquireTime", record->acquired);
    patch_str(&body, "renewTime", record->renewed);
    patch_close(&body);
    patch_close(&body);
    return patch_move(&body, arena);
}
