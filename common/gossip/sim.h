/* A simulated cluster for tests and figures: members (member.h) on a network that loses, delays,
 * reorders and splits, with a clock that runs as fast as the host can. Same options, same result.
 */
#ifndef COMMON_GOSSIP_SIM_H
#define COMMON_GOSSIP_SIM_H

#include "common/gossip/member.h"

/* Datagrams as they were delivered. */
struct sim_tape_item {
    struct ip from;
    uint8_t *bytes; /* heap */
    size_t size;
};

struct sim_tape {
    struct sim_tape_item *items;
    size_t len, cap;
};

struct sim_options {
    size_t nodes;
    uint64_t seed;
    uint32_t loss_permille;       /* of datagrams, each way */
    uint64_t delay_us, jitter_us; /* one way: delay plus something even below jitter */
    uint64_t hold_us;
};

struct sim_node {
    struct member *member; /* NULL: not running */
    struct ip ip;
    char name[32];
    bool up, paused, left;
    size_t messages; /* that it got */
    unsigned side;   /* of a partition */
    uint64_t wake_at;
    uint64_t life;
    uint64_t sent_bytes, received_bytes, sent; /* with IP, UDP and seal */
    VEC(struct sim_datagram *) inbox;          /* while paused */
};

struct sim {
    struct sim_options options;
    struct sim_node *nodes;
    uint64_t now, random, sequence;
    VEC(struct sim_event) heap;
    struct member_out out;
    struct ip *peers; /* of all nodes */
    /* Called for each note of a node's member. */
    void (*note)(void *ctx, struct sim *sim, size_t node, const struct member_note *note);
    void *ctx;
    uint64_t datagrams;
    uint64_t clock_back;   /* how far the wall clock is behind at the next start */
    struct sim_tape *tape; /* records when set */
};

struct sim *sim_new(const struct sim_options *options);
struct sim *sim_free(struct sim *sim);

/* Runs until that time. */
void sim_run(struct sim *sim, uint64_t until);
/* Runs until the condition holds, looked at each `step_us`; false when it does not by `until`. */
bool sim_until(struct sim *sim, bool (*holds)(struct sim *sim), uint64_t until);

/* Starts a node now, as a new process, with all addresses as peers. */
void sim_start(struct sim *sim, size_t node);
/* Starts one after another, each 20 ms, and runs until everyone counts everyone alive and is
 * settled; false when that takes more than 60 s after the last. */
bool sim_start_all(struct sim *sim);
void sim_crash(struct sim *sim, size_t node);
void sim_pause(struct sim *sim, size_t node);
void sim_resume(struct sim *sim, size_t node);
void sim_event(struct sim *sim, size_t node, const struct member_event *event);
/* Nodes of different sides do not hear each other. */
void sim_split(struct sim *sim, size_t first_of_other_side);
void sim_heal(struct sim *sim);

uint32_t sim_random(struct sim *sim, uint32_t below);
/* The node of that name. */
size_t sim_index(const struct sim *sim, struct str name);
/* What node `of` thinks of node `about`; GOSSIP_DEAD when it does not know it. */
enum gossip_state sim_state(struct sim *sim, size_t of, size_t about);
/* Everyone that runs counts exactly those alive that run. */
bool sim_agrees(struct sim *sim);

#endif
