#include "ctl/show_bgp.h"

#include "common/json/patch.h"
#include "ctl/sheet.h"
#include "ctl/tree.h"

enum { BGP_PORT = 179 };

/* --- shared ---------------------------------------------------------------------------------- */

static void put_value(const json_t *value, struct sbuf *out)
{
    if (json_is_integer(value))
        sbuf_printf(out, "%lld", (long long)json_integer_value(value));
    else
        sbuf_put(out, tree_of(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        sbuf_puts(out, i ? "," : "");
        put_value(json_array_get(value, i), out);
    }
}

struct str show_bgp_attributes(const struct show_bgp *show, const json_t *attributes,
                               int64_t weight)
{
    struct sbuf text = {0};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)attributes, key, value)
    {
        if (json_is_array(value) && json_array_size(value) == 0)
            continue;
        sbuf_printf(&text, "%s%s ", text.len ? " " : "", key);
        put_value(value, &text);
    }
    if (weight)
        sbuf_printf(&text, "%sweight %lld", text.len ? " " : "", (long long)weight);
    return sbuf_move(&text, show->scratch);
}

const json_t *show_bgp_session(const struct bgp_answer *answer, struct str peer)
{
    const json_t *sessions = json_object_get(answer->tree, "sessions");
    for (size_t i = 0; i < json_array_size(sessions); i++) {
        const json_t *session = json_array_get(sessions, i);
        if (str_eq(tree_text(session, "peer"), peer))
            return session;
    }
    return NULL;
}

struct str show_bgp_why(const struct show_bgp *show, const json_t *session)
{
    struct str why = tree_text(session, "why"), advice = tree_text(session, "advice");
    return advice.len ? arena_printf(show->scratch, STR_FMT " (" STR_FMT ")", STR_ARG(why),
                                     STR_ARG(advice))
                      : why;
}

struct str show_bgp_down(const struct show_bgp *show, const json_t *session)
{
    struct str since = tree_text(session, "since");
    return arena_printf(show->scratch, "the session is %.*s%s" STR_FMT ": " STR_FMT,
                        STR_ARG(tree_text(session, "state")), since.len ? " since " : "",
                        STR_ARG(since), STR_ARG(show_bgp_why(show, session)));
}

struct str show_bgp_key(const struct show_bgp *show, const json_t *service)
{
    return arena_printf(show->scratch, STR_FMT "/" STR_FMT,
                        STR_ARG(tree_text(service, "namespace")),
                        STR_ARG(tree_text(service, "name")));
}

void show_bgp_silent(const struct show_bgp *show, struct sbuf *notes)
{
    for (size_t i = 0; i < show->count; i++) {
        const struct bgp_answer *one = &show->answers[i];
        if (!one->tree || one->written)
            sbuf_printf(notes,
                        STR_FMT ": its speaker does not answer at " STR_FMT ": " STR_FMT "%s\n",
                        STR_ARG(one->node), STR_ARG(one->url), STR_ARG(one->error),
                        one->written ? "; what it has written is shown" : "");
    }
}

void show_bgp_notes(const struct show_bgp *show, const struct sbuf *notes)
{
    if (notes->len)
        sbuf_printf(show->out, "\n" STR_FMT, STR_ARG(sbuf_str(notes)));
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* A member of an answer as it is, or that instead. */
static void put_member(struct patch *json, const json_t *tree, const char *key, const char *instead)
{
    const json_t *value = json_object_get(tree, key);
    scoped_heap char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    patch_raw(json, key, text ? str_from(text) : str_from(instead));
}

static void sessions_json(const struct show_bgp *show)
{
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_list(&json, "nodes");
    for (size_t i = 0; i < show->count; i++) {
        const struct bgp_answer *one = &show->answers[i];
        patch_open(&json, NULL);
        patch_str(&json, "node", one->node);
        patch_str(&json, "url", one->url);
        patch_str(&json, "error", one->error);
        patch_bool(&json, "written", one->written);
        put_member(&json, one->tree, "bird", "{}");
        put_member(&json, one->tree, "sessions", "[]");
        put_member(&json, one->tree, "findings", "[]");
        patch_close(&json);
    }
    patch_close(&json);
    patch_close(&json);
    sbuf_put(show->out, patch_text(&json));
    sbuf_putc(show->out, '\n');
}

/* --- text ------------------------------------------------------------------------------------ */

static struct str place_of(const struct show_bgp *show, const json_t *session)
{
    struct str address = tree_text(session, "address"), interface = tree_text(session, "interface");
    int64_t port = tree_int(session, "port");
    if (interface.len)
        return address.len ? arena_printf(show->scratch, STR_FMT "%%" STR_FMT, STR_ARG(address),
                                          STR_ARG(interface))
                           : interface;
    return port == BGP_PORT || port == 0 ? address
                                         : arena_printf(show->scratch, STR_FMT " port %lld",
                                                        STR_ARG(address), (long long)port);
}

static void put_session(const struct show_bgp *show, struct sheet *sheet,
                        const struct bgp_answer *answer, const json_t *session)
{
    sheet_put(sheet, answer->node);
    sheet_put(sheet, tree_text(session, "peer"));
    sheet_put(sheet, place_of(show, session));
    sheet_put(sheet, tree_text(session, "state"));
    sheet_put(sheet, tree_text(session, "since"));
    if (answer->written)
        sheet_put(sheet, STR(""));
    else
        sheet_put(sheet, arena_printf(show->scratch, "%lld of %lld",
                                      (long long)tree_int(session, "prefixes"),
                                      (long long)tree_int(session, "wanted")));
    sheet_put(sheet, tree_text(session, "bfd"));
    sheet_put(sheet, show_bgp_why(show, session));
}

static void sessions_text(const struct show_bgp *show)
{
    struct sheet sheet;
    sheet_begin(&sheet, "NODE|PEER|ADDRESS|STATE|SINCE|ROUTES|BFD|WHY NOT", show->scratch);
    for (size_t i = 0; i < show->count; i++) {
        const json_t *sessions = json_object_get(show->answers[i].tree, "sessions");
        for (size_t j = 0; j < json_array_size(sessions); j++)
            put_session(show, &sheet, &show->answers[i], json_array_get(sessions, j));
    }
    sheet_end(&sheet, show->out);
}

/* What is wrong on a node beside its sessions, a line each. */
static void put_complaints(const struct bgp_answer *answer, struct sbuf *notes)
{
    const json_t *bird = json_object_get(answer->tree, "bird");
    const json_t *findings = json_object_get(answer->tree, "findings");
    struct str refusal = tree_text(bird, "refusal"), extras = tree_text(bird, "extrasRefusal");
    if (json_array_size(json_object_get(answer->tree, "sessions")) == 0)
        sbuf_printf(notes, STR_FMT ": no session: %s\n", STR_ARG(answer->node),
                    tree_bool(answer->tree, "ready") ? "no BGPPeer selects this node"
                                                     : "its speaker has not planned yet");
    if (refusal.len)
        sbuf_printf(notes,
                    STR_FMT ": the last good configuration is in force, bird refuses the "
                            "newest: " STR_FMT "\n",
                    STR_ARG(answer->node), STR_ARG(refusal));
    if (extras.len)
        sbuf_printf(notes, STR_FMT ": bird refuses the ConfigMap bgpextras: " STR_FMT "\n",
                    STR_ARG(answer->node), STR_ARG(extras));
    if (tree_bool(bird, "bfdTaken"))
        sbuf_printf(notes, STR_FMT ": another program on the node gets the BFD packets\n",
                    STR_ARG(answer->node));
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        struct str field = tree_text(finding, "field");
        sbuf_printf(notes, STR_FMT ": " STR_FMT "%s" STR_FMT ": " STR_FMT "\n",
                    STR_ARG(answer->node), STR_ARG(tree_text(finding, "object")),
                    field.len ? " " : "", STR_ARG(field), STR_ARG(tree_text(finding, "message")));
    }
}

void show_bgp_sessions(const struct show_bgp *show)
{
    if (show->format == SHOW_JSON) {
        sessions_json(show);
        return;
    }
    scoped_sbuf struct sbuf notes = {0};
    sessions_text(show);
    for (size_t i = 0; i < show->count; i++) {
        if (show->answers[i].tree && !show->answers[i].written)
            put_complaints(&show->answers[i], &notes);
    }
    show_bgp_silent(show, &notes);
    show_bgp_notes(show, &notes);
}
