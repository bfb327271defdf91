#include <errno.h>

#include "common/base/err.h"
#include "common/base/test.h"
#include "common/kube/exec_credential.h"
#include "common/kube/kube_config.h"

#define FILE_HEAD                                                               \
    "apiVersion: v1\nkind: Config\ncurrent-context: a\n"                        \
    "contexts:\n- {name: a, context: {cluster: c, user: u, namespace: shop}}\n" \
    "- {name: b, context: {cluster: c2}}\n"
#define CLUSTERS "clusters:\n- {name: c, cluster: {server: 'https://192.0.2.1:6443/'}}\n"

static void test_whole_file(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct kube_config config;
    struct str error = {0};
    static const char text[] = FILE_HEAD
        "clusters:\n"
        "- name: c\n"
        "  cluster:\n"
        "    server: https://api.example.net:6443/k8s/c1/\n"
        "    tls-server-name: api\n"
        "    certificate-authority-data: |\n      Q0Eg\n      UEVN\n"
        "    extensions:\n"
        "    - name: client.authentication.k8s.io/exec\n"
        "      extension: {audience: x}\n"
        "- {name: c2, cluster: {server: 'http://127.0.0.1:8001', insecure-skip-tls-verify: true}}\n"
        "users:\n"
        "- name: u\n"
        "  user:\n"
        "    client-certificate: pki/me.crt\n"
        "    client-key: /etc/me.key\n"
        "    client-key-data: S0VZ\n"
        "    tokenFile: token\n"
        "    exec:\n"
        "      apiVersion: client.authentication.k8s.io/v1\n"
        "      command: ./bin/login\n"
        "      args: [--for, me]\n"
        "      env: [{name: A, value: b}]\n"
        "      provideClusterInfo: true\n"
        "      interactiveMode: IfAvailable\n";
    CU_ASSERT_EQUAL_FATAL(
        kube_config_parse(str_from(text), STR(""), STR("/etc/kube"), arena, &config, &error), 0);
    TEST_STR(config.context, "a");
    TEST_STR(config.namespace, "shop");
    TEST_STR(config.server, "https://api.example.net:6443/k8s/c1");
    TEST_STR(config.tls_server_name, "api");
    TEST_STR(config.ca, "CA PEM");
    TEST_STR(config.cert_file, "/etc/kube/pki/me.crt");
    TEST_STR(config.key_file, "/etc/me.key");
    TEST_STR(config.key, "KEY");
    TEST_STR(config.token_file, "/etc/kube/token");
    CU_ASSERT(!config.insecure);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config.exec);
    TEST_STR(config.exec->command, "/etc/kube/./bin/login");
    CU_ASSERT_EQUAL(config.exec->args.count, 2);
    TEST_STR(config.exec->args.items[1], "me");
    CU_ASSERT_EQUAL(config.exec->env.count, 1);
    TEST_STR(exec_credential_info(config.exec, &config, arena),
             "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
             "\"spec\":{\"interactive\":false,\"cluster\":{\"server\":"
             "\"https://api.example.net:6443/k8s/c1\",\"tls-server-name\":\"api\","
             "\"certificate-authority-data\":\"Q0EgUEVN\",\"config\":{\"audience\":\"x\"}}}}");
    CU_ASSERT_EQUAL_FATAL(
        kube_config_parse(str_from(text), STR("b"), STR(""), arena, &config, &error), 0);
    TEST_STR(config.server, "http://127.0.0.1:8001");
    CU_ASSERT(config.insecure);
    CU_ASSERT_PTR_NULL(config.exec);
}

static void test_refusals(void)
{
    static const struct {
        const char *text, *context;
        int want;
        const char *sentence;
    } cases[] = {
        {"", "", ERR_SYNTAX, "not one YAML document"},
        {"a: [", "", ERR_SYNTAX,
         "line 2: did not find expected node content while parsing a flow node"},
        {"- 1\n", "", ERR_SYNTAX, "not a kubeconfig"},
        {"kind: Service\n", "", ERR_SYNTAX, "not a kubeconfig"},
        {"kind: Config\n", "", -ENOENT, "current-context is not set"},
        {FILE_HEAD, "", -ENOENT, "there is no cluster \"c\""},
        {FILE_HEAD CLUSTERS, "zz", -ENOENT, "there is no context \"zz\""},
        {FILE_HEAD CLUSTERS, "", -ENOENT, "there is no user \"u\""},
        {FILE_HEAD "clusters: [{name: c, cluster: {server: 'ftp://x'}}]\n", "", -EINVAL,
         "server is not the URL of an API server"},
        {FILE_HEAD "clusters: [{name: c, cluster: {server: 'https://u:p@x'}}]\n", "", -EINVAL,
         "server is not the URL of an API server"},
        {FILE_HEAD "clusters: [{name: c, cluster: {server: 'https://x', proxy-url: 'http://y'}}]\n",
         "", -ENOTSUP, "proxy-url is not supported"},
        {FILE_HEAD "clusters: [{name: c, cluster: {server: 'https://x', "
                   "insecure-skip-tls-verify: true, certificate-authority: ca}}]\n",
         "", -EINVAL, "certificate-authority and insecure-skip-tls-verify contradict each other"},
        {FILE_HEAD "clusters: [{name: c, cluster: {server: 'https://x', "
                   "certificate-authority-data: '%%'}}]\n",
         "", -EINVAL, "certificate-authority-data is not base64"},
        {FILE_HEAD CLUSTERS "users: [{name: u, user: {auth-provider: {name: gcp}}}]\n", "",
         -ENOTSUP, "auth-provider is not supported, use exec"},
        {FILE_HEAD CLUSTERS "users: [{name: u, user: {as: root}}]\n", "", -ENOTSUP,
         "impersonation (as) is not supported"},
        {FILE_HEAD CLUSTERS "users: [{name: u, user: {client-certificate: c}}]\n", "", -EINVAL,
         "client-certificate and client-key must be given together"},
        {FILE_HEAD CLUSTERS "users: [{name: u, user: {exec: {apiVersion: v1, command: x}}}]\n", "",
         -ENOTSUP, "exec: apiVersion is not supported"},
        {FILE_HEAD CLUSTERS "users: [{name: u, user: {exec: {apiVersion: "
                            "client.authentication.k8s.io/v1}}}]\n",
         "", -EINVAL, "exec: command is missing"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct kube_config config;
        struct str error = {0};
        int got = kube_config_parse(str_from(cases[i].text), str_from(cases[i].context), STR("/d"),
                                    arena, &config, &error);
        TEST_STR(error, cases[i].sentence);
        CU_ASSERT_EQUAL(got, cases[i].want);
    }
}

static void test_servers(void)
{
    static const struct {
        const char *url;
        bool want;
    } cases[] = {
        {"https://192.0.2.1", true},
        {"https://[2001:db8::1]:6443", true},
        {"http://localhost:8001/x", true},
        {"https://", false},
        {"https:///x", false},
        {"https://:6443", false},
        {"https://a b", false},
        {"https://a?b", false},
        {"https://a#b", false},
        {"192.0.2.1:6443", false},
        {"https://a\nHost: b", false},
        {"file:///etc/passwd", false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        CU_ASSERT_EQUAL(kube_config_server_ok(str_from(cases[i].url)), cases[i].want);
}

static void test_credentials(void)
{
#define EC "{\"kind\":\"ExecCredential\",\"apiVersion\":\"v\",\"status\":"
    static const struct {
        const char *output;
        int want;
        const char *error, *token;
        int64_t expires;
    } cases[] = {
        {EC "{\"token\":\"t\"}}", 0, "", "t", 0},
        {EC "{\"token\":\"t\",\"expirationTimestamp\":\"1970-01-01T00:01:00Z\"}}", 0, "", "t", 60},
        {EC "{\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\"}}", 0, "", "", 0},
        {EC "{\"clientCertificateData\":\"c\"}}", ERR_PROTOCOL,
         "a certificate without its key, or the reverse", "", 0},
        {EC "{}}", ERR_PROTOCOL, "neither a token nor a certificate was given", "", 0},
        {EC "{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}}", ERR_PROTOCOL,
         "expirationTimestamp is not a time", "", 0},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"w\"}", ERR_PROTOCOL,
         "the output has another apiVersion than asked for", "", 0},
        {"[]", ERR_SYNTAX, "the output is not an ExecCredential", "", 0},
        {"secret", ERR_SYNTAX, "the output is not JSON", "", 0},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct exec_credential credential = {0};
        struct str error = {0};
        CU_ASSERT_EQUAL(
            exec_credential_parse(str_from(cases[i].output), STR("v"), arena, &credential, &error),
            cases[i].want);
        TEST_STR(error, cases[i].error);
        TEST_STR(credential.token, cases[i].token);
        CU_ASSERT_EQUAL(credential.expires, cases[i].expires);
    }
}

TEST_MAIN("common/kube config", TEST(test_whole_file), TEST(test_refusals), TEST(test_servers),
          TEST(test_credentials))
