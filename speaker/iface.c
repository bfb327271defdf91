#include "speaker/iface.h"

#include "common/base/names.h"

static const char *const verdict_names[] = {
    [IFACE_USED] = "used",         [IFACE_LOOPBACK] = "loopback", [IFACE_EXCLUDED] = "excluded",
    [IFACE_ENSLAVED] = "enslaved", [IFACE_DOWN] = "down",         [IFACE_NO_ARP] = "noARP",
};
static const struct names verdicts = NAMES(verdict_names);
_Static_assert(sizeof(verdict_names) / sizeof(verdict_names[0]) == IFACE_VERDICTS, "a name each");

const char *iface_verdict_name(enum iface_verdict verdict)
{
    return names_of(&verdicts, verdict);
}

enum iface_verdict iface_judge(const struct iface *iface)
{
    if (iface->loopback)
        return IFACE_LOOPBACK;
    if (iface->excluded)
        return IFACE_EXCLUDED;
    if (iface->enslaved)
        return IFACE_ENSLAVED;
    if (!iface->up)
        return IFACE_DOWN;
    if (iface->no_arp || !iface->broadcast || !iface->ethernet)
        return IFACE_NO_ARP;
    return IFACE_USED;
}

bool iface_eq(const struct iface *a, const struct iface *b)
{
    return a->index == b->index && str_eq(a->name, b->name) && mac_eq(&a->mac, &b->mac) &&
           a->ethernet == b->ethernet && a->loopback == b->loopback && a->up == b->up &&
           a->running == b->running && a->broadcast == b->broadcast && a->no_arp == b->no_arp &&
           a->enslaved == b->enslaved && a->excluded == b->excluded &&
           ip_eq(&a->link_local, &b->link_local);
}

struct str_list iface_usable(const struct iface *ifaces, size_t count, struct arena *arena)
{
    struct str_list names = {.items = arena_array(arena, count, sizeof(struct str))};
    for (size_t i = 0; i < count; i++) {
        if (iface_judge(&ifaces[i]) == IFACE_USED)
            names.items[names.count++] = arena_str(arena, ifaces[i].name);
    }
    if (names.count)
        qsort(names.items, names.count, sizeof(struct str), str_cmp_ptr);
    return names;
}
