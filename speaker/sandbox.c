#include "speaker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common/base/arena.h"

/* --- capabilities ---------------------------------------------------------------------------- */

static const unsigned kept[] = {CAP_NET_RAW, CAP_NET_ADMIN};

static bool is_kept(unsigned capability)
{
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (kept[i] == capability)
            return true;
    }
    return false;
}

static int drop_capabilities(struct sandbox_figures *figures)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3], mask = {0};
    /* Not ours to drop without SETPCAP, and of no use to anyone without new privileges. */
    for (unsigned i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
        if (!is_kept(i))
            (void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        mask.permitted |= CAP_TO_MASK(kept[i]);
    data[0].permitted &= mask.permitted;
    data[0].effective = data[0].permitted;
    data[0].inheritable = 0;
    data[1] = (struct __user_cap_data_struct){0};
    figures->net_admin = data[0].permitted & CAP_TO_MASK(CAP_NET_ADMIN);
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* --- files ----------------------------------------------------------------------------------- */

#define FILE_WRITES                                                                                \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* Rights of newer kernels, which Debian 12's headers do not name (landlock(7)). */
enum {
    FS_REFER = 1 << 13,    /* version 2: from one directory to another */
    FS_TRUNCATE = 1 << 14, /* version 3 */
    NET_BIND_TCP = 1 << 0, /* version 4 */
};

/* struct landlock_ruleset_attr as of version 4. */
struct ruleset {
    uint64_t files, network;
};

/* What is handled and what a writable directory allows, by the kernel's version. */
static uint64_t file_rights(int version)
{
    uint64_t rights = FILE_WRITES;
    if (version >= 2)
        rights |= FS_REFER;
    if (version >= 3)
        rights |= FS_TRUNCATE;
    return rights;
}

static int allow_directory(int ruleset, struct str path, uint64_t rights)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_fd int fd = open(arena_cstr(arena, path), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
               ? -errno
               : 0;
}

/* A kernel without landlock is no error: the container's read-only root does most of it. */
static int confine_files(const struct str_list *writable, struct sandbox_figures *figures)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return 0;
    uint64_t rights = file_rights((int)version);
    struct ruleset attributes = {.files = rights | LANDLOCK_ACCESS_FS_EXECUTE,
                                 .network = version >= 4 ? NET_BIND_TCP : 0};
    size_t size = version >= 4 ? sizeof(attributes) : sizeof(attributes.files);
    scoped_fd int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
    if (ruleset < 0)
        return -errno;
    for (size_t i = 0; i < writable->count; i++) {
        struct str path = writable->items[i];
        int result = path.len ? allow_directory(ruleset, path, rights) : 0;
        if (result < 0)
            return result;
    }
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        return -errno;
    figures->files = (int)version;
    return 0;
}

/* --- system calls ---------------------------------------------------------------------------- */

/* Of use to an intruder only. */
static const char hostile[] =
    "ptrace process_vm_readv process_vm_writev init_module finit_module delete_module kexec_load "
    "kexec_file_load bpf perf_event_open userfaultfd keyctl add_key request_key mount umount2 "
    "pivot_root chroot setns unshare reboot swapon swapoff open_by_handle_at iopl ioperm acct "
    "quotactl settimeofday clock_settime";

/* The same, but for a credential program, which is run. */
static const char programs[] = "execve execveat";

/* What the speaker does, and glibc, libuv, libcurl, libpcap and libnl under it. */
static const char allowed[] =
    /* memory */
    "brk mmap mprotect mremap munmap madvise "
    /* files: certificates, tokens, state, resolv.conf, /proc/self, /sys/class/net */
    "access close faccessat2 fadvise64 fcntl fdatasync flock fstat fsync ftruncate getdents64 "
    "lseek "
    "lstat mkdir newfstatat open openat pread64 pwrite64 read readlink readlinkat readv rename "
    "renameat renameat2 stat statx sync_file_range unlink unlinkat write writev "
    "inotify_add_watch inotify_init1 inotify_rm_watch "
    /* waiting */
    "epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd2 pipe2 poll ppoll "
    /* sockets; which kinds of them is said below */
    "accept accept4 bind connect getpeername getsockname getsockopt ioctl listen recvfrom recvmmsg "
    "recvmsg sendmmsg sendmsg sendto setsockopt shutdown socketpair "
    /* time and chance */
    "clock_getres clock_gettime clock_nanosleep getrandom gettimeofday nanosleep time "
    /* threads (names are resolved in one) and the process itself */
    "exit exit_group futex get_robust_list getcpu getegid geteuid getgid getpid getrusage gettid "
    "getuid membarrier prlimit64 restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn "
    "sched_getaffinity sched_yield set_robust_list set_tid_address sigaltstack sysinfo tgkill "
    "uname";

/* Kinds of sockets: the API server and the REST API, DNS and gossip; resolvers of the host;
 * frames. */
static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_PACKET};

/* The kernel, about interfaces and routes, and about the rules of carrier.h. With CAP_NET_ADMIN
 * there would be more to be had: IPsec's keys, sockets of others, audit, generic netlink. */
static const int netlinks[] = {NETLINK_ROUTE, NETLINK_NETFILTER};

/* Adds a rule for each name of a table; ret_count (may be NULL) gets how many there are. */
static int add_all(scmp_filter_ctx filter, uint32_t action, const char *table, unsigned *ret_count)
{
    struct str rest = str_from(table), name;
    while (str_next(&rest, ' ', &name)) {
        char text[32] = {0};
        for (size_t i = 0; i < name.len && i + 1 < sizeof(text); i++)
            text[i] = name.ptr[i];
        int call = seccomp_syscall_resolve_name(text);
        if (call == __NR_SCMP_ERROR)
            return -EINVAL; /* no call at all: a slip in the table */
        int result = seccomp_rule_add(filter, action, call, 0);
        if (result < 0 && result != -EDOM) /* EDOM: not a call of this architecture */
            return result;
        if (ret_count)
            ++*ret_count;
    }
    return 0;
}

/* Threads, but no processes; and glibc is to ask with clone, whose flags can be seen, instead of
 * clone3, whose flags cannot. */
static int add_threads(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(
        filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_VM | CLONE_THREAD, CLONE_VM | CLONE_THREAD));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return result;
}

static int add_sockets(scmp_filter_ctx filter)
{
    int result = 0;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
    for (size_t i = 0; i < sizeof(netlinks) / sizeof(netlinks[0]) && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                                  SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
                                  SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)netlinks[i]));
    return result;
}

/* Names of threads and the like; no change of what the process may do. */
static int add_prctl(scmp_filter_ctx filter)
{
    static const int options[] = {PR_SET_NAME, PR_GET_NAME};
    int result = 0;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && result == 0; i++)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)options[i]));
    return result;
}

static int add_list(scmp_filter_ctx filter, struct sandbox_figures *figures)
{
    int result = add_all(filter, SCMP_ACT_ALLOW, allowed, &figures->calls);
    if (result == 0)
        result = add_threads(filter);
    if (result == 0)
        result = add_sockets(filter);
    if (result == 0)
        result = add_prctl(filter);
    return result;
}

static int add_rules(scmp_filter_ctx filter, const struct sandbox_config *config,
                     struct sandbox_figures *figures)
{
    if (config->runs_programs)
        return add_all(filter, SCMP_ACT_ERRNO(EPERM), hostile, NULL);
    int result = 0;
    if (config->mode == SANDBOX_ON) {
        result = add_all(filter, SCMP_ACT_KILL_PROCESS, hostile, NULL);
        if (result == 0)
            result = add_all(filter, SCMP_ACT_KILL_PROCESS, programs, NULL);
    }
    return result < 0 ? result : add_list(filter, figures);
}

static int filter_calls(const struct sandbox_config *config, struct sandbox_figures *figures)
{
    uint32_t others = config->runs_programs        ? SCMP_ACT_ALLOW
                      : config->mode == SANDBOX_ON ? SCMP_ACT_ERRNO(EPERM)
                                                   : SCMP_ACT_LOG;
    scmp_filter_ctx filter = seccomp_init(others);
    if (!filter)
        return -ENOMEM;
    int result = add_rules(filter, config, figures);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}

int sandbox_enter(const struct sandbox_config *config, struct sandbox_figures *ret)
{
    *ret = (struct sandbox_figures){0};
    int result = drop_capabilities(ret);
    if (result == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        result = -errno;
    if (result == 0 && config->mode == SANDBOX_ON && !config->runs_programs)
        result = confine_files(config->writable, ret);
    if (result == 0 && config->mode != SANDBOX_OFF)
        result = filter_calls(config, ret);
    return result;
}
