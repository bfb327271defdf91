#include "speaker/bgp_view.h"

#include "speaker/bgp_advice.h"

/* Peers on an interface have protocols of their own: the session's name, "_n" and a number. */
static bool is_of(const struct session *session, struct str protocol)
{
    if (str_eq(protocol, session->name))
        return true;
    struct str rest = str_slice(protocol, session->name.len, protocol.len);
    uint64_t number;
    return session->interface.len && str_starts_with(protocol, session->name) &&
           str_starts_with(rest, STR("_n")) &&
           str_to_u64(str_slice(rest, 2, rest.len), UINT64_MAX, &number) == 0;
}

/* Of several on one interface the one that has come furthest. */
static const struct status_session *find_status(const struct status *status,
                                                const struct session *session)
{
    const struct status_session *best = NULL;
    for (size_t i = 0; i < status->count; i++) {
        const struct status_session *one = &status->sessions[i];
        if (!is_of(session, one->name))
            continue;
        if (!best || (best->state != STATUS_ESTABLISHED && one->state == STATUS_ESTABLISHED) ||
            best->state == STATUS_PASSIVE)
            best = one;
    }
    return best;
}

static void set_bfd(const struct status_bfd_list *bfd, struct bgp_view *view)
{
    for (size_t i = 0; i < bfd->count; i++) {
        if (ip_eq(&bfd->items[i].peer, &view->address))
            view->bfd_state = bfd->items[i].state;
    }
}

static uint64_t count_wanted(const struct model *model, size_t session)
{
    const struct session *one = &model->sessions[session];
    uint64_t wanted = 0;
    for (size_t i = 0; i < model->routes.class_count; i++) {
        const struct route_class *class = &model->routes.classes[i];
        for (size_t j = 0; j < class->export_count; j++) {
            if (class->exports[j].session == session)
                wanted += (one->ipv4 ? class->v4_count : 0) + (one->ipv6 ? class->v6_count : 0);
        }
    }
    return wanted;
}

static struct str explain_state(const struct session *session, enum status_state state)
{
    switch (state) {
    case STATUS_ESTABLISHED:
        return STR("");
    case STATUS_IDLE:
        return session->multihop || session->internal
                   ? STR("waits before it tries again")
                   : STR("no interface is on the peer's network: a peer of another AS that is more "
                         "than one hop away needs ebgpMultiHop");
    case STATUS_CONNECT:
        return session->password.len
                   ? STR("the peer does not answer, as it does not when passwords differ")
                   : STR("the peer does not answer, as it does not when it wants a password");
    case STATUS_PASSIVE:
        return STR("nobody on the interface has opened a session yet");
    case STATUS_DOWN:
        return STR("bird does not run the session");
    default:
        return STR("the session is being opened");
    }
}

static void set_state(const struct session *session, const struct status_session *status, bool bird,
                      struct bgp_view *view)
{
    if (!status) {
        view->why = bird ? STR("bird does not have the session yet") : STR("bird does not run");
        return;
    }
    view->protocol = status->name;
    view->state = status->state;
    view->since = status->since;
    view->prefixes = status->ipv4.exported + status->ipv6.exported;
    view->updates = status->ipv4.updates_sent + status->ipv4.withdraws_sent +
                    status->ipv6.updates_sent + status->ipv6.withdraws_sent;
    view->hold_time = status->hold_time;
    view->keepalive_time = status->keepalive_time;
    view->peer_as = status->neighbor_as;
    view->peer_restarts = status->peer_restarts;
    struct str address, zone; /* "fe80::1%eth0" */
    (void)str_cut(status->neighbor_address, '%', &address, &zone);
    if (!ip_is_set(&view->address) && ip_parse(address, &view->address) < 0)
        view->address = (struct ip){0};
    if (status->state != STATUS_ESTABLISHED)
        view->why =
            status->last_error.len ? status->last_error : explain_state(session, status->state);
    view->advice = bgp_advice(view->why);
}

struct bgp_view *bgp_view_make(const struct model *model, const struct status *status,
                               const struct status_bfd_list *bfd, bool bird, struct arena *arena)
{
    struct bgp_view *views = arena_array(arena, model->session_count, sizeof(*views));
    for (size_t i = 0; i < model->session_count; i++) {
        const struct session *session = &model->sessions[i];
        views[i] = (struct bgp_view){
            .peer = session->peer,
            .object = session->object,
            .address = session->address,
            .interface = session->interface,
            .vrf = session->vrf,
            .port = session->port,
            .protocol = session->name,
            .wanted = count_wanted(model, i),
            .bfd = session->bfd.on,
        };
        set_state(session, find_status(status, session), bird, &views[i]);
        set_bfd(bfd, &views[i]);
    }
    return views;
}
