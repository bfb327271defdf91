#include "controller/runs.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/arena.h"

struct run {
    ip_value first, last;
    struct tree_node node;
};

static int compare_runs(const struct tree_node *a, const struct tree_node *b)
{
    const struct run *left = TREE_ITEM(a, const struct run, node);
    const struct run *right = TREE_ITEM(b, const struct run, node);
    return left->first < right->first ? -1 : left->first > right->first;
}

static const struct tree_kind run_kind = {.compare = compare_runs};

static struct run *run_of(struct tree_node *node)
{
    return node ? TREE_ITEM(node, struct run, node) : NULL;
}

void runs_init(struct runs *runs, uint64_t seed)
{
    *runs = (struct runs){.tree = {.kind = &run_kind, .seed = seed}};
}

void runs_done(struct runs *runs)
{
    for (struct run *run; (run = run_of(tree_first(&runs->tree)));) {
        tree_remove(&runs->tree, &run->node);
        free(run);
    }
}

static struct run *run_floor(const struct runs *runs, ip_value value)
{
    struct run probe = {.first = value};
    return run_of(tree_floor(&runs->tree, &probe.node));
}

static void add_run(struct runs *runs, ip_value first, ip_value last)
{
    struct run *run = heap_alloc(sizeof(*run));
    *run = (struct run){.first = first, .last = last};
    tree_insert(&runs->tree, &run->node);
}

static void drop_run(struct runs *runs, struct run *run)
{
    tree_remove(&runs->tree, &run->node);
    free(run);
}

void runs_add(struct runs *runs, ip_value value)
{
    struct run *left = run_floor(runs, value);
    assert(!left || left->last < value);
    struct run *right = run_of(left ? tree_next(&left->node) : tree_first(&runs->tree));
    bool joins_left = left && left->last + 1 == value;
    bool joins_right = right && right->first - 1 == value;
    if (joins_left && joins_right) {
        left->last = right->last;
        drop_run(runs, right);
    } else if (joins_left) {
        left->last = value;
    } else if (joins_right) {
        right->first = value; /* still behind its left neighbour: the order holds */
    } else {
        add_run(runs, value, value);
    }
}

void runs_remove(struct runs *runs, ip_value value)
{
    struct run *run = run_floor(runs, value);
    assert(run && value <= run->last);
    ip_value last = run->last;
    if (run->first == last) {
        drop_run(runs, run);
    } else if (run->first == value) {
        run->first++;
    } else {
        run->last = value - 1;
        if (value < last)
            add_run(runs, value + 1, last);
    }
}

bool runs_first_gap(const struct runs *runs, ip_value last, ip_value *ret)
{
    const struct run *run = run_of(tree_first(&runs->tree));
    if (!run || run->first > 0) {
        *ret = 0;
        return true;
    }
    if (run->last >= last)
        return false;
    *ret = run->last + 1;
    return true;
}
