#include "controller/status_patch.h"

#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "crd/sentences.h"

static struct object *advertisement(void)
{
    json_t *tree = json_loads("{\"metadata\":{\"name\":\"a\",\"namespace\":\"metallb-system\","
                              "\"generation\":3,\"resourceVersion\":\"7\"}}",
                              0, NULL);
    struct object *object = object_decode(kinds_get(KIND_L2_ADVERTISEMENT), tree, STR(""));
    json_decref(tree);
    return object;
}

/* "status reason: message" of the one condition that the patch has. */
static struct str told(struct str patch, struct arena *arena)
{
    json_t *tree = json_loadb(patch.ptr, patch.len, 0, NULL);
    const json_t *conditions = json_object_get(json_object_get(tree, "status"), "conditions");
    const json_t *condition = json_array_get(conditions, 0);
    TEST_ASSERT(json_array_size(conditions) == 1);
    struct str text =
        arena_printf(arena, "%s %s: %s", json_string_value(json_object_get(condition, "status")),
                     json_string_value(json_object_get(condition, "reason")),
                     json_string_value(json_object_get(condition, "message")));
    json_decref(tree);
    return text;
}

/* What has no effect is told with what is in force, but never more than a condition takes. */
static void test_in_force(void)
{
    static const struct {
        size_t warnings;
        const char *end;
    } cases[] = {
        {0, "in force"},
        {2, "in force; spec.x: has no effect 000; spec.x: has no effect 001"},
        {1000, "; spec.x: has no effect 602; … and 397 more"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(object) struct object *object = advertisement();
        for (size_t k = 0; k < cases[i].warnings; k++)
            diag_add(object_findings(object), DIAG_WARNING, object_id(object), STR("spec.x"),
                     "has no effect %03zu", k);
        struct str text = told(status_patch(object, &(struct status_want){0}, 0, arena), arena);
        CU_ASSERT(str_starts_with(text, STR("True Accepted: the object is in force")));
        TEST_STR(str_slice(text, text.len - strlen(cases[i].end), text.len), cases[i].end);
        CU_ASSERT(text.len <= strlen("True Accepted: ") + SENTENCES_MAX);
    }
}

/* A refusal may quote the object, which can hold a megabyte. */
static void test_refused(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(object) struct object *object = advertisement();
    struct sbuf message = {0};
    for (int i = 0; i < 100000; i++)
        sbuf_putc(&message, 'x');
    struct diag why = {.field = STR("spec"), .message = sbuf_str(&message)};
    struct str text =
        told(status_patch(object, &(struct status_want){.why = &why}, 0, arena), arena);
    CU_ASSERT(str_starts_with(text, STR("False Invalid: spec: xxx")));
    CU_ASSERT(str_ends_with(text, STR("xxx…")));
    CU_ASSERT(text.len > SENTENCES_MAX / 2);
    CU_ASSERT(text.len <= strlen("False Invalid: ") + SENTENCES_MAX);
    sbuf_done(&message);
}

TEST_MAIN("controller/status_patch", TEST(test_in_force), TEST(test_refused))
