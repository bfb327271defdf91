#include "common/program/program_service.h"

void program_service_put(struct patch *json, struct str key, const struct ip *ips, size_t count)
{
    struct str namespace, name;
    (void)str_cut(key, '/', &namespace, &name);
    patch_str(json, "namespace", namespace);
    patch_str(json, "name", name);
    patch_list(json, "ips");
    for (size_t i = 0; i < count; i++)
        patch_str(json, NULL, str_from(ip_format(&ips[i]).text));
    patch_close(json);
}
