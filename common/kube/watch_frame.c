#include "common/kube/watch_frame.h"

void watch_frame_init(struct watch_frame *frame, size_t limit)
{
    *frame = (struct watch_frame){.limit = limit};
}

void watch_frame_done(struct watch_frame *frame)
{
    sbuf_done(&frame->line);
}

/* Adds a piece of the current line, or gives the line up once it is over the limit. */
static void add_piece(struct watch_frame *frame, struct str piece)
{
    if (!frame->skipping && piece.len > frame->limit - frame->line.len) {
        frame->skipping = true;
        identity_init(&frame->skipped, true);
        identity_feed(&frame->skipped, sbuf_str(&frame->line));
        sbuf_done(&frame->line);
    }
    if (frame->skipping)
        identity_feed(&frame->skipped, piece);
    else
        sbuf_put(&frame->line, piece);
}

/* Forgets the line that was handed out; memory of a large one is given back. */
static void next_line(struct watch_frame *frame)
{
    enum { KEEP = 64 * 1024 };
    if (frame->line.cap > KEEP)
        sbuf_done(&frame->line);
    else
        sbuf_clear(&frame->line);
    frame->ended = false;
}

enum watch_frame_result watch_frame_next(struct watch_frame *frame, struct str *input,
                                         struct str *ret_line)
{
    while (input->len) {
        if (frame->ended)
            next_line(frame);
        size_t end = str_find(*input, '\n');
        add_piece(frame, str_slice(*input, 0, end));
        frame->ended = end < input->len;
        *input = str_slice(*input, frame->ended ? end + 1 : end, input->len);
        if (!frame->ended)
            return WATCH_FRAME_MORE;
        if (frame->skipping) {
            frame->skipping = false;
            return WATCH_FRAME_SKIPPED;
        }
        *ret_line = str_trim(sbuf_str(&frame->line));
        if (ret_line->len)
            return WATCH_FRAME_EVENT;
    }
    return WATCH_FRAME_MORE;
}
