/* Whom a speaker remembers of those that it talks with. */
#include "common/base/test.h"
#include "speaker/talk.h"

struct heard {
    struct talk *talk;
    unsigned claims;
};

static void send(void *ctx, struct str member, struct str bytes)
{
    (void)ctx;
    (void)member;
    (void)bytes;
}

static struct claim say(void *ctx, const struct ip *ip)
{
    (void)ctx;
    return (struct claim){.ip = *ip};
}

static void heard(void *ctx, struct str member, const struct claim *claim, uint64_t asked)
{
    struct heard *h = ctx;
    (void)member;
    (void)claim;
    (void)asked;
    h->claims++;
}

/* Whether a claim that the member sent then is taken. */
static bool takes(struct heard *h, const char *member, uint64_t sent)
{
    struct claim_message message;
    claim_begin(&message, &(struct claim_header){.sent = sent});
    TEST_ASSERT(claim_add(&message, &(struct claim){.ip = ip_v4(192, 0, 2, 1), .answers = true}));
    unsigned before = h->claims;
    talk_take(h->talk, str_from(member),
              (struct str){.ptr = (const char *)message.bytes, .len = message.size});
    return h->claims > before;
}

/* Names that come and go leave nothing behind; the clock of one that died may begin anew. */
static void test_who_is_remembered(void)
{
    static const struct talk_calls calls = {.send = send, .say = say, .heard = heard};
    static const struct gossip_member alive[] = {{.name = STR_INIT("n1")},
                                                 {.name = STR_INIT("n2")}},
                                      dead[] = {{.name = STR_INIT("n1")},
                                                {.name = STR_INIT("n2"), .state = GOSSIP_DEAD}};
    struct loop *loop = loop_new();
    struct heard h = {0};
    h.talk = talk_new(loop, &calls, &h);
    TEST_ASSERT(takes(&h, "n1", 10) && takes(&h, "n2", 10) && takes(&h, "n3", 10));
    talk_ask(h.talk, STR("n4"), &(struct ip){0});
    TEST_ASSERT(talk_figures(h.talk).partners == 4);
    talk_members(h.talk, alive, 2);
    TEST_ASSERT(talk_figures(h.talk).partners == 2);
    TEST_ASSERT(!takes(&h, "n1", 9) && !takes(&h, "n2", 9) && takes(&h, "n3", 9));
    talk_members(h.talk, dead, 2);
    TEST_ASSERT(!takes(&h, "n1", 9) && takes(&h, "n2", 9));
    talk_members(h.talk, NULL, 0);
    TEST_ASSERT(talk_figures(h.talk).partners == 0);
    (void)talk_free(h.talk);
    (void)loop_free(loop);
}

TEST_MAIN("speaker/talk", TEST(test_who_is_remembered))
