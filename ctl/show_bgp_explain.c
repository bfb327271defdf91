#include "common/json/patch.h"
#include "common/net/prefix.h"
#include "ctl/sheet.h"
#include "ctl/show_bgp.h"
#include "ctl/tree.h"

/* What is asked about. */
struct question {
    struct str key; /* a Service's; used unless there is a prefix */
    bool is_prefix;
    struct prefix prefix; /* of an address: the whole length */
};

/* What one node does for one peer with one prefix of a Service, or with all of them. */
struct verdict {
    struct str node, prefix, peer; /* the last two may be empty */
    const char *announced;         /* "yes", "no", "not known" */
    struct str why;                /* or with which attributes */
};

typedef VEC(struct verdict) verdicts;

static struct question read_question(struct str what)
{
    struct question question = {.key = what};
    struct ip ip;
    if (ip_parse(what, &ip) == 0) {
        question.prefix = prefix_of(&ip, ip.family == IP_V4 ? 32 : 128);
        question.is_prefix = true;
    } else if (prefix_parse(what, &question.prefix) == 0) {
        question.is_prefix = true;
    }
    return question;
}

/* Is one of the two within the other? */
static bool overlap(const struct prefix *a, const struct prefix *b)
{
    return prefix_contains(a, &b->base) || prefix_contains(b, &a->base);
}

static bool is_about(const struct show_bgp *show, const struct question *question,
                     const json_t *service)
{
    static const char *const lists[] = {"ips", "prefixes"};
    if (!question->is_prefix)
        return str_eq(show_bgp_key(show, service), question->key);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const json_t *list = json_object_get(service, lists[i]);
        for (size_t j = 0; j < json_array_size(list); j++) {
            struct question one = read_question(tree_of(json_array_get(list, j)));
            if (one.is_prefix && overlap(&one.prefix, &question->prefix))
                return true;
        }
    }
    return false;
}

static const json_t *find_service(const struct show_bgp *show, const struct bgp_answer *answer,
                                  struct str key)
{
    const json_t *services = json_object_get(answer->tree, "services");
    for (size_t i = 0; i < json_array_size(services); i++) {
        if (str_eq(show_bgp_key(show, json_array_get(services, i)), key))
            return json_array_get(services, i);
    }
    return NULL;
}

/* --- why ------------------------------------------------------------------------------------- */

/* What a peer gets with a prefix; NULL: nothing. ret_weight: of the prefix, 0: none. */
static const json_t *find_export(const struct bgp_answer *answer, struct str prefix,
                                 struct str peer, int64_t *ret_weight)
{
    const json_t *classes = json_object_get(answer->tree, "routes");
    for (size_t i = 0; i < json_array_size(classes); i++) {
        const json_t *class = json_array_get(classes, i);
        const json_t *peers = json_object_get(class, "peers");
        size_t at = tree_find(json_object_get(class, "prefixes"), prefix);
        if (at == json_array_size(json_object_get(class, "prefixes")))
            continue;
        *ret_weight = json_integer_value(json_array_get(json_object_get(class, "weights"), at));
        for (size_t j = 0; j < json_array_size(peers); j++) {
            if (str_eq(tree_text(json_array_get(peers, j), "peer"), peer))
                return json_array_get(peers, j);
        }
    }
    return NULL;
}

static struct verdict judge(const struct show_bgp *show, const struct bgp_answer *answer,
                            struct str prefix, const json_t *session)
{
    struct verdict verdict = {.node = answer->node,
                              .prefix = prefix,
                              .peer = tree_text(session, "peer"),
                              .announced = "no"};
    int64_t weight = 0;
    const json_t *export = find_export(answer, prefix, verdict.peer, &weight);
    bool v6 = str_contains(prefix, STR(":"));
    if (!export) {
        verdict.why = STR("no BGPAdvertisement of it is for this peer (spec.peers)");
    } else if (!tree_bool(export, v6 ? "ipv6" : "ipv4")) {
        verdict.why = v6 ? STR("the session does not carry IPv6")
                         : STR("the session does not carry "
                               "IPv4");
    } else if (!tree_bool(session, "up")) {
        verdict.why = show_bgp_down(show, session);
    } else {
        verdict.announced = "yes";
        verdict.why = show_bgp_attributes(show, json_object_get(export, "attributes"), weight);
    }
    return verdict;
}

static void judge_node(const struct show_bgp *show, const struct bgp_answer *answer, struct str key,
                       verdicts *list)
{
    struct verdict none = {.node = answer->node, .announced = "no"};
    const json_t *service = find_service(show, answer, key);
    const json_t *sessions = json_object_get(answer->tree, "sessions");
    const json_t *prefixes = json_object_get(service, "prefixes");
    if (!answer->tree) {
        none.announced = "not known";
        none.why = arena_printf(show->scratch, "its speaker does not answer: " STR_FMT,
                                STR_ARG(answer->error));
    } else if (!service) {
        none.why = STR("its speaker does not know the Service");
    } else if (!tree_bool(service, "announced")) {
        none.why =
            arena_printf(show->scratch, STR_FMT ": " STR_FMT, STR_ARG(tree_text(service, "reason")),
                         STR_ARG(tree_text(service, "message")));
    } else if (json_array_size(sessions) == 0) {
        none.why = STR("no BGPPeer selects this node");
    }
    if (none.why.len)
        vec_push(list, none);
    for (size_t i = 0; !none.why.len && i < json_array_size(prefixes); i++) {
        for (size_t j = 0; j < json_array_size(sessions); j++)
            vec_push(list, judge(show, answer, tree_of(json_array_get(prefixes, i)),
                                 json_array_get(sessions, j)));
    }
}

/* --- showing --------------------------------------------------------------------------------- */

static void put_ips(const struct show_bgp *show, struct str key, struct patch *json)
{
    const json_t *ips = NULL;
    for (size_t i = 0; !ips && i < show->count; i++)
        ips = json_object_get(find_service(show, &show->answers[i], key), "ips");
    if (json)
        patch_list(json, "ips");
    for (size_t i = 0; i < json_array_size(ips); i++) {
        struct str ip = tree_of(json_array_get(ips, i));
        if (json)
            patch_str(json, NULL, ip);
        else
            sbuf_printf(show->out, "%s" STR_FMT, i ? ", " : ": ", STR_ARG(ip));
    }
    if (json)
        patch_close(json);
}

static void service_json(const struct show_bgp *show, struct str key, const verdicts *list,
                         struct patch *json)
{
    patch_open(json, NULL);
    patch_str(json, "service", key);
    put_ips(show, key, json);
    patch_list(json, "verdicts");
    for (size_t i = 0; i < list->len; i++) {
        const struct verdict *verdict = &list->items[i];
        patch_open(json, NULL);
        patch_str(json, "node", verdict->node);
        patch_str(json, "prefix", verdict->prefix);
        patch_str(json, "peer", verdict->peer);
        patch_str(json, "announced", str_from(verdict->announced));
        patch_str(json, "why", verdict->why);
        patch_close(json);
    }
    patch_close(json);
    patch_close(json);
}

static void service_text(const struct show_bgp *show, struct str key, const verdicts *list)
{
    struct sheet sheet;
    sbuf_printf(show->out, "%sService " STR_FMT, show->out->len ? "\n" : "", STR_ARG(key));
    put_ips(show, key, NULL);
    sbuf_putc(show->out, '\n');
    sheet_begin(&sheet, "NODE|PREFIX|PEER|ANNOUNCED|WHY, OR HOW", show->scratch);
    for (size_t i = 0; i < list->len; i++) {
        const struct verdict *verdict = &list->items[i];
        sheet_put(&sheet, verdict->node);
        sheet_put(&sheet, verdict->prefix);
        sheet_put(&sheet, verdict->peer);
        sheet_put(&sheet, str_from(verdict->announced));
        sheet_put(&sheet, verdict->why);
    }
    sheet_end(&sheet, show->out);
}

/* The Services that the question is about, by the answers of all nodes, sorted, each once. */
static struct str_list find_services(const struct show_bgp *show, const struct question *question)
{
    VEC(struct str) found = {0};
    for (size_t i = 0; i < show->count; i++) {
        const json_t *services = json_object_get(show->answers[i].tree, "services");
        for (size_t j = 0; j < json_array_size(services); j++) {
            if (is_about(show, question, json_array_get(services, j)))
                vec_push(&found, show_bgp_key(show, json_array_get(services, j)));
        }
    }
    vec_sort(&found, str_cmp_ptr);
    struct str_list keys = {.items = arena_array(show->scratch, found.len, sizeof(struct str))};
    for (size_t i = 0; i < found.len; i++) {
        if (i == 0 || !str_eq(found.items[i - 1], found.items[i]))
            keys.items[keys.count++] = found.items[i];
    }
    vec_done(&found);
    return keys;
}

bool show_bgp_explain(const struct show_bgp *show, struct str what)
{
    struct question question = read_question(what);
    struct str_list keys = find_services(show, &question);
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_list(&json, "services");
    for (size_t i = 0; i < keys.count; i++) {
        verdicts list = {0};
        for (size_t j = 0; j < show->count; j++)
            judge_node(show, &show->answers[j], keys.items[i], &list);
        if (show->format == SHOW_JSON)
            service_json(show, keys.items[i], &list, &json);
        else
            service_text(show, keys.items[i], &list);
        vec_done(&list);
    }
    patch_close(&json);
    patch_close(&json);
    if (keys.count && show->format == SHOW_JSON) {
        sbuf_put(show->out, patch_text(&json));
        sbuf_putc(show->out, '\n');
    }
    return keys.count > 0;
}
