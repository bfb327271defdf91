#include "controller/share.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 64 };

static struct share_member *member_of(const struct tree_node *node)
{
    return node ? TREE_ITEM(node, struct share_member, node) : NULL;
}

int spot_cmp(const struct spot *a, const struct spot *b)
{
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static int compare_members(const struct tree_node *a, const struct tree_node *b)
{
    return spot_cmp(&member_of(a)->spot, &member_of(b)->spot);
}

static void summarise(struct tree_node *node)
{
    struct share_member *member = member_of(node);
    member->all_ports = member->ports;
    if (node->left)
        member->all_ports &= member_of(node->left)->all_ports;
    if (node->right)
        member->all_ports &= member_of(node->right)->all_ports;
}

static const struct tree_kind member_kind = {.compare = compare_members, .summarise = summarise};

struct share *share_new(struct str name, uint64_t seed)
{
    struct share *share = heap_alloc(sizeof(*share) + name.len);
    char *text = (char *)(share + 1);
    memcpy(text, name.ptr, name.len);
    *share = (struct share){
        .name = {.ptr = text, .len = name.len},
        .tree = {.kind = &member_kind, .seed = seed},
    };
    return share;
}

void share_free(struct share *share)
{
    assert(share->count == 0);
    vec_done(&share->ports);
    free(share);
}

void share_add(struct share *share, struct share_member *member)
{
    member->ports = member->all_ports = 0;
    tree_insert(&share->tree, &member->node);
    share->count++;
}

void share_remove(struct share *share, struct share_member *member)
{
    assert(member->ports == 0);
    tree_remove(&share->tree, &member->node);
    share->count--;
}

static uint64_t bit_of(const struct share *share, uint32_t port)
{
    for (size_t i = 0; i < share->ports.len; i++)
        if (share->ports.items[i].count && share->ports.items[i].port == port)
            return UINT64_C(1) << i;
    return 0;
}

/* The port's slot, a new one when it has none, or NULL when all bits are taken. */
static struct share_port *slot_for(struct share *share, uint32_t port)
{
    struct share_port *unused = NULL;
    for (size_t i = 0; i < share->ports.len; i++) {
        struct share_port *slot = &share->ports.items[i];
        if (slot->count && slot->port == port)
            return slot;
        if (!slot->count && !unused)
            unused = slot;
    }
    if (!unused && share->ports.len < BITS) {
        vec_push(&share->ports, (struct share_port){0});
        unused = &share->ports.items[share->ports.len - 1];
    }
    if (unused)
        unused->port = port;
    return unused;
}

void share_use(struct share *share, struct share_member *member, const struct port_list *ports)
{
    for (size_t i = 0; i < ports->count; i++) {
        struct share_port *slot = slot_for(share, ports->items[i]);
        if (!slot)
            continue;
        slot->count++;
        member->ports |= UINT64_C(1) << (slot - share->ports.items);
    }
    tree_touch(&share->tree, &member->node);
}

void share_drop(struct share *share, struct share_member *member, const struct port_list *ports)
{
    for (size_t i = 0; i < ports->count; i++) {
        /* A port that came when all bits were taken has none here, even if it has one by now. */
        uint64_t bit = bit_of(share, ports->items[i]) & member->ports;
        if (!bit)
            continue;
        share->ports.items[__builtin_ctzll(bit)].count--;
        member->ports &= ~bit;
    }
    tree_touch(&share->tree, &member->node);
}

/* Searches below node; wanted are the bits of the query's ports. */
static const struct share_member *search(const struct tree_node *node,
                                         const struct share_query *query, uint64_t wanted)
{
    const struct share_member *member = member_of(node);
    if (!member || (member->all_ports & wanted))
        return NULL;
    if (member->spot.segment >= query->from) {
        const struct share_member *before = search(node->left, query, wanted);
        if (before)
            return before;
        if (member->spot.segment < query->to && query->usable(member, query))
            return member;
    }
    return member->spot.segment < query->to ? search(node->right, query, wanted) : NULL;
}

const struct share_member *share_first(const struct share *share, const struct share_query *query)
{
    uint64_t wanted = 0;
    for (size_t i = 0; i < query->ports->count; i++)
        wanted |= bit_of(share, query->ports->items[i]);
    return search(share->tree.root, query, wanted);
}
