#include "common/source/dir_path.h"

#include "crd/name.h"

static bool names_fit(const struct kind *kind, struct str namespace, struct str name)
{
    return kind->namespaced == (namespace.len > 0) && name_is_subdomain(name) &&
           (!namespace.len || name_is_label(namespace));
}

bool dir_path_make(const struct kind *kind, struct str namespace, struct str name,
                   struct arena *arena, struct str *ret)
{
    if (!names_fit(kind, namespace, name))
        return false;
    *ret = arena_printf(arena, "%s/" STR_FMT "%s" STR_FMT ".json", kind->plural, STR_ARG(namespace),
                        namespace.len ? "/" : "", STR_ARG(name));
    return true;
}

static const struct kind *kind_by_plural(struct str plural)
{
    for (size_t id = 0; id < KIND_COUNT; id++) {
        const struct kind *kind = kinds_get((enum kind_id)id);
        if (str_eq(plural, str_from(kind->plural)))
            return kind;
    }
    return NULL;
}

const struct kind *dir_path_parse(struct str path, struct str *ret_key)
{
    const struct str suffix = STR(".json");
    struct str plural, key, namespace = STR(""), name;
    if (!str_ends_with(path, suffix) ||
        !str_cut(str_slice(path, 0, path.len - suffix.len), '/', &plural, &key))
        return NULL;
    const struct kind *kind = kind_by_plural(plural);
    if (!str_cut(key, '/', &namespace, &name)) {
        name = key;
        namespace = STR("");
    }
    if (!kind || !names_fit(kind, namespace, name))
        return NULL;
    *ret_key = key;
    return kind;
}
