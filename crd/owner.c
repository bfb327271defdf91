#include "crd/owner.h"

void owner_put(struct patch *patch, const struct owner_ref *owner)
{
    if (!owner || !owner->uid.len)
        return;
    patch_list(patch, "ownerReferences");
    patch_open(patch, NULL);
    patch_str(patch, "apiVersion", owner->api_version);
    patch_str(patch, "kind", owner->kind);
    patch_str(patch, "name", owner->name);
    patch_str(patch, "uid", owner->uid);
    patch_close(patch);
    patch_close(patch);
}
