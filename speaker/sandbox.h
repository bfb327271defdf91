/* What the speaker may do once it runs, and no more.
 *
 *   - Capabilities: of those it was given it keeps NET_RAW, and NET_ADMIN, which local hand-off
 *     and the carrying of connections (carrier.h) need; all others are dropped, also from the
 *     bounding set where that is allowed.
 *   - System calls (seccomp): a list of what it does. What no speaker ever does and what is of use
 *     to an intruder only (running programs, loading code into the kernel, looking into other
 *     processes, entering namespaces) ends the process; anything else that is not in the list fails
 *     with EPERM, since a speaker that dies of a library's new way to ask the time serves nobody.
 *   - Files (landlock): written to are only the directories named here, nothing is executed, and no
 *     TCP port is listened on any more.
 *   - No new privileges, by whatever is run.
 *
 * A credential program of the kubeconfig is the exception: it does what it does, so with one only
 * the capabilities are dropped and the worst calls are refused. */
#ifndef SPEAKER_SANDBOX_H
#define SPEAKER_SANDBOX_H

#include <stdbool.h>

#include "common/base/str.h"
#include "speaker/sandbox_mode.h"

struct sandbox_config {
    enum sandbox_mode mode;
    bool runs_programs; /* a credential program */
    const struct str_list
        *writable; /* directories; those that do not exist, and empty ones, are left out */
};

/* What came of it, for the log. */
struct sandbox_figures {
    unsigned calls; /* in the list; 0: there is no filter */
    int files;      /* version of the kernel's landlock; 0: none, so files are not confined */
    bool net_admin; /* is kept */
};

/* Enters it for good, for this thread and all that it will start. There must be no other thread
 * yet. Nothing half-way: 0, or a negative errno that must end the program. */
int sandbox_enter(const struct sandbox_config *config, struct sandbox_figures *ret)
    __attribute__((warn_unused_result));

#endif
