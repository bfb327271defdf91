#include "speaker/bgp_advice.h"

/* The first row whose text is in the error counts. "Received: " is what the peer said of us. */
static const struct {
    struct str text, advice;
} rows[] = {
    {STR_INIT("Received: Bad peer AS"),
     STR_INIT("the peer is configured for another AS than ours (myASN, localASN)")},
    {STR_INIT("Bad peer AS"),
     STR_INIT("the peer is of another AS than the BGPPeer says (peerASN, dynamicASN)")},
    {STR_INIT("Bad BGP identifier"),
     STR_INIT("both sides have the same router ID, or one that cannot be (routerID)")},
    {STR_INIT("Unacceptable hold time"),
     STR_INIT("the hold time is not accepted by the other side (holdTime)")},
    {STR_INIT("Authentication failure"), STR_INIT("passwords differ")},
    {STR_INIT("apability"),
     STR_INIT("one side insists on what the other cannot do, such as an address family")},
    {STR_INIT("Hold timer expired"), STR_INIT("one side was silent for the whole hold time")},
    {STR_INIT("BFD session down"), STR_INIT("BFD has found that the peer cannot be reached")},
    {STR_INIT("Administrative shutdown"), STR_INIT("somebody has shut the session down there")},
    {STR_INIT("Administrative reset"), STR_INIT("somebody has restarted the session there")},
    {STR_INIT("Peer de-configured"), STR_INIT("the peer does not have us as a neighbour any more")},
    {STR_INIT("Connection rejected"), STR_INIT("the peer does not have us as a neighbour")},
    {STR_INIT("prefixes reached"), STR_INIT("the peer takes fewer prefixes than it was sent")},
    {STR_INIT("Connection collision"),
     STR_INIT("both sides opened the session at once; it comes up by itself")},
    {STR_INIT("Connection refused"),
     STR_INIT("nothing takes sessions at the peer's address and port (peerAddress, peerPort)")},
    {STR_INIT("Connection reset"),
     STR_INIT("the peer ends connections without a word: it may not have us as a neighbour")},
    {STR_INIT("Connection closed"),
     STR_INIT("the peer ends connections without a word: it may not have us as a neighbour")},
    {STR_INIT("No route to host"), STR_INIT("the peer's address cannot be reached from this node")},
    {STR_INIT("unreachable"), STR_INIT("the peer's address cannot be reached from this node")},
    {STR_INIT("Cannot assign requested address"),
     STR_INIT("this node does not have the address that is to be ours (sourceAddress)")},
    {STR_INIT("No listening socket"), STR_INIT("another program on this node has the port of BGP")},
};

struct str bgp_advice(struct str error)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (str_contains(error, rows[i].text))
            return rows[i].advice;
    }
    return STR("");
}
