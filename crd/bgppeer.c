#include "crd/bgppeer.h"

#include "common/base/duration.h"
#include "common/base/utf8.h"
#include "crd/check.h"
#include "crd/condition.h"
#include "crd/name.h"
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
enum {
    NOTHING = BGPPEER_COST_NOTHING,
    IN_PLACE = BGPPEER_COST_IN_PLACE,
    RESTART = BGPPEER_COST_RESTART,
};
static const struct field spec_fields[] = {
    {"myASN", FIELD_INT, AT(my_asn), .flags = FIELD_REQUIRED, .max = UINT32_MAX, .cost = RESTART},
    {"peerASN", FIELD_INT, AT(peer_asn), .max = UINT32_MAX, .cost = RESTART},
    {"dynamicASN", FIELD_ENUM, AT(dynamic_asn), .names = &dynamic_asns, .cost = RESTART},
    {"localASN", FIELD_INT, AT(local_asn), .min = 1, .max = UINT32_MAX, .cost = RESTART},
    {"peerAddress", FIELD_STR, AT(peer_address), .cost = RESTART},
    {"interface", FIELD_STR, AT(interface), .cost = RESTART},
    {"sourceAddress", FIELD_STR, AT(source_address), .cost = RESTART},
    {"peerPort", FIELD_INT, AT(peer_port), .fallback = "179", .max = 16384, .cost = RESTART},
    {"routerID", FIELD_STR, AT(router_id), .cost = RESTART},
    {"holdTime", FIELD_DURATION, AT(hold_time), .present = AT(has_hold_time), .cost = RESTART},
    {"keepaliveTime", FIELD_DURATION, AT(keepalive_time), .present = AT(has_keepalive_time),
     .cost = RESTART},
    {"connectTime", FIELD_DURATION, AT(connect_time), .present = AT(has_connect_time),
     .cost = RESTART},
    {"nodeSelectors", FIELD_LIST, AT(node_selectors), .nested = &selector_shape, .cost = NOTHING},
    {"password", FIELD_STR, AT(password), .cost = RESTART},
    {"passwordSecret", FIELD_OBJECT, AT(password_secret), .nested = &secret_ref_shape,
     .cost = RESTART},
    {"bfdProfile", FIELD_STR, AT(bfd_profile), .cost = IN_PLACE},
    {"enableGracefulRestart", FIELD_BOOL, AT(enable_graceful_restart), .cost = RESTART},
    {"ebgpMultiHop", FIELD_BOOL, AT(ebgp_multi_hop), .cost = RESTART},
    {"vrf", FIELD_STR, AT(vrf), .cost = RESTART},
    {"disableMP", FIELD_BOOL, AT(disable_mp), .fallback = "false", .cost = NOTHING},
    {"dualStackAddressFamily", FIELD_BOOL, AT(dual_stack_address_family), .fallback = "false",
     .cost = RESTART},
};
#undef AT
const struct shape bgppeer_spec_shape = SHAPE(struct bgppeer_spec, spec_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct bgppeer, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct bgppeer),
    {"spec", FIELD_OBJECT, AT(spec), .fallback = OBJECT_EMPTY, .nested = &bgppeer_spec_shape},
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

/* RFC 4271 section 4.2: the hold time is 0 or at least three seconds, and has two octets. */
static void check_timers(struct object *object, const struct bgppeer_spec *spec)
{
    int64_t hold, keepalive;
    if (bgppeer_timers(spec, &hold, &keepalive)) {
        int64_t seconds = hold / DURATION_SECOND;
        if ((seconds != 0 && seconds < 3) || seconds > UINT16_MAX)
            check_fail(object, STR("spec.holdTime"),
                       "invalid hold time \"" STR_FMT "\": must be 0 or >=3s, and at most 65535s",
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

/* The addresses of two ends that can speak with each other. */
static void check_ends(struct bgppeer *peer)
{
    struct object *object = &peer->object;
    const struct ip *theirs = &peer->peer_address, *ours = &peer->source_address;
    if (ip_is_set(theirs) && !ip_is_unicast(theirs))
        check_fail(object, STR("spec.peerAddress"),
                   "invalid BGPPeer address \"%s\": not the address of one host",
                   ip_format(theirs).text);
    else if (ip_is_link_local(theirs) && theirs->family == IP_V6)
        check_fail(object, STR("spec.peerAddress"),
                   "invalid BGPPeer address \"%s\": a link-local address names no host without an "
                   "interface; set interface instead of peerAddress",
                   ip_format(theirs).text);
    if (ip_is_set(ours) && !ip_is_unicast(ours))
        check_fail(object, STR("spec.sourceAddress"),
                   "invalid source IP \"%s\": not the address of one host", ip_format(ours).text);
    else if (ip_is_set(ours) && ip_is_set(theirs) && ours->family != theirs->family)
        check_fail(object, STR("spec.sourceAddress"),
                   "invalid source IP \"%s\": not of the family of peerAddress",
                   ip_format(ours).text);
    else if (ip_is_set(ours) && peer->spec.interface.len)
        check_warn(object, STR("spec.sourceAddress"),
                   "sourceAddress has no effect together with interface, where the session runs "
                   "between link-local addresses");
    if (ip_is_set(&peer->router_id) &&
        (peer->router_id.family != IP_V4 || !ip_is_unicast(&peer->router_id)))
        check_fail(object, STR("spec.routerID"),
                   "invalid router ID \"%s\": must be written as an IPv4 address of one host",
                   ip_format(&peer->router_id).text);
}

bool bgppeer_password_is_usable(struct str password)
{
    enum { PASSWORD_MAX = 80 }; /* of the kernel: TCP_MD5SIG_MAXKEYLEN */
    if (password.len == 0 || password.len > PASSWORD_MAX || !utf8_valid(password))
        return false;
    for (size_t i = 0; i < password.len; i++) {
        unsigned char c = (unsigned char)password.ptr[i];
        if (c < ' ' || c == 0x7f || c == '"')
            return false;
    }
    return true;
}

/* What would not reach the routing daemon as it was meant. */
static void check_texts(struct object *object, const struct bgppeer_spec *spec)
{
    static const char name[] =
        "%s contains invalid characters: must be 1 to 15 letters, digits, '.', '_', '-', ':' or "
        "'@'";
    if (spec->interface.len && !name_is_interface(spec->interface))
        check_fail(object, STR("spec.interface"), name, "interface");
    if (spec->vrf.len && !name_is_interface(spec->vrf))
        check_fail(object, STR("spec.vrf"), name, "VRF name");
    if (spec->password.len && !bgppeer_password_is_usable(spec->password))
        check_fail(
            object, STR("spec.password"),
            "password contains invalid characters: must be at most 80 bytes of UTF-8 without "
            "control characters and quotation marks");
}

void bgppeer_check(struct object *object)
{
    struct bgppeer *peer = (struct bgppeer *)object;
    struct bgppeer_spec *spec = &peer->spec;
    if (spec->peer_port == 0)
        spec->peer_port = 179;
    check_asns(object, spec);
    check_addresses(peer);
    check_ends(peer);
    check_timers(object, spec);
    selectors_check(object, &spec->node_selectors, "nodeSelectors");
    if (spec->password.len && spec->password_secret.name.len)
        check_fail(object, STR("spec.passwordSecret"),
                   "can not have both password and secret ref: set password or passwordSecret");
    check_texts(object, spec);
    if (spec->disable_mp)
        check_warn(object, STR("spec.disableMP"),
                   "disableMP has no effect any more; see dualStackAddressFamily");
}
