/* Locals that own something give it back when they leave scope, unless ownership was taken.
 *
 *     scoped_ptr(arena) struct arena *scratch = arena_new(0);     // arena_free(scratch) at the end
 *     scoped_fd int fd = open(…);                                 // closed unless take_fd(&fd)
 *     return take_ptr(thing);                                     // thing is NULL afterwards
 */
#ifndef COMMON_BASE_SCOPE_H
#define COMMON_BASE_SCOPE_H

#include <stdlib.h>
#include <unistd.h>

/* Defines scope_NAME_free(), which scoped_ptr(NAME) needs, from a destructor that accepts NULL. */
#define SCOPE_DEFINE(name, type, destroy)                \
    static inline void scope_##name##_free(type **owned) \
    {                                                    \
        (void)destroy(*owned);                           \
    }

#define scoped_ptr(name) __attribute__((cleanup(scope_##name##_free)))

static inline void scope_heap_free(void *owned)
{
    free(*(void **)owned);
}

/* A local that came from malloc. */
#define scoped_heap __attribute__((cleanup(scope_heap_free)))

static inline void scope_fd_close(int *owned)
{
    if (*owned >= 0)
        (void)close(*owned); /* nothing useful can be done about a failing close here */
}

#define scoped_fd __attribute__((cleanup(scope_fd_close)))

/* The pointer, leaving NULL behind, so that the owner's clean-up does nothing. */
#define take_ptr(p)                         \
    __extension__({                         \
        __typeof__(p) take_ptr_value = (p); \
        (p) = NULL;                         \
        take_ptr_value;                     \
    })

/* The descriptor, leaving -1 behind. */
static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#endif
