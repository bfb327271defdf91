#include "bgp/life.h"

#include "common/base/names.h"

static const char *const state_names[] = {
    [LIFE_OFF] = "off",         [LIFE_STARTING] = "starting", [LIFE_READY] = "ready",
    [LIFE_WAITING] = "waiting", [LIFE_ENDING] = "ending",
};
static const struct names states = NAMES(state_names);
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == LIFE_STATES, "a name each");

const char *life_state_name(enum life_state state)
{
    return names_of(&states, state);
}

static void set_state(struct life *life, enum life_state state, uint64_t now)
{
    life->state = state;
    life->since = now;
}

static struct life_actions timer(struct life_actions actions, uint64_t ms)
{
    actions.set_timer = true;
    actions.timer_ms = ms;
    return actions;
}

static struct life_actions start(struct life *life, uint64_t now)
{
    set_state(life, LIFE_STARTING, now);
    return timer((struct life_actions){.disconnect = true, .start = true}, LIFE_CONNECT_MS);
}

static struct life_actions end(struct life *life, uint64_t now)
{
    bool greeted = life->state == LIFE_READY;
    set_state(life, LIFE_ENDING, now);
    return timer((struct life_actions){.ask = greeted, .terminate = !greeted}, LIFE_END_MS);
}

/* The first start after an end is at once, later ones wait ever longer. */
static struct life_actions start_again(struct life *life, uint64_t now)
{
    life->failures = life->stable ? 1 : life->failures + 1;
    life->stable = false;
    if (!life->wanted) {
        set_state(life, LIFE_OFF, now);
        return (struct life_actions){.disconnect = true};
    }
    if (life->failures == 1)
        return start(life, now);
    uint64_t delay = LIFE_BACKOFF_MIN_MS;
    for (unsigned i = 2; i < life->failures && delay < LIFE_BACKOFF_MAX_MS; i++)
        delay *= 2;
    set_state(life, LIFE_WAITING, now);
    return timer((struct life_actions){.disconnect = true},
                 delay < LIFE_BACKOFF_MAX_MS ? delay : LIFE_BACKOFF_MAX_MS);
}

static struct life_actions in_off(struct life *life, enum life_event event, uint64_t now)
{
    switch (event) {
    case LIFE_WANT:
        return start(life, now);
    case LIFE_ADOPT:
        life->wanted = true;
        set_state(life, LIFE_STARTING, now);
        return timer((struct life_actions){.connect = true}, LIFE_CONNECT_MS);
    default:
        return (struct life_actions){0};
    }
}

static struct life_actions in_starting(struct life *life, enum life_event event, uint64_t now)
{
    switch (event) {
    case LIFE_GREETED:
        set_state(life, LIFE_READY, now);
        return (struct life_actions){0};
    case LIFE_EXITED:
        return start_again(life, now);
    case LIFE_UNWANT:
        return end(life, now);
    case LIFE_LOST:
        return timer((struct life_actions){.disconnect = true}, LIFE_CONNECT_MS);
    case LIFE_TIME:
        if (now - life->since >= LIFE_GREETING_MS)
            return timer((struct life_actions){.kill = true}, LIFE_GREETING_MS);
        return timer((struct life_actions){.connect = true}, LIFE_CONNECT_MS);
    default:
        return (struct life_actions){0};
    }
}

static struct life_actions in_ready(struct life *life, enum life_event event, uint64_t now)
{
    life->stable = now - life->since >= LIFE_STABLE_MS;
    switch (event) {
    case LIFE_EXITED:
        return start_again(life, now);
    case LIFE_LOST: /* it may be ending; else it will answer again */
        set_state(life, LIFE_STARTING, now);
        return timer((struct life_actions){.disconnect = true}, LIFE_CONNECT_MS);
    case LIFE_UNWANT:
        return end(life, now);
    default:
        return (struct life_actions){0};
    }
}

static struct life_actions in_waiting(struct life *life, enum life_event event, uint64_t now)
{
    switch (event) {
    case LIFE_TIME:
        return start(life, now);
    case LIFE_UNWANT:
        life->failures = 0;
        set_state(life, LIFE_OFF, now);
        return (struct life_actions){0};
    default:
        return (struct life_actions){0};
    }
}

static struct life_actions in_ending(struct life *life, enum life_event event, uint64_t now)
{
    switch (event) {
    case LIFE_EXITED:
        life->failures = 0;
        if (life->wanted)
            return start(life, now);
        set_state(life, LIFE_OFF, now);
        return (struct life_actions){.disconnect = true};
    case LIFE_GREETED: /* only now it can be asked */
        return (struct life_actions){.ask = true};
    case LIFE_LOST: /* as it should */
        return timer((struct life_actions){.disconnect = true}, LIFE_END_MS);
    case LIFE_TIME:
        return timer((struct life_actions){.kill = true}, LIFE_END_MS);
    default:
        return (struct life_actions){0};
    }
}

struct life_actions life_step(struct life *life, enum life_event event, uint64_t now)
{
    if (event == LIFE_WANT || event == LIFE_UNWANT)
        life->wanted = event == LIFE_WANT;
    switch (life->state) {
    case LIFE_OFF:
        return in_off(life, event, now);
    case LIFE_STARTING:
        return in_starting(life, event, now);
    case LIFE_READY:
        return in_ready(life, event, now);
    case LIFE_WAITING:
        return in_waiting(life, event, now);
    default:
        return in_ending(life, event, now);
    }
}
