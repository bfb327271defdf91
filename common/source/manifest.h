/* Manifest files: YAML or JSON text to the documents in it that are objects of ours.
 *
 * What kubectl would send to the API server is taken apart here in the same way: several documents
 * per file, `kind: List` unpacked, the namespace "default" where none is given, and for Services
 * the API server's own defaulting. A document that cannot be used is named by file and line, and
 * the others of its file are used. Pure. */
#ifndef COMMON_SOURCE_MANIFEST_H
#define COMMON_SOURCE_MANIFEST_H

#include <jansson.h>

#include "common/base/diag.h"
#include "crd/kinds.h"

/* Larger files are refused. */
#define MANIFEST_SIZE_MAX ((size_t)16 << 20)

struct manifest_object {
    const struct kind *kind;
    struct str namespace; /* empty when cluster-scoped */
    struct str name;      /* never empty */
    struct str origin;    /* "dir/file.yaml:12", and behind that "items[3]" in a List */
    json_t *tree;         /* defaulted; owned by the manifest */
};

struct manifest {
    struct arena *arena;
    VEC(struct manifest_object) objects; /* in the order of the text */
    struct diag_list findings;           /* each about an origin */
    /* At least one document is no object, or of a kind that is a mistake: an object seen in an
     * earlier version of the file may be the one that is broken now. */
    bool broken;
};

/* Reads a file's text. `file` is its name for people; one that ends in ".json" is read as JSON
 * (so that numbers and errors are JSON's), all else as YAML. Documents of kinds that are not ours
 * are left out: with a note, or with an error when their group is one of ours or when their name
 * is nearly that of one of ours. Never NULL. */
struct manifest *manifest_parse(struct str file, struct str text);

/* NULL is fine; returns NULL. */
struct manifest *manifest_free(struct manifest *manifest);
SCOPE_DEFINE(manifest, struct manifest, manifest_free)

/* Does a file of this name (without its directories) hold manifests? "*.yaml", "*.yml" and
 * "*.json", but not what editors leave beside them (".x.yaml.swp", "#x.yaml#", ".#x.yaml"). */
bool manifest_is_file(struct str name);

/* What the API server would fill into a Service that says no more than a person would write: type
 * ClusterIP, ports of protocol TCP, external traffic policy Cluster, SingleStack, and the families:
 * those of clusterIPs when there are some, else IPv4, and IPv6 behind it when the policy asks for
 * two. It gives no cluster IP, as there is nobody to serve one: whoever needs a Service's families
 * takes them from spec.ipFamilies when spec.clusterIPs is empty. */
void manifest_default_service(json_t *service);

#endif
