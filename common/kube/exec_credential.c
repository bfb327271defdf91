#include "common/kube/exec_credential.h"

#include <sodium.h>

#include "common/base/err.h"
#include "common/json/patch.h"
#include "common/json/rfc3339.h"
#include "common/kube/secret_tree.h"

static void put_cluster(struct patch *info, const struct kube_exec *exec,
                        const struct kube_config *config, struct arena *arena)
{
    patch_open(info, "cluster");
    patch_str(info, "server", config->server);
    if (config->tls_server_name.len)
        patch_str(info, "tls-server-name", config->tls_server_name);
    if (config->insecure)
        patch_bool(info, "insecure-skip-tls-verify", true);
    if (config->ca.len) {
        size_t room = sodium_base64_encoded_len(config->ca.len, sodium_base64_VARIANT_ORIGINAL);
        char *text = arena_array(arena, room, 1);
        (void)sodium_bin2base64(text, room, (const unsigned char *)config->ca.ptr, config->ca.len,
                                sodium_base64_VARIANT_ORIGINAL);
        patch_str(info, "certificate-authority-data", str_from(text));
    }
    if (exec->cluster_config.len)
        patch_raw(info, "config", exec->cluster_config);
    patch_close(info);
}

struct str exec_credential_info(const struct kube_exec *exec, const struct kube_config *config,
                                struct arena *arena)
{
    struct patch info = {0};
    patch_open(&info, NULL);
    patch_str(&info, "apiVersion", exec->api_version);
    patch_str(&info, "kind", STR("ExecCredential"));
    patch_open(&info, "spec");
    patch_bool(&info, "interactive", false);
    if (exec->provide_cluster_info)
        put_cluster(&info, exec, config, arena);
    patch_close(&info);
    patch_close(&info);
    return patch_move(&info, arena);
}

static int refuse(int result, const char *sentence, struct str *ret_error)
{
    *ret_error = str_from(sentence);
    return result;
}

static struct str text_of(const json_t *status, const char *key, struct arena *arena)
{
    return arena_str(arena, str_from(json_string_value(json_object_get(status, key))));
}

static int read_tree(const json_t *tree, struct str api_version, struct arena *arena,
                     struct exec_credential *ret, struct str *ret_error)
{
    const json_t *status = json_object_get(tree, "status");
    if (!str_eq(str_from(json_string_value(json_object_get(tree, "kind"))), STR("ExecCredential")))
        return refuse(ERR_SYNTAX, "the output is not an ExecCredential", ret_error);
    if (!str_eq(str_from(json_string_value(json_object_get(tree, "apiVersion"))), api_version))
        return refuse(ERR_PROTOCOL, "the output has another apiVersion than asked for", ret_error);
    struct exec_credential credential = {
        .token = text_of(status, "token", arena),
        .cert = text_of(status, "clientCertificateData", arena),
        .key = text_of(status, "clientKeyData", arena),
    };
    struct str expires = text_of(status, "expirationTimestamp", arena);
    if (expires.len && rfc3339_parse(expires, &credential.expires, NULL) < 0)
        return refuse(ERR_PROTOCOL, "expirationTimestamp is not a time", ret_error);
    if ((credential.cert.len > 0) != (credential.key.len > 0))
        return refuse(ERR_PROTOCOL, "a certificate without its key, or the reverse", ret_error);
    if (!credential.token.len && !credential.cert.len)
        return refuse(ERR_PROTOCOL, "neither a token nor a certificate was given", ret_error);
    *ret = credential;
    return 0;
}

int exec_credential_parse(struct str output, struct str api_version, struct arena *arena,
                          struct exec_credential *ret, struct str *ret_error)
{
    json_t *tree = json_loadb(output.ptr, output.len, JSON_REJECT_DUPLICATES, NULL);
    int result = tree ? read_tree(tree, api_version, arena, ret, ret_error)
                      : refuse(ERR_SYNTAX, "the output is not JSON", ret_error);
    secret_tree_free(tree);
    return result;
}
