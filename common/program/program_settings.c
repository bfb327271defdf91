#include "common/program/program_settings.h"

#include "common/base/err.h"

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_NONE] = "none", [LOG_LEVEL_NONE + 1] = "all",
};
const struct names program_settings_levels = NAMES(level_names);

static const char *const format_names[] = {
    [LOG_FORMAT_LOGFMT] = "logfmt",
    [LOG_FORMAT_JSON] = "json",
};
const struct names program_settings_formats = NAMES(format_names);

int program_settings_parse(const struct program_flags *flags,
                           const struct program_arguments *arguments, struct arena *arena,
                           struct program_settings **ret, struct str *ret_error)
{
    struct program_settings *settings = arena_alloc(arena, flags->settings_size);
    struct str_list operands;
    int outcome = options_parse(&flags->options, arguments->items, arguments->count,
                                arguments->environment, arena, settings, &operands, ret_error);
    if (outcome != OPTIONS_RUN)
        return outcome;
    settings->operands = operands;
    int result = flags->check(settings, ret_error);
    if (result < 0)
        return result;
    *ret = settings;
    return OPTIONS_RUN;
}

int program_settings_check(const struct program_settings *s, struct str *ret_error)
{
    if (s->status.len && !s->manifests.len)
        return program_settings_refuse(ret_error, STR("--status needs --manifests"));
    if (s->manifests.len && s->state_dir.len)
        return program_settings_refuse(
            ret_error, STR("--manifests and --state-dir exclude each other: files need no copy"));
    if (s->manifests.len && s->context.len)
        return program_settings_refuse(ret_error,
                                       STR("--manifests and --context exclude each other"));
    return 0;
}

int program_settings_refuse(struct str *ret_error, struct str sentence)
{
    *ret_error = sentence;
    return ERR_SYNTAX;
}

enum log_level program_settings_log_level(const struct program_settings *s)
{
    return s->log_level > LOG_LEVEL_NONE ? LOG_LEVEL_DEBUG : (enum log_level)s->log_level;
}
