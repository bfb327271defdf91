/* The two documents that go between us and a credential program (client.authentication.k8s.io). */
#ifndef COMMON_KUBE_EXEC_CREDENTIAL_H
#define COMMON_KUBE_EXEC_CREDENTIAL_H

#include "common/kube/kube_config.h"

/* What the program said. Texts are in the arena; empty: not given. */
struct exec_credential {
    struct str token;
    struct str cert, key; /* PEM */
    int64_t expires;      /* seconds since 1970; 0: never */
};

/* The value of KUBERNETES_EXEC_INFO for the program. */
struct str exec_credential_info(const struct kube_exec *exec, const struct kube_config *config,
                                struct arena *arena);

/* Reads the program's output. 0; ERR_SYNTAX (not an ExecCredential) or ERR_PROTOCOL (another
 * apiVersion than asked for, neither token nor certificate, a certificate without its key, or an
 * expiry that is no time), with a sentence without secrets in ret_error. */
int exec_credential_parse(struct str output, struct str api_version, struct arena *arena,
                          struct exec_credential *ret, struct str *ret_error)
    __attribute__((warn_unused_result));

#endif
