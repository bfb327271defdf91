#include "speaker/session_status.h"

#include "common/base/map.h"
#include "common/json/patch.h"
#include "crd/announced.h"
#include "crd/owner.h"

enum {
    NAME_MAX_LEN = 253, /* RFC 1123 subdomains, as the API server has it */
    TIME_DOUBT_S = 2, /* BIRD reckons back from now each time it tells, and the clock may be set */
};

struct str session_status_name(struct str peer, struct str node, struct arena *arena)
{
    struct str name = arena_printf(arena, STR_FMT "." STR_FMT, STR_ARG(peer), STR_ARG(node));
    return name.len <= NAME_MAX_LEN
               ? name
               : arena_printf(arena, "session-%016llx", (unsigned long long)map_hash(0, name));
}

static struct str state_of(const struct session_want *want)
{
    return want->up ? STR(BGPSESSION_UP) : STR(BGPSESSION_DOWN);
}

static bool same_time(int64_t a, int64_t b)
{
    return a - b <= TIME_DOUBT_S && b - a <= TIME_DOUBT_S;
}

bool session_status_shows(const struct object *shown, const struct session_want *want)
{
    if (!shown)
        return false;
    const struct bgpsessionstatus_status *status =
        &((const struct bgpsessionstatus *)shown)->status;
    return str_eq(status->node, want->node) && str_eq(status->peer, want->peer) &&
           str_eq(status->address, want->address) && str_eq(status->state, state_of(want)) &&
           str_eq(status->message, want->why) &&
           (!want->up || same_time(status->since, want->since));
}

struct str session_status_body(const struct session_want *want, struct arena *arena)
{
    const struct kind *kind = kinds_get(KIND_BGP_SESSION_STATUS);
    struct patch patch = {0};
    patch_open(&patch, NULL);
    patch_str(&patch, "apiVersion", kinds_api_version(kind, arena));
    patch_str(&patch, "kind", str_from(kind->name));
    patch_open(&patch, "metadata");
    patch_str(&patch, "name", session_status_name(want->peer, want->node, arena));
    patch_str(&patch, "namespace", want->namespace);
    patch_open(&patch, "labels");
    patch_str(&patch, ANNOUNCED_NODE, want->node);
    patch_close(&patch);
    owner_put(&patch, want->owner);
    patch_close(&patch);
    patch_open(&patch, "status");
    patch_str(&patch, "node", want->node);
    patch_str(&patch, "peer", want->peer);
    patch_str(&patch, "address", want->address);
    patch_str(&patch, "state", state_of(want));
    if (want->since)
        patch_time(&patch, "since", want->since);
    patch_str(&patch, "message", want->why);
    patch_close(&patch);
    patch_close(&patch);
    return patch_move(&patch, arena);
}
