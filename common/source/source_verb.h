/* What a write to a source does (source.h). */
#ifndef COMMON_SOURCE_SOURCE_VERB_H
#define COMMON_SOURCE_SOURCE_VERB_H

enum source_verb {
    SOURCE_CREATE,       /* POST body; a name ending in "-" in metadata.generateName is allowed */
    SOURCE_PATCH,        /* JSON merge patch (RFC 7396) on the object */
    SOURCE_PATCH_STATUS, /* the same on its status subresource; metadata.annotations goes along */
    SOURCE_APPLY_STATUS, /* server-side apply on status, field manager `manager` */
    SOURCE_APPLY,        /* server-side apply, creates when absent */
    SOURCE_DELETE,
    SOURCE_DELETE_ALL, /* all of a namespace with certain labels; that there are none is fine */
};

#endif
