/* What the sandbox refuses and what it leaves: each case is a child that enters it and tries. */
#include "speaker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/test.h"

static char inside[64], outside[64]; /* made by main's first test: a writable and another place */

/* Each returns 0 or an errno. */

static int try_exec(void)
{
    char *const arguments[] = {"/bin/true", NULL};
    (void)execv(arguments[0], arguments);
    return errno;
}

static int try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? errno : 0;
}

static int try_mount(void)
{
    return mount("none", "/proc", "tmpfs", 0, NULL) < 0 ? errno : 0;
}

static int try_bpf(void)
{
    return syscall(SYS_bpf, 0, NULL, 0) < 0 ? errno : 0;
}

static int try_fork(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    if (child > 0)
        (void)waitpid(child, NULL, 0);
    return child < 0 ? errno : 0;
}

static int try_personality(void)
{
    return personality(0xffffffff) < 0 ? errno : 0;
}

static int open_socket(int family, int kind, int protocol)
{
    int fd = socket(family, kind, protocol);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0)
        (void)close(fd);
    return error;
}

static int try_tcp(void)
{
    return open_socket(AF_INET, SOCK_STREAM, 0);
}

static int try_routes(void)
{
    return open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

/* A kernel may be without it. */
static int try_netfilter(void)
{
    int error = open_socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
    return error == EPROTONOSUPPORT ? 0 : error;
}

/* All other kinds: the first error that is not the filter's. */
static int try_other_netlink(void)
{
    int error = EPERM;
    for (int i = 0; i < MAX_LINKS && error == EPERM; i++) {
        if (i != NETLINK_ROUTE && i != NETLINK_NETFILTER)
            error = open_socket(AF_NETLINK, SOCK_RAW, i);
    }
    return error;
}

static int try_vsock(void)
{
    return open_socket(AF_VSOCK, SOCK_STREAM, 0);
}

static int try_listen(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int error = bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ? errno : 0;
    (void)close(fd);
    return error;
}

static int write_in(const char *dir)
{
    char fresh[80], path[80];
    (void)snprintf(fresh, sizeof(fresh), "%s/fresh", dir);
    (void)snprintf(path, sizeof(path), "%s/file", dir);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int error = write(fd, "x", 1) != 1 || rename(fresh, path) < 0 || unlink(path) < 0 ? errno : 0;
    (void)close(fd);
    return error;
}

static int try_write_inside(void)
{
    return write_in(inside);
}

static int try_write_outside(void)
{
    return write_in(outside);
}

static int try_read(void)
{
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    (void)close(fd);
    return 0;
}

static void *in_thread(void *ctx)
{
    return ctx;
}

static int try_thread(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, in_thread, NULL);
    return error ? error : pthread_join(thread, NULL);
}

/* Does the kernel's own account of us show no capability but these two (12 and 13)? */
static int try_capabilities(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    unsigned long long set = 0;
    int seen = 0, error = file ? 0 : errno;
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "CapEff: %llx", &set) == 1 || sscanf(line, "CapPrm: %llx", &set) == 1) {
            seen++;
            error = set & ~0x3000ULL ? EPERM : error;
        }
    }
    if (file)
        (void)fclose(file);
    return seen == 2 ? error : ENOENT;
}

static int try_raise_privileges(void)
{
    char line[64];
    FILE *file = fopen("/proc/self/status", "r");
    int value = 0;
    while (file && fgets(line, sizeof(line), file))
        (void)sscanf(line, "NoNewPrivs: %d", &value);
    if (file)
        (void)fclose(file);
    return value == 1 ? 0 : EPERM;
}

/* What a child ends with when the sandbox itself could not be entered. */
enum { NOT_ENTERED = 200 };

/* Enters and tries. The exit status is the errno; exec leaves it to the program. */
static void child(const struct sandbox_config *config, int (*attempt)(void))
{
    struct sandbox_figures figures;
    struct rlimit no_core = {0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    if (sandbox_enter(config, &figures) < 0)
        _exit(NOT_ENTERED);
    _exit(attempt());
}

static struct str outcome(const struct sandbox_config *config, int (*attempt)(void),
                          struct arena *arena)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        child(config, attempt);
    TEST_ASSERT(pid > 0 && waitpid(pid, &status, 0) == pid);
    if (WIFSIGNALED(status))
        return arena_printf(arena, "killed by %s",
                            WTERMSIG(status) == SIGSYS ? "SIGSYS" : "another signal");
    int error = WEXITSTATUS(status);
    if (error == NOT_ENTERED)
        return STR("not entered");
    return error ? str_from(strerrorname_np(error)) : STR("done");
}

/* Version of the kernel's landlock, as the sandbox itself finds it. */
static int landlock(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    return version > 0 ? (int)version : 0;
}

static void make_directories(void)
{
    (void)snprintf(inside, sizeof(inside), "/tmp/test_sandbox.XXXXXX");
    (void)snprintf(outside, sizeof(outside), "/tmp/test_sandbox.XXXXXX");
    TEST_ASSERT(mkdtemp(inside) && mkdtemp(outside));
}

static void remove_directories(void)
{
    TEST_ASSERT(rmdir(inside) == 0 && rmdir(outside) == 0);
}

struct attempt {
    int (*attempt)(void);
    const char *want;
};

static void run(const struct sandbox_config *base, const struct attempt *cases, size_t count)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    make_directories();
    struct str directories[] = {STR(""), str_from(inside), STR("/tmp/there/is/no/such")};
    struct str_list writable = {.items = directories, .count = 3};
    struct sandbox_config config = *base;
    config.writable = &writable;
    for (size_t i = 0; i < count; i++) {
        struct str got = outcome(&config, cases[i].attempt, arena);
        if (!str_eq(got, str_from(cases[i].want)))
            printf("\ncase %zu\n", i);
        TEST_STR(got, cases[i].want);
    }
    remove_directories();
}

static void test_on(void)
{
    bool files = landlock() > 0, listening = landlock() >= 4;
    const struct attempt cases[] = {
        {try_exec, "killed by SIGSYS"},
        {try_ptrace, "killed by SIGSYS"},
        {try_mount, "killed by SIGSYS"},
        {try_bpf, "killed by SIGSYS"},
        {try_fork, "EPERM"},
        {try_personality, "EPERM"},
        {try_vsock, "EPERM"},
        {try_tcp, "done"},
        {try_routes, "done"},
        {try_netfilter, "done"},
        {try_other_netlink, "EPERM"},
        {try_thread, "done"},
        {try_read, "done"},
        {try_write_inside, "done"},
        {try_write_outside, files ? "EACCES" : "done"},
        {try_listen, listening ? "EACCES" : "done"},
        {try_capabilities, "done"},
        {try_raise_privileges, "done"},
    };
    run(&(struct sandbox_config){.mode = SANDBOX_ON}, cases, TEST_COUNT(cases));
}

/* A credential program runs, and may do what programs do, but not the worst. */
static void test_with_programs(void)
{
    static const struct attempt cases[] = {
        {try_exec, "done"},          {try_fork, "done"},         {try_mount, "EPERM"},
        {try_ptrace, "EPERM"},       {try_bpf, "EPERM"},         {try_personality, "done"},
        {try_write_outside, "done"}, {try_capabilities, "done"}, {try_raise_privileges, "done"},
    };
    run(&(struct sandbox_config){.mode = SANDBOX_ON, .runs_programs = true}, cases,
        TEST_COUNT(cases));
}

static void test_log_and_off(void)
{
    static const struct attempt cases[] = {
        {try_exec, "done"},          {try_ptrace, "done"},       {try_fork, "done"},
        {try_personality, "done"},   {try_thread, "done"},       {try_listen, "done"},
        {try_write_outside, "done"}, {try_capabilities, "done"}, {try_raise_privileges, "done"},
    };
    run(&(struct sandbox_config){.mode = SANDBOX_LOG}, cases, TEST_COUNT(cases));
    run(&(struct sandbox_config){.mode = SANDBOX_OFF}, cases, TEST_COUNT(cases));
}

TEST_MAIN("speaker/sandbox", TEST(test_on), TEST(test_with_programs), TEST(test_log_and_off))
