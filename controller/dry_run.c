#include "controller/dry_run.h"

#include <stdlib.h>

#include "controller/plan.h"
#include "controller/quarantine.h"

struct dry_run {
    struct config *config;
    struct plan *plan;
    struct placing *placing;
    const struct plan_record **records;
    size_t count;
};

static struct objects objects_of(const struct config_input *input, enum kind_id kind)
{
    return (struct objects){.items = (const struct object **)input->objects[kind],
                            .count = input->counts[kind]};
}

/* The conflicts of our own namespace. */
static struct quarantine *read_quarantine(const struct config_input *input, struct arena *arena)
{
    const struct objects all = objects_of(input, KIND_ADDRESS_CONFLICT);
    const struct object **ours = arena_array(arena, all.count, sizeof(*ours));
    size_t count = 0;
    for (size_t i = 0; i < all.count; i++) {
        if (input->namespace.len == 0 || str_eq(object_namespace(all.items[i]), input->namespace))
            ours[count++] = all.items[i];
    }
    return quarantine_new(NULL, ours, count, NULL, input->now);
}

static void give(struct dry_run *d, const struct config_input *input, struct arena *arena)
{
    const struct objects services = objects_of(input, KIND_SERVICE);
    plan_set_pools(d->plan, config_build(d->config, input));
    plan_set_quarantine(d->plan, read_quarantine(input, arena));
    for (size_t i = 0; i < services.count; i++)
        plan_offer(d->plan, services.items[i], false);
    plan_run(d->plan);
    d->records = plan_list(d->plan, arena, &d->count);
}

static void place(struct dry_run *d, const struct config_input *input, struct arena *arena)
{
    const struct objects slices = objects_of(input, KIND_ENDPOINT_SLICE);
    struct placing_world world = {
        .nodes = objects_of(input, KIND_NODE),
        .pools = config_in_force(d->config, KIND_IP_ADDRESS_POOL, arena),
        .advertisements = config_in_force(d->config, KIND_L2_ADVERTISEMENT, arena),
    };
    placing_set_world(d->placing, &world);
    placing_offer_all(d->placing, d->records, d->count, &slices);
    (void)placing_run(d->placing, SIZE_MAX);
}

struct dry_run *dry_run_new(const struct config_input *input, const struct dry_run_options *options,
                            struct arena *arena)
{
    struct dry_run *d = heap_alloc(sizeof(*d));
    d->config = config_new();
    d->plan = plan_new(&(struct plan_options){.lb_class = options->lb_class});
    d->placing = placing_new(&(struct placing_options){
        .hash = options->hash, .ignore_excluded = options->ignore_excluded});
    give(d, input, arena);
    place(d, input, arena);
    return d;
}

struct dry_run *dry_run_free(struct dry_run *d)
{
    if (!d)
        return NULL;
    (void)placing_free(d->placing);
    (void)plan_free(d->plan);
    (void)config_free(d->config);
    free(d);
    return NULL;
}

struct report dry_run_report(const struct dry_run *d)
{
    return (struct report){.records = d->records, .count = d->count, .placing = d->placing};
}

const struct diag_list *dry_run_findings(const struct dry_run *d)
{
    return config_findings(d->config);
}
