#include "speaker/local.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/log.h"

struct local {
    struct source *source;
    struct str node;
    struct handoff *handoff; /* NULL: there is no netlink */
    const struct plan *plan; /* the one carried out */
};

/* --- telling --------------------------------------------------------------------------------- */

static void tell_service(struct local *local, struct str key, const struct ip *ip, int error)
{
    struct str namespace, name;
    (void)str_cut(key, '/', &namespace, &name);
    const struct object *service = source_get(local->source, KIND_SERVICE, namespace, name);
    if (!service || !handoff_is_asked(service))
        return;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str node = local->node;
    struct ip_text text = ip_format(ip);
    const char *why = error == -EPERM ? "the speaker has no CAP_NET_ADMIN" : err_text(error);
    struct source_event event = {.about = service,
                                 .warning = error != 0,
                                 .reason = error ? STR("handoffFailed") : STR("handoffRestored"),
                                 .action = STR("HandOff")};
    event.message =
        error ? arena_printf(arena, "node \"" STR_FMT "\" cannot hand %s to a local process: %s",
                             STR_ARG(node), text.text, why)
              : arena_printf(arena, "node \"" STR_FMT "\" hands %s to a local process after all",
                             STR_ARG(node), text.text);
    source_event(local->source, &event);
}

static int ip_cmp_address(const void *key, const void *address)
{
    return ip_cmp(key, &((const struct plan_address *)address)->ip);
}

static void changed(void *ctx, const struct ip *ip, int error)
{
    struct local *local = ctx;
    const struct plan *plan = local->plan;
    if (!plan->address_count)
        return;
    const struct plan_address *address =
        bsearch(ip, plan->addresses, plan->address_count, sizeof(*plan->addresses), ip_cmp_address);
    for (size_t i = 0; address && i < address->services.count; i++)
        tell_service(local, address->services.items[i], ip, error);
}

/* --- life ------------------------------------------------------------------------------------ */

struct local *local_open(struct loop *loop, struct source *source, struct str node)
{
    struct local *local = heap_alloc(sizeof(*local));
    *local = (struct local){.source = source, .node = node};
    struct handoff_config config = {
        .overlap_ms = HANDOFF_OVERLAP_MS, .changed = changed, .ctx = local};
    int result = handoff_open(loop, &config, &local->handoff);
    if (result < 0)
        log_warn("no local hand-off: routes cannot be reached", kv_err(result));
    return local;
}

struct local *local_close(struct local *local)
{
    if (local)
        (void)handoff_close(local->handoff);
    free(local);
    return NULL;
}

static struct objects list(const struct local *local, enum kind_id kind, struct arena *arena)
{
    struct objects objects;
    objects.items = source_list(local->source, kind, arena, &objects.count);
    return objects;
}

void local_run(struct local *local, const struct plan *plan)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    struct snapshot snapshot = {
        .node = local->node,
        .services = list(local, KIND_SERVICE, arena),
        .slices = list(local, KIND_ENDPOINT_SLICE, arena),
    };
    local->plan = plan;
    if (!local->handoff)
        return;
    const struct ip *wanted = handoff_wanted(&snapshot, plan, arena, &count);
    handoff_run(local->handoff, wanted, count);
}

struct handoff_figures local_figures(const struct local *local)
{
    return local->handoff ? handoff_figures(local->handoff) : (struct handoff_figures){0};
}
