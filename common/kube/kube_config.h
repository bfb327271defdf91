/* kubeconfig files: text to what is needed to talk to one cluster. Pure: files that it names are
 * read by auth.h. */
#ifndef COMMON_KUBE_KUBE_CONFIG_H
#define COMMON_KUBE_KUBE_CONFIG_H

#include <stdbool.h>

#include "common/json/fields.h"

/* A program that gives credentials (client.authentication.k8s.io/v1 or v1beta1). */
struct kube_exec {
    struct str api_version, command; /* found by PATH unless it has a slash */
    struct str_list args;
    struct list env; /* struct str_pair, added to our environment */
    struct str install_hint;
    bool provide_cluster_info; /* tell it about the cluster */
    struct str cluster_config; /* JSON for it (extension client.authentication.k8s.io/exec) */
};

/* PEM text and secrets may be given in place or by file; what is given in place wins, except that
 * token_file wins over token. Empty: not given. */
struct kube_config {
    struct str server;          /* "https://host:port/prefix", no slash at the end */
    struct str tls_server_name; /* name to verify instead of the URL's */
    bool insecure;              /* do not verify the server: only when the file says so */
    struct str ca, ca_file;
    struct str cert, cert_file;
    struct str key, key_file;
    struct str token, token_file;
    struct str username, password;
    const struct kube_exec *exec; /* NULL: none */
    struct str context, namespace;
};

/* Reads the text of a kubeconfig (YAML or JSON). context is the name of the one to use; empty:
 * current-context. Relative file names are relative to `directory` (of the kubeconfig). All texts
 * are in the arena. 0; or ERR_SYNTAX (not a kubeconfig), -ENOENT (no such context, cluster or
 * user), -EINVAL (contradicting or missing values), -ENOTSUP (something that we do not do: proxies,
 * auth-provider, impersonation), with a sentence in ret_error (arena). */
int kube_config_parse(struct str text, struct str context, struct str directory,
                      struct arena *arena, struct kube_config *ret, struct str *ret_error)
    __attribute__((warn_unused_result));

/* Is this a URL of an API server: http or https, a host, perhaps a port and a path; no user, query
 * or fragment? */
bool kube_config_server_ok(struct str url);

#endif
