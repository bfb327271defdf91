#include "crd/bgppeer.h"

#include "common/base/duration.h"
#include "crd/check.h"
#include "crd/condition.h"
#include "crd/object_rows.h"
#include "crd/selector.h"

static const char *const dynamic_asn_names[] = {
    [DYNAMIC_ASN_NONE] = "",
    [DYNAMIC_ASN_INTERNAL] = "internal",
    [DYNAMIC_ASN_EXTERNAL] = "external",
};
static const struct names dynamic_asns = NAMES(dynamic_asn_names);

#define AT(member) offsetof(struct secret_ref, member)
static const struct field secret_ref_fields[] = {
    {"name", FIELD_STR, AT(name)},
    {"namespace", FIELD_STR, AT(namespace)},
};
#undef AT
static const struct shape secret_ref_shape =
    SHAPE(struct secret_ref, secret_ref_fields, SHAPE_STRICT);

/* peerPort may be 0 as v1beta1 allows; bgppeer_check makes that 179. */
#define AT(member) offsetof(struct bgppeer_spec, member)
static const struct field spec_fields[] = {
    {"myASN", FIELD_INT, AT(my_asn), .flags = FIELD_REQUIRED, .max = UINT32_MAX},
    {"peerASN", FIELD_INT, AT(peer_asn), .max = UINT32_MAX},
    {"dynamicASN", FIELD_ENUM, AT(dynamic_asn), .names = &dynamic_asns},
    {"localASN", FIELD_INT, AT(local_asn), .min = 1, .max = UINT32_MAX},
    {"peerAddress", FIELD_STR, AT(peer_address)},
    {"interface", FIELD_STR, AT(interface)},
    {"sourceAddress", FIELD_STR, AT(source_address)},
    {"peerPort", FIELD_INT, AT(peer_port), .fallback = "179", .max = 16384},
    {"routerID", FIELD_STR, AT(router_id)},
    {"holdTime", FIELD_DURATION, AT(hold_time), .present = AT(has_hold_time)},
    {"keepaliveTime", FIELD_DURATION, AT(keepalive_time), .present = AT(has_keepalive_time)},
    {"connectTime", FIELD_DURATION, AT(connect_time), .present = AT(has_connect_time)},
    {"nodeSelectors", FIELD_LIST, AT(node_selectors), .nested = &selector_shape},
    {"password", FIELD_STR, AT(password)},
    {"passwordSecret", FIELD_OBJECT, AT(password_secret), .nested = &secret_ref_shape},
    {"bfdProfile", FIELD_STR, AT(bfd_profile)},
    {"enableGracefulRestart", FIELD_BOOL, AT(enable_graceful_restart)},
    {"ebgpMultiHop", FIELD_BOOL, AT(ebgp_multi_hop)},
    {"vrf", FIELD_STR, AT(vrf)},
    {"disableMP", FIELD_BOOL, AT(disable_mp), .fallback = "false"},
    {"dualStackAddressFamily", FIELD_BOOL, AT(dual_stack_address_family), .fallback = "false"},
};
#undef AT
static const struct shape spec_shape = SHAPE(struct bgppeer_spec, spec_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct bgppeer, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct bgppeer),
    {"spec", FIELD_OBJECT, AT(spec), .fallback = OBJECT_EMPTY, .nested = &spec_shape},
    {"status", FIELD_OBJECT, AT(conditions), .nested = &conditions_status_shape},
};
#undef AT
const struct shape bgppeer_shape = SHAPE(struct bgppeer, fields, SHAPE_STRICT);

bool bgppeer_timers(const struct bgppeer_spec *spec, int64_t *ret_hold, int64_t *ret_keepalive)
{
    if (!spec->has_hold_time && !spec->has_keepalive_time)
        return false;
    int64_t hold = spec->hold_time, keepalive = spec->keepalive_time;
    if (!spec->has_keepalive_time)
        keepalive = hold / 3;
    if (!spec->has_hold_time && __builtin_mul_overflow(keepalive, 3, &hold))
        hold = keepalive > 0 ? INT64_MAX : INT64_MIN;
    *ret_hold = hold;
    *ret_keepalive = keepalive;
    return true;
}

static struct str duration_text(const struct object *object, int64_t nanoseconds)
{
    struct sbuf out = {0};
    duration_format(&out, nanoseconds);
    return sbuf_move(&out, object->arena);
}

/* RFC 4271 section 4.2: the hold time is 0 or at least three seconds. */
static void check_timers(struct object *object, const struct bgppeer_spec *spec)
{
    int64_t hold, keepalive;
    if (bgppeer_timers(spec, &hold, &keepalive)) {
        int64_t seconds = hold / DURATION_SECOND;
        if (seconds != 0 && seconds < 3)
            check_fail(object, STR("spec.holdTime"),
                       "invalid hold time \"" STR_FMT "\": must be 0 or >=3s",
                       STR_ARG(duration_text(object, hold)));
        if (keepalive > hold)
            check_fail(object, STR("spec.keepaliveTime"),
                       "invalid keepaliveTime \"" STR_FMT "\", must be lower than holdTime "
                       "\"" STR_FMT "\"",
                       STR_ARG(duration_text(object, keepalive)),
                       STR_ARG(duration_text(object, hold)));
    }
    if (!spec->has_connect_time)
        return;
    if (spec->connect_time < DURATION_SECOND || spec->connect_time >= 65536 * DURATION_SECOND)
        check_fail(object, STR("spec.connectTime"),
                   "connect time should be between 1 second and 65535 seconds");
    if (spec->connect_time % DURATION_SECOND != 0)
        check_fail(object, STR("spec.connectTime"),
                   "connect time should contain a whole number of seconds");
}

static void check_asns(struct object *object, const struct bgppeer_spec *spec)
{
    if (spec->my_asn == 0)
        check_fail(object, STR("spec.myASN"), "missing local ASN");
    bool dynamic = spec->dynamic_asn != DYNAMIC_ASN_NONE;
    if (spec->peer_asn == 0 && !dynamic)
        check_fail(object, STR("spec.peerASN"),
                   "missing peer ASN and dynamicASN: one of them is needed");
    if (spec->peer_asn != 0 && dynamic)
        check_fail(object, STR("spec.dynamicASN"),
                   "both peer ASN and dynamicASN specified: only one may be set");
    if (spec->ebgp_multi_hop && spec->peer_asn == spec->my_asn)
        check_fail(object, STR("spec.ebgpMultiHop"),
                   "invalid ebgp-multihop: peerASN and myASN are the same");
}

static void check_ip(struct object *object, struct str text, const char *field, const char *what,
                     struct ip *ret)
{
    if (text.len && ip_parse(text, ret) < 0)
        check_fail(object, str_from(field), "invalid %s \"" STR_FMT "\"", what,
                   STR_ARG(str_slice(text, 0, 128)));
}

static void check_addresses(struct bgppeer *peer)
{
    struct object *object = &peer->object;
    const struct bgppeer_spec *spec = &peer->spec;
    if (spec->peer_address.len == 0 && spec->interface.len == 0)
        check_fail(object, STR("spec.peerAddress"),
                   "peer has no Address or Interface specified: one of them is needed");
    if (spec->peer_address.len && spec->interface.len)
        check_fail(object, STR("spec.interface"),
                   "peer has both Address and Interface specified: only one may be set");
    check_ip(object, spec->peer_address, "spec.peerAddress", "BGPPeer address",
             &peer->peer_address);
    check_ip(object, spec->router_id, "spec.routerID", "router ID", &peer->router_id);
    check_ip(object, spec->source_address, "spec.sourceAddress", "source IP",
             &peer->source_address);
}

/* Line breaks would reach the routing daemon's configuration. */
static void check_line(struct object *object, struct str text, const char *field, const char *what)
{
    if (str_find(text, '\n') < text.len || str_find(text, '\r') < text.len)
        check_fail(object, str_from(field), "%s contains invalid characters", what);
}

void bgppeer_check(struct object *object)
{
    struct bgppeer *peer = (struct bgppeer *)object;
    struct bgppeer_spec *spec = &peer->spec;
    if (spec->peer_port == 0)
        spec->peer_port = 179;
    check_asns(object, spec);
    check_addresses(peer);
    check_timers(object, spec);
    selectors_check(object, &spec->node_selectors, "nodeSelectors");
    if (spec->password.len && spec->password_secret.name.len)
        check_fail(object, STR("spec.passwordSecret"),
                   "can not have both password and secret ref: set password or passwordSecret");
    check_line(object, spec->interface, "spec.interface", "interface");
    check_line(object, spec->password, "spec.password", "password");
    check_line(object, spec->vrf, "spec.vrf", "VRF name");
    if (spec->disable_mp)
        check_warn(object, STR("spec.disableMP"),
                   "disableMP has no effect any more; see dualStackAddressFamily");
}
