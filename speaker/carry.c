#include "speaker/carry.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/vec.h"

struct carry_book {
    struct arena *arena; /* of the list and its names */
    struct carry *items;
    size_t count;
};

struct carry_book *carry_book_new(void)
{
    struct carry_book *book = heap_alloc(sizeof(*book));
    *book = (struct carry_book){.arena = arena_new(256)};
    return book;
}

struct carry_book *carry_book_free(struct carry_book *book)
{
    if (book)
        (void)arena_free(book->arena);
    free(book);
    return NULL;
}

const struct carry *carry_list(const struct carry_book *book, size_t *ret_count)
{
    *ret_count = book->count;
    return book->items;
}

static int compare(const void *a, const void *b)
{
    return ip_cmp(&((const struct carry *)a)->ip, &((const struct carry *)b)->ip);
}

void carry_restore(struct carry_book *book, const struct carry *list, size_t count)
{
    assert(book->count == 0 && count <= CARRY_MAX);
    book->items = arena_array(book->arena, count, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        book->items[i] = list[i];
        book->items[i].node = arena_str(book->arena, list[i].node);
    }
    book->count = count;
    if (count)
        qsort(book->items, count, sizeof(*book->items), compare);
}

const struct carry *carry_find(const struct carry_book *book, const struct ip *ip, uint64_t now_ms)
{
    struct carry key = {.ip = *ip};
    const struct carry *found =
        book->count ? bsearch(&key, book->items, book->count, sizeof(key), compare) : NULL;
    return found && found->until_ms > now_ms ? found : NULL;
}

/* The other node that had the address by the plan before; empty: none. */
static struct str former_owner(const struct plan *before, const struct ip *ip)
{
    struct plan_unit unit;
    if (!before || !plan_find_unit(before, ip, &unit) || unit.tier == PLAN_NO_INTERFACE ||
        unit.owner == before->basis->node)
        return (struct str){0};
    return plan_owner(before, &unit);
}

static const struct gossip_member *member_of(const struct carry_input *input, struct str node)
{
    return gossip_find(input->view->members, input->view->member_count, node);
}

/* An address that comes here, in a planned move, and can be carried. */
static bool begins(const struct carry_input *input, const struct ip *ip, struct carry *ret)
{
    struct str former = former_owner(input->before, ip);
    const struct gossip_member *member = former.len ? member_of(input, former) : NULL;
    if (!member || !gossip_is_alive(member->state) || !input->may_carry(input->ctx, ip))
        return false;
    *ret = (struct carry){.ip = *ip,
                          .node = former,
                          .to = input->address_of(input->ctx, former, ip->family),
                          .moved_ms = input->now_ms,
                          .until_ms = input->now_ms + CARRY_MS};
    return ip_is_set(&ret->to);
}

static bool ends_by(struct carry *carry, uint64_t end_ms)
{
    if (carry->until_ms > end_ms)
        carry->until_ms = end_ms;
    return true;
}

/* False: it is over. One whose address has moved on stays, for those who are sent here by the next
 * node. When it has moved back to where it came from, it stays for a moment only, since a packet
 * that nobody knows goes round then until its hops are used up (carry_batch.h). */
static bool goes_on(const struct carry_input *input, struct carry *carry)
{
    struct plan_unit unit;
    const struct gossip_member *member = member_of(input, carry->node);
    if (carry->until_ms <= input->now_ms || (member && member->state == GOSSIP_DEAD))
        return false;
    if (!plan_find_unit(input->plan, &carry->ip, &unit))
        return false;
    if (str_eq(plan_owner(input->plan, &unit), carry->node))
        return ends_by(carry, input->now_ms + CARRY_BACK_MS);
    if (!member || !gossip_is_alive(member->state))
        return ends_by(carry, input->now_ms + CARRY_LEFT_MS);
    /* Had it gone back and then on, that node may send here: both would send to each other. */
    if (carry->until_ms <= input->now_ms + CARRY_BACK_MS)
        return true;
    carry->until_ms = carry->moved_ms + CARRY_MS;
    return true;
}

static bool same(const struct carry *a, const struct carry *b)
{
    return ip_eq(&a->ip, &b->ip) && ip_eq(&a->to, &b->to) && a->until_ms == b->until_ms;
}

/* Those that have come with this plan, sorted as its addresses are; in the arena, with room for so
 * many more. */
static struct carry *list_new(const struct carry_input *input, size_t more, struct arena *arena,
                              size_t *ret_count)
{
    VEC(struct carry) list = {0};
    const struct plan *plan = input->plan;
    struct plan_address address;
    for (size_t next = 0; list.len < CARRY_MAX && plan_next_address(plan, &next, &address);) {
        struct carry item;
        if (!begins(input, &address.ip, &item))
            continue;
        item.node = arena_str(arena, item.node);
        vec_push(&list, item);
    }
    struct carry *items = arena_array(arena, list.len + more, sizeof(*items));
    for (size_t i = 0; i < list.len; i++)
        items[i] = list.items[i];
    *ret_count = list.len;
    vec_done(&list);
    return items;
}

bool carry_update(struct carry_book *book, const struct carry_input *input)
{
    struct arena *arena = arena_new(256);
    size_t begun;
    struct carry *items = list_new(input, book->count, arena, &begun);
    size_t count = begun;
    bool changed = begun > 0;
    for (size_t i = 0, j = 0; i < book->count && count < CARRY_MAX; i++) {
        struct carry item = book->items[i];
        while (j < begun && ip_cmp(&items[j].ip, &item.ip) < 0)
            j++;
        if (j < begun && ip_eq(&items[j].ip, &item.ip))
            continue; /* it has come anew */
        bool stays = goes_on(input, &item);
        changed = changed ||
                  (stays ? !same(&item, &book->items[i]) : book->items[i].until_ms > input->now_ms);
        if (!stays)
            continue;
        item.node = arena_str(arena, item.node);
        items[count++] = item;
    }
    if (count)
        qsort(items, count, sizeof(*items), compare);
    (void)arena_free(book->arena);
    *book = (struct carry_book){.arena = arena, .items = items, .count = count};
    return changed;
}
