#include "common/kube/kube_config.h"

#include <errno.h>
#include <sodium.h>

#include "common/base/err.h"
#include "common/json/yaml.h"
#include "common/kube/secret_tree.h"

/* The file's own structs, filled by tables. */
struct cluster {
    struct str server, tls_server_name, ca_file, ca_data, proxy_url;
    bool insecure;
    struct list extensions; /* struct extension */
};

struct extension {
    struct str name, value; /* JSON */
};

struct user {
    struct str cert_file, cert_data, key_file, key_data, token, token_file, username, password;
    struct str impersonate, auth_provider;
    struct exec_entry *exec;
};

struct exec_entry {
    struct kube_exec exec;
    struct str interactive_mode;
};

struct context {
    struct str cluster, user, namespace;
};

struct file {
    struct str kind, current_context;
    struct list clusters, users, contexts;
};

static const struct field extension_fields[] = {
    {.name = "name", .type = FIELD_STR, .offset = offsetof(struct extension, name)},
    {.name = "extension", .type = FIELD_RAW, .offset = offsetof(struct extension, value)},
};
static const struct shape extension_shape = SHAPE(struct extension, extension_fields, 0);

#define CLUSTER_ROW(key, kind, member)                                            \
    {                                                                             \
        .name = (key), .type = (kind), .offset = offsetof(struct cluster, member) \
    }
static const struct field cluster_fields[] = {
    CLUSTER_ROW("server", FIELD_STR, server),
    CLUSTER_ROW("tls-server-name", FIELD_STR, tls_server_name),
    CLUSTER_ROW("certificate-authority", FIELD_STR, ca_file),
    CLUSTER_ROW("certificate-authority-data", FIELD_STR, ca_data),
    CLUSTER_ROW("proxy-url", FIELD_STR, proxy_url),
    CLUSTER_ROW("insecure-skip-tls-verify", FIELD_BOOL, insecure),
    {.name = "extensions",
     .type = FIELD_LIST,
     .offset = offsetof(struct cluster, extensions),
     .nested = &extension_shape},
};
static const struct shape cluster_shape = SHAPE(struct cluster, cluster_fields, 0);

static const struct field env_fields[] = {
    {.name = "name",
     .type = FIELD_STR,
     .offset = offsetof(struct str_pair, key),
     .flags = FIELD_REQUIRED},
    {.name = "value", .type = FIELD_STR, .offset = offsetof(struct str_pair, value)},
};
static const struct shape env_shape = SHAPE(struct str_pair, env_fields, 0);

#define EXEC_ROW(key, kind, member)                                                  \
    {                                                                                \
        .name = (key), .type = (kind), .offset = offsetof(struct exec_entry, member) \
    }
static const struct field exec_fields[] = {
    EXEC_ROW("apiVersion", FIELD_STR, exec.api_version),
    EXEC_ROW("command", FIELD_STR, exec.command),
    EXEC_ROW("args", FIELD_STR_LIST, exec.args),
    {.name = "env",
     .type = FIELD_LIST,
     .offset = offsetof(struct exec_entry, exec.env),
     .nested = &env_shape},
    EXEC_ROW("installHint", FIELD_STR, exec.install_hint),
    EXEC_ROW("provideClusterInfo", FIELD_BOOL, exec.provide_cluster_info),
    EXEC_ROW("interactiveMode", FIELD_STR, interactive_mode),
};
static const struct shape exec_shape = SHAPE(struct exec_entry, exec_fields, 0);

#define USER_ROW(key, kind, member)                                            \
    {                                                                          \
        .name = (key), .type = (kind), .offset = offsetof(struct user, member) \
    }
static const struct field user_fields[] = {
    USER_ROW("client-certificate", FIELD_STR, cert_file),
    USER_ROW("client-certificate-data", FIELD_STR, cert_data),
    USER_ROW("client-key", FIELD_STR, key_file),
    USER_ROW("client-key-data", FIELD_STR, key_data),
    USER_ROW("token", FIELD_STR, token),
    USER_ROW("tokenFile", FIELD_STR, token_file),
    USER_ROW("username", FIELD_STR, username),
    USER_ROW("password", FIELD_STR, password),
    USER_ROW("as", FIELD_STR, impersonate),
    USER_ROW("auth-provider", FIELD_RAW, auth_provider),
    {.name = "exec",
     .type = FIELD_POINTER,
     .offset = offsetof(struct user, exec),
     .nested = &exec_shape},
};
static const struct shape user_shape = SHAPE(struct user, user_fields, 0);

#define CONTEXT_ROW(key, member)                                                     \
    {                                                                                \
        .name = (key), .type = FIELD_STR, .offset = offsetof(struct context, member) \
    }
static const struct field context_fields[] = {
    CONTEXT_ROW("cluster", cluster),
    CONTEXT_ROW("user", user),
    CONTEXT_ROW("namespace", namespace),
};
static const struct shape context_shape = SHAPE(struct context, context_fields, 0);

/* The entries of the file's lists: {"name": …, "cluster": {…}} and so on. */
#define ENTRY(what)                                     \
    struct what##_entry {                               \
        struct str name;                                \
        struct what what;                               \
    };                                                  \
    static const struct field what##_entry_fields[] = { \
        {.name = "name",                                \
         .type = FIELD_STR,                             \
         .offset = offsetof(struct what##_entry, name), \
         .flags = FIELD_REQUIRED},                      \
        {.name = #what,                                 \
         .type = FIELD_OBJECT,                          \
         .offset = offsetof(struct what##_entry, what), \
         .nested = &what##_shape},                      \
    };                                                  \
    static const struct shape what##_entry_shape =      \
        SHAPE(struct what##_entry, what##_entry_fields, 0)
ENTRY(cluster);
ENTRY(user);
ENTRY(context);

static const struct field file_fields[] = {
    {.name = "kind", .type = FIELD_STR, .offset = offsetof(struct file, kind)},
    {.name = "current-context",
     .type = FIELD_STR,
     .offset = offsetof(struct file, current_context)},
    {.name = "clusters",
     .type = FIELD_LIST,
     .offset = offsetof(struct file, clusters),
     .nested = &cluster_entry_shape},
    {.name = "users",
     .type = FIELD_LIST,
     .offset = offsetof(struct file, users),
     .nested = &user_entry_shape},
    {.name = "contexts",
     .type = FIELD_LIST,
     .offset = offsetof(struct file, contexts),
     .nested = &context_entry_shape},
};
static const struct shape file_shape = SHAPE(struct file, file_fields, 0);

/* What the steps below share. */
struct reading {
    struct arena *arena;
    struct str directory;
    struct kube_config *config;
    struct str error;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct reading *reading, int result,
                                                        const char *format, ...)
{
    struct sbuf text = {0};
    va_list args;
    va_start(args, format);
    sbuf_vprintf(&text, format, args);
    va_end(args);
    reading->error = sbuf_move(&text, reading->arena);
    return result;
}

/* The entry of that name in a list whose structs start with their name; NULL when there is none. */
static const void *find_entry(const struct list *list, size_t size, struct str name)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct str *entry = (const void *)((const char *)list->items + i * size);
        if (str_eq(*entry, name))
            return entry;
    }
    return NULL;
}

static struct str joined(struct reading *reading, struct str file)
{
    if (!file.len || file.ptr[0] == '/' || !reading->directory.len)
        return file;
    return arena_printf(reading->arena, STR_FMT "/" STR_FMT, STR_ARG(reading->directory),
                        STR_ARG(file));
}

/* Base64 as in the file's "-data" fields; blanks are passed over. */
static int decode_data(struct reading *reading, const char *field, struct str text, struct str *ret)
{
    if (!text.len)
        return 0;
    char *bytes = arena_array(reading->arena, text.len, 1);
    size_t len;
    const char *end;
    if (sodium_base642bin((unsigned char *)bytes, text.len, text.ptr, text.len, " \r\n\t", &len,
                          &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text.ptr + text.len)
        return refuse(reading, -EINVAL, "%s is not base64", field);
    *ret = (struct str){bytes, len};
    return 0;
}

bool kube_config_server_ok(struct str url)
{
    struct str rest = url;
    if (str_starts_with(url, STR("https://")))
        rest = str_slice(url, 8, url.len);
    else if (str_starts_with(url, STR("http://")))
        rest = str_slice(url, 7, url.len);
    else
        return false;
    for (size_t i = 0; i < rest.len; i++) {
        unsigned char c = (unsigned char)rest.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '@' || c == '?' || c == '#' || c == '\\')
            return false;
    }
    return rest.len > 0 && rest.ptr[0] != '/' && rest.ptr[0] != ':';
}

static int take_cluster(struct reading *reading, const struct cluster *cluster)
{
    struct kube_config *config = reading->config;
    if (cluster->proxy_url.len)
        return refuse(reading, -ENOTSUP, "proxy-url is not supported");
    struct str server = str_trim(cluster->server);
    while (server.len && server.ptr[server.len - 1] == '/')
        server.len--;
    if (!kube_config_server_ok(server))
        return refuse(reading, -EINVAL, "server is not the URL of an API server");
    config->server = server;
    config->tls_server_name = cluster->tls_server_name;
    config->insecure = cluster->insecure;
    config->ca_file = joined(reading, cluster->ca_file);
    int ret = decode_data(reading, "certificate-authority-data", cluster->ca_data, &config->ca);
    if (ret < 0)
        return ret;
    if (config->insecure && (config->ca.len || config->ca_file.len))
        return refuse(reading, -EINVAL,
                      "certificate-authority and insecure-skip-tls-verify contradict each other");
    return 0;
}

static int take_exec(struct reading *reading, const struct exec_entry *entry,
                     const struct cluster *cluster)
{
    struct kube_exec *exec = arena_alloc(reading->arena, sizeof(*exec));
    *exec = entry->exec;
    if (!str_eq(exec->api_version, STR("client.authentication.k8s.io/v1")) &&
        !str_eq(exec->api_version, STR("client.authentication.k8s.io/v1beta1")))
        return refuse(reading, -ENOTSUP, "exec: apiVersion is not supported");
    if (!exec->command.len)
        return refuse(reading, -EINVAL, "exec: command is missing");
    if (str_eq(entry->interactive_mode, STR("Always")))
        return refuse(reading, -ENOTSUP, "exec: interactiveMode Always needs a terminal");
    if (exec->command.ptr[0] != '/' && str_find(exec->command, '/') < exec->command.len)
        exec->command = joined(reading, exec->command);
    const struct extension *extensions = cluster->extensions.items;
    for (size_t i = 0; i < cluster->extensions.count; i++)
        if (str_eq(extensions[i].name, STR("client.authentication.k8s.io/exec")))
            exec->cluster_config = extensions[i].value;
    reading->config->exec = exec;
    return 0;
}

static int take_user(struct reading *reading, const struct user *user,
                     const struct cluster *cluster)
{
    struct kube_config *config = reading->config;
    if (user->auth_provider.len)
        return refuse(reading, -ENOTSUP, "auth-provider is not supported, use exec");
    if (user->impersonate.len)
        return refuse(reading, -ENOTSUP, "impersonation (as) is not supported");
    config->cert_file = joined(reading, user->cert_file);
    config->key_file = joined(reading, user->key_file);
    config->token = user->token;
    config->token_file = joined(reading, user->token_file);
    config->username = user->username;
    config->password = user->password;
    int ret = decode_data(reading, "client-certificate-data", user->cert_data, &config->cert);
    if (ret == 0)
        ret = decode_data(reading, "client-key-data", user->key_data, &config->key);
    if (ret < 0)
        return ret;
    if ((config->cert.len || config->cert_file.len) != (config->key.len || config->key_file.len))
        return refuse(reading, -EINVAL, "client-certificate and client-key must be given together");
    return user->exec ? take_exec(reading, user->exec, cluster) : 0;
}

static int take_context(struct reading *reading, const struct file *file, struct str wanted)
{
    struct str name = wanted.len ? wanted : file->current_context;
    if (!name.len)
        return refuse(reading, -ENOENT, "current-context is not set");
    const struct context_entry *context = find_entry(&file->contexts, sizeof(*context), name);
    if (!context)
        return refuse(reading, -ENOENT, "there is no context \"" STR_FMT "\"", STR_ARG(name));
    const struct cluster_entry *cluster =
        find_entry(&file->clusters, sizeof(*cluster), context->context.cluster);
    if (!cluster)
        return refuse(reading, -ENOENT, "there is no cluster \"" STR_FMT "\"",
                      STR_ARG(context->context.cluster));
    reading->config->context = name;
    reading->config->namespace = context->context.namespace;
    int ret = take_cluster(reading, &cluster->cluster);
    if (ret < 0)
        return ret;
    static const struct user_entry nobody;
    const struct user_entry *user = &nobody;
    if (context->context.user.len)
        user = find_entry(&file->users, sizeof(*user), context->context.user);
    if (!user)
        return refuse(reading, -ENOENT, "there is no user \"" STR_FMT "\"",
                      STR_ARG(context->context.user));
    return take_user(reading, &user->user, &cluster->cluster);
}

/* The one document of the text as a tree, which the caller frees. */
static json_t *read_tree(struct reading *reading, struct str text)
{
    struct yaml_documents documents = yaml_parse(text, reading->arena);
    json_t *tree = NULL;
    if (documents.list.len != 1)
        (void)refuse(reading, 0, "not one YAML document");
    else if (!documents.list.items[0].tree)
        (void)refuse(reading, 0, "line %zu: " STR_FMT, documents.list.items[0].error_line,
                     STR_ARG(documents.list.items[0].error));
    else if (!json_is_object(documents.list.items[0].tree))
        (void)refuse(reading, 0, "not a kubeconfig");
    else
        tree = json_incref(documents.list.items[0].tree);
    yaml_done(&documents);
    return tree;
}

static int read_file(struct reading *reading, struct str text, struct str context)
{
    json_t *tree = read_tree(reading, text);
    if (!tree)
        return ERR_SYNTAX;
    struct file file = {0};
    struct diag_list found = {.arena = reading->arena};
    size_t errors =
        fields_decode(&file_shape, tree, STR(""), STR("kubeconfig"), reading->arena, &found, &file);
    secret_tree_free(tree);
    int ret;
    if (errors) {
        const struct diag *first = diag_first_error(&found, STR("kubeconfig"));
        ret = refuse(reading, ERR_SYNTAX, STR_FMT ": " STR_FMT, STR_ARG(first->field),
                     STR_ARG(first->message));
    } else if (file.kind.len && !str_eq(file.kind, STR("Config"))) {
        ret = refuse(reading, ERR_SYNTAX, "not a kubeconfig");
    } else {
        ret = take_context(reading, &file, context);
    }
    diag_done(&found);
    return ret;
}

int kube_config_parse(struct str text, struct str context, struct str directory,
                      struct arena *arena, struct kube_config *ret, struct str *ret_error)
{
    struct kube_config config = {0};
    struct reading reading = {.arena = arena, .directory = directory, .config = &config};
    int result = read_file(&reading, text, context);
    if (result < 0)
        *ret_error = reading.error;
    else
        *ret = config;
    return result;
}
