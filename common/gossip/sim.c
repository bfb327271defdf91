#include "common/gossip/sim.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/gossip/seal.h"

enum { HEADERS = 28, INBOX_MAX = 2000, STAGGER_US = 20000 };

struct sim_datagram {
    struct ip from;
    size_t size;
    uint8_t bytes[];
};

struct sim_event {
    uint64_t at, sequence;
    uint32_t node;
    struct sim_datagram *datagram; /* NULL: the node's timer */
};

uint32_t sim_random(struct sim *sim, uint32_t below)
{
    uint64_t x = sim->random += 0x9e3779b97f4a7c15U;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    x ^= x >> 31;
    return (uint32_t)((x >> 32) * below >> 32);
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->sequence < b->sequence;
}

static void heap_push(struct sim *sim, struct sim_event event)
{
    event.sequence = ++sim->sequence;
    vec_push(&sim->heap, event);
    struct sim_event *items = sim->heap.items;
    size_t at = sim->heap.len - 1;
    while (at > 0 && is_before(&event, &items[(at - 1) / 2])) {
        items[at] = items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    items[at] = event;
}

static struct sim_event heap_pop(struct sim *sim)
{
    struct sim_event *items = sim->heap.items;
    struct sim_event first = items[0], last = vec_pop(&sim->heap);
    size_t count = sim->heap.len, at = 0;
    while (count > 0) {
        size_t child = 2 * at + 1;
        if (child >= count)
            break;
        if (child + 1 < count && is_before(&items[child + 1], &items[child]))
            child++;
        if (!is_before(&items[child], &last))
            break;
        items[at] = items[child];
        at = child;
    }
    if (count > 0)
        items[at] = last;
    return first;
}

static size_t node_at(const struct ip *ip)
{
    return (size_t)ip->bytes[2] * 256 + ip->bytes[3];
}

static void transmit(struct sim *sim, size_t from, const struct member_send *send)
{
    struct sim_node *node = &sim->nodes[from];
    size_t to = node_at(&send->to), size = send->size + SEAL_OVERHEAD + HEADERS;
    node->sent_bytes += size;
    node->sent++;
    if (to >= sim->options.nodes || sim->nodes[to].side != node->side ||
        sim_random(sim, 1000) < sim->options.loss_permille)
        return;
    struct sim_datagram *datagram = heap_alloc(sizeof(*datagram) + send->size);
    datagram->from = node->ip;
    datagram->size = send->size;
    memcpy(datagram->bytes, sim->out.bytes.items + send->at, send->size);
    uint64_t delay = sim->options.delay_us;
    if (sim->options.jitter_us)
        delay += sim_random(sim, (uint32_t)sim->options.jitter_us);
    heap_push(sim, (struct sim_event){
                       .at = sim->now + delay, .node = (uint32_t)to, .datagram = datagram});
}

static void set_wake(struct sim *sim, size_t index, uint64_t at)
{
    struct sim_node *node = &sim->nodes[index];
    at = at > sim->now ? at : sim->now + 1;
    if (node->wake_at && node->wake_at <= at)
        return;
    node->wake_at = at;
    heap_push(sim, (struct sim_event){.at = at, .node = (uint32_t)index});
}

void sim_event(struct sim *sim, size_t index, const struct member_event *event)
{
    struct sim_node *node = &sim->nodes[index];
    member_step(node->member, event, sim->now, &sim->out);
    for (size_t i = 0; i < sim->out.sends.len; i++)
        transmit(sim, index, &sim->out.sends.items[i]);
    for (size_t i = 0; i < sim->out.notes.len && sim->note; i++)
        sim->note(sim->ctx, sim, index, &sim->out.notes.items[i]);
    node->left |= sim->out.left;
    node->messages += sim->out.from.len > 0;
    set_wake(sim, index, sim->out.wake_at);
}

static void record(struct sim *sim, const struct sim_datagram *datagram)
{
    struct sim_tape_item item = {
        .from = datagram->from, .bytes = heap_alloc(datagram->size), .size = datagram->size};
    memcpy(item.bytes, datagram->bytes, datagram->size);
    vec_push(sim->tape, item);
}

static void deliver(struct sim *sim, size_t index, struct sim_datagram *datagram)
{
    struct sim_node *node = &sim->nodes[index];
    if (node->paused && node->inbox.len < INBOX_MAX) {
        vec_push(&node->inbox, datagram);
        return;
    }
    if (node->up && !node->paused) {
        node->received_bytes += datagram->size + SEAL_OVERHEAD + HEADERS;
        sim->datagrams++;
        if (sim->tape)
            record(sim, datagram);
        struct member_event event = {
            .type = MEMBER_DATAGRAM,
            .from = datagram->from,
            .bytes = {.ptr = (const char *)datagram->bytes, .len = datagram->size},
        };
        sim_event(sim, index, &event);
    }
    free(datagram);
}

void sim_run(struct sim *sim, uint64_t until)
{
    static const struct member_event timer = {.type = MEMBER_TIMER};
    while (sim->heap.len && sim->heap.items[0].at <= until) {
        struct sim_event event = heap_pop(sim);
        struct sim_node *node = &sim->nodes[event.node];
        sim->now = event.at;
        if (event.datagram) {
            deliver(sim, event.node, event.datagram);
        } else if (node->wake_at == event.at) {
            node->wake_at = 0;
            if (node->up && !node->paused)
                sim_event(sim, event.node, &timer);
        }
    }
    sim->now = until;
}

bool sim_until(struct sim *sim, bool (*holds)(struct sim *sim), uint64_t until)
{
    enum { STEP_US = 5000 };
    while (!holds(sim)) {
        if (sim->now >= until)
            return false;
        sim_run(sim, sim->now + STEP_US);
    }
    return true;
}

struct sim *sim_new(const struct sim_options *options)
{
    struct sim *sim = heap_alloc(sizeof(*sim));
    *sim = (struct sim){.options = *options, .now = 1000000000, .random = options->seed};
    assert(options->nodes < 65536);
    sim->nodes = heap_alloc(options->nodes * sizeof(*sim->nodes));
    sim->peers = heap_alloc(options->nodes * sizeof(*sim->peers));
    for (size_t i = 0; i < options->nodes; i++) {
        sim->nodes[i] =
            (struct sim_node){.ip = ip_v4(198, 18, (uint8_t)(i / 256), (uint8_t)(i % 256))};
        (void)snprintf(sim->nodes[i].name, sizeof(sim->nodes[i].name), "node-%zu", i);
        sim->peers[i] = sim->nodes[i].ip;
    }
    return sim;
}

struct sim *sim_free(struct sim *sim)
{
    for (size_t i = 0; i < sim->heap.len; i++)
        free(sim->heap.items[i].datagram);
    for (size_t i = 0; i < sim->options.nodes; i++) {
        struct sim_node *node = &sim->nodes[i];
        (void)member_free(node->member);
        for (size_t k = 0; k < node->inbox.len; k++)
            free(node->inbox.items[k]);
        vec_done(&node->inbox);
    }
    vec_done(&sim->heap);
    member_out_done(&sim->out);
    free(sim->nodes);
    free(sim->peers);
    free(sim);
    return NULL;
}

void sim_start(struct sim *sim, size_t index)
{
    struct sim_node *node = &sim->nodes[index];
    struct member_config config = {
        .name = str_from(node->name),
        .address = node->ip,
        .life = sim->now - sim->clock_back,
        .seed = sim_random(sim, UINT32_MAX),
        .hold_us = sim->options.hold_us,
    };
    node->member = member_free(node->member);
    node->member = member_new(&config, sim->now);
    node->up = true;
    node->paused = node->left = false;
    node->life = config.life;
    struct member_event peers = {
        .type = MEMBER_PEERS, .peers = sim->peers, .count = sim->options.nodes};
    struct meta_interface eth0 = {.name = STR("eth0"), .ipv4 = true, .ipv6 = true};
    eth0.mac.bytes[5] = (uint8_t)index;
    struct member_event interfaces = {.type = MEMBER_INTERFACES, .interfaces = &eth0, .count = 1};
    sim_event(sim, index, &interfaces);
    sim_event(sim, index, &peers);
}

size_t sim_index(const struct sim *sim, struct str name)
{
    for (size_t i = 0; i < sim->options.nodes; i++) {
        if (str_eq(name, str_from(sim->nodes[i].name)))
            return i;
    }
    assert(false);
    return 0;
}

static size_t running(const struct sim *sim)
{
    size_t count = 0;
    for (size_t i = 0; i < sim->options.nodes; i++)
        count += sim->nodes[i].up;
    return count;
}

bool sim_agrees(struct sim *sim)
{
    size_t alive = running(sim);
    for (size_t i = 0; i < sim->options.nodes; i++) {
        if (!sim->nodes[i].up)
            continue;
        struct member_figures figures = member_figures(sim->nodes[i].member);
        if (figures.members[GOSSIP_ALIVE] + figures.members[GOSSIP_SUSPECT] != alive)
            return false;
    }
    return true;
}

static bool is_together(struct sim *sim)
{
    for (size_t i = 0; i < sim->options.nodes; i++) {
        if (!member_is_settled(sim->nodes[i].member))
            return false;
    }
    return sim_agrees(sim);
}

bool sim_start_all(struct sim *sim)
{
    for (size_t i = 0; i < sim->options.nodes; i++) {
        sim_run(sim, sim->now + STAGGER_US + sim_random(sim, 100));
        sim_start(sim, i);
    }
    return sim_until(sim, is_together, sim->now + 60000000);
}

void sim_crash(struct sim *sim, size_t node)
{
    sim->nodes[node].up = false;
}

void sim_pause(struct sim *sim, size_t node)
{
    sim->nodes[node].paused = true;
}

void sim_resume(struct sim *sim, size_t index)
{
    static const struct member_event timer = {.type = MEMBER_TIMER};
    struct sim_node *node = &sim->nodes[index];
    node->paused = false;
    for (size_t i = 0; i < node->inbox.len; i++)
        deliver(sim, index, node->inbox.items[i]);
    vec_clear(&node->inbox);
    sim_event(sim, index, &timer);
}

void sim_split(struct sim *sim, size_t first_of_other_side)
{
    for (size_t i = 0; i < sim->options.nodes; i++)
        sim->nodes[i].side = i >= first_of_other_side;
}

void sim_heal(struct sim *sim)
{
    sim_split(sim, sim->options.nodes);
}

enum gossip_state sim_state(struct sim *sim, size_t of, size_t about)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    const struct gossip_member *list = member_list(sim->nodes[of].member, arena, &count);
    const struct gossip_member *found = gossip_find(list, count, str_from(sim->nodes[about].name));
    return found ? found->state : GOSSIP_DEAD;
}
