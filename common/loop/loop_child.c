/* Child programs.
 *
 * A child is three libuv handles in one block: the process, the pipe of its output and a timer.
 * The owner hears of it once, when the program has ended and its output has reached its end, or
 * when it has been killed. The process handle outlives that until the kernel has reported the
 * death (libuv must reap it); the block is freed when the last handle is closed. */
#include <assert.h>
#include <errno.h>
#include <signal.h>

#include "common/base/err.h"
#include "common/base/sbuf.h"
#include "common/loop/loop_internal.h"

struct loop_child {
    struct loop *loop;
    uv_process_t process;
    uv_pipe_t pipe;
    uv_timer_t timer;
    unsigned handles;                                       /* not closed yet */
    void (*call)(void *ctx, int result, struct str output); /* NULL: the owner is gone */
    void *ctx;
    struct sbuf output;
    size_t output_max;
    bool exited, ended; /* the program; its output */
    int result;
    char chunk[8192];
};

static void handle_closed(uv_handle_t *handle)
{
    struct loop_child *child = handle->data;
    if (--child->handles > 0)
        return;
    sbuf_done(&child->output);
    free(child);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, handle_closed);
}

/* Takes the child from its owner: no call comes any more. */
static void detach(struct loop_child *child)
{
    child->call = NULL;
    child->loop->live[LOOP_CHILD]--;
    close_handle(&child->timer);
    close_handle(&child->pipe);
    if (child->exited)
        close_handle(&child->process);
    else
        (void)kill(-child->process.pid, SIGKILL); /* fails only if it is dead already */
}

static void finish(struct loop_child *child, int result)
{
    void (*call)(void *, int, struct str) = child->call;
    if (!call)
        return;
    detach(child);
    call(child->ctx, result, result < 0 ? (struct str){0} : sbuf_str(&child->output));
}

static void process_exited(uv_process_t *process, int64_t status, int number)
{
    struct loop_child *child = process->data;
    child->exited = true;
    child->result = number ? 128 + number : (int)status;
    if (!child->call)
        close_handle(process);
    else if (child->ended)
        finish(child, child->result);
}

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct loop_child *child = handle->data;
    (void)suggested;
    *ret = uv_buf_init(child->chunk, sizeof(child->chunk));
}

static void output_came(uv_stream_t *stream, ssize_t len, const uv_buf_t *chunk)
{
    struct loop_child *child = stream->data;
    if (len < 0) {
        child->ended = true;
        (void)uv_read_stop(stream);
        if (child->exited)
            finish(child, child->result);
    } else if (child->output.len + (size_t)len > child->output_max) {
        finish(child, ERR_TOO_LARGE);
    } else {
        sbuf_put(&child->output, (struct str){.ptr = chunk->base, .len = (size_t)len});
    }
}

static void time_is_up(uv_timer_t *timer)
{
    finish(timer->data, -ETIMEDOUT);
}

static struct loop_child *prepare(struct loop *loop)
{
    struct loop_child *child = heap_alloc(sizeof(*child));
    child->loop = loop;
    child->handles = 3;
    child->process.data = child->pipe.data = child->timer.data = child;
    int result = uv_pipe_init(&loop->uv, &child->pipe, 0);
    assert(result == 0);
    result = uv_timer_init(&loop->uv, &child->timer);
    assert(result == 0);
    return child;
}

static int spawn(struct loop_child *child, char *const *arguments, char *const *environment)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&child->pipe},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    uv_process_options_t options = {
        .exit_cb = process_exited,
        .file = arguments[0],
        .args = (char **)arguments,
        .env = (char **)environment,
        .flags = UV_PROCESS_DETACHED, /* a group of its own, so that what it starts dies with it */
        .stdio_count = 3,
        .stdio = stdio,
    };
    return uv_spawn(&child->loop->uv, &child->process, &options);
}

struct loop_child *loop_child_start(struct loop *loop, char *const *arguments,
                                    char *const *environment, size_t output_max,
                                    uint64_t timeout_ms,
                                    void (*call)(void *ctx, int result, struct str output),
                                    void *ctx, int *ret_error)
{
    struct loop_child *child = prepare(loop);
    child->output_max = output_max;
    loop->live[LOOP_CHILD]++;
    int result = spawn(child, arguments, environment);
    if (result < 0) {
        child->exited = true; /* there is nothing to kill */
        detach(child);
        *ret_error = result;
        return NULL;
    }
    child->call = call;
    child->ctx = ctx;
    result = uv_read_start((uv_stream_t *)&child->pipe, give_chunk, output_came);
    assert(result == 0);
    if (timeout_ms) {
        result = uv_timer_start(&child->timer, time_is_up, loop_delay(loop, timeout_ms), 0);
        assert(result == 0);
    }
    return child;
}

struct loop_child *loop_child_cancel(struct loop_child *child)
{
    if (child)
        detach(child);
    return NULL;
}
