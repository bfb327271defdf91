/* The API server's defaulting of Services (pkg/apis/core/v1/defaults.go and the Service's REST
 * storage), as far as anybody here looks at the fields. */
#include "common/source/manifest.h"

#include "common/net/ip.h"

static bool is_absent(const json_t *value)
{
    return !value || json_is_null(value);
}

static void set_default(json_t *object, const char *key, const char *value)
{
    if (is_absent(json_object_get(object, key)))
        (void)json_object_set_new(object, key, json_string(value)); /* valid UTF-8 */
}

static bool is_text(const json_t *value, const char *text)
{
    struct str got = {.ptr = json_string_value(value), .len = json_string_length(value)};
    return json_is_string(value) && str_eq(got, str_from(text));
}

static void default_ports(json_t *spec)
{
    json_t *ports = json_object_get(spec, "ports"), *port;
    size_t i;
    json_array_foreach(ports, i, port)
    {
        if (json_is_object(port))
            set_default(port, "protocol", "TCP");
    }
}

/* Adds the family of one cluster IP; what is none (such as "None") has no family. */
static void add_family_of(json_t *families, const json_t *cluster_ip)
{
    struct str text = {.ptr = json_string_value(cluster_ip), .len = json_string_length(cluster_ip)};
    struct ip ip;
    if (ip_parse(text, &ip) == 0)
        (void)json_array_append_new(families, json_string(ip.family == IP_V6 ? "IPv6" : "IPv4"));
}

static json_t *families_of_cluster_ips(const json_t *spec)
{
    json_t *families = json_array(), *ip;
    const json_t *ips = json_object_get(spec, "clusterIPs");
    size_t i;
    json_array_foreach(ips, i, ip)
    {
        add_family_of(families, ip);
    }
    if (!json_array_size(families))
        add_family_of(families, json_object_get(spec, "clusterIP"));
    return families;
}

static void default_families(json_t *spec)
{
    const json_t *policy = json_object_get(spec, "ipFamilyPolicy");
    json_t *families = json_object_get(spec, "ipFamilies");
    if (is_absent(families)) {
        families = families_of_cluster_ips(spec);
        (void)json_object_set_new(spec, "ipFamilies", families);
    }
    if (!json_is_array(families))
        return; /* the decoder says what is wrong with it */
    bool dual = is_text(policy, "PreferDualStack") || is_text(policy, "RequireDualStack");
    bool given = !is_absent(json_object_get(spec, "clusterIP")) ||
                 json_array_size(json_object_get(spec, "clusterIPs")) > 0;
    if (!json_array_size(families))
        (void)json_array_append_new(families, json_string("IPv4"));
    if (dual && !given && json_array_size(families) == 1) {
        bool v6_first = is_text(json_array_get(families, 0), "IPv6");
        (void)json_array_append_new(families, json_string(v6_first ? "IPv4" : "IPv6"));
    }
    if (is_absent(policy))
        set_default(spec, "ipFamilyPolicy",
                    json_array_size(families) > 1 ? "RequireDualStack" : "SingleStack");
}

void manifest_default_service(json_t *service)
{
    json_t *spec = json_object_get(service, "spec");
    if (!json_is_object(spec) || is_text(json_object_get(spec, "type"), "ExternalName"))
        return;
    set_default(spec, "type", "ClusterIP");
    default_ports(spec);
    default_families(spec);
    if (!is_text(json_object_get(spec, "type"), "ClusterIP"))
        set_default(spec, "externalTrafficPolicy", "Cluster");
}
