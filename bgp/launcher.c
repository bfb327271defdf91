#include "bgp/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/sbuf.h"

enum { LINE_MAX_BYTES = 4096 };

struct launcher {
    struct launcher_calls calls;
    struct loop_fd *watch;
    int socket;
    pid_t pid;           /* the launcher's own */
    struct sbuf partial; /* of a line of the log */
};

/* --- opening --------------------------------------------------------------------------------- */

static int32_t number_of(const uint8_t *bytes)
{
    uint32_t number = 0;
    for (size_t i = 0; i < sizeof(number); i++)
        number |= (uint32_t)bytes[i] << 8 * i;
    return (int32_t)number;
}

static int await_found(int socket, pid_t *ret)
{
    uint8_t message[8];
    ssize_t len = recv(socket, message, sizeof(message), 0);
    if (len < 0)
        return -errno;
    if (len != 5 || message[0] != LAUNCHER_FOUND)
        return ERR_PROTOCOL;
    *ret = number_of(message + 1);
    return 0;
}

/* In the child: nothing of the program's but this socket, and its log's descriptor. */
static void become_launcher(const struct launcher_command *command, int socket)
{
    int moved = fcntl(socket, F_DUPFD, STDERR_FILENO + 1);
    if (moved < 0 || dup2(moved, STDERR_FILENO + 1) < 0)
        _exit(1);
    (void)close_range(STDERR_FILENO + 2, ~0U, 0);
    launcher_child_run(command, STDERR_FILENO + 1);
}

int launcher_open(const struct launcher_command *command, struct launcher **ret, pid_t *ret_found)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    scoped_fd int ours = ends[0], theirs = ends[1];
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        become_launcher(command, theirs);
    (void)close(take_fd(&theirs)); /* so that its end is noticed */
    int result = await_found(ours, ret_found);
    if (result < 0)
        return result;
    struct launcher *launcher = heap_alloc(sizeof(*launcher));
    launcher->socket = take_fd(&ours);
    launcher->pid = pid;
    *ret = launcher;
    return 0;
}

/* --- messages -------------------------------------------------------------------------------- */

static void say(struct launcher *launcher, char type)
{
    (void)send(launcher->socket, &type, 1, MSG_NOSIGNAL); /* its end shows when it is read */
}

void launcher_start(struct launcher *launcher)
{
    say(launcher, LAUNCHER_START);
}

void launcher_terminate(struct launcher *launcher)
{
    say(launcher, LAUNCHER_TERMINATE);
}

void launcher_kill(struct launcher *launcher)
{
    say(launcher, LAUNCHER_KILL);
}

/* Hands on the whole lines, and one that is too long in pieces. */
static void give_lines(struct launcher *launcher)
{
    struct str rest = sbuf_str(&launcher->partial);
    struct sbuf kept = {0};
    while (str_find(rest, '\n') < rest.len || rest.len >= LINE_MAX_BYTES) {
        size_t len = str_find(rest, '\n');
        size_t cut = len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES;
        launcher->calls.line(launcher->calls.ctx, str_slice(rest, 0, cut));
        rest = str_slice(rest, cut == len ? cut + 1 : cut, rest.len);
    }
    sbuf_put(&kept, rest);
    sbuf_done(&launcher->partial);
    launcher->partial = kept;
}

static void take_message(struct launcher *launcher, const uint8_t *bytes, size_t len)
{
    if (bytes[0] == LAUNCHER_LOG) {
        sbuf_put(&launcher->partial, (struct str){.ptr = (const char *)bytes + 1, .len = len - 1});
        give_lines(launcher);
    } else if (len == 5 && bytes[0] == LAUNCHER_STARTED) {
        launcher->calls.started(launcher->calls.ctx, number_of(bytes + 1));
    } else if (len == 5 && bytes[0] == LAUNCHER_EXITED) {
        sbuf_clear(&launcher->partial);
        launcher->calls.exited(launcher->calls.ctx, number_of(bytes + 1));
    }
}

static void came(void *ctx, unsigned events)
{
    struct launcher *launcher = ctx;
    uint8_t bytes[LAUNCHER_MESSAGE_MAX];
    (void)events;
    ssize_t len = recv(launcher->socket, bytes, sizeof(bytes), 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) {
        launcher->watch = loop_fd_cancel(launcher->watch);
        launcher->calls.broken(launcher->calls.ctx);
        return;
    }
    take_message(launcher, bytes, (size_t)len);
}

void launcher_watch(struct launcher *launcher, struct loop *loop,
                    const struct launcher_calls *calls)
{
    launcher->calls = *calls;
    launcher->watch = loop_fd_watch(loop, launcher->socket, LOOP_READ, came, launcher);
}

struct launcher *launcher_close(struct launcher *launcher)
{
    if (!launcher)
        return NULL;
    (void)loop_fd_cancel(launcher->watch);
    (void)close(launcher->socket);
    (void)waitpid(launcher->pid, NULL, 0); /* it ends when its socket is closed */
    sbuf_done(&launcher->partial);
    free(launcher);
    return NULL;
}
