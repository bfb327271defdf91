#include "bgp/bird_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/base/sbuf.h"

enum { LINE_MAX_BYTES = 4096 };

struct bird_process {
    struct bird_process_calls calls;
    struct loop_fd *ended_watch, *log_watch;
    pid_t pid;
    int pidfd, log; /* -1: none */
    bool is_child;
    struct sbuf partial; /* of a line of the log */
};

/* --- in the child: nothing but system calls -------------------------------------------------- */

static const unsigned wanted_capabilities[] = {CAP_NET_BIND_SERVICE, CAP_NET_RAW};

/* Both halves of a set of 64 capabilities. */
static void restrict_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    unsigned wanted = 0;
    for (size_t i = 0; i < sizeof(wanted_capabilities) / sizeof(wanted_capabilities[0]); i++)
        wanted |= 1U << wanted_capabilities[i];
    if (syscall(SYS_capget, &header, data) < 0)
        return;
    for (unsigned i = 0; i <= CAP_LAST_CAP; i++) {
        if (i >= 32 || !(wanted >> i & 1))
            (void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0); /* not ours to drop: the sets below count */
    }
    data[0].permitted &= wanted;
    data[0].effective = data[0].inheritable = data[0].permitted;
    data[1] = (struct __user_cap_data_struct){0};
    if (syscall(SYS_capset, &header, data) < 0)
        return;
    for (size_t i = 0; i < sizeof(wanted_capabilities) / sizeof(wanted_capabilities[0]); i++) {
        if (data[0].permitted >> wanted_capabilities[i] & 1)
            (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted_capabilities[i], 0, 0);
    }
}

static void reset_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* those that cannot be set are as they should be */
}

/* Does not return. `log` is the end of the pipe that is written to. */
static void become(const char *const *arguments, int log)
{
    static char *const environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    (void)setsid(); /* signals of a terminal are for us */
    reset_signals();
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0)
        _exit(127);
    (void)close_range(STDERR_FILENO + 1, ~0U, 0);
    restrict_capabilities();
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)execve(arguments[0], (char *const *)arguments, environment);
    _exit(errno == ENOENT ? 126 : 127);
}

/* --- its log --------------------------------------------------------------------------------- */

/* Hands on the whole lines, and one that is too long in pieces. */
static void give_lines(struct bird_process *p)
{
    struct str rest = sbuf_str(&p->partial);
    struct sbuf kept = {0};
    while (str_find(rest, '\n') < rest.len || rest.len >= LINE_MAX_BYTES) {
        size_t len = str_find(rest, '\n');
        size_t cut = len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES;
        p->calls.line(p->calls.ctx, str_slice(rest, 0, cut));
        rest = str_slice(rest, cut == len ? cut + 1 : cut, rest.len);
    }
    sbuf_put(&kept, rest);
    sbuf_done(&p->partial);
    p->partial = kept;
}

static void log_came(void *ctx, unsigned events)
{
    struct bird_process *p = ctx;
    char chunk[16384];
    (void)events;
    ssize_t len = read(p->log, chunk, sizeof(chunk));
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) {
        p->log_watch = loop_fd_cancel(p->log_watch);
        return;
    }
    sbuf_put(&p->partial, (struct str){.ptr = chunk, .len = (size_t)len});
    give_lines(p);
}

/* What it wrote last may not have been read yet. */
static void drain_log(struct bird_process *p)
{
    char chunk[16384];
    for (ssize_t len; p->log >= 0 && (len = read(p->log, chunk, sizeof(chunk))) > 0;) {
        sbuf_put(&p->partial, (struct str){.ptr = chunk, .len = (size_t)len});
        give_lines(p);
    }
}

/* --- its end --------------------------------------------------------------------------------- */

static int reap(const struct bird_process *p)
{
    int status;
    if (!p->is_child || waitpid(p->pid, &status, WNOHANG) != p->pid)
        return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void ended(void *ctx, unsigned events)
{
    struct bird_process *p = ctx;
    (void)events;
    p->ended_watch = loop_fd_cancel(p->ended_watch);
    int status = reap(p);
    drain_log(p);
    p->calls.exited(p->calls.ctx, status);
}

/* --- life ------------------------------------------------------------------------------------ */

static int watch(struct loop *loop, struct bird_process *p)
{
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (p->pidfd < 0)
        return -errno;
    p->ended_watch = loop_fd_watch(loop, p->pidfd, LOOP_READ, ended, p);
    if (p->log >= 0)
        p->log_watch = loop_fd_watch(loop, p->log, LOOP_READ, log_came, p);
    return 0;
}

int bird_process_start(struct loop *loop, const char *const *arguments,
                       const struct bird_process_calls *calls, struct bird_process **ret)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    scoped_fd int read_end = ends[0], write_end = ends[1];
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        become(arguments, write_end);
    struct bird_process *p = heap_alloc(sizeof(*p));
    *p = (struct bird_process){
        .calls = *calls, .pid = pid, .pidfd = -1, .log = take_fd(&read_end), .is_child = true};
    int result = watch(loop, p);
    if (result < 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        (void)bird_process_free(p);
        return result;
    }
    *ret = p;
    return 0;
}

int bird_process_adopt(struct loop *loop, pid_t pid, const struct bird_process_calls *calls,
                       struct bird_process **ret)
{
    struct bird_process *p = heap_alloc(sizeof(*p));
    *p = (struct bird_process){.calls = *calls, .pid = pid, .pidfd = -1, .log = -1};
    int result = watch(loop, p);
    if (result < 0) {
        (void)bird_process_free(p);
        return result;
    }
    *ret = p;
    return 0;
}

/* By the descriptor: the number may be another process's by now. */
void bird_process_signal(const struct bird_process *p, int number)
{
    (void)syscall(SYS_pidfd_send_signal, p->pidfd, number, NULL, 0); /* fails when it has ended */
}

pid_t bird_process_pid(const struct bird_process *p)
{
    return p->pid;
}

struct bird_process *bird_process_free(struct bird_process *p)
{
    if (!p)
        return NULL;
    (void)loop_fd_cancel(p->ended_watch);
    (void)loop_fd_cancel(p->log_watch);
    if (p->pidfd >= 0)
        (void)close(p->pidfd);
    if (p->log >= 0)
        (void)close(p->log);
    sbuf_done(&p->partial);
    free(p);
    return NULL;
}
