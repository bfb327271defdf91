#include "bgp/birdctl.h"

#include <assert.h>
#include <errno.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/err.h"
#include "common/base/sbuf.h"

enum {
    COMMAND_MAX = 1022, /* one more, and BIRD 2.0.12 closes the connection */
    ANSWER_MS = 20000,
};

struct request {
    TAILQ_ENTRY(request) link;
    void (*done)(void *ctx, const struct reply *reply);
    void *ctx;
    struct sbuf command; /* with its line break */
};

TAILQ_HEAD(requests, request);

struct birdctl {
    struct loop *loop;
    struct birdctl_calls calls;
    int fd;
    struct loop_fd *watch;
    struct loop_timer *timer; /* the answer, or the greeting, is overdue */
    struct reply_reader *reader;
    struct requests waiting; /* the first has been sent when `busy` */
    bool greeted, busy;
    size_t sent; /* bytes of the first command */
};

/* --- the end --------------------------------------------------------------------------------- */

static void drop_request(struct birdctl *ctl, const struct reply *reply)
{
    struct request *request = TAILQ_FIRST(&ctl->waiting);
    TAILQ_REMOVE(&ctl->waiting, request, link);
    void (*done)(void *, const struct reply *) = request->done;
    void *ctx = request->ctx;
    sbuf_done(&request->command);
    free(request);
    done(ctx, reply);
}

/* Answers what waits with NULL, and tells the owner. */
static void lose(struct birdctl *ctl, int error)
{
    ctl->watch = loop_fd_cancel(ctl->watch);
    ctl->timer = loop_timer_cancel(ctl->timer);
    while (!TAILQ_EMPTY(&ctl->waiting))
        drop_request(ctl, NULL);
    ctl->calls.lost(ctl->calls.ctx, error);
}

static void overdue(void *ctx)
{
    struct birdctl *ctl = ctx;
    ctl->timer = NULL;
    lose(ctl, -ETIMEDOUT);
}

static void await(struct birdctl *ctl)
{
    ctl->timer = loop_timer_cancel(ctl->timer);
    ctl->timer = loop_timer_start(ctl->loop, ANSWER_MS, 0, overdue, ctl);
}

/* --- sending --------------------------------------------------------------------------------- */

/* Sends what is due. Errors show when the descriptor is read. */
static void push(struct birdctl *ctl)
{
    struct request *first = TAILQ_FIRST(&ctl->waiting);
    if (!ctl->watch || !ctl->greeted || !first)
        return;
    if (!ctl->busy) {
        ctl->busy = true;
        ctl->sent = 0;
        await(ctl);
    }
    while (ctl->sent < first->command.len) {
        ssize_t len = send(ctl->fd, first->command.ptr + ctl->sent, first->command.len - ctl->sent,
                           MSG_NOSIGNAL);
        if (len < 0)
            break;
        ctl->sent += (size_t)len;
    }
    bool all = ctl->sent == first->command.len;
    loop_fd_change(ctl->watch, all ? LOOP_READ : LOOP_READ | LOOP_WRITE);
}

void birdctl_send(struct birdctl *ctl, struct str command,
                  void (*done)(void *ctx, const struct reply *reply), void *ctx)
{
    assert(command.len <= COMMAND_MAX && str_find(command, '\n') == command.len);
    struct request *request = heap_alloc(sizeof(*request));
    request->done = done;
    request->ctx = ctx;
    sbuf_put(&request->command, command);
    sbuf_putc(&request->command, '\n');
    TAILQ_INSERT_TAIL(&ctl->waiting, request, link);
    if (!ctl->busy)
        push(ctl);
}

/* --- receiving ------------------------------------------------------------------------------- */

/* The greeting, or the answer to the command under way. False when it is neither. */
static bool take_reply(struct birdctl *ctl, const struct reply *reply)
{
    unsigned version[3];
    ctl->timer = loop_timer_cancel(ctl->timer);
    if (!ctl->greeted) {
        if (!reply_version(reply, version))
            return false;
        ctl->greeted = true;
        ctl->calls.ready(ctl->calls.ctx, version);
        return true;
    }
    if (!ctl->busy)
        return false;
    ctl->busy = false;
    drop_request(ctl, reply);
    return true;
}

/* Hands on what is complete. False when the connection is of no more use. */
static bool take_all(struct birdctl *ctl)
{
    struct reply reply;
    for (;;) {
        enum reply_event event = reply_next(ctl->reader, &reply);
        if (event == REPLY_MORE)
            return true;
        if (event == REPLY_ECHO)
            ctl->calls.echo(ctl->calls.ctx, reply_last(&reply)->text);
        else if (event == REPLY_BROKEN || !take_reply(ctl, &reply))
            return false;
    }
}

static void came(void *ctx, unsigned events)
{
    struct birdctl *ctl = ctx;
    char chunk[65536];
    if (events & LOOP_WRITE)
        push(ctl);
    if (!(events & LOOP_READ))
        return;
    ssize_t len = recv(ctl->fd, chunk, sizeof(chunk), 0);
    if (len < 0 && errno == EAGAIN)
        return;
    if (len <= 0) {
        lose(ctl, len < 0 ? -errno : -ECONNRESET);
        return;
    }
    reply_feed(ctl->reader, (struct str){.ptr = chunk, .len = (size_t)len});
    if (take_all(ctl))
        push(ctl);
    else
        lose(ctl, ERR_PROTOCOL);
}

/* --- life ------------------------------------------------------------------------------------ */

/* The descriptor, or a negative errno. */
static int connect_to(struct str path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path.len >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    for (size_t i = 0; i < path.len; i++)
        address.sun_path[i] = path.ptr[i];
    scoped_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return take_fd(&fd);
}

int birdctl_open(struct loop *loop, struct str path, const struct birdctl_calls *calls,
                 struct birdctl **ret)
{
    int fd = connect_to(path);
    if (fd < 0)
        return fd;
    struct birdctl *ctl = heap_alloc(sizeof(*ctl));
    ctl->loop = loop;
    ctl->calls = *calls;
    ctl->fd = fd;
    ctl->reader = reply_reader_new();
    TAILQ_INIT(&ctl->waiting);
    ctl->watch = loop_fd_watch(loop, fd, LOOP_READ, came, ctl);
    await(ctl);
    *ret = ctl;
    return 0;
}

struct birdctl *birdctl_close(struct birdctl *ctl)
{
    if (!ctl)
        return NULL;
    (void)loop_fd_cancel(ctl->watch);
    (void)loop_timer_cancel(ctl->timer);
    for (struct request *request; (request = TAILQ_FIRST(&ctl->waiting));) {
        TAILQ_REMOVE(&ctl->waiting, request, link);
        sbuf_done(&request->command);
        free(request);
    }
    (void)reply_reader_free(ctl->reader);
    (void)close(ctl->fd);
    free(ctl);
    return NULL;
}

bool birdctl_is_idle(const struct birdctl *ctl)
{
    return TAILQ_EMPTY(&ctl->waiting);
}
