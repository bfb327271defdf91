#include "bgp/launcher_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/base/scope.h"

enum { FIND_S = 1 };

struct child {
    const struct launcher_command *command;
    int socket;
    pid_t pid; /* BIRD; 0: none */
    int pidfd; /* of BIRD; -1: none */
    int log;   /* what it writes; -1: none */
    bool ours; /* we have started it, and not only found it */
};

/* --- rights ---------------------------------------------------------------------------------- */

static const unsigned wanted[] = {CAP_NET_BIND_SERVICE, CAP_NET_RAW};
enum { WANTED = sizeof(wanted) / sizeof(wanted[0]) };

static bool is_wanted(unsigned capability)
{
    for (size_t i = 0; i < WANTED; i++) {
        if (wanted[i] == capability)
            return true;
    }
    return false;
}

/* Without SETPCAP the bounding set is not ours to change; the other sets count. */
static void restrict_rights(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    for (unsigned i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
        if (!is_wanted(i))
            (void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    }
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capget, &header, data) < 0)
        return;
    data[0].permitted &= CAP_TO_MASK(CAP_NET_BIND_SERVICE) | CAP_TO_MASK(CAP_NET_RAW);
    data[0].effective = data[0].inheritable = data[0].permitted;
    data[1] = (struct __user_cap_data_struct){0};
    if (syscall(SYS_capset, &header, data) < 0)
        return;
    for (size_t i = 0; i < WANTED; i++) {
        if (data[0].permitted & CAP_TO_MASK(wanted[i]))
            (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted[i], 0, 0);
    }
}

/* --- messages -------------------------------------------------------------------------------- */

/* A lost message is the other side's end, which the next poll tells. */
static void say_number(const struct child *c, char type, int32_t number)
{
    char bytes[1 + sizeof(number)] = {type};
    for (size_t i = 0; i < sizeof(number); i++)
        bytes[1 + i] = (char)((uint32_t)number >> 8 * i);
    (void)send(c->socket, bytes, sizeof(bytes), MSG_NOSIGNAL);
}

/* One read of the log. False at its end. */
static bool forward_log(const struct child *c)
{
    char bytes[LAUNCHER_MESSAGE_MAX] = {LAUNCHER_LOG};
    ssize_t len = read(c->log, bytes + 1, sizeof(bytes) - 1);
    if (len > 0)
        (void)send(c->socket, bytes, (size_t)len + 1, MSG_NOSIGNAL);
    return len > 0 || (len < 0 && errno == EINTR);
}

/* --- BIRD ------------------------------------------------------------------------------------ */

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* Does not return: becomes BIRD. */
static void become_bird(const struct child *c, int log)
{
    const char *const arguments[] = {c->command->program, "-f", "-c", c->command->config, "-s",
                                     c->command->socket,  "-R", NULL};
    static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0)
        _exit(127);
    (void)close_range(STDERR_FILENO + 1, ~0U, 0);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL); /* those that cannot be set are as they should be */
    (void)execve(arguments[0], (char *const *)arguments, (char *const *)environment);
    _exit(127);
}

/* Would execve find it? Told as an error, which an exit status cannot be. */
static int start_bird(struct child *c)
{
    int ends[2];
    if (access(c->command->program, X_OK) < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    scoped_fd int read_end = ends[0], write_end = ends[1];
    /* What libraries do in a child of fork closes descriptors by the numbers of the program. */
    pid_t pid = _Fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        become_bird(c, write_end);
    c->pid = pid;
    c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (c->pidfd < 0)
        return -errno;
    c->log = take_fd(&read_end);
    c->ours = true;
    return 0;
}

static void start(struct child *c)
{
    if (c->pid)
        return;
    int result = start_bird(c);
    if (result == 0) {
        say_number(c, LAUNCHER_STARTED, c->pid);
        return;
    }
    if (c->pid) { /* it runs, but its end would not be noticed */
        (void)kill(c->pid, SIGKILL);
        (void)waitpid(c->pid, NULL, 0);
        c->pid = 0;
    }
    say_number(c, LAUNCHER_EXITED, result);
}

/* By the descriptor: the number may be another process's by now. */
static void send_signal(const struct child *c, int number)
{
    if (c->pid)
        (void)syscall(SYS_pidfd_send_signal, c->pidfd, number, NULL, 0);
}

static void bird_ended(struct child *c)
{
    int status = 0, told = -1;
    if (c->ours && waitpid(c->pid, &status, 0) == c->pid)
        told = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    while (c->log >= 0 && forward_log(c))
        ;
    close_one(&c->log);
    close_one(&c->pidfd);
    c->pid = 0;
    c->ours = false;
    say_number(c, LAUNCHER_EXITED, told);
}

/* A BIRD that answers at the socket: whoever listens there, says the kernel. The program waits for
 * this; one that hangs, and takes no connections off its full queue, is not waited for (unix(7)).
 */
static void find_bird(struct child *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval limit = {.tv_sec = FIND_S};
    struct str path = str_from(c->command->socket);
    struct ucred peer;
    socklen_t size = sizeof(peer);
    scoped_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (size_t i = 0; i < path.len && i + 1 < sizeof(address.sun_path); i++)
        address.sun_path[i] = path.ptr[i];
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid <= 0)
        return;
    c->pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    if (c->pidfd >= 0)
        c->pid = peer.pid;
}

/* --- serving --------------------------------------------------------------------------------- */

static void obey(struct child *c)
{
    char type;
    ssize_t len = recv(c->socket, &type, 1, 0);
    if (len < 0 && errno == EINTR)
        return;
    if (len <= 0)
        _exit(0); /* the program is gone; BIRD stays */
    if (type == LAUNCHER_START)
        start(c);
    else if (type == LAUNCHER_TERMINATE)
        send_signal(c, SIGTERM);
    else if (type == LAUNCHER_KILL)
        send_signal(c, SIGKILL);
}

static void serve(struct child *c)
{
    struct pollfd fds[] = {{.fd = c->socket, .events = POLLIN},
                           {.fd = c->log, .events = POLLIN},
                           {.fd = c->pidfd, .events = POLLIN}};
    if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
        return;
    if (fds[1].revents && !forward_log(c))
        close_one(&c->log);
    if (fds[2].revents)
        bird_ended(c);
    if (fds[0].revents)
        obey(c);
}

void launcher_child_run(const struct launcher_command *command, int socket)
{
    struct child c = {.command = command, .socket = socket, .pidfd = -1, .log = -1};
    sigset_t none;
    (void)setsid(); /* signals of a terminal are for the program */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGTERM, SIG_IGN); /* it ends when the program does */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)prctl(PR_SET_NAME, "bird-launcher", 0, 0, 0);
    restrict_rights();
    find_bird(&c);
    say_number(&c, LAUNCHER_FOUND, c.pid);
    for (;;)
        serve(&c);
}
