#include "controller/notes.h"

#include <assert.h>

/* Room for one more: the list doubles, from one, which is what nearly all need. In a storm every
 * Service has notes for a while, and what they leave behind is what memory is wasted on. */
static void make_room(struct plan_record *record, struct arena *texts)
{
    size_t count = record->note_count;
    if ((count & (count - 1)) != 0)
        return;
    struct plan_note *grown = arena_array(texts, count ? 2 * count : 1, sizeof(*grown));
    for (size_t i = 0; i < count; i++)
        grown[i] = record->notes[i];
    record->notes = grown;
}

void notes_add(struct plan_record *record, struct arena *texts, const struct plan_note *note)
{
    assert(record->note_count < PLAN_NOTES);
    make_room(record, texts);
    record->notes[record->note_count++] = (struct plan_note){
        .reason = note->reason,
        .warning = note->warning,
        .message = arena_str(texts, note->message),
    };
}

/* The note that a newer one stands in for: the same, or else one of the same reason. */
static struct plan_note *find(const struct plan_record *record, const struct plan_note *newer)
{
    struct plan_note *found = NULL;
    for (size_t i = 0; i < record->note_count; i++) {
        struct plan_note *note = &record->notes[i];
        if (!str_eq(str_from(note->reason), str_from(newer->reason)))
            continue;
        if (str_eq(note->message, newer->message))
            return note;
        if (!found)
            found = note;
    }
    return found;
}

void notes_keep(struct plan_record *record, struct arena *texts, const struct plan_record *before)
{
    struct plan_note own[PLAN_NOTES];
    size_t count = record->note_count;
    for (size_t i = 0; i < count; i++)
        own[i] = record->notes[i];
    record->note_count = 0;
    for (size_t i = 0; i < before->note_count; i++)
        notes_add(record, texts, &before->notes[i]);
    for (size_t i = 0; i < count; i++) {
        struct plan_note *same = find(record, &own[i]);
        if (same)
            *same = own[i];
        else if (record->note_count < PLAN_NOTES)
            notes_add(record, texts, &own[i]);
    }
}
