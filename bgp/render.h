/* A model as configuration for BIRD.
 *
 * Two files: the main one, which changes with peers, profiles and advertisements, and the routes,
 * which change with every Service. No text of a user's is written unless it is on a whitelist:
 * BIRD cannot escape anything. Pure. */
#ifndef BGP_RENDER_H
#define BGP_RENDER_H

#include "bgp/model.h"
#include "common/base/sbuf.h"

struct render_options {
    struct str routes; /* file that the main one includes; empty: the routes themselves */
    struct str extras; /* file that it includes at its end; empty: none */
};

/* Writes the main file. A session with a text that cannot be written is left out, with a finding.
 */
void render_main(const struct model *model, const struct render_options *options,
                 struct diag_list *found, struct sbuf *out);

/* Writes the routes. */
void render_routes(const struct model *model, struct sbuf *out);

#endif
