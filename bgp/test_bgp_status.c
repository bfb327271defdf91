#include "bgp/status.h"

#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "common/json/rfc3339.h"

/* As BIRD 2.0.12 writes it; p_none as without our timeformat. */
static const char protocols[] =
    "2002-Name       Proto      Table      State  Since         Info\n"
    "1002-device1    Device     ---        up     2026-11-25 18:24:06+0000  \n"
    "1006-\n"
    "1002-c1_v4      Static     master4    up     2026-11-25 18:24:06+0000  \n"
    "1006-  Channel ipv4\n"
    "     State:          UP\n"
    "     Routes:         1 imported, 0 exported, 1 preferred\n"
    " \n"
    "1002-p_tor1     BGP        ---        up     2026-11-25 18:24:07+0000  Established   \n"
    "1006-  Description:    tor1\n"
    "   BGP state:          Established\n"
    "     Neighbor address: 127.0.0.2\n"
    "     Neighbor port:    1791\n"
    "     Neighbor AS:      64513\n"
    "     Local AS:         64512\n"
    "     Neighbor ID:      10.99.0.2\n"
    "     Local capabilities\n"
    "       Multiprotocol\n"
    "         AF announced: ipv4 ipv6\n"
    "       Graceful restart\n"
    "     Neighbor capabilities\n"
    "       Multiprotocol\n"
    "         AF announced: ipv4\n"
    "       Route refresh\n"
    "       Graceful restart\n"
    "       4-octet AS numbers\n"
    "     Session:          external multihop AS4\n"
    "     Source address:   127.0.0.1\n"
    "     Hold timer:       7.221/9\n"
    "     Keepalive timer:  1.440/3\n"
    "   Channel ipv4\n"
    "     State:          UP\n"
    "     Table:          master4\n"
    "     Input filter:   REJECT\n"
    "     Routes:         2 imported, 10001 exported, 0 preferred\n"
    "     Route change stats:     received   rejected   filtered    ignored   accepted\n"
    "       Import updates:              3          0          0          0          4\n"
    "       Import withdraws:            0          0        ---          0          5\n"
    "       Export updates:              1          0          0        ---       1234\n"
    "       Export withdraws:            0        ---        ---        ---         56\n"
    "     BGP Next hop:   127.0.0.1\n"
    "   Channel ipv6\n"
    "     State:          DOWN\n"
    " \n"
    "1002-p_dead     BGP        ---        start  2026-11-25 20:24:06+0200  Active        Socket: "
    "Connection reset by peer\n"
    "1006-  BGP state:          Active\n"
    "     Neighbor address: 127.0.0.3\n"
    "     Neighbor AS:      0\n"
    "     Local capabilities\n"
    "       Graceful restart\n"
    "     Connect delay:    0.663/1\n"
    "     Last error:       Socket: Connection reset by peer\n"
    "   Channel ipv6\n"
    "     State:          DOWN\n"
    " \n"
    "1002-p_none     BGP        ---        down   2026-11-25 18:24:06  Active        Error: No "
    "listening socket\n"
    "1006-  BGP state:          Down\n"
    "     Last error:       Error: No listening socket\n"
    " \n"
    "1002-dyn_1      BGP        ---        start  2026-11-25 14:54:06-0330  Passive       \n"
    "1006-  BGP state:          Passive\n"
    "     Neighbor range:   fe80::/64\n"
    " \n"
    "0000 \n";

static void put_channel(struct sbuf *out, const char *name, const struct status_channel *channel)
{
    if (channel->configured)
        sbuf_printf(out, " %s:%s:%u/%u/%u/%u", name, channel->up ? "up" : "down",
                    (unsigned)channel->exported, (unsigned)channel->updates_sent,
                    (unsigned)channel->withdraws_sent, (unsigned)channel->imported);
}

static void put_since(struct sbuf *out, int64_t since)
{
    sbuf_putc(out, '[');
    if (since)
        rfc3339_format(out, since, 0, 0);
    sbuf_putc(out, ']');
}

static void put_session(struct sbuf *out, const struct status_session *s)
{
    sbuf_printf(out, STR_FMT " %s ", STR_ARG(s->name), status_state_name(s->state));
    put_since(out, s->since);
    sbuf_printf(out, " " STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(s->neighbor_address),
                STR_ARG(s->neighbor_id), STR_ARG(s->source_address));
    sbuf_printf(out, " %u/%u/%u %u/%u%s", (unsigned)s->neighbor_port, (unsigned)s->neighbor_as,
                (unsigned)s->local_as, (unsigned)s->hold_time, (unsigned)s->keepalive_time,
                s->peer_restarts ? " GR" : "");
    put_channel(out, "v4", &s->ipv4);
    put_channel(out, "v6", &s->ipv6);
    sbuf_printf(out, " \"" STR_FMT "\"\n", STR_ARG(s->last_error));
}

static void test_sessions(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(reply_reader) struct reply_reader *reader = reply_reader_new();
    scoped_sbuf struct sbuf out = {0};
    struct reply reply;
    reply_feed(reader, STR(protocols));
    TEST_ASSERT(reply_next(reader, &reply) == REPLY_DONE);
    struct status status = status_parse(&reply, arena);
    for (size_t i = 0; i < status.count; i++)
        put_session(&out, &status.sessions[i]);
    TEST_STR(sbuf_str(&out),
             "p_tor1 Established [2026-11-25T18:24:07Z] 127.0.0.2/10.99.0.2/127.0.0.1 "
             "1791/64513/64512 9/3 GR v4:up:10001/1234/56/2 v6:down:0/0/0/0 \"\"\n"
             "p_dead Active [2026-11-25T18:24:06Z] 127.0.0.3// 0/0/0 0/0 v6:down:0/0/0/0 "
             "\"Socket: Connection reset by peer\"\n"
             "p_none Down [] // 0/0/0 0/0 \"Error: No listening socket\"\n"
             "dyn_1 Passive [2026-11-25T18:24:06Z] // 0/0/0 0/0 \"\"\n");
}

static void test_bfd(void)
{
    static const char text[] =
        "1020-b_main:\n"
        " IP address                Interface  State      Since         Interval  Timeout\n"
        " 127.0.0.2                 ---        Down       2026-11-25 18:24:06+0000    1.000    "
        "0.000\n"
        " fe80::1                   eth0       Up         2026-11-25 23:59:07+0535    0.300    "
        "0.900\n"
        " 192.0.2.7                 eth1       AdminDown  2026-11-25 18:24:07+00xx    0.300    "
        "0.900\n"
        " 192.0.2.8                 eth1       Sideways   2026-11-25 18:24:07    0.300    0.900\n"
        "0000 \n";
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(reply_reader) struct reply_reader *reader = reply_reader_new();
    scoped_sbuf struct sbuf out = {0};
    struct reply reply;
    reply_feed(reader, STR(text));
    TEST_ASSERT(reply_next(reader, &reply) == REPLY_DONE);
    struct status_bfd_list list = status_parse_bfd(&reply, arena);
    for (size_t i = 0; i < list.count; i++) {
        const struct status_bfd *one = &list.items[i];
        sbuf_printf(&out, "%s " STR_FMT " %s ", ip_format(&one->peer).text, STR_ARG(one->interface),
                    status_bfd_state_name(one->state));
        put_since(&out, one->since);
        sbuf_putc(&out, '\n');
    }
    TEST_STR(sbuf_str(&out), "127.0.0.2  Down [2026-11-25T18:24:06Z]\n"
                             "fe80::1 eth0 Up [2026-11-25T18:24:07Z]\n"
                             "192.0.2.7 eth1 AdminDown []\n");
}

TEST_MAIN("bgp/status", TEST(test_sessions), TEST(test_bfd))
