/* Any bytes as a kubeconfig, and as what a credential program prints. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "common/kube/exec_credential.h"
#include "common/kube/kube_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str text = {(const char *)data, size}, error = {0};
    struct kube_config config;
    if (kube_config_parse(text, STR(""), STR("/etc"), arena, &config, &error) < 0)
        assert(error.len);
    else {
        assert(kube_config_server_ok(config.server));
        if (config.exec) {
            struct str info = exec_credential_info(config.exec, &config, arena);
            json_t *tree = json_loadb(info.ptr, info.len, 0, NULL);
            assert(tree);
            json_decref(tree);
        }
    }
    struct exec_credential credential;
    if (exec_credential_parse(text, STR("client.authentication.k8s.io/v1"), arena, &credential,
                              &error) == 0)
        assert(credential.token.len || (credential.cert.len && credential.key.len));
    return 0;
}
