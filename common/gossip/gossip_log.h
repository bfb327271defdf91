/* A line in the log for what the member notes. Inside of gossip. */
#ifndef COMMON_GOSSIP_GOSSIP_LOG_H
#define COMMON_GOSSIP_GOSSIP_LOG_H

#include "common/gossip/gossip.h"

void gossip_log_note(const struct member_note *note, const struct gossip_options *options);

#endif
