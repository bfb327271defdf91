/* The configuration in force for this node: pools, advertisements, peers, profiles, communities.
 *
 * Objects are judged one by one (crd/validate.h), as the controller judges them: what is refused is
 * left out by itself. An object that was in force and is refused now stays in its last good version
 * for as long as it is refused, so that a typing error withdraws nothing; what it refers to and has
 * gone (a profile, a community, a password's Secret) counts in its last good version as well, so
 * that making such a thing anew takes nothing down. The findings tell all of it. Pure. */
#ifndef SPEAKER_CONFIG_H
#define SPEAKER_CONFIG_H

#include "crd/validate.h"

struct config;

struct config *config_new(void);
struct config *config_free(struct config *config);
SCOPE_DEFINE(config, struct config, config_free)

/* Judges all objects there are of the kinds of configuration, and of those that they look at: Nodes
 * and Secrets. Lists by kind, each sorted by key. namespace: ours; configuration elsewhere is
 * refused; empty: it may be anywhere. */
void config_build(struct config *config, const struct objects of[KIND_COUNT], struct str namespace);

/* What is in force, sorted by key; borrowed until the next build. */
const struct objects *config_pools(const struct config *config);
const struct objects *config_advertisements(const struct config *config);

/* All of it, and the Secrets that peers take their passwords from; borrowed until the next build.
 */
const struct validated *config_validated(const struct config *config);

/* The findings of the last build; borrowed until the next. */
const struct diag_list *config_findings(const struct config *config);

#endif
