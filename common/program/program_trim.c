#include "common/program/program_trim.h"

#include <link.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/arena.h"

enum { FIRST_MS = 10000, EACH_MS = 60000 };

struct program_trim {
    struct loop_timer *timer;
};

/* Libraries that are used while nothing happens, or by what must not wait: the loop, frames, the
 * members' messages. */
static const struct str kept[] = {
    STR_INIT("ld-linux"),   STR_INIT("libc.so"),      STR_INIT("libuv.so"),
    STR_INIT("libpcap.so"), STR_INIT("libsodium.so"),
};

/* The program itself and what the kernel maps have no path. */
static bool is_kept(const char *path)
{
    struct str name = {0}, rest = str_from(path);
    if (!str_starts_with(rest, STR("/")))
        return true;
    while (str_cut(rest, '/', &name, &rest))
        continue; /* at last name is what is behind the last slash */
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (str_starts_with(name, kept[i]))
            return true;
    }
    return false;
}

/* Was its code changed when it was loaded? Then its pages are not those of the file. */
static bool is_patched(const struct dl_phdr_info *info)
{
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        const ElfW(Dyn) *entry = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_TEXTREL ||
                (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)))
                return true;
        }
    }
    return false;
}

static int give_up(struct dl_phdr_info *info, size_t size, void *ctx)
{
    size_t *given = ctx, page = (size_t)sysconf(_SC_PAGESIZE);
    (void)size;
    if (is_kept(info->dlpi_name) || is_patched(info))
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
            continue;
        /* A segment is mapped in whole pages that are no other's. */
        uintptr_t start = info->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;
        start &= ~(uintptr_t)(page - 1);
        if (madvise((void *)start, end - start, MADV_DONTNEED) == 0)
            *given += end - start;
    }
    return 0;
}

size_t program_trim_now(void)
{
    size_t given = 0;
    (void)malloc_trim(0); /* whether it could give anything back does not matter */
    (void)dl_iterate_phdr(give_up, &given);
    return given;
}

static void due(void *ctx)
{
    (void)ctx;
    (void)program_trim_now();
}

struct program_trim *program_trim_start(struct loop *loop)
{
    struct program_trim *trim = heap_alloc(sizeof(*trim));
    trim->timer = loop_timer_start(loop, FIRST_MS, EACH_MS, due, trim);
    return trim;
}

struct program_trim *program_trim_cancel(struct program_trim *trim)
{
    if (!trim)
        return NULL;
    (void)loop_timer_cancel(trim->timer);
    free(trim);
    return NULL;
}
