#include <jansson.h>

#include "common/base/test.h"
#include "controller/fence.h"
#include "controller/service_patch.h"
#include "crd/condition.h"
#include "crd/service.h"

static void check_list(const struct fence *fence, const char *expected)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str_list left = fence_list(fence, arena);
    struct str joined = STR("");
    for (size_t i = 0; i < left.count; i++)
        joined = arena_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(joined), i ? " " : "",
                              STR_ARG(left.items[i]));
    TEST_STR(joined, expected);
    CU_ASSERT(fence_left(fence) == left.count);
}

static void test_passes_at_another_version(void)
{
    scoped_ptr(fence) struct fence *fence = fence_new();
    check_list(fence, "");
    fence_add(fence, STR("Service/default/b"), STR("12"));
    fence_add(fence, STR("Service/default/a"), STR("7"));
    check_list(fence, "Service/default/a Service/default/b");
    CU_ASSERT(fence_has(fence, STR("Service/default/a"), STR("7")));
    CU_ASSERT(!fence_has(fence, STR("Service/default/a"), STR("12")));
    CU_ASSERT(!fence_has(fence, STR("Service/default/c"), STR("7")));
    CU_ASSERT(!fence_pass(fence, STR("Service/default/a"), STR("7"))); /* unchanged */
    CU_ASSERT(!fence_pass(fence, STR("Service/default/c"), STR("8"))); /* not concerned */
    CU_ASSERT(fence_pass(fence, STR("Service/default/a"), STR("8")));
    CU_ASSERT(!fence_pass(fence, STR("Service/default/a"), STR("9"))); /* once */
    check_list(fence, "Service/default/b");
    CU_ASSERT(fence_pass(fence, STR("Service/default/b"), STR(""))); /* gone */
    check_list(fence, "");
}

/* A Service of this family that shows so many of 192.0.2.1 and 192.0.2.2, of which its record has
 * so many. */
static bool concerns(enum service_family family, size_t shown, size_t recorded)
{
    struct service_ingress ingress[2] = {{.address = ip_v4(192, 0, 2, 1)},
                                         {.address = ip_v4(192, 0, 2, 2)}};
    struct service service = {.family = family,
                              .status.ingress = {.items = ingress, .count = shown}};
    struct plan_record record = {
        .object = &service.object,
        .managed = true,
        .ips = {ip_v4(192, 0, 2, 1), ip_v4(192, 0, 2, 2)},
        .ip_count = recorded,
    };
    return fence_concerns(&record);
}

static void test_whom_it_concerns(void)
{
    CU_ASSERT(!concerns(SERVICE_FAMILY_V4, 1, 1));
    CU_ASSERT(concerns(SERVICE_FAMILY_V4, 0, 1)); /* is to be given one */
    CU_ASSERT(concerns(SERVICE_FAMILY_V4, 0, 0)); /* waits: the other may have found one */
    CU_ASSERT(!concerns(SERVICE_FAMILY_DUAL, 2, 2));
    CU_ASSERT(concerns(SERVICE_FAMILY_DUAL, 1, 1)); /* could have a second */
    CU_ASSERT(concerns(SERVICE_FAMILY_DUAL, 1, 2));
    struct service service = {0};
    struct plan_record other = {.object = &service.object, .foreign = true};
    CU_ASSERT(!fence_concerns(&other));
}

/* Conditions of others stay, and the addresses are not mentioned. */
static void test_patch_gives_nothing(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct condition shown[2] = {
        {.type = STR("example.com/Theirs"), .status = STR("True"), .reason = STR("Kept")},
        {.type = STR(SERVICE_CONDITION_ALLOCATED), .status = STR("False"), .reason = STR("Old")},
    };
    struct service service = {.object.resource_version = STR("7"),
                              .status.conditions = {.items = shown, .count = 2}};
    struct str body = service_patch_fence(&service, STR("b (since now)"), 1700000000, arena);
    json_t *tree = json_loadb(body.ptr, body.len, 0, NULL);
    json_t *expected = json_pack(
        "{s:{s:s},s:{s:[{s:s,s:s,s:s,s:s,s:s},{s:s,s:s,s:s,s:s,s:s}]}}", "metadata",
        "resourceVersion", "7", "status", "conditions", "type", "example.com/Theirs", "status",
        "True", "reason", "Kept", "message", "", "lastTransitionTime", "1970-01-01T00:00:00Z",
        "type", SERVICE_CONDITION_ALLOCATED, "status", "Unknown", "reason", "LeaderChanged",
        "message",
        "b (since now) leads now, and makes sure that no write of the leader before it is still "
        "on its way",
        "lastTransitionTime", "2023-11-14T22:13:20Z");
    CU_ASSERT(json_equal(tree, expected));
    if (!json_equal(tree, expected))
        (void)fprintf(stderr, STR_FMT "\n", STR_ARG(body));
    json_decref(tree);
    json_decref(expected);
}

TEST_MAIN("fence", TEST(test_passes_at_another_version), TEST(test_whom_it_concerns),
          TEST(test_patch_gives_nothing))
