/* The state of BIRD's sessions, as `show protocols all` and `show bfd sessions` tell it.
 *
 * The texts are made for people, so they are read by what stands before the colon; what is not
 * known is left alone. The configuration fixes the format of times, with the offset of the local
 * time ("2026-11-25 18:24:07+0100"). Pure. */
#ifndef BGP_STATUS_H
#define BGP_STATUS_H

#include "bgp/reply.h"
#include "common/net/ip.h"

enum status_state {
    STATUS_DOWN, /* BIRD does not run the session, or cannot: last_error tells */
    STATUS_IDLE,
    STATUS_CONNECT,
    STATUS_ACTIVE,
    STATUS_OPEN_SENT,
    STATUS_OPEN_CONFIRM,
    STATUS_ESTABLISHED,
    STATUS_CLOSE,
    STATUS_PASSIVE, /* waits for peers that connect by themselves */
    STATUS_STATES
};

struct status_channel {
    bool configured, up;
    uint64_t exported;                     /* routes that the peer has from us */
    uint64_t updates_sent, withdraws_sent; /* of routes, since the session came up */
    uint64_t imported;
};

struct status_session {
    struct str name; /* of the protocol in the configuration */
    enum status_state state;
    int64_t since; /* when the protocol's state last changed, in seconds since 1970; 0: not known */
    struct str neighbor_address, neighbor_id, source_address;
    struct str last_error; /* empty: none */
    uint64_t neighbor_port, neighbor_as, local_as;
    uint64_t hold_time, keepalive_time; /* agreed on, in seconds */
    bool peer_restarts;                 /* the peer knows graceful restart (RFC 4724) */
    struct status_channel ipv4, ipv6;
};

struct status {
    struct status_session *sessions; /* in BIRD's order */
    size_t count;
};

/* Reads the reply to `show protocols all`; protocols other than BGP are left out. In the arena. */
struct status status_parse(const struct reply *reply, struct arena *arena);

/* "Established" and so on, as BIRD writes it. */
const char *status_state_name(enum status_state state);

enum status_bfd_state {
    STATUS_BFD_DOWN,
    STATUS_BFD_ADMIN_DOWN,
    STATUS_BFD_INIT,
    STATUS_BFD_UP,
    STATUS_BFD_STATES
};

struct status_bfd {
    struct ip peer;
    struct str interface; /* empty: more than one hop away */
    enum status_bfd_state state;
    int64_t since; /* as above */
};

struct status_bfd_list {
    struct status_bfd *items;
    size_t count;
};

/* Reads the reply to `show bfd sessions`. In the arena. */
struct status_bfd_list status_parse_bfd(const struct reply *reply, struct arena *arena);

/* "Up" and so on. */
const char *status_bfd_state_name(enum status_bfd_state state);

#endif
