/* How much the speaker confines itself (sandbox.h); apart from it for the table of flags, which is
 * pure. */
#ifndef SPEAKER_SANDBOX_MODE_H
#define SPEAKER_SANDBOX_MODE_H

enum sandbox_mode {
    SANDBOX_ON,
    SANDBOX_OFF, /* capabilities are dropped all the same */
    SANDBOX_LOG, /* calls out of the list are let through and noted in the kernel's log */
    SANDBOX_MODES
};

#endif
