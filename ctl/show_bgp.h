/* What the speakers say of BGP, put together for all nodes, as text or as JSON. Pure; each appends
 * to `out`. A speaker's answer is read as it comes: what it does not have is shown as empty. */
#ifndef CTL_SHOW_BGP_H
#define CTL_SHOW_BGP_H

#include <jansson.h>

#include "ctl/show.h"

/* What one speaker answered to GET /api/v1/bgp. */
struct bgp_answer {
    struct str node;    /* its node, or the URL when that is all that is known */
    struct str url;     /* where it was asked */
    const json_t *tree; /* NULL: it has not answered */
    struct str error;   /* why not, a sentence */
    bool written;       /* tree is what it has written to the API server: sessions alone */
};

struct show_bgp {
    enum show_format format;
    const struct bgp_answer *answers;
    size_t count;
    struct arena *scratch;
    struct sbuf *out;
};

/* Every session: is it up, since when, why not; then what BIRD or a speaker complains of. */
void show_bgp_sessions(const struct show_bgp *show);

/* What each peer is sent, or that one alone when the name is not empty. False, with nothing shown,
 * when no answer has that peer. */
bool show_bgp_routes(const struct show_bgp *show, struct str peer);

/* Of a Service ("namespace/name"), or of all that have to do with an address or a prefix: for each
 * node and peer whether it is announced, and why. False when no answer knows one. */
bool show_bgp_explain(const struct show_bgp *show, struct str what);

/* --- shared by the files of this header ------------------------------------------------------ */

/* "localPref 150 communities 64512:1,64512:2 weight 3", of the attributes of a route and its weight
 * (0: none), in scratch. */
struct str show_bgp_attributes(const struct show_bgp *show, const json_t *attributes,
                               int64_t weight);

/* The session of an answer with that peer, or NULL. */
const json_t *show_bgp_session(const struct bgp_answer *answer, struct str peer);

/* "Socket: Connection refused (nothing takes …)", in scratch; empty for one that is up. */
struct str show_bgp_why(const struct show_bgp *show, const json_t *session);

/* Why a session is not up, a sentence in scratch: "the session is Connect since …: …". */
struct str show_bgp_down(const struct show_bgp *show, const json_t *session);

/* "namespace/name" of a Service of an answer, in scratch. */
struct str show_bgp_key(const struct show_bgp *show, const json_t *service);

/* Appends lines about speakers that have not answered. */
void show_bgp_silent(const struct show_bgp *show, struct sbuf *notes);
/* Shows notes, if there are any, behind a blank line. */
void show_bgp_notes(const struct show_bgp *show, const struct sbuf *notes);

#endif
