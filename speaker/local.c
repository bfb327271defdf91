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

static void changed(void *ctx, const struct ip *ip, int error)
{
    struct local *local = ctx;
    const struct basis *basis = local->plan->basis;
    const struct basis_address *address = basis_find(basis, ip);
    for (size_t i = 0; address && i < address->service_count; i++)
        tell_service(local, basis->services[address->services[i]].key, ip, error);
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

/* What the network sends here. */
static bool answers(void *ctx, const struct ip *ip)
{
    enum tenure_state state = apply_state(ctx, ip);
    return state == TENURE_OWNING || state == TENURE_HANDING;
}

void local_run(struct local *local, const struct plan *plan, const struct apply *apply)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    local->plan = plan;
    if (!local->handoff)
        return;
    struct handoff_question question = {
        .node = local->node,
        .services = list(local, KIND_SERVICE, arena),
        .slices = list(local, KIND_ENDPOINT_SLICE, arena),
        .basis = plan->basis,
        .answers = answers,
        .ctx = (void *)(uintptr_t)apply,
    };
    const struct ip *wanted = handoff_wanted(&question, arena, &count);
    handoff_run(local->handoff, wanted, count);
}

struct handoff_figures local_figures(const struct local *local)
{
    return local->handoff ? handoff_figures(local->handoff) : (struct handoff_figures){0};
}
