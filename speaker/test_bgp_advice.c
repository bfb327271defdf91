#include "speaker/bgp_advice.h"

#include "common/base/test.h"

/* Errors as BIRD 2.0.12 writes them, and the beginning of what is said of them. */
static void test_advice(void)
{
    static const struct {
        const char *error, *advice;
    } cases[] = {
        {"BGP Error: Bad peer AS", "the peer is of another AS"},
        {"Received: Bad peer AS", "the peer is configured for another AS"},
        {"Received: Bad BGP identifier", "both sides have the same router ID"},
        {"Received: Unacceptable hold time", "the hold time"},
        {"Received: Authentication failure", "passwords differ"},
        {"Received: Unsupported capability", "one side insists"},
        {"BGP Error: Required capability missing", "one side insists"},
        {"BGP Error: Hold timer expired", "one side was silent"},
        {"Error: BFD session down", "BFD has found"},
        {"Received: Administrative shutdown", "somebody has shut"},
        {"Received: Administrative reset", "somebody has restarted"},
        {"Received: Peer de-configured", "the peer does not have us as a neighbour any more"},
        {"Received: Connection rejected", "the peer does not have us"},
        {"Received: Maximum number of prefixes reached", "the peer takes fewer"},
        {"Received: Connection collision resolution", "both sides opened"},
        {"Socket: Connection refused", "nothing takes sessions"},
        {"Socket: Connection reset by peer", "the peer ends connections"},
        {"Socket: Connection closed", "the peer ends connections"},
        {"Socket: No route to host", "the peer's address cannot be reached"},
        {"Socket: Network is unreachable", "the peer's address cannot be reached"},
        {"Socket: Cannot assign requested address", "this node does not have"},
        {"Error: No listening socket", "another program"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct str advice = bgp_advice(str_from(cases[i].error));
        TEST_STR(str_slice(advice, 0, str_from(cases[i].advice).len), cases[i].advice);
        CU_ASSERT(!str_ends_with(advice, STR(".")));
    }
    TEST_STR(bgp_advice(STR("the peer does not answer, as it does not when passwords differ")), "");
    TEST_STR(bgp_advice(STR("")), "");
}

TEST_MAIN("speaker/bgp_advice", TEST(test_advice))
