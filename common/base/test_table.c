#include "common/base/test.h"

#include "common/base/table.h"

struct entry {
    char name[8];
    bool seen;
};

static struct str name_of(const void *item)
{
    return str_from(((const struct entry *)item)->name);
}

static void set_name(struct entry *entry, size_t at)
{
    (void)snprintf(entry->name, sizeof(entry->name), "k%zu", at);
}

static size_t walk(const struct table *table)
{
    size_t cursor = 0, count = 0;
    for (struct entry *entry; (entry = table_next(table, &cursor)); count++) {
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
    struct table table = {.seed = 7};
    size_t count = 0;
    uint32_t seed = 1;
    for (size_t i = 0; i < KEYS; i++) {
        set_name(&entries[i], i);
        set_name(&others[i], i);
    }
    for (size_t step = 0; step < STEPS; step++) {
        seed = seed * 1664525u + 1013904223u;
        size_t at = (seed >> 8) % KEYS;
        struct str key = name_of(&entries[at]);
        TEST_ASSERT(table_get(&table, key, name_of) == mirror[at]);
        /* It fills for a while, then empties, and again. */
        if ((seed >> 29) < (step / 2000 % 2 ? 2u : 6u)) {
            struct entry *entry = seed & 1 ? &entries[at] : &others[at];
            TEST_ASSERT(table_put(&table, entry, name_of) == mirror[at]);
            count += mirror[at] == NULL;
            mirror[at] = entry;
        } else {
            TEST_ASSERT(table_remove(&table, key, name_of) == mirror[at]);
            count -= mirror[at] != NULL;
            mirror[at] = NULL;
        }
        TEST_ASSERT(table_count(&table) == count);
    }
    TEST_ASSERT(count > 0 && walk(&table) == count);
    for (size_t i = 0; i < KEYS; i++)
        TEST_ASSERT(!mirror[i] || mirror[i]->seen);
    table_done(&table);
    TEST_ASSERT(table_count(&table) == 0 && walk(&table) == 0 && table.seed == 7);
    TEST_ASSERT(table_get(&table, STR("k1"), name_of) == NULL);
    TEST_ASSERT(table_remove(&table, STR("k1"), name_of) == NULL);
}

/* The table is as large as this many structs need, on the way up and on the way down. */
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
    struct table table = {.seed = 3};
    size_t count = 0;
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        for (; count < cases[i].count; count++) {
            set_name(&entries[count], count);
            TEST_ASSERT(table_put(&table, &entries[count], name_of) == NULL);
        }
        TEST_ASSERT(table.cap == cases[i].up && table_count(&table) == count);
    }
    for (size_t i = TEST_COUNT(cases); i-- > 0;) {
        while (count > cases[i].count) {
            struct entry *entry = &entries[--count];
            TEST_ASSERT(table_remove(&table, name_of(entry), name_of) == entry);
        }
        TEST_ASSERT(table.cap == cases[i].down && walk(&table) == count);
        for (size_t k = 0; k < count; k++) {
            TEST_ASSERT(table_get(&table, name_of(&entries[k]), name_of) == &entries[k]);
            entries[k].seen = false;
        }
    }
    TEST_ASSERT(!table.slots && !table.tags);
}

TEST_MAIN("common/base/table", TEST(test_against_array), TEST(test_size))
