#include "controller/tree.h"

#include <assert.h>

/* splitmix64: https://prng.di.unimi.it/splitmix64.c (public domain algorithm). */
static uint64_t next_priority(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void summarise(const struct tree *tree, struct tree_node *node)
{
    if (tree->kind->summarise)
        tree->kind->summarise(node);
}

/* The pointer that points to node. */
static struct tree_node **link_of(struct tree *tree, const struct tree_node *node)
{
    if (!node->parent)
        return &tree->root;
    return node->parent->left == node ? &node->parent->left : &node->parent->right;
}

/* Lifts node over its parent. The set below the two stays the same, so only their summaries
 * change. */
static void rotate_up(struct tree *tree, struct tree_node *node)
{
    struct tree_node *parent = node->parent;
    *link_of(tree, parent) = node;
    node->parent = parent->parent;
    struct tree_node **inner = parent->left == node ? &node->right : &node->left;
    *(parent->left == node ? &parent->left : &parent->right) = *inner;
    if (*inner)
        (*inner)->parent = parent;
    *inner = parent;
    parent->parent = node;
    summarise(tree, parent);
    summarise(tree, node);
}

void tree_touch(const struct tree *tree, struct tree_node *node)
{
    if (!tree->kind->summarise)
        return;
    for (; node; node = node->parent)
        tree->kind->summarise(node);
}

void tree_insert(struct tree *tree, struct tree_node *node)
{
    struct tree_node *parent = NULL, **link = &tree->root;
    while (*link) {
        parent = *link;
        int order = tree->kind->compare(node, parent);
        assert(order != 0);
        link = order < 0 ? &parent->left : &parent->right;
    }
    *node = (struct tree_node){.parent = parent, .priority = next_priority(&tree->seed)};
    *link = node;
    tree_touch(tree, node);
    while (node->parent && node->parent->priority < node->priority)
        rotate_up(tree, node);
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
    while (node->left && node->right)
        rotate_up(tree, node->left->priority > node->right->priority ? node->left : node->right);
    struct tree_node *child = node->left ? node->left : node->right;
    *link_of(tree, node) = child;
    if (child)
        child->parent = node->parent;
    if (node->parent)
        tree_touch(tree, node->parent);
    *node = (struct tree_node){0};
}

struct tree_node *tree_first(const struct tree *tree)
{
    struct tree_node *node = tree->root;
    while (node && node->left)
        node = node->left;
    return node;
}

struct tree_node *tree_next(const struct tree_node *node)
{
    if (node->right) {
        struct tree_node *next = node->right;
        while (next->left)
            next = next->left;
        return next;
    }
    while (node->parent && node->parent->right == node)
        node = node->parent;
    return node->parent;
}

struct tree_node *tree_floor(const struct tree *tree, const struct tree_node *probe)
{
    struct tree_node *found = NULL;
    for (struct tree_node *node = tree->root; node;) {
        if (tree->kind->compare(probe, node) < 0) {
            node = node->left;
        } else {
            found = node;
            node = node->right;
        }
    }
    return found;
}
