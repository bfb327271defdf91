#include "controller/service_patch.h"

#include "crd/annotations.h"
#include "crd/condition_patch.h"

/* Are the IP entries of the status those of the record, in this order? Entries of others, which
 * have a hostname and no IP, do not count. */
static bool shows_ips(const struct plan_record *record, const struct service *service)
{
    const struct service_ingress *ingress = service->status.ingress.items;
    size_t at = 0;
    for (size_t i = 0; i < service->status.ingress.count; i++) {
        if (ingress[i].ip.len == 0)
            continue;
        if (at == record->ip_count || !ip_eq(&ingress[i].address, &record->ips[at]))
            return false;
        at++;
    }
    return at == record->ip_count;
}

/* An annotation of ours as it is to be. */
struct note {
    enum annotation_id id;
    struct str text; /* empty: not there */
};
enum { NOTES = 2 };

struct notes {
    struct note items[NOTES];
    size_t count;
};

static struct notes notes_of(const struct plan_record *record, const struct str *placement)
{
    struct notes notes = {
        .items = {{ANNOTATION_ALLOCATED_FROM_POOL, record->pool}},
        .count = 1,
    };
    if (placement)
        notes.items[notes.count++] = (struct note){ANNOTATION_PLACEMENT, *placement};
    return notes;
}

static bool shows_note(const struct note *note, const struct service *service)
{
    bool present;
    struct str shown = annotations_read(&service->object, note->id, &present);
    return present == (note->text.len > 0) && str_eq(shown, note->text);
}

static bool shows_notes(const struct notes *notes, const struct service *service)
{
    for (size_t i = 0; i < notes->count; i++) {
        if (!shows_note(&notes->items[i], service))
            return false;
    }
    return true;
}

enum { CONDITIONS = 2 };

/* Our conditions, as they are to be. */
struct conditions {
    struct condition allocated, conflict;
    struct condition_want wants[CONDITIONS];
};

static void conditions_of(const struct plan_record *record, int64_t now, struct conditions *ret)
{
    bool has_conflict = record->conflict.len > 0;
    *ret = (struct conditions){
        .allocated = {.type = STR(SERVICE_CONDITION_ALLOCATED),
                      .status = record->allocated ? STR("True") : STR("False"),
                      .reason = str_from(record->reason),
                      .message = record->message,
                      .since = now},
        .conflict = {.type = STR(SERVICE_CONDITION_CONFLICT),
                     .status = STR("True"),
                     .reason = STR("AddressInUse"),
                     .message = record->conflict,
                     .since = now},
    };
    ret->wants[0] = (struct condition_want){.type = ret->allocated.type,
                                            .ours = record->managed ? &ret->allocated : NULL};
    ret->wants[1] =
        (struct condition_want){.type = ret->conflict.type,
                                .ours = record->managed && has_conflict ? &ret->conflict : NULL};
}

static void put_ingress(struct patch *patch, const struct plan_record *record,
                        const struct service *service)
{
    const struct service_ingress *ingress = service->status.ingress.items;
    patch_open(patch, "loadBalancer");
    patch_list(patch, "ingress");
    for (size_t i = 0; i < record->ip_count; i++) {
        patch_open(patch, NULL);
        patch_str(patch, "ip", str_from(ip_format(&record->ips[i]).text));
        patch_close(patch);
    }
    for (size_t i = 0; i < service->status.ingress.count; i++) {
        if (ingress[i].ip.len)
            continue;
        patch_open(patch, NULL);
        patch_str(patch, "hostname", ingress[i].hostname);
        patch_close(patch);
    }
    patch_close(patch);
    patch_close(patch);
}

static void put_note(struct patch *patch, const struct note *note)
{
    const char *key = annotations_get(note->id)->key.ptr;
    if (note->text.len)
        patch_str(patch, key, note->text);
    else
        patch_null(patch, key);
}

static void put_metadata(struct patch *patch, const struct notes *notes,
                         const struct service *service)
{
    patch_open(patch, "metadata");
    patch_str(patch, "resourceVersion", service->object.resource_version);
    if (!shows_notes(notes, service)) {
        patch_open(patch, "annotations");
        for (size_t i = 0; i < notes->count; i++) {
            if (!shows_note(&notes->items[i], service))
                put_note(patch, &notes->items[i]);
        }
        patch_close(patch);
    }
    patch_close(patch);
}

static struct str difference(const struct plan_record *record, const struct notes *notes,
                             const struct service *service,
                             const struct condition_want wants[CONDITIONS], struct arena *arena)
{
    bool ips_differ = !shows_ips(record, service);
    const struct list *shown = &service->status.conditions;
    bool conditions_differ = !condition_patch_is_done(shown, wants, CONDITIONS);
    if (!ips_differ && !conditions_differ && shows_notes(notes, service))
        return STR("");
    struct patch patch = {0};
    patch_open(&patch, NULL);
    put_metadata(&patch, notes, service);
    if (ips_differ || conditions_differ) {
        patch_open(&patch, "status");
        if (ips_differ)
            put_ingress(&patch, record, service);
        if (conditions_differ)
            condition_patch(&patch, shown, wants, CONDITIONS);
        patch_close(&patch);
    }
    patch_close(&patch);
    return patch_move(&patch, arena);
}

struct str service_patch(const struct plan_record *record, const struct str *placement,
                         const struct service *service, int64_t now, struct arena *arena)
{
    struct conditions conditions;
    struct notes notes = notes_of(record, placement);
    if (record->foreign)
        return STR("");
    conditions_of(record, now, &conditions);
    return difference(record, &notes, service, conditions.wants, arena);
}

struct str service_patch_release(const struct plan_record *record, const struct service *service,
                                 struct arena *arena)
{
    struct plan_record kept = *record;
    kept.ip_count = 0;
    for (size_t i = 0; i < record->ip_count; i++) {
        if (service_shows(service, &record->ips[i]))
            kept.ips[kept.ip_count++] = record->ips[i];
    }
    if (kept.ip_count == 0)
        kept.pool = STR("");
    struct notes notes = notes_of(&kept, NULL);
    const struct list *shown = &service->status.conditions;
    const struct condition_want as_shown[CONDITIONS] = {
        {.type = STR(SERVICE_CONDITION_ALLOCATED),
         .ours = condition_find(shown, STR(SERVICE_CONDITION_ALLOCATED))},
        {.type = STR(SERVICE_CONDITION_CONFLICT),
         .ours = condition_find(shown, STR(SERVICE_CONDITION_CONFLICT))},
    };
    return difference(&kept, &notes, service, as_shown, arena);
}

struct str service_patch_fence(const struct service *service, struct str leader, int64_t now,
                               struct arena *arena)
{
    const struct condition unknown = {
        .type = STR(SERVICE_CONDITION_ALLOCATED),
        .status = STR("Unknown"),
        .reason = STR(SERVICE_REASON_LEADER_CHANGED),
        .message = arena_printf(arena,
                                STR_FMT " leads now, and makes sure that no write of the leader "
                                        "before it is still on its way",
                                STR_ARG(leader)),
        .since = now,
    };
    const struct condition_want want = {.type = unknown.type, .ours = &unknown};
    struct patch patch = {0};
    patch_open(&patch, NULL);
    patch_open(&patch, "metadata");
    patch_str(&patch, "resourceVersion", service->object.resource_version);
    patch_close(&patch);
    patch_open(&patch, "status");
    condition_patch(&patch, &service->status.conditions, &want, 1);
    patch_close(&patch);
    patch_close(&patch);
    return patch_move(&patch, arena);
}
