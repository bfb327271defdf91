#include "controller/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "common/base/err.h"
#include "common/source/source_dir.h"
#include "controller/config.h"
#include "controller/plan.h"
#include "controller/report.h"

struct check {
    const struct settings *settings;
    struct loop *loop;
    struct source *source;
    int status;
};

static void add_all(struct diag_list *to, const struct diag_list *from)
{
    for (size_t i = 0; i < from->found.len; i++) {
        const struct diag *diag = &from->found.items[i];
        diag_add(to, diag->severity, diag->object, diag->field, STR_FMT, STR_ARG(diag->message));
    }
}

/* Findings of the input and of all objects, alone and together. */
static void gather(struct check *check, const struct config *config, struct diag_list *ret)
{
    add_all(ret, source_findings(check->source));
    add_all(ret, config_findings(config));
}

static void print(struct check *check, const struct report *report)
{
    scoped_sbuf struct sbuf out = {0};
    if (check->settings->output == SETTINGS_JSON)
        report_json(report, &out);
    else
        report_text(report, &out);
    (void)fwrite(out.ptr, 1, out.len, stdout);
    check->status = diag_errors(report->findings) ? 1 : 0;
}

/* The conflicts of our own namespace. */
static void set_quarantine(struct plan *plan, const struct config_input *input, struct arena *arena)
{
    size_t total = input->counts[KIND_ADDRESS_CONFLICT], count = 0;
    const struct object **ours = arena_array(arena, total, sizeof(*ours));
    for (size_t i = 0; i < total; i++) {
        const struct object *object = input->objects[KIND_ADDRESS_CONFLICT][i];
        if (input->namespace.len == 0 || str_eq(object->meta.namespace, input->namespace))
            ours[count++] = object;
    }
    plan_set_quarantine(plan, quarantine_new(NULL, ours, count, input->now));
}

/* Places all Services, as a leader would when no speaker is missing and it may move what it likes.
 */
static void set_placing(struct placing *placing, const struct report *report,
                        const struct config *config, const struct config_input *input,
                        struct arena *arena)
{
    struct placing_world world = {
        .nodes = {.items = (const struct object **)input->objects[KIND_NODE],
                  .count = input->counts[KIND_NODE]},
        .pools = config_in_force(config, KIND_IP_ADDRESS_POOL, arena),
        .advertisements = config_in_force(config, KIND_L2_ADVERTISEMENT, arena),
    };
    struct objects slices = {.items = (const struct object **)input->objects[KIND_ENDPOINT_SLICE],
                             .count = input->counts[KIND_ENDPOINT_SLICE]};
    placing_set_world(placing, &world);
    placing_offer_all(placing, report->records, report->count, &slices);
    (void)placing_run(placing, SIZE_MAX);
}

static void synced(void *ctx)
{
    struct check *check = ctx;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(config) struct config *config = config_new();
    struct plan_options options = {.lb_class = check->settings->lb_class};
    scoped_ptr(plan) struct plan *plan = plan_new(&options);
    struct placing_options how = {.hash = check->settings->election == SETTINGS_HASH,
                                  .ignore_excluded = check->settings->ignore_excluded};
    scoped_ptr(placing) struct placing *placing = placing_new(&how);
    struct config_input input = {.now = loop_wall_ns() / 1000000000};
    struct diag_list findings = {.arena = arena};
    input.namespace = check->settings->common.namespace;
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        input.objects[kind] =
            source_list(check->source, (enum kind_id)kind, arena, &input.counts[kind]);
    plan_set_pools(plan, config_build(config, &input));
    set_quarantine(plan, &input, arena);
    for (size_t i = 0; i < input.counts[KIND_SERVICE]; i++)
        plan_offer(plan, input.objects[KIND_SERVICE][i], false);
    plan_run(plan);
    gather(check, config, &findings);
    struct report report = {.findings = &findings};
    report.records = plan_list(plan, arena, &report.count);
    report.placing = placing;
    set_placing(placing, &report, config, &input, arena);
    print(check, &report);
    diag_done(&findings);
    loop_stop(check->loop);
}

static void ignore_change(void *ctx, const struct object *before, const struct object *after)
{
    (void)ctx;
    (void)before;
    (void)after;
}

static void ignore_findings(void *ctx)
{
    (void)ctx; /* read once, when everything has been read */
}

/* A source waits for a directory that is not there yet; here that is all there is to say. */
static bool is_there(struct check *check)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str path = check->settings->check;
    scoped_fd int fd = open(arena_cstr(arena, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        return true;
    struct diag_list findings = {.arena = arena};
    diag_add(&findings, DIAG_ERROR, path, STR(""), "%s", err_text(-errno));
    print(check, &(struct report){.findings = &findings});
    diag_done(&findings);
    return false;
}

int check_run(const struct settings *settings)
{
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct source_dir_options options = {.manifests = settings->check};
    struct source_follow follow[KIND_COUNT];
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        follow[kind] = (struct source_follow){.kind = (enum kind_id)kind};
    struct check check = {.settings = settings, .loop = loop, .status = 1};
    if (!is_there(&check))
        return check.status;
    scoped_ptr(source) struct source *source = source_dir_new(loop, &options);
    struct source_calls calls = {
        .changed = ignore_change, .synced = synced, .findings = ignore_findings, .ctx = &check};
    check.source = source;
    source_start(source, follow, KIND_COUNT, &calls);
    loop_run(loop);
    return check.status;
}
