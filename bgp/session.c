#include "bgp/session.h"

#include "bgp/safe.h"
#include "common/base/duration.h"
#include "crd/bfdprofile.h"
#include "crd/secret.h"

enum {
    HOLD_S = 90, /* when the peer's object says nothing: RFC 4271 section 10 */
    CONNECT_S = 5,
};

/* --- timers ---------------------------------------------------------------------------------- */

static void set_timers(const struct bgppeer_spec *spec, struct session *session)
{
    int64_t hold, keepalive;
    session->hold_s = HOLD_S;
    session->keepalive_s = HOLD_S / 3;
    if (bgppeer_timers(spec, &hold, &keepalive)) {
        session->hold_s = (unsigned)(hold / DURATION_SECOND);
        session->keepalive_s = (unsigned)(keepalive / DURATION_SECOND);
    }
    session->connect_s =
        spec->has_connect_time ? (unsigned)(spec->connect_time / DURATION_SECOND) : CONNECT_S;
}

/* --- password -------------------------------------------------------------------------------- */

static const struct secret *find_secret(const struct objects *secrets, const struct bgppeer *peer)
{
    for (size_t i = 0; i < secrets->count; i++) {
        const struct object *secret = secrets->items[i];
        if (str_eq(object_name(secret), peer->spec.password_secret.name) &&
            str_eq(object_namespace(secret), object_namespace(&peer->object)))
            return (const struct secret *)secret;
    }
    return NULL;
}

/* A session that should be protected is not made without protection. */
static bool set_password(const struct session_input *input, const struct bgppeer *peer,
                         struct arena *arena, struct diag_list *found, struct session *session)
{
    struct str name = peer->spec.password_secret.name;
    session->password = arena_str(arena, peer->spec.password);
    if (name.len == 0)
        return true;
    const struct secret *secret = find_secret(input->secrets, peer);
    if (secret && secret_read(secret, STR("password"), arena, &session->password) == 0 &&
        bgppeer_password_is_usable(session->password))
        return true;
    diag_add(found, DIAG_ERROR, object_id(&peer->object), STR("spec.passwordSecret"),
             "there is no session: the Secret \"" STR_FMT "\" %s", STR_ARG(name),
             secret ? "holds no usable password" : "is not there");
    return false;
}

/* --- BFD ------------------------------------------------------------------------------------- */

static const struct bfdprofile *find_profile(const struct objects *profiles, struct str name)
{
    for (size_t i = 0; i < profiles->count; i++) {
        if (str_eq(object_name(profiles->items[i]), name))
            return (const struct bfdprofile *)profiles->items[i];
    }
    return NULL;
}

static void set_bfd(const struct session_input *input, const struct bgppeer *peer,
                    struct session *session)
{
    const struct bfdprofile *profile =
        find_profile(&input->config->of[KIND_BFD_PROFILE], peer->spec.bfd_profile);
    if (peer->spec.bfd_profile.len == 0 || !profile)
        return;
    session->bfd = (struct session_bfd){
        .on = true,
        .passive = profile->spec.passive_mode,
        .receive_ms = (unsigned)profile->spec.receive_interval,
        .transmit_ms = (unsigned)profile->spec.transmit_interval,
        .multiplier = (unsigned)profile->spec.detect_multiplier,
    };
}

static const struct session_path *find_path(const struct session_input *input, const struct ip *ip)
{
    for (size_t i = 0; i < input->path_count; i++) {
        if (ip_eq(&input->paths[i].peer, ip))
            return &input->paths[i];
    }
    return NULL;
}

/* BIRD takes an internal peer to be several hops away unless it is told, and needs to know our
 * address for BFD over several hops (RFC 5883). Told only for BFD: without it nothing depends on
 * where the peer is, and a change of it would restart the session. */
static void set_distance(const struct session_input *input, struct diag_list *found,
                         struct session *session)
{
    if (session->interface.len)
        return;
    bool far = session->multihop || session->internal;
    if (!far || !session->bfd.on)
        return;
    const struct session_path *path = find_path(input, &session->address);
    if (!session->multihop && path && path->on_link) {
        session->direct = true;
        return;
    }
    if (!ip_is_set(&session->source) && path)
        session->source = path->source;
    if (ip_is_set(&session->source))
        return;
    session->bfd.on = false;
    diag_add(found, DIAG_WARNING, session->object, STR("spec.bfdProfile"),
             "the session runs without BFD: the peer may be several hops away, and no address of "
             "this node leads there; set sourceAddress");
}

/* --- the session ----------------------------------------------------------------------------- */

static void set_identity(const struct bgppeer *peer, struct session *session)
{
    const struct bgppeer_spec *spec = &peer->spec;
    session->local_as = (uint32_t)(spec->local_asn ? spec->local_asn : spec->my_asn);
    session->peer_as = (uint32_t)spec->peer_asn;
    session->internal = spec->dynamic_asn == DYNAMIC_ASN_INTERNAL ||
                        (session->peer_as && session->peer_as == session->local_as);
    session->address = peer->peer_address;
    session->router_id = peer->router_id;
    session->port = (uint16_t)spec->peer_port;
    if (spec->interface.len == 0)
        session->source = peer->source_address;
}

static void set_families(const struct bgppeer_spec *spec, struct session *session)
{
    bool both = spec->dual_stack_address_family || session->interface.len;
    session->ipv4 = both || session->address.family == IP_V4;
    session->ipv6 = both || session->address.family == IP_V6;
    session->extended_next_hop = session->ipv4 && session->address.family != IP_V4;
}

bool session_make(const struct session_input *input, const struct bgppeer *peer,
                  struct arena *arena, struct diag_list *found, struct session *ret)
{
    struct session session = {
        .peer = arena_str(arena, object_name(&peer->object)),
        .name = safe_protocol(STR("p"), object_name(&peer->object), arena),
        .object = arena_str(arena, object_id(&peer->object)),
        .listen_port = input->listen_port,
        .vrf = arena_str(arena, peer->spec.vrf),
        .interface = arena_str(arena, peer->spec.interface),
        .multihop = peer->spec.ebgp_multi_hop,
        .graceful_restart = peer->spec.enable_graceful_restart,
    };
    set_identity(peer, &session);
    set_timers(&peer->spec, &session);
    set_families(&peer->spec, &session);
    set_bfd(input, peer, &session);
    set_distance(input, found, &session);
    if (!set_password(input, peer, arena, found, &session))
        return false;
    *ret = session;
    return true;
}

bool session_carries(const struct session *session, enum ip_family family)
{
    return family == IP_V4 ? session->ipv4 : session->ipv6;
}
