#include "bgp/status.h"

#include "common/base/names.h"
#include "common/base/sbuf.h"
#include "common/base/vec.h"
#include "common/json/rfc3339.h"

static const char *const state_names[] = {
    [STATUS_DOWN] = "Down",
    [STATUS_IDLE] = "Idle",
    [STATUS_CONNECT] = "Connect",
    [STATUS_ACTIVE] = "Active",
    [STATUS_OPEN_SENT] = "OpenSent",
    [STATUS_OPEN_CONFIRM] = "OpenConfirm",
    [STATUS_ESTABLISHED] = "Established",
    [STATUS_CLOSE] = "Close",
    [STATUS_PASSIVE] = "Passive",
};
static const struct names states = NAMES(state_names);
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == STATUS_STATES, "a name each");

static const char *const bfd_state_names[] = {
    [STATUS_BFD_DOWN] = "Down",
    [STATUS_BFD_ADMIN_DOWN] = "AdminDown",
    [STATUS_BFD_INIT] = "Init",
    [STATUS_BFD_UP] = "Up",
};
static const struct names bfd_states = NAMES(bfd_state_names);
_Static_assert(sizeof(bfd_state_names) / sizeof(bfd_state_names[0]) == STATUS_BFD_STATES,
               "a name each");

const char *status_state_name(enum status_state state)
{
    return names_of(&states, state);
}

const char *status_bfd_state_name(enum status_bfd_state state)
{
    return names_of(&bfd_states, state);
}

/* --- words ----------------------------------------------------------------------------------- */

/* The next of the words that blanks divide; empty at the end. */
static struct str next_word(struct str *rest)
{
    *rest = str_trim(*rest);
    struct str word;
    (void)str_cut(*rest, ' ', &word, rest);
    return word;
}

/* The number at the start of a word ("1.440/3" is 1), 0 when there is none. */
static uint64_t leading_number(struct str word)
{
    size_t len = 0;
    while (len < word.len && word.ptr[len] >= '0' && word.ptr[len] <= '9')
        len++;
    uint64_t number = 0;
    return str_to_u64(str_slice(word, 0, len), UINT64_MAX, &number) < 0 ? 0 : number;
}

/* "2026-11-25 18:24:07+0100", which is RFC 3339 but for the "T" and the colon in the offset, as
 * seconds since 1970. A BIRD that has not taken our configuration yet leaves the offset out: 0. */
static int64_t take_since(struct str *rest)
{
    enum { TIME_LEN = 8, OFFSET_LEN = 5, HOURS_LEN = 3 };
    struct str date = next_word(rest), time = next_word(rest);
    int64_t seconds = 0;
    if (time.len != TIME_LEN + OFFSET_LEN)
        return 0;
    scoped_sbuf struct sbuf text = {0};
    sbuf_put(&text, date);
    sbuf_putc(&text, 'T');
    sbuf_put(&text, str_slice(time, 0, TIME_LEN + HOURS_LEN));
    sbuf_putc(&text, ':');
    sbuf_put(&text, str_slice(time, TIME_LEN + HOURS_LEN, time.len));
    return rfc3339_parse(sbuf_str(&text), &seconds, NULL) < 0 ? 0 : seconds;
}

/* --- sessions -------------------------------------------------------------------------------- */

struct parser {
    VEC(struct status_session) list;
    bool open;                      /* the last of the list is being read */
    struct status_channel *channel; /* of that one; NULL outside of channels */
    bool theirs;                    /* the neighbor's capabilities are being listed */
};

static struct status_session *session(struct parser *p)
{
    return &p->list.items[p->list.len - 1];
}

static enum status_state state_of(struct str word)
{
    size_t state;
    return names_find(&states, word, &state) < 0 ? STATUS_DOWN : (enum status_state)state;
}

/* "p_tor1     BGP        ---        up     2026-11-25 18:24:07  Established   " */
static void read_row(struct parser *p, struct str row)
{
    struct str name = next_word(&row), protocol = next_word(&row);
    (void)next_word(&row); /* table */
    struct str state = next_word(&row);
    int64_t since = take_since(&row);
    struct str word = next_word(&row);
    p->open = name.len && str_eq(protocol, STR("BGP"));
    p->channel = NULL;
    p->theirs = false;
    if (!p->open)
        return;
    struct status_session one = {.name = name, .since = since, .state = state_of(word)};
    if (str_eq(state, STR("down")))
        one.state = STATUS_DOWN;
    vec_push(&p->list, one);
}

static void read_limit(struct str value, uint64_t *ret)
{
    struct str now, limit;
    if (str_cut(value, '/', &now, &limit))
        *ret = leading_number(limit);
}

/* "1 imported, 2 exported, 0 preferred" */
static void read_routes(struct str value, struct status_channel *channel)
{
    for (struct str part; str_next(&value, ',', &part);) {
        uint64_t number = leading_number(next_word(&part));
        struct str what = str_trim(part);
        if (str_eq(what, STR("imported")))
            channel->imported = number;
        else if (str_eq(what, STR("exported")))
            channel->exported = number;
    }
}

/* "received rejected filtered ignored accepted": the last counts. */
static uint64_t last_number(struct str value)
{
    struct str last = {0};
    for (struct str word; (word = next_word(&value)).len;)
        last = word;
    return leading_number(last);
}

static void read_in_channel(struct status_channel *channel, struct str key, struct str value)
{
    if (str_eq(key, STR("State")))
        channel->up = str_eq(value, STR("UP"));
    else if (str_eq(key, STR("Routes")))
        read_routes(value, channel);
    else if (str_eq(key, STR("Export updates")))
        channel->updates_sent = last_number(value);
    else if (str_eq(key, STR("Export withdraws")))
        channel->withdraws_sent = last_number(value);
}

struct text_row {
    const char *key;
    size_t offset; /* of a struct str in struct status_session */
};

struct number_row {
    const char *key;
    size_t offset; /* of a uint64_t */
};

#define AT(member) offsetof(struct status_session, member)
static const struct text_row texts[] = {
    {"Neighbor address", AT(neighbor_address)},
    {"Neighbor ID", AT(neighbor_id)},
    {"Source address", AT(source_address)},
    {"Last error", AT(last_error)},
};
static const struct number_row numbers[] = {
    {"Neighbor port", AT(neighbor_port)},
    {"Neighbor AS", AT(neighbor_as)},
    {"Local AS", AT(local_as)},
};
#undef AT

static void read_pair(struct parser *p, struct str key, struct str value)
{
    struct status_session *one = session(p);
    if (p->channel) {
        read_in_channel(p->channel, key, value);
        return;
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (str_eq(key, str_from(texts[i].key)))
            *(struct str *)((char *)one + texts[i].offset) = value;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (str_eq(key, str_from(numbers[i].key)))
            *(uint64_t *)((char *)one + numbers[i].offset) = leading_number(value);
    if (str_eq(key, STR("Hold timer")))
        read_limit(value, &one->hold_time);
    else if (str_eq(key, STR("Keepalive timer")))
        read_limit(value, &one->keepalive_time);
}

static void open_channel(struct parser *p, struct str name)
{
    struct status_session *one = session(p);
    p->channel = str_eq(name, STR("ipv4"))   ? &one->ipv4
                 : str_eq(name, STR("ipv6")) ? &one->ipv6
                                             : NULL;
    if (p->channel)
        p->channel->configured = true;
}

static void read_detail(struct parser *p, struct str line)
{
    struct str key, value, text = str_trim(line), rest = text;
    if (str_eq(next_word(&rest), STR("Channel"))) {
        open_channel(p, str_trim(rest));
    } else if (str_eq(text, STR("Neighbor capabilities"))) {
        p->theirs = true;
    } else if (p->theirs && str_eq(text, STR("Graceful restart"))) {
        session(p)->peer_restarts = true;
    } else if (str_cut(text, ':', &key, &value)) {
        p->theirs = p->theirs && str_eq(key, STR("AF announced"));
        read_pair(p, str_trim(key), str_trim(value));
    }
}

/* A copy that does not live in the reply. */
static void keep(struct status_session *one, struct arena *arena)
{
    one->name = arena_str(arena, one->name);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct str *text = (struct str *)((char *)one + texts[i].offset);
        *text = arena_str(arena, *text);
    }
}

struct status status_parse(const struct reply *reply, struct arena *arena)
{
    struct parser p = {0};
    for (size_t i = 0; i < reply->count; i++) {
        const struct reply_line *line = &reply->lines[i];
        if (line->code == REPLY_PROTOCOL)
            read_row(&p, line->text);
        else if (line->code == REPLY_PROTOCOL_MORE && p.open)
            read_detail(&p, line->text);
    }
    struct status status = {.sessions = arena_array(arena, p.list.len, sizeof(*status.sessions)),
                            .count = p.list.len};
    for (size_t i = 0; i < p.list.len; i++) {
        keep(&p.list.items[i], arena);
        status.sessions[i] = p.list.items[i];
    }
    vec_done(&p.list);
    return status;
}

/* --- BFD ------------------------------------------------------------------------------------- */

/* "127.0.0.2                 ---        Down       2026-11-25 18:24:06    1.000    0.000"; headings
 * and names of protocols do not start with an address. */
static bool read_bfd(struct str row, struct arena *arena, struct status_bfd *ret)
{
    struct status_bfd one = {0};
    if (ip_parse(next_word(&row), &one.peer) < 0)
        return false;
    struct str interface = next_word(&row);
    if (!str_eq(interface, STR("---")))
        one.interface = arena_str(arena, interface);
    size_t state;
    if (names_find(&bfd_states, next_word(&row), &state) < 0)
        return false;
    one.state = (enum status_bfd_state)state;
    one.since = take_since(&row);
    *ret = one;
    return true;
}

struct status_bfd_list status_parse_bfd(const struct reply *reply, struct arena *arena)
{
    struct status_bfd_list list = {.items = arena_array(arena, reply->count, sizeof(*list.items))};
    for (size_t i = 0; i < reply->count; i++) {
        const struct reply_line *line = &reply->lines[i];
        if (line->code == REPLY_BFD && read_bfd(line->text, arena, &list.items[list.count]))
            list.count++;
    }
    return list;
}
