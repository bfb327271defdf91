#include "bgp/render.h"

#include "bgp/safe.h"
#include "crd/name.h"

enum {
    BFD_INTERVAL_MS = 300, /* what is not given is as MetalLB documents it */
    BFD_MULTIPLIER = 3,
    AS_TRANS = 23456, /* RFC 6793: stands for what does not fit into 16 bits */
    RESTART_S = 120,  /* RFC 4724: how long peers keep our routes */
    TTL_MAX = 255,
};

/* --- what may be written --------------------------------------------------------------------- */

static bool is_interface_or_none(struct str text)
{
    return text.len == 0 || name_is_interface(text);
}

static bool is_password_or_none(struct str text)
{
    return text.len == 0 || bgppeer_password_is_usable(text);
}

/* What crd/bgppeer.c has refused already; once more, where it would do harm. */
static bool is_safe(const struct session *session)
{
    return safe_is_symbol(session->name) && is_interface_or_none(session->interface) &&
           is_interface_or_none(session->vrf) && is_password_or_none(session->password);
}

/* --- parts of the main file ------------------------------------------------------------------ */

static void put_head(const struct model *model, struct sbuf *out)
{
    sbuf_puts(out, "# Written by stentor-speaker; changes here are lost.\n"
                   "log stderr { info, remote, warning, error, auth, fatal, bug, trace };\n"
                   "debug protocols { states };\n");
    sbuf_printf(out, "router id %s;\n", ip_format(&model->router_id).text);
    sbuf_puts(out, "timeformat protocol \"%F %T%z\";\n"
                   "timeformat base iso long ms;\n"
                   "timeformat log iso long ms;\n"
                   "watchdog warning 2 s;\n"
                   "protocol device { scan time 10; }\n");
}

/* A route's own attribute, which filters make a community of. */
static void put_attributes(const struct model *model, struct sbuf *out)
{
    bool any = false;
    for (size_t i = 0; i < model->routes.class_count; i++)
        any |= model->routes.classes[i].weighted;
    if (any)
        sbuf_puts(out, "attribute int st_weight;\n");
}

static void put_include(struct str file, struct sbuf *out)
{
    if (file.len && safe_is_text(file))
        sbuf_printf(out, "include \"" STR_FMT "\";\n", STR_ARG(file));
}

/* One for each VRF in which a session uses BFD: BIRD's sockets are in one VRF. */
static void put_bfd_protocols(const struct session **sessions, size_t count, struct sbuf *out)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str_list seen = {.items = arena_array(arena, count, sizeof(struct str))};
    for (size_t i = 0; i < count; i++) {
        struct str vrf = sessions[i]->vrf;
        if (!sessions[i]->bfd.on || str_list_has(&seen, vrf))
            continue;
        seen.items[seen.count++] = vrf;
        if (vrf.len)
            sbuf_printf(out, "protocol bfd " STR_FMT " { vrf \"" STR_FMT "\"; }\n",
                        STR_ARG(safe_protocol(STR("bfd"), vrf, arena)), STR_ARG(vrf));
        else
            sbuf_puts(out, "protocol bfd bfd_default { vrf default; }\n");
    }
}

/* Peers on an interface find us by router advertisements (RFC 4861) that make us nobody's router.
 */
static void put_radv_protocols(const struct session **sessions, size_t count, struct sbuf *out)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str_list seen = {.items = arena_array(arena, count, sizeof(struct str))};
    for (size_t i = 0; i < count; i++) {
        struct str interface = sessions[i]->interface;
        if (interface.len == 0 || str_list_has(&seen, interface))
            continue;
        seen.items[seen.count++] = interface;
        sbuf_printf(out,
                    "protocol radv " STR_FMT " {\n"
                    "  interface \"" STR_FMT "\" {\n"
                    "    max ra interval 4; min ra interval 3; default lifetime 0;\n"
                    "  };\n"
                    "}\n",
                    STR_ARG(safe_protocol(STR("ra"), interface, arena)), STR_ARG(interface));
    }
}

/* --- filters --------------------------------------------------------------------------------- */

static void put_community(const struct community_value *value, struct sbuf *out)
{
    const uint32_t *p = value->parts;
    if (value->large)
        sbuf_printf(out, "    bgp_large_community.add((%u,%u,%u));\n", p[0], p[1], p[2]);
    else
        sbuf_printf(out, "    bgp_community.add((%u,%u));\n", p[0], p[1]);
}

/* The route's weight as link bandwidth (draft-ietf-idr-link-bandwidth). The community does not
 * leave an AS unless it is the transitive kind, so that is for peers of another AS. */
static void put_weight(const struct session *session, struct sbuf *out)
{
    unsigned as = session->local_as <= UINT16_MAX ? session->local_as : AS_TRANS;
    sbuf_printf(out,
                "    if defined(st_weight) then "
                "bgp_ext_community.add((generic, 0x%s%04x, st_weight));\n",
                session->internal ? "4004" : "0004", as);
}

static void put_export(const struct route_class *class, const struct route_export *export,
                       const struct session *session, struct sbuf *out)
{
    sbuf_printf(out, "  if proto ~ \"" STR_FMT "_*\" then {\n", STR_ARG(class->name));
    if (export->local_pref >= 0)
        sbuf_printf(out, "    bgp_local_pref = %u;\n", (unsigned)export->local_pref);
    if (export->med >= 0)
        sbuf_printf(out, "    bgp_med = %u;\n", (unsigned)export->med);
    for (int64_t i = 0; i < export->prepend; i++)
        sbuf_printf(out, "    bgp_path.prepend(%u);\n", session->local_as);
    for (size_t i = 0; i < export->community_count; i++)
        put_community(&export->communities[i], out);
    if (class->weighted)
        put_weight(session, out);
    sbuf_puts(out, "    accept;\n  }\n");
}

static void put_filter(const struct model *model, const struct session *session, struct sbuf *out)
{
    size_t index = (size_t)(session - model->sessions);
    sbuf_printf(out, "filter f_" STR_FMT " {\n  if source != RTS_STATIC then reject;\n",
                STR_ARG(session->name));
    for (size_t i = 0; i < model->routes.class_count; i++) {
        const struct route_class *class = &model->routes.classes[i];
        for (size_t j = 0; j < class->export_count; j++) {
            if (class->exports[j].session == index)
                put_export(class, &class->exports[j], session, out);
        }
    }
    sbuf_puts(out, "  reject;\n}\n");
}

/* --- sessions -------------------------------------------------------------------------------- */

static void put_local(const struct session *session, struct sbuf *out)
{
    sbuf_puts(out, "  local");
    if (ip_is_set(&session->source))
        sbuf_printf(out, " %s", ip_format(&session->source).text);
    if (session->listen_port)
        sbuf_printf(out, " port %u", session->listen_port);
    sbuf_printf(out, " as %u;\n", session->local_as);
}

/* Whoever is on an interface comes by itself, and gets a protocol of his own. */
static void put_neighbor(const struct session *session, struct sbuf *out)
{
    if (session->interface.len)
        sbuf_puts(out, "  neighbor range fe80::/64");
    else
        sbuf_printf(out, "  neighbor %s", ip_format(&session->address).text);
    if (session->interface.len == 0)
        sbuf_printf(out, " port %u", session->port);
    if (session->peer_as)
        sbuf_printf(out, " as %u;\n", session->peer_as);
    else
        sbuf_puts(out, session->internal ? " internal;\n" : " external;\n");
    if (session->interface.len)
        sbuf_printf(out, "  interface \"" STR_FMT "\";\n  dynamic name \"" STR_FMT "_n\";\n",
                    STR_ARG(session->interface), STR_ARG(session->name));
}

static void put_bfd(const struct session_bfd *bfd, struct sbuf *out)
{
    if (!bfd->on)
        return;
    sbuf_printf(out,
                "  bfd { min rx interval %u ms; min tx interval %u ms; multiplier %u; passive %s; "
                "};\n",
                bfd->receive_ms ? bfd->receive_ms : BFD_INTERVAL_MS,
                bfd->transmit_ms ? bfd->transmit_ms : BFD_INTERVAL_MS,
                bfd->multiplier ? bfd->multiplier : BFD_MULTIPLIER, bfd->passive ? "on" : "off");
}

static void put_timers(const struct session *session, struct sbuf *out)
{
    sbuf_printf(out, "  connect retry time %u;\n  hold time %u;\n", session->connect_s,
                session->hold_s);
    if (session->hold_s && session->keepalive_s)
        sbuf_printf(out, "  keepalive time %u;\n", session->keepalive_s);
}

static void put_options(const struct session *session, struct sbuf *out)
{
    if (session->multihop)
        sbuf_printf(out, "  multihop %d;\n", TTL_MAX);
    if (session->direct)
        sbuf_puts(out, "  direct;\n");
    if (ip_is_set(&session->router_id))
        sbuf_printf(out, "  router id %s;\n", ip_format(&session->router_id).text);
    if (session->vrf.len)
        sbuf_printf(out, "  vrf \"" STR_FMT "\";\n", STR_ARG(session->vrf));
    if (session->password.len)
        sbuf_printf(out, "  password \"" STR_FMT "\";\n", STR_ARG(session->password));
    if (session->graceful_restart)
        sbuf_printf(out, "  graceful restart on;\n  graceful restart time %d;\n", RESTART_S);
}

static void put_channel(const struct session *session, const char *family, struct sbuf *out)
{
    bool extended = session->extended_next_hop && family[3] == '4';
    sbuf_printf(out, "  %s { import none; export filter f_" STR_FMT "; next hop self;%s };\n",
                family, STR_ARG(session->name), extended ? " extended next hop on;" : "");
}

static void put_session(const struct session *session, struct sbuf *out)
{
    sbuf_printf(out, "protocol bgp " STR_FMT " from t_common {\n", STR_ARG(session->name));
    if (safe_is_text(session->peer))
        sbuf_printf(out, "  description \"" STR_FMT "\";\n", STR_ARG(session->peer));
    put_local(session, out);
    put_neighbor(session, out);
    put_timers(session, out);
    put_options(session, out);
    put_bfd(&session->bfd, out);
    if (session->ipv4)
        put_channel(session, "ipv4", out);
    if (session->ipv6)
        put_channel(session, "ipv6", out);
    sbuf_puts(out, "}\n");
}

/* BIRD waits for minutes after an error unless it is told otherwise; and it would keep routes with
 * well-known communities to itself. */
static void put_template(struct sbuf *out)
{
    sbuf_puts(out, "template bgp t_common {\n"
                   "  connect delay time 1;\n"
                   "  error wait time 1, 10;\n"
                   "  error forget time 30;\n"
                   "  interpret communities off;\n"
                   "  disable after error off;\n"
                   "}\n");
}

void render_main(const struct model *model, const struct render_options *options,
                 struct diag_list *found, struct sbuf *out)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    const struct session **sessions =
        arena_array(arena, model->session_count, sizeof(struct session *));
    size_t count = 0;
    for (size_t i = 0; i < model->session_count; i++) {
        if (is_safe(&model->sessions[i]))
            sessions[count++] = &model->sessions[i];
        else
            diag_add(found, DIAG_ERROR, model->sessions[i].object, STR("spec"),
                     "there is no session: a text of it cannot be written to BIRD's configuration");
    }
    put_head(model, out);
    put_attributes(model, out);
    put_bfd_protocols(sessions, count, out);
    put_radv_protocols(sessions, count, out);
    if (options->routes.len)
        put_include(options->routes, out);
    else
        render_routes(model, out);
    put_template(out);
    for (size_t i = 0; i < count; i++) {
        put_filter(model, sessions[i], out);
        put_session(sessions[i], out);
    }
    put_include(options->extras, out);
}

/* --- routes ---------------------------------------------------------------------------------- */

/* What a weight is on the wire: bytes per second as an IEEE 754 number of 32 bits. An endpoint is
 * 1 Mbit/s; only the proportions count. */
static uint32_t bandwidth_of(unsigned weight)
{
    union {
        float number;
        uint32_t bits;
    } bandwidth = {.number = (float)weight * 125000.0F};
    _Static_assert(sizeof(float) == sizeof(uint32_t), "IEEE 754");
    return bandwidth.bits;
}

static void put_static(const struct route_class *class, const char *family,
                       const struct prefix *prefixes, const unsigned *weights, size_t count,
                       struct sbuf *out)
{
    if (count == 0)
        return;
    sbuf_printf(out, "protocol static " STR_FMT "_%s { ip%s;\n", STR_ARG(class->name), family,
                family);
    for (size_t i = 0; i < count; i++) {
        sbuf_puts(out, "route ");
        sbuf_puts(out, prefix_format(&prefixes[i]).text);
        if (weights && weights[i])
            sbuf_printf(out, " blackhole { st_weight = 0x%08x; };\n", bandwidth_of(weights[i]));
        else
            sbuf_puts(out, " blackhole;\n");
    }
    sbuf_puts(out, "}\n");
}

void render_routes(const struct model *model, struct sbuf *out)
{
    sbuf_puts(out, "# Written by stentor-speaker; changes here are lost.\n");
    for (size_t i = 0; i < model->routes.class_count; i++) {
        const struct route_class *class = &model->routes.classes[i];
        put_static(class, "v4", class->v4, class->v4_weights, class->v4_count, out);
        put_static(class, "v6", class->v6, class->v6_weights, class->v6_count, out);
    }
}
