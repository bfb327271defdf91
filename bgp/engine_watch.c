/* What BIRD is asked over and over: its state, and, where a version sleeps on what it has to send,
 * anything at all. */
#include "bgp/engine_internal.h"

enum {
    WAKE_FIRST_MS = 2, /* then 4, 8 and so on up to 50 */
    WAKE_MS = 50,
    WAKE_AFTER_CONFIGURE_MS = 1000,
    WAKE_AFTER_CHANGE_MS = 4000, /* of a session's state: the first routes are due */
    POLL_MS = 2000,
    POLL_SOON_MS = 20,
};

/* --- waking ---------------------------------------------------------------------------------- */

static void woken(void *ctx, const struct reply *reply)
{
    (void)ctx;
    (void)reply;
}

static void wake(void *ctx);

static void wake_later(struct engine *e)
{
    e->wake = loop_timer_start(e->loop, e->wake_ms, 0, wake, e);
    e->wake_ms = e->wake_ms * 2 < WAKE_MS ? e->wake_ms * 2 : WAKE_MS;
}

static void wake(void *ctx)
{
    struct engine *e = ctx;
    struct birdctl *ctl = supervisor_ctl(e->supervisor);
    e->wake = NULL;
    if (!ctl || loop_now(e->loop) >= e->wake_until)
        return;
    wake_later(e);
    if (!birdctl_is_idle(ctl))
        return;
    e->figures.wakes++;
    birdctl_send(ctl, STR("show status"), woken, NULL);
}

static bool needs_waking(const struct engine *e)
{
    const unsigned *version = e->figures.version;
    return version[0] < 2 || (version[0] == 2 && version[1] < 14);
}

/* Soon at first: what has just changed is what is held back. */
static void keep_awake(struct engine *e, uint64_t ms)
{
    uint64_t until = loop_now(e->loop) + ms;
    if (!needs_waking(e))
        return;
    if (until > e->wake_until)
        e->wake_until = until;
    e->wake = loop_timer_cancel(e->wake);
    e->wake_ms = WAKE_FIRST_MS;
    wake_later(e);
}

/* --- polling --------------------------------------------------------------------------------- */

static void poll_in(struct engine *e, uint64_t ms);

static void poll_done(struct engine *e)
{
    e->polling = false;
    poll_in(e, e->poll_again ? POLL_SOON_MS : POLL_MS);
    e->poll_again = false;
    e->calls.changed(e->calls.ctx);
}

static void bfd_came(void *ctx, const struct reply *reply)
{
    struct engine *e = ctx;
    e->bfd = (struct status_bfd_list){0};
    if (reply && !reply_is_error(reply)) /* an error: no session uses BFD */
        e->bfd = status_parse_bfd(reply, e->state);
    poll_done(e);
}

static void status_came(void *ctx, const struct reply *reply)
{
    struct engine *e = ctx;
    struct birdctl *ctl = supervisor_ctl(e->supervisor);
    if (!reply || !ctl) {
        e->polling = false;
        return;
    }
    arena_reset(e->state);
    e->bfd = (struct status_bfd_list){0};
    e->status = status_parse(reply, e->state);
    birdctl_send(ctl, STR("show bfd sessions"), bfd_came, e);
}

static void poll_now(void *ctx)
{
    struct engine *e = ctx;
    struct birdctl *ctl = supervisor_ctl(e->supervisor);
    e->poll = NULL;
    if (!ctl)
        return;
    e->polling = true;
    birdctl_send(ctl, STR("show protocols all"), status_came, e);
}

static void poll_in(struct engine *e, uint64_t ms)
{
    (void)loop_timer_cancel(e->poll);
    e->poll = loop_timer_start(e->loop, ms, 0, poll_now, e);
}

static void poll_soon(struct engine *e)
{
    if (e->polling)
        e->poll_again = true;
    else
        poll_in(e, POLL_SOON_MS);
}

/* --- when ------------------------------------------------------------------------------------ */

void engine_watch_configured(struct engine *e)
{
    keep_awake(e, WAKE_AFTER_CONFIGURE_MS);
    poll_soon(e);
}

void engine_watch_changed(struct engine *e)
{
    keep_awake(e, WAKE_AFTER_CHANGE_MS);
    poll_soon(e);
}
