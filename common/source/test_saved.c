/* Saved state: what is written and when, what is read again, and what a damaged file does. */
#include "common/source/saved.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/test.h"
#include "common/source/saved_format.h"

/* A cache with objects, a directory of its own. */
struct world {
    struct arena *arena;
    struct loop *loop;
    struct cache *cache;
    struct source_saved figures;
    struct saved *saved;
    char dir[64];
    struct str path, old;
    uint64_t wanted; /* writes that the loop runs for */
    struct loop_timer *look;
};

static void world_init(struct world *w)
{
    *w = (struct world){.arena = arena_new(0), .loop = loop_new(), .cache = cache_new()};
    (void)snprintf(w->dir, sizeof(w->dir), "/tmp/test_saved.XXXXXX");
    TEST_ASSERT(mkdtemp(w->dir) != NULL);
    w->path = arena_printf(w->arena, "%s/state/test.objects", w->dir);
    w->old = arena_printf(w->arena, STR_FMT ".old", STR_ARG(w->path));
}

static void world_open(struct world *w)
{
    struct str dir = arena_printf(w->arena, "%s/state", w->dir);
    w->saved = saved_open(w->loop, dir, STR("test"), w->cache, &w->figures);
}

static void world_done(struct world *w)
{
    w->saved = saved_close(w->saved);
    (void)cache_free(w->cache);
    (void)unlink(w->path.ptr);
    (void)unlink(w->old.ptr);
    TEST_ASSERT(rmdir(arena_printf(w->arena, "%s/state", w->dir).ptr) == 0);
    TEST_ASSERT(rmdir(w->dir) == 0); /* nothing else was left */
    (void)loop_free(w->loop);
    (void)arena_free(w->arena);
}

static struct object *decode(enum kind_id kind, const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);
    TEST_ASSERT(tree != NULL);
    struct object *object = object_decode(kinds_get(kind), tree, STR(""));
    json_decref(tree);
    return object;
}

/* Puts an object as a source does, noting the change. */
static void put(struct world *w, enum kind_id kind, const char *text)
{
    struct object *object = decode(kind, text);
    saved_note(w->saved, cache_get(w->cache, kind, object->key), object);
    (void)object_unref(cache_put(w->cache, object));
}

static void take(struct world *w, enum kind_id kind, const char *key)
{
    saved_note(w->saved, cache_get(w->cache, kind, str_from(key)), NULL);
    (void)object_unref(cache_remove(w->cache, kind, str_from(key)));
}

static void look(void *ctx)
{
    struct world *w = ctx;
    if (w->figures.writes < w->wanted)
        return;
    w->look = loop_timer_cancel(w->look);
    loop_stop(w->loop);
}

/* Runs until that many files have been written. */
static void run_until(struct world *w, uint64_t writes)
{
    w->wanted = writes;
    w->look = loop_timer_start(w->loop, 1, 1, look, w);
    loop_run(w->loop);
    TEST_ASSERT(w->figures.writes == writes);
}

static void collect(void *ctx, struct object *owned)
{
    scoped_ptr(object) struct object *object = owned;
    struct sbuf *out = ctx;
    sbuf_printf(out, STR_FMT " ", STR_ARG(object_id(object)));
    TEST_ASSERT(object->resource_version.len == 0 && object->meta->generation == 0);
    object_encode(object, out);
    sbuf_putc(out, '\n');
}

/* What a start would read: the object and its text, one a line. */
static struct str loaded(struct world *w)
{
    struct sbuf out = {0};
    (void)saved_load(w->saved, collect, &out);
    return sbuf_move(&out, w->arena);
}

#define NODE(name, version) \
    "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"
#define NODE_LINE(name) "Node/" name " {\"metadata\":{\"name\":\"" name "\"}}\n"

static struct str read_all(struct world *w, struct str path)
{
    FILE *file = fopen(path.ptr, "rb");
    TEST_ASSERT(file != NULL);
    char *text = arena_alloc(w->arena, 65536);
    size_t len = fread(text, 1, 65536, file);
    (void)fclose(file);
    return (struct str){text, len};
}

static void write_all(struct str path, struct str text)
{
    FILE *file = fopen(path.ptr, "wb");
    TEST_ASSERT(file != NULL);
    TEST_ASSERT(fwrite(text.ptr, 1, text.len, file) == text.len);
    TEST_ASSERT(fclose(file) == 0);
}

static bool is_there(struct str path)
{
    return access(path.ptr, F_OK) == 0;
}

/* --- writing --------------------------------------------------------------------------------- */

static void test_round(void)
{
    struct world w;
    world_init(&w);
    world_open(&w);
    put(&w, KIND_NODE, NODE("n1", "7"));
    TEST_STR(loaded(&w), "");
    saved_begin(w.saved);
    put(&w, KIND_SERVICE,
        "{\"metadata\":{\"name\":\"web\",\"namespace\":\"a\",\"generation\":3,\"annotations\":{"
        "\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\",\"k\":\"v\"}},"
        "\"spec\":{\"type\":\"LoadBalancer\",\"ports\":[{\"port\":80}]},"
        "\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.1\"}]}}}");
    put(&w, KIND_SECRET, "{\"metadata\":{\"name\":\"s\",\"namespace\":\"a\"}}");
    put(&w, KIND_NODE, "{\"metadata\":{\"name\":\"NOT A NAME\"}}");
    run_until(&w, 1);
    TEST_STR(
        loaded(&w),
        NODE_LINE("n1") "Service/a/web {\"metadata\":{\"name\":\"web\",\"namespace\":\"a\","
                        "\"annotations\":{\"k\":\"v\"}},\"spec\":{\"type\":\"LoadBalancer\","
                        "\"ports\":[{\"protocol\":\"TCP\",\"port\":80}]},"
                        "\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.1\"}]}}}\n");
    struct stat status;
    TEST_ASSERT(stat(w.path.ptr, &status) == 0 && (status.st_mode & 0777) == 0600);
    TEST_ASSERT(w.figures.damaged == 0 && w.figures.failures == 0);
    world_done(&w);
}

/* What has no meaning is no reason; what has is written within the interval, or at the end. */
static void test_when(void)
{
    struct world w;
    world_init(&w);
    world_open(&w);
    put(&w, KIND_NODE, NODE("n1", "1"));
    saved_begin(w.saved);
    run_until(&w, 1);
    uint64_t first = loop_now(w.loop);
    put(&w, KIND_NODE, NODE("n1", "2"));
    w.saved = saved_close(w.saved);
    TEST_ASSERT(w.figures.writes == 1);
    world_open(&w);
    saved_begin(w.saved);
    run_until(&w, 2);
    first = loop_now(w.loop);
    put(&w, KIND_NODE, NODE("n2", "3"));
    take(&w, KIND_NODE, "n1");
    w.saved = saved_close(w.saved);
    TEST_ASSERT(w.figures.writes == 3 && loop_now(w.loop) - first < SAVED_INTERVAL_MS);
    world_open(&w);
    TEST_STR(loaded(&w), NODE_LINE("n2"));
    world_done(&w);
}

/* A program that has not seen the whole truth leaves the file alone. */
static void test_not_begun(void)
{
    struct world w;
    world_init(&w);
    world_open(&w);
    put(&w, KIND_NODE, NODE("n1", "1"));
    w.saved = saved_close(w.saved);
    TEST_ASSERT(!is_there(w.path) && w.figures.writes == 0);
    world_open(&w);
    world_done(&w);
}

static void test_many(void)
{
    struct world w;
    world_init(&w);
    world_open(&w);
    for (unsigned i = 0; i < 3000; i++) {
        struct str text = arena_printf(
            w.arena, "{\"metadata\":{\"name\":\"n%04u\",\"labels\":{\"l\":\"%060u\"}}}", i, i);
        (void)object_unref(cache_put(w.cache, decode(KIND_NODE, text.ptr)));
    }
    saved_begin(w.saved);
    run_until(&w, 1);
    struct str text = loaded(&w), line;
    size_t lines = 0;
    while (str_next(&text, '\n', &line)) {
        struct str want = arena_printf(w.arena, "Node/n%04zu ", lines++);
        TEST_ASSERT(str_starts_with(line, want));
    }
    TEST_ASSERT(lines == 3000);
    world_done(&w);
}

static void test_cannot_be_written(void)
{
    struct world w;
    world_init(&w);
    world_open(&w);
    TEST_ASSERT(rmdir(arena_printf(w.arena, "%s/state", w.dir).ptr) == 0);
    put(&w, KIND_NODE, NODE("n1", "1"));
    saved_begin(w.saved);
    w.saved = saved_close(w.saved);
    TEST_ASSERT(w.figures.writes == 0 && w.figures.failures == 1);
    world_open(&w); /* makes the directory again */
    saved_begin(w.saved);
    run_until(&w, 1);
    world_done(&w);
}

/* --- damage ---------------------------------------------------------------------------------- */

/* Two files: n1 in the one before, n2 in the last. */
static void write_two(struct world *w)
{
    world_open(w);
    put(w, KIND_NODE, NODE("n1", "1"));
    saved_begin(w->saved);
    run_until(w, 1);
    put(w, KIND_NODE, NODE("n2", "1"));
    take(w, KIND_NODE, "n1");
    w->saved = saved_close(w->saved);
    TEST_ASSERT(w->figures.writes == 2);
    world_open(w);
}

/* Every byte changed, every length: the file before counts. */
static void test_damage(void)
{
    struct world w;
    world_init(&w);
    write_two(&w);
    TEST_STR(loaded(&w), NODE_LINE("n2"));
    struct str good = read_all(&w, w.path);
    char *bytes = (char *)(uintptr_t)arena_str(w.arena, good).ptr;
    for (size_t i = 0; i < good.len; i++) {
        bytes[i] ^= 0x20;
        TEST_ASSERT(saved_format_check((struct str){bytes, good.len}) != SAVED_GOOD);
        bytes[i] ^= 0x20;
        TEST_ASSERT(saved_format_check(str_slice(good, 0, i)) != SAVED_GOOD);
    }
    bytes[good.len / 2] ^= 1;
    write_all(w.path, (struct str){bytes, good.len});
    TEST_STR(loaded(&w), NODE_LINE("n1"));
    TEST_ASSERT(w.figures.damaged == 1);
    write_all(w.old, STR(""));
    TEST_STR(loaded(&w), "");
    TEST_ASSERT(w.figures.damaged == 3);
    world_done(&w);
}

static void test_verdicts(void)
{
    struct world w;
    world_init(&w);
    write_two(&w);
    struct str good = read_all(&w, w.path);
    struct str longer = arena_printf(w.arena, "%s", "");
    char *bytes = arena_alloc(w.arena, good.len + 1);
    memcpy(bytes, good.ptr, good.len);
    longer = (struct str){bytes, good.len + 1};
    TEST_ASSERT(saved_format_check(good) == SAVED_GOOD);
    TEST_ASSERT(saved_format_check(longer) == SAVED_BAD_SUM);
    TEST_ASSERT(saved_format_check(STR("")) == SAVED_NOT_OURS);
    TEST_ASSERT(saved_format_check(str_slice(good, 0, 20)) == SAVED_CUT);
    bytes[11] = 9;
    TEST_ASSERT(saved_format_check(str_slice(longer, 0, good.len)) == SAVED_OTHER_VERSION);
    TEST_STR(str_from(saved_verdict_text(SAVED_BAD_SUM)), "damaged: its sum is wrong");
    world_done(&w);
}

/* A file with a right sum: a newer program's kinds, objects that today's rules refuse, and records
 * that are none. */
static void test_contents(void)
{
    static const struct {
        struct str text; /* without begin and end */
        enum saved_verdict verdict;
        size_t objects, unknown, refused;
    } cases[] = {
        {STR_INIT(""), SAVED_GOOD, 0, 0, 0},
        {STR_INIT("\0\0\0\0\0\2v1\4Node\0\0\0\x1b{\"metadata\":{\"name\":\"n1\"}} "), SAVED_GOOD, 1,
         0, 0},
        {STR_INIT("\0\0\0\0\0\2v1\4Node\0\0\0\2{}"), SAVED_GOOD, 0, 0, 1},
        {STR_INIT("\0\0\0\0\0\2v1\4Node\0\0\0\1{"), SAVED_GOOD, 0, 0, 1},
        {STR_INIT("\0\0\0\0\1x\2v9\3Odd\0\0\0\2{}"), SAVED_GOOD, 0, 1, 0},
        {STR_INIT("\0\0\0\2{}"), SAVED_GOOD, 0, 1, 0},
        {STR_INIT("\0\0\0\0\0\2v1"), SAVED_BAD_RECORD, 0, 0, 0},
        {STR_INIT("\0\0\0\x7f{}"), SAVED_BAD_RECORD, 0, 0, 0},
        {STR_INIT("\x7f\0\0\0{}"), SAVED_BAD_RECORD, 0, 0, 0},
        {STR_INIT("\0"), SAVED_BAD_RECORD, 0, 0, 0},
        {STR_INIT("\xff\xff\xff\xff"), SAVED_BAD_RECORD, 0, 0, 0},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_sbuf struct sbuf file = {0}, out = {0};
        uint8_t sum[SAVED_SUM_SIZE];
        saved_format_begin(&file);
        sbuf_put(&file, cases[i].text);
        (void)crypto_generichash(sum, sizeof(sum), (const unsigned char *)file.ptr, file.len, NULL,
                                 0);
        saved_format_end(&file, sum);
        enum saved_verdict verdict = saved_format_check(sbuf_str(&file));
        TEST_STR(str_from(saved_verdict_text(verdict)), saved_verdict_text(cases[i].verdict));
        if (verdict != SAVED_GOOD)
            continue;
        struct saved_counts counts = saved_format_read(sbuf_str(&file), collect, &out);
        TEST_ASSERT(counts.objects == cases[i].objects && counts.unknown == cases[i].unknown &&
                    counts.refused == cases[i].refused);
    }
}

TEST_MAIN("common/source/saved", TEST(test_round), TEST(test_when), TEST(test_not_begun),
          TEST(test_many), TEST(test_cannot_be_written), TEST(test_damage), TEST(test_verdicts),
          TEST(test_contents))
