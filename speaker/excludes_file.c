#include "speaker/excludes_file.h"

#include <errno.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/sbuf.h"
#include "common/base/text_file.h"

/* A look at the file's time. The kubelet needs up to a minute to show a changed ConfigMap. */
enum { LOOK_MS = 2000 };

struct excludes_file {
    struct arena *arena; /* of the path */
    struct str path;
    struct text_file text;
    struct excludes *list;
    struct sbuf trouble;
    uint64_t failures;
    struct loop_timer *timer;
    void (*changed)(void *ctx);
    void *ctx;
};

static void set_trouble(struct excludes_file *file, struct str sentence)
{
    sbuf_clear(&file->trouble);
    sbuf_put(&file->trouble, sentence);
    if (!sentence.len)
        return;
    file->failures++;
    log_warn("list of excluded interfaces refused, the one before stays in force",
             kv_str("file", file->path), kv_str("reason", sentence));
}

/* Takes the text over as it is now. True: another list is in force. */
static bool take(struct excludes_file *file)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str text = {file->text.text, file->text.len}, error = {0};
    struct excludes *list;
    if (excludes_parse(text, arena, &list, &error) < 0) {
        set_trouble(file, error);
        return false;
    }
    set_trouble(file, STR(""));
    (void)excludes_free(file->list);
    file->list = list;
    log_info("list of excluded interfaces in force", kv_str("file", file->path),
             kv_uint("expressions", excludes_count(list)));
    return true;
}

/* A file that is not there (or not yet) is no trouble: the shipped list is in force. */
static bool open_file(struct excludes_file *file)
{
    int result = text_file_open(&file->text, file->path);
    if (result == 0)
        return take(file);
    if (result != -ENOENT && result != -ENOTDIR &&
        !str_eq(sbuf_str(&file->trouble), str_from(err_text(result))))
        set_trouble(file, str_from(err_text(result)));
    return false;
}

static void look(void *ctx)
{
    struct excludes_file *file = ctx;
    bool other =
        file->text.path ? text_file_refresh(&file->text, false) && take(file) : open_file(file);
    if (other)
        file->changed(file->ctx);
}

struct excludes_file *excludes_file_open(struct loop *loop, struct str path,
                                         void (*changed)(void *ctx), void *ctx)
{
    struct excludes_file *file = heap_alloc(sizeof(*file));
    *file = (struct excludes_file){
        .arena = arena_new(0), .list = excludes_default(), .changed = changed, .ctx = ctx};
    file->path = arena_str(file->arena, path);
    (void)open_file(file);
    file->timer = loop_timer_start(loop, LOOK_MS, LOOK_MS, look, file);
    return file;
}

struct excludes_file *excludes_file_close(struct excludes_file *file)
{
    if (!file)
        return NULL;
    (void)loop_timer_cancel(file->timer);
    text_file_close(&file->text);
    (void)excludes_free(file->list);
    sbuf_done(&file->trouble);
    (void)arena_free(file->arena);
    free(file);
    return NULL;
}

const struct excludes *excludes_file_list(const struct excludes_file *file)
{
    return file->list;
}

struct str excludes_file_trouble(const struct excludes_file *file)
{
    return sbuf_str(&file->trouble);
}

uint64_t excludes_file_failures(const struct excludes_file *file)
{
    return file->failures;
}
