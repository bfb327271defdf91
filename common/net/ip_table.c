#include "common/net/ip_table.h"

struct str ip_table_key(const void *item)
{
    return ip_key(item);
}
