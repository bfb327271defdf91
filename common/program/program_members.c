#include "common/program/program_members.h"

#include "common/program/program_settings.h"
#include "crd/node.h"

struct ip program_members_bind(const struct program_members *m)
{
    struct ip ip = {0};
    return m->bind.len && ip_parse(m->bind, &ip) == 0 ? ip : (struct ip){0};
}

bool program_members_peers(const struct program_members *m, struct arena *arena, struct ip **ret,
                           size_t *ret_count)
{
    size_t most = 0, count = 0;
    for (size_t i = 0; i < m->peers.count; i++)
        most += m->peers.items[i].len / 2 + 1;
    struct ip *list = arena_array(arena, most, sizeof(*list));
    for (size_t i = 0; i < m->peers.count; i++) {
        struct str rest = m->peers.items[i], part;
        while (str_next(&rest, ',', &part)) {
            if (ip_parse(str_trim(part), &list[count++]) < 0)
                return false;
        }
    }
    *ret = list;
    *ret_count = count;
    return true;
}

int program_members_check(const struct program_members *m, struct str *ret_error)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct ip *peers, bind = program_members_bind(m);
    size_t count;
    if (m->bind.len && !ip_is_set(&bind))
        return program_settings_refuse(ret_error, STR("--ml-bindaddr is not an IP address"));
    if (!program_members_peers(m, arena, &peers, &count))
        return program_settings_refuse(ret_error, STR("--ml-peers is not a list of IP addresses"));
    if (m->bind.len && !m->key_dir.len)
        return program_settings_refuse(ret_error, STR("--ml-bindaddr needs --ml-secret-key-path"));
    if (count && !m->bind.len)
        return program_settings_refuse(ret_error, STR("--ml-peers needs --ml-bindaddr"));
    return 0;
}

static size_t count_addresses(const struct objects *nodes)
{
    size_t count = 0;
    for (size_t i = 0; i < nodes->count; i++)
        count += ((const struct node *)nodes->items[i])->addresses.count;
    return count;
}

struct ip *program_members_of_nodes(const struct objects *nodes, struct arena *arena,
                                    size_t *ret_count)
{
    struct ip *ips = arena_array(arena, count_addresses(nodes), sizeof(*ips));
    *ret_count = 0;
    for (size_t i = 0; i < nodes->count; i++) {
        const struct list *list = &((const struct node *)nodes->items[i])->addresses;
        const struct node_address *all = list->items;
        for (size_t j = 0; j < list->count; j++) {
            if (str_eq(all[j].type, STR("InternalIP")) && ip_is_set(&all[j].ip))
                ips[(*ret_count)++] = all[j].ip;
        }
    }
    return ips;
}
