#include "common/program/program_source.h"

#include "common/source/source_dir.h"

struct source *program_source_open(struct program *program, const struct source_kube_config *config,
                                   struct str *ret_error)
{
    const struct program_settings *s = program->settings;
    struct arena *arena = program->arena;
    if (s->manifests.len) {
        struct source_dir_options options = {.manifests = s->manifests, .status = s->status};
        return source_dir_new(program->loop, &options);
    }
    struct source_kube_config kube = *config;
    kube.program = str_from(program->name);
    kube.state_dir = s->state_dir;
    kube.auth = (struct auth_config){
        .kubeconfig = s->kubeconfig.len ? arena_cstr(arena, s->kubeconfig) : NULL,
        .context = s->context.len ? arena_cstr(arena, s->context) : NULL,
    };
    return source_kube_new(program->loop, &kube, arena, ret_error);
}
