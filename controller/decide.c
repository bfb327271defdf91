#include "controller/decide.h"

#include "common/base/sbuf.h"
#include "controller/notes.h"
#include "controller/service_patch.h"
#include "crd/condition.h"
#include "crd/service.h"

/* --- records --------------------------------------------------------------------------------- */

void decide_note(struct decision *d, const char *reason, bool warning, struct str message)
{
    const struct plan_note note = {.reason = reason, .warning = warning, .message = message};
    notes_add(d->record, d->texts, &note);
}

/* --- conflicts ------------------------------------------------------------------------------- */

static void put_conflict(struct decision *d, struct sbuf *text, const struct ip *ip)
{
    const struct quarantine_entry *entry = quarantine_find(d->quarantine, ip);
    if (entry && !entry->doubted)
        sbuf_printf(text, "%s" STR_FMT, sbuf_str(text).len ? "; " : "",
                    STR_ARG(quarantine_sentence(entry, d->scratch)));
}

/* Who else answers for the addresses that the Service holds or asks for. */
static struct str conflict_sentence(struct decision *d)
{
    const struct plan_record *record = d->record;
    struct sbuf text = {0};
    for (size_t i = 0; i < record->ip_count; i++)
        put_conflict(d, &text, &record->ips[i]);
    for (size_t i = 0; i < d->want.request.ip_count; i++) {
        bool holds = false;
        for (size_t j = 0; j < record->ip_count; j++)
            holds |= ip_eq(&record->ips[j], &d->want.request.ips[i]);
        if (!holds)
            put_conflict(d, &text, &d->want.request.ips[i]);
    }
    return sbuf_move(&text, d->scratch);
}

/* Sets what the condition is to say, and notes it when the object says something else. */
static void set_conflict(struct decision *d)
{
    const struct service *service = (const struct service *)d->record->object;
    const struct condition *shown =
        condition_find(&service->status.conditions, STR(SERVICE_CONDITION_CONFLICT));
    struct str sentence = conflict_sentence(d);
    d->record->conflict = arena_str(d->texts, sentence);
    if (sentence.len && !(shown && str_eq(shown->message, sentence)))
        decide_note(d, "AddressConflict", true, sentence);
    else if (!sentence.len && shown && d->want.verdict == WANT_ADDRESS)
        decide_note(d, "AddressConflictEnded", false,
                    STR("nobody else is known to answer for its addresses any more"));
}

static void set_result(struct decision *d, bool allocated, const char *reason, struct str message)
{
    struct plan_record *record = d->record;
    record->managed = true;
    record->allocated = allocated;
    record->reason = reason;
    record->message = arena_str(d->texts, message);
    record->ip_count = 0;
    record->pool = (struct str){0};
    struct str pool;
    record->ip_count = alloc_get(d->alloc, record->key, record->ips, &pool);
    if (record->ip_count)
        record->pool = arena_str(d->texts, pool);
    set_conflict(d);
}

/* `["192.0.2.1" "2001:db8::1"]`: the list as MetalLB's events spell it. */
static struct str quoted_ips(struct decision *d, const struct ip *ips, size_t count)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < count; i++)
        sbuf_printf(&text, "%s\"%s\"", i ? " " : "[", ip_format(&ips[i]).text);
    sbuf_putc(&text, ']');
    return sbuf_move(&text, d->scratch);
}

static struct str allocated_sentence(struct decision *d, struct str remark)
{
    struct ip ips[ALLOC_IPS];
    struct str pool;
    size_t count = alloc_get(d->alloc, d->record->key, ips, &pool);
    struct sbuf text = {0};
    for (size_t i = 0; i < count; i++)
        sbuf_printf(&text, "%s%s", i ? " and " : "", ip_format(&ips[i]).text);
    sbuf_printf(&text, " from pool \"" STR_FMT "\"" STR_FMT, STR_ARG(pool), STR_ARG(remark));
    return sbuf_move(&text, d->scratch);
}

/* --- pass 1: hold ---------------------------------------------------------------------------- */

/* The addresses in the status; an entry that is no address makes the whole list unusable. */
static size_t shown_ips(const struct service *service, struct ip ips[ALLOC_IPS], bool *ret_bad)
{
    const struct service_ingress *ingress = service->status.ingress.items;
    size_t count = 0;
    *ret_bad = false;
    for (size_t i = 0; i < service->status.ingress.count; i++) {
        if (ingress[i].ip.len == 0)
            continue;
        if (count == ALLOC_IPS || !ip_is_set(&ingress[i].address))
            *ret_bad = true;
        else
            ips[count++] = ingress[i].address;
    }
    return count;
}

static struct alloc_answer claim(struct decision *d, const struct ip *ips, size_t count)
{
    struct alloc_request request = d->want.request;
    request.ip_count = count;
    for (size_t i = 0; i < count; i++)
        request.ips[i] = ips[i];
    struct alloc_answer answer = alloc_claim(d->alloc, &request, d->scratch);
    d->freed |= answer.freed;
    return answer;
}

static void give_up(struct decision *d)
{
    d->freed |= alloc_release(d->alloc, d->record->key);
}

static void note_cleared(struct decision *d, const struct ip *ips, size_t count, struct str why)
{
    struct str shown = count ? quoted_ips(d, ips, count) : STR("what its status shows");
    decide_note(
        d, "ClearAssignment", false,
        arena_printf(d->scratch,
                     "current IP " STR_FMT
                     " is not allowed by the configuration, a new one will be assigned: " STR_FMT,
                     STR_ARG(shown), STR_ARG(why)));
}

struct str_list decide_blockers(const struct decision *d)
{
    struct alloc_request request = d->want.request;
    bool bad;
    request.ip_count = shown_ips((const struct service *)d->record->object, request.ips, &bad);
    if (d->want.verdict != WANT_ADDRESS || d->written_ahead || bad || request.ip_count == 0)
        return (struct str_list){0};
    return alloc_blockers(d->alloc, &request, d->scratch);
}

void decide_give_way(struct decision *d)
{
    const struct service *service = (const struct service *)d->record->object;
    struct ip held[ALLOC_IPS], kept[ALLOC_IPS];
    size_t held_count = alloc_get(d->alloc, d->record->key, held, NULL), kept_count = 0;
    for (size_t i = 0; i < held_count; i++) {
        if (service_shows(service, &held[i]))
            kept[kept_count++] = held[i];
    }
    give_up(d);
    if (kept_count && d->want.verdict == WANT_ADDRESS)
        (void)claim(d, kept, kept_count); /* if it may not: it holds nothing */
}

/* Keeps what the Service shows, else what was decided for it and perhaps lost from its status.
 * False: it holds nothing now. */
static bool keep_current(struct decision *d)
{
    const struct service *service = (const struct service *)d->record->object;
    struct ip shown[ALLOC_IPS], held[ALLOC_IPS];
    bool bad = false;
    size_t shown_count = d->written_ahead ? 0 : shown_ips(service, shown, &bad);
    size_t held_count = alloc_get(d->alloc, d->record->key, held, NULL);
    struct str why = STR("an entry of its ingress list is no IP address");
    if (shown_count && !bad) {
        struct alloc_answer answer = claim(d, shown, shown_count);
        if (answer.outcome == ALLOC_OK)
            return true;
        why = answer.message;
    }
    if (held_count) {
        struct alloc_answer answer = claim(d, held, held_count);
        if (answer.outcome == ALLOC_OK)
            return true;
        why = answer.message;
    }
    if (shown_count || bad)
        note_cleared(d, shown, shown_count, why);
    else if (held_count)
        note_cleared(d, held, held_count, why);
    give_up(d);
    return false;
}

/* Is the address one that the Service asks for? */
static bool asks_for(const struct decision *d, const struct ip *ip)
{
    for (size_t i = 0; i < d->want.request.ip_count; i++) {
        if (ip_eq(&d->want.request.ips[i], ip))
            return true;
    }
    return false;
}

/* Gives up those addresses in quarantine that it did not ask for. False: it holds nothing now. */
static bool leave_quarantine(struct decision *d)
{
    struct ip held[ALLOC_IPS];
    struct alloc_request kept = d->want.request;
    size_t count = alloc_get(d->alloc, d->record->key, held, NULL);
    kept.ip_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct quarantine_entry *entry = quarantine_find(d->quarantine, &held[i]);
        if (entry && !entry->doubted && !asks_for(d, &held[i]))
            decide_note(d, "AddressConflict", true,
                        arena_printf(d->scratch, STR_FMT "; a new one will be assigned",
                                     STR_ARG(quarantine_sentence(entry, d->scratch))));
        else
            kept.ips[kept.ip_count++] = held[i];
    }
    if (kept.ip_count == count)
        return true;
    kept.policy = ALLOC_PREFER_DUAL; /* one is enough until decide_complete finds another */
    struct alloc_answer answer = {.outcome = ALLOC_QUARANTINED};
    if (kept.ip_count)
        answer = alloc_claim(d->alloc, &kept, d->scratch);
    d->freed |= answer.freed;
    if (answer.outcome != ALLOC_OK)
        give_up(d);
    return answer.outcome == ALLOC_OK;
}

/* Are the addresses asked for (in any order) those it holds? Asking for none is no wish. */
static bool has_what_it_asks(struct decision *d)
{
    const struct alloc_request *request = &d->want.request;
    struct ip held[ALLOC_IPS];
    size_t count = alloc_get(d->alloc, request->key, held, NULL);
    if (request->ip_count == 0)
        return true;
    if (request->ip_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!asks_for(d, &held[i]))
            return false;
    }
    return true;
}

static void note_added(struct decision *d, const struct alloc_answer *answer, const struct ip *had)
{
    size_t added = ip_eq(&answer->ips[0], had) ? 1 : 0;
    decide_note(d, "IPAllocated", false,
                arena_printf(d->scratch, "Assigned additional IP \"%s\"",
                             ip_format(&answer->ips[added]).text));
}

/* A dual-stack Service that prefers two addresses and has one may get the other. The sentence of
 * the condition says why not, in words that stay the same until the reason changes. */
static struct str add_second_family(struct decision *d, bool is_new)
{
    const struct alloc_request *request = &d->want.request;
    struct ip held[ALLOC_IPS];
    if (request->policy != ALLOC_PREFER_DUAL || request->families != ALLOC_DUAL ||
        request->ip_count || alloc_get(d->alloc, request->key, held, NULL) != 1)
        return STR("");
    struct alloc_answer answer = alloc_extend(d->alloc, request, d->scratch);
    if (answer.outcome == ALLOC_OK) {
        if (!is_new)
            note_added(d, &answer, &held[0]);
        return STR("");
    }
    decide_note(d, "AdditionalAssignFailed", false,
                arena_printf(d->scratch, "cannot assign additional IP in PreferDualStack: " STR_FMT,
                             STR_ARG(answer.message)));
    return arena_printf(d->scratch, "; no second address: " STR_FMT, STR_ARG(answer.message));
}

static void settle_allocated(struct decision *d, bool is_new)
{
    struct str remark = add_second_family(d, is_new);
    set_result(d, true, alloc_outcome_name(ALLOC_OK), allocated_sentence(d, remark));
}

static void note_bad_request(struct decision *d)
{
    decide_note(d, "LoadBalancerFailed", true,
                arena_printf(d->scratch, "invalid requested loadbalancer IPs: " STR_FMT,
                             STR_ARG(d->want.bad_request)));
}

/* A request that cannot be read takes nothing away. */
static void settle_bad_request(struct decision *d, bool holds)
{
    struct str message = arena_printf(d->scratch, "invalid requested loadbalancer IPs: " STR_FMT,
                                      STR_ARG(d->want.bad_request));
    if (holds)
        message =
            allocated_sentence(d, arena_printf(d->scratch, ", kept; " STR_FMT, STR_ARG(message)));
    note_bad_request(d);
    set_result(d, holds, "InvalidRequest", message);
}

/* What verdicts other than WANT_ADDRESS mean: the condition's reason and the warning Event. */
static const struct {
    const char *reason, *event;
} verdicts[] = {
    [WANT_ADDRESS] = {NULL, NULL},
    [WANT_FOREIGN] = {"ForeignClass", NULL},
    [WANT_NOTHING] = {"NotLoadBalancer", NULL},
    [WANT_NO_CLUSTER_IP] = {"NoClusterIP", NULL},
    [WANT_NOT_ENOUGH_CLUSTER_IPS] = {"NotEnoughClusterIPs", "not enough clusterips"},
    [WANT_UNKNOWN_FAMILY] = {"UnknownFamily", "noclusterIPsIPFamily"},
};

static void settle_without_wish(struct decision *d)
{
    enum want_verdict verdict = d->want.verdict;
    give_up(d);
    if (verdicts[verdict].event)
        decide_note(d, verdicts[verdict].event, true, d->want.message);
    set_result(d, false, verdicts[verdict].reason, d->want.message);
    d->record->foreign = verdict == WANT_FOREIGN;
    d->record->managed = verdict != WANT_FOREIGN && verdict != WANT_NOTHING;
}

void decide_note_deprecated(struct decision *d)
{
    /* Leaves room for the notes that matter more. */
    for (size_t i = 0; i < d->want.deprecated.count && i < 2; i++)
        decide_note(d, "deprecatedAnnotation", true,
                    arena_printf(d->scratch, "Service uses deprecated annotation " STR_FMT,
                                 STR_ARG(d->want.deprecated.items[i])));
}

enum decide_step decide_hold(struct decision *d)
{
    if (d->want.verdict != WANT_ADDRESS) {
        settle_without_wish(d);
        return DECIDE_SETTLED;
    }
    decide_note_deprecated(d);
    bool holds = keep_current(d);
    if (d->want.bad_request.len) {
        settle_bad_request(d, holds);
        return DECIDE_SETTLED;
    }
    if (!holds || !leave_quarantine(d))
        return DECIDE_SEEK;
    if (!has_what_it_asks(d)) {
        give_up(d);
        return DECIDE_SEEK;
    }
    return DECIDE_COMPLETE;
}

/* A Service that must have two addresses may have lost one of them. */
static bool replace_second(struct decision *d)
{
    const struct alloc_request *request = &d->want.request;
    struct ip held[ALLOC_IPS];
    if (request->policy != ALLOC_REQUIRE_DUAL ||
        alloc_get(d->alloc, request->key, held, NULL) == ALLOC_IPS)
        return true;
    struct alloc_answer answer = alloc_extend(d->alloc, request, d->scratch);
    if (answer.outcome == ALLOC_OK)
        note_added(d, &answer, &held[0]);
    return answer.outcome == ALLOC_OK;
}

enum decide_step decide_complete(struct decision *d)
{
    if (!replace_second(d)) {
        give_up(d);
        return DECIDE_SEEK;
    }
    settle_allocated(d, false);
    return DECIDE_SETTLED;
}

/* --- pass 2: seek ---------------------------------------------------------------------------- */

void decide_seek(struct decision *d)
{
    struct alloc_answer answer = alloc_find(d->alloc, &d->want.request, d->scratch);
    d->freed |= answer.freed;
    if (answer.outcome == ALLOC_OK) {
        settle_allocated(d, true);
        struct ip ips[ALLOC_IPS];
        size_t count = alloc_get(d->alloc, d->record->key, ips, NULL);
        decide_note(
            d, "IPAllocated", false,
            arena_printf(d->scratch, "Assigned IP " STR_FMT, STR_ARG(quoted_ips(d, ips, count))));
        return;
    }
    decide_note(d, "AllocationFailed", true,
                arena_printf(d->scratch, "Failed to allocate IP for \"" STR_FMT "\": " STR_FMT,
                             STR_ARG(d->record->key), STR_ARG(answer.message)));
    set_result(d, false, alloc_outcome_name(answer.outcome), answer.message);
    d->record->waiting = true;
}
