/* The notes of a record: Events that are told once its change has been written. */
#ifndef CONTROLLER_NOTES_H
#define CONTROLLER_NOTES_H

#include "controller/record.h"

/* Adds a note; the message is copied to the arena, which is the record's. */
void notes_add(struct plan_record *record, struct arena *texts, const struct plan_note *note);

/* Puts notes that were not told yet (those of `before`, whose texts are elsewhere) before the
 * record's own, which bring the newest words. */
void notes_keep(struct plan_record *record, struct arena *texts, const struct plan_record *before);

#endif
