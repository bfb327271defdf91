/* What a list costs: N Services as the API server sends them (with managedFields), taken apart,
 * decoded and cached. Prints the time and the resident memory that stays.
 *
 *     bench_list [N] */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/kube/cache.h"
#include "common/kube/list_page.h"
#include "common/kube/object_text.h"

static const char service[] =
    "{\"metadata\":{\"name\":\"web-%06u\",\"namespace\":\"shop\",\"uid\":"
    "\"d2f6f2a8-3c5e-4f0e-9d0c-%012u\",\"resourceVersion\":\"%u\",\"creationTimestamp\":"
    "\"2026-01-01T00:00:00Z\",\"labels\":{\"app\":\"web\"},\"annotations\":{"
    "\"metallb.io/ip-allocated-from-pool\":\"production\"},\"managedFields\":[{\"manager\":"
    "\"kubectl\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":\"2026-01-01T00:00:00Z\","
    "\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{\"f:annotations\":{\".\":{}}},"
    "\"f:spec\":{\"f:allocateLoadBalancerNodePorts\":{},\"f:externalTrafficPolicy\":{},"
    "\"f:internalTrafficPolicy\":{},\"f:ports\":{\".\":{},\"k:{\\\"port\\\":80,\\\"protocol\\\":"
    "\\\"TCP\\\"}\":{\".\":{},\"f:name\":{},\"f:port\":{},\"f:protocol\":{},\"f:targetPort\":{}}},"
    "\"f:sessionAffinity\":{},\"f:type\":{}}}}]},\"spec\":{\"ports\":[{\"name\":\"http\","
    "\"protocol\":\"TCP\",\"port\":80,\"targetPort\":8080}],\"selector\":{\"app\":\"web\"},"
    "\"clusterIP\":\"198.18.1.1\",\"clusterIPs\":[\"198.18.1.1\"],\"type\":\"LoadBalancer\","
    "\"sessionAffinity\":\"None\",\"externalTrafficPolicy\":\"Cluster\",\"ipFamilies\":[\"IPv4\"],"
    "\"ipFamilyPolicy\":\"SingleStack\",\"allocateLoadBalancerNodePorts\":false,"
    "\"internalTrafficPolicy\":\"Cluster\"},\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":"
    "\"192.0.2.1\",\"ipMode\":\"VIP\"}]}}}";

static double resident_mib(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (file)
        (void)fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1024 * 1024);
}

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Takes one page of objects from first on, in pieces as they come from a socket. */
static void take_page(struct cache *cache, unsigned first, unsigned count, size_t *arenas)
{
    struct sbuf body = {0};
    sbuf_puts(&body, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[");
    for (unsigned i = first; i < first + count; i++) {
        char text[2048];
        (void)snprintf(text, sizeof(text), service, i, i, i);
        sbuf_printf(&body, "%s%s", i > first ? "," : "", text);
    }
    sbuf_puts(&body, "]}");
    struct list_page page;
    list_page_init(&page, LIST_PAGE_LIMIT);
    enum { PIECE = 16 * 1024 };
    for (size_t at = 0; at < body.len; at += PIECE) {
        struct str input = str_slice(sbuf_str(&body), at, at + PIECE), item;
        while (input.len) {
            if (list_page_next(&page, &input, &item) != LIST_PAGE_ITEM)
                continue;
            json_t *tree = object_text_load(item);
            struct object *object = object_decode(kinds_get(KIND_SERVICE), tree, STR(""));
            *arenas += arena_size(object->arena);
            (void)object_unref(cache_put(cache, object));
            json_decref(tree);
        }
    }
    list_page_done(&page);
    sbuf_done(&body);
}

int main(int argc, char **argv)
{
    uint64_t count = 10000;
    if (argc > 1 && str_to_u64(str_from(argv[1]), 1000000, &count) < 0)
        return 2;
    scoped_ptr(cache) struct cache *cache = cache_new();
    size_t arenas = 0;
    double before = resident_mib(), start = now_s();
    for (unsigned at = 0; at < count; at += 250)
        take_page(cache, at, 250, &arenas);
    double took = now_s() - start, most = resident_mib();
    (void)malloc_trim(0);
    printf("objects=%zu seconds=%.3f bytes/object=%zu resident before=%.1f after=%.1f "
           "trimmed=%.1f MiB\n",
           cache_count(cache, KIND_SERVICE), took, arenas / (cache_count(cache, KIND_SERVICE) + 1),
           before, most, resident_mib());
    return 0;
}
