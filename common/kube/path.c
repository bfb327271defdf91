#include "common/kube/path.h"

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void path_encode(struct sbuf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (unreserved(text.ptr[i]))
            sbuf_putc(out, text.ptr[i]);
        else
            sbuf_printf(out, "%%%02X", (unsigned char)text.ptr[i]);
    }
}

static void add_part(struct sbuf *out, struct str part)
{
    if (!part.len)
        return;
    sbuf_putc(out, '/');
    path_encode(out, part);
}

struct str path_of(struct str group, struct str version, struct str namespace, struct str plural,
                   struct str name, struct arena *arena)
{
    struct sbuf out = {0};
    sbuf_puts(&out, group.len ? "/apis" : "/api");
    add_part(&out, group);
    add_part(&out, version);
    if (namespace.len)
        sbuf_puts(&out, "/namespaces");
    add_part(&out, namespace);
    add_part(&out, plural);
    add_part(&out, name);
    return sbuf_move(&out, arena);
}

static void add_choice(struct sbuf *out, const struct path_choice *choice)
{
    if (choice->name.len) {
        sbuf_puts(out, "&fieldSelector=metadata.name%3D");
        path_encode(out, choice->name);
    }
    if (choice->labels.len) {
        sbuf_puts(out, "&labelSelector=");
        path_encode(out, choice->labels);
    }
}

struct str path_list(struct str collection, const struct path_choice *choice, unsigned limit,
                     struct str next, struct arena *arena)
{
    struct sbuf out = {0};
    sbuf_put(&out, collection);
    sbuf_printf(&out, "?limit=%u", limit);
    if (next.len) {
        sbuf_puts(&out, "&continue=");
        path_encode(&out, next);
    }
    add_choice(&out, choice);
    return sbuf_move(&out, arena);
}

struct str path_watch(struct str collection, const struct path_choice *choice,
                      struct str resource_version, unsigned timeout_s, struct arena *arena)
{
    struct sbuf out = {0};
    sbuf_put(&out, collection);
    sbuf_puts(&out, "?watch=1&allowWatchBookmarks=true&resourceVersion=");
    path_encode(&out, resource_version);
    sbuf_printf(&out, "&timeoutSeconds=%u", timeout_s);
    add_choice(&out, choice);
    return sbuf_move(&out, arena);
}

struct str path_delete_all(struct str collection, struct str labels, struct arena *arena)
{
    struct sbuf out = {0};
    sbuf_put(&out, collection);
    sbuf_puts(&out, "?labelSelector=");
    path_encode(&out, labels);
    return sbuf_move(&out, arena);
}

struct str path_write(struct str path, struct str manager, bool force, struct arena *arena)
{
    struct sbuf out = {0};
    sbuf_put(&out, path);
    sbuf_puts(&out, "?fieldManager=");
    path_encode(&out, manager);
    if (force)
        sbuf_puts(&out, "&force=true");
    return sbuf_move(&out, arena);
}
