#include "common/base/test.h"

#include "common/base/arena.h"
#include "common/net/ip_table.h"

struct entry {
    struct ip ip;
    bool seen;
};

/* Addresses of both families, so that some differ in the family alone. */
static struct ip ip_at(size_t at)
{
    if (at % 2)
        return ip_v4(198, 18, (uint8_t)(at >> 8), (uint8_t)at);
    return ip_from_bytes(IP_V6,
                         (const uint8_t[16]){198, 18, (uint8_t)((at + 1) >> 8), (uint8_t)(at + 1)});
}

static size_t walk(const struct ip_table *table)
{
    size_t cursor = 0, count = 0;
    for (struct entry *entry; (entry = ip_table_next(table, &cursor)); count++) {
        TEST_ASSERT(!entry->seen);
        entry->seen = true;
    }
    return count;
}

static void test_against_array(void)
{
    /* Every operation is mirrored in a plain array of what is in the table. */
    enum { KEYS = 300, STEPS = 20000 };
    static struct entry entries[KEYS], others[KEYS];
    struct entry *mirror[KEYS] = {0};
    struct ip_table table = {.seed = 7};
    size_t count = 0;
    uint32_t seed = 1;
    for (size_t i = 0; i < KEYS; i++)
        entries[i].ip = others[i].ip = ip_at(i);
    for (size_t step = 0; step < STEPS; step++) {
        seed = seed * 1664525u + 1013904223u;
        size_t at = (seed >> 8) % KEYS;
        struct ip ip = ip_at(at);
        TEST_ASSERT(ip_table_get(&table, &ip) == mirror[at]);
        /* It fills for a while, then empties, and again. */
        if ((seed >> 29) < (step / 2000 % 2 ? 2u : 6u)) {
            struct entry *entry = seed & 1 ? &entries[at] : &others[at];
            TEST_ASSERT(ip_table_put(&table, &entry->ip) == mirror[at]);
            count += mirror[at] == NULL;
            mirror[at] = entry;
        } else {
            TEST_ASSERT(ip_table_remove(&table, &ip) == mirror[at]);
            count -= mirror[at] != NULL;
            mirror[at] = NULL;
        }
        TEST_ASSERT(ip_table_count(&table) == count);
    }
    TEST_ASSERT(count > 0 && walk(&table) == count);
    for (size_t i = 0; i < KEYS; i++)
        TEST_ASSERT(!mirror[i] || mirror[i]->seen);
    ip_table_done(&table);
    TEST_ASSERT(ip_table_count(&table) == 0 && walk(&table) == 0 && table.seed == 7);
    TEST_ASSERT(ip_table_get(&table, &entries[1].ip) == NULL);
    TEST_ASSERT(ip_table_remove(&table, &entries[1].ip) == NULL);
}

/* The table is as large as this many addresses need, on the way up and on the way down. */
static void test_size(void)
{
    static const struct {
        size_t count, up, down; /* slots when it has grown, or shrunk, to that count */
    } cases[] = {
        {0, 0, 0},          {1, 16, 16},        {14, 16, 64},       {15, 32, 64},
        {28, 32, 128},      {29, 64, 128},      {56, 64, 256},      {112, 128, 512},
        {113, 256, 512},    {1000, 2048, 4096}, {1792, 2048, 8192}, {1793, 4096, 8192},
        {3584, 4096, 8192}, {3585, 8192, 8192},
    };
    enum { KEYS = 4000 };
    static struct entry entries[KEYS];
    struct ip_table table = {.seed = 3};
    size_t count = 0;
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        for (; count < cases[i].count; count++) {
            entries[count].ip = ip_at(count);
            TEST_ASSERT(ip_table_put(&table, &entries[count].ip) == NULL);
        }
        TEST_ASSERT(table.cap == cases[i].up && ip_table_count(&table) == count);
    }
    for (size_t i = TEST_COUNT(cases); i-- > 0;) {
        while (count > cases[i].count) {
            struct entry *entry = &entries[--count];
            TEST_ASSERT(ip_table_remove(&table, &entry->ip) == entry);
        }
        TEST_ASSERT(table.cap == cases[i].down && walk(&table) == count);
        for (size_t k = 0; k < count; k++) {
            TEST_ASSERT(ip_table_get(&table, &entries[k].ip) == &entries[k]);
            entries[k].seen = false;
        }
    }
    TEST_ASSERT(!table.slots && !table.tags);
}

TEST_MAIN("common/net/ip_table", TEST(test_against_array), TEST(test_size))
