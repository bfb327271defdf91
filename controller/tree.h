/* Ordered sets whose nodes live inside the things they order: a treap (a search tree by `compare`,
 * a heap by priorities that are pseudo-random from the tree's seed). Everything is O(log n)
 * expected. A tree may keep a summary per node of all nodes below it, for searches that skip whole
 * subtrees. Nothing here allocates. */
#ifndef CONTROLLER_TREE_H
#define CONTROLLER_TREE_H

#include <stddef.h>
#include <stdint.h>

struct tree_node {
    struct tree_node *parent, *left, *right;
    uint64_t priority;
};

struct tree_kind {
    /* <0, 0, >0; no two nodes of one tree may be equal. */
    int (*compare)(const struct tree_node *a, const struct tree_node *b);
    /* Computes the node's summary from itself and its children (may be NULL). */
    void (*summarise)(struct tree_node *node);
};

/* Empty: {.kind = …, .seed = anything}. */
struct tree {
    const struct tree_kind *kind;
    struct tree_node *root;
    uint64_t seed;
};

/* The thing a node is part of. */
#define TREE_ITEM(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

void tree_insert(struct tree *tree, struct tree_node *node);
void tree_remove(struct tree *tree, struct tree_node *node);

/* The node's own part of the summary has changed. */
void tree_touch(const struct tree *tree, struct tree_node *node);

/* NULL when there is none. */
struct tree_node *tree_first(const struct tree *tree);
struct tree_node *tree_next(const struct tree_node *node);

/* The last node that is not behind probe (a node outside the tree), or NULL. */
struct tree_node *tree_floor(const struct tree *tree, const struct tree_node *probe);

#endif
