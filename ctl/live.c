#include "ctl/live.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/sbuf.h"
#include "common/kube/transport.h"

enum { ANSWER_MAX = 64 << 20 }; /* ten thousand Services, and room */

struct live {
    struct transport *transport;
    void (*done)(void *ctx, json_t *answer, struct str error);
    void *ctx;
};

static void on_done(void *ctx, const struct http_response *response)
{
    const struct live *live = ctx;
    json_error_t error;
    json_t *answer = NULL;
    if (response->result) {
        bool refused = response->result == -ECONNREFUSED; /* in fewer words */
        live->done(live->ctx, NULL,
                   refused ? str_from(err_text(response->result)) : response->error);
        return;
    }
    if (response->code != 200) {
        scoped_sbuf struct sbuf text = {0};
        sbuf_printf(&text, "it answers with HTTP status %u", response->code);
        live->done(live->ctx, NULL, sbuf_str(&text));
        return;
    }
    answer = json_loadb(response->body.ptr, response->body.len, JSON_ALLOW_NUL, &error);
    live->done(live->ctx, answer, answer ? STR("") : STR("the answer is not what is expected"));
}

struct live *live_ask(struct loop *loop, struct str base, struct str path, uint64_t timeout_ms,
                      void (*done)(void *ctx, json_t *answer, struct str error), void *ctx)
{
    struct live *live = heap_alloc(sizeof(*live));
    struct transport_config config = {.server = base,
                                      .user_agent = STR("stentorctl/" STENTOR_VERSION)};
    struct http_request request = {
        .method = "GET",
        .path = path,
        .timeout_ms = timeout_ms,
        .body_max = ANSWER_MAX,
        .done = on_done,
        .ctx = live,
    };
    *live = (struct live){.transport = transport_new(loop, &config), .done = done, .ctx = ctx};
    (void)transport_call(live->transport, &request);
    return live;
}

struct live *live_cancel(struct live *live)
{
    if (live)
        (void)transport_free(live->transport);
    free(live);
    return NULL;
}
