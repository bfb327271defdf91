/* Asks and tells the kernel what carrying needs, by netlink. Requests are carried out inside the
 * system call that sends them, so nothing here waits. */
#ifndef SPEAKER_CARRY_KERNEL_H
#define SPEAKER_CARRY_KERNEL_H

#include "common/base/str.h"
#include "speaker/carry_answer.h"

/* 0, or why the kernel does not take a batch: -EPERM (no CAP_NET_ADMIN), another negative errno. */
int carry_kernel_put(struct str batch) __attribute__((warn_unused_result));

/* What it tells of a topic; errors are in the answer, which the caller ends. Names in the arena. */
struct carry_answer carry_kernel_ask(enum carry_topic topic, enum ip_family family, uint64_t now_ms,
                                     struct arena *arena);

/* Is there nobody between us and that address? By a router, a packet would come back here. */
bool carry_kernel_is_near(const struct ip *ip);

/* A socket that is readable when any rules have changed, by whomever; the caller's. A negative
 * errno when there is none to be had. */
int carry_kernel_follow(void);

/* Reads away what has come there. */
void carry_kernel_drain(int fd);

#endif
