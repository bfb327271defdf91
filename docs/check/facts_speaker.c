/* As facts.c, what the documents must repeat of stentor-speaker: {"flags":[…],"metrics":[…]}.
 *
 * usage: docs_facts_speaker FILE */
#include "docs/check/facts_tables.h"
#include "speaker/bgp_metrics.h"
#include "speaker/settings.h"
#include "speaker/speaker_metrics.h"

static void put_rows(struct patch *json, const struct metric *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_metric(json, &rows[i]);
}

int main(int argc, char **argv)
{
    size_t count, bgp_count;
    const struct metric *rows = speaker_metrics_rows(&count);
    const struct metric *bgp_rows = bgp_metrics_rows(&bgp_count);
    if (argc != 2)
        return 2;
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    put_flags(&json, &settings_flags.options);
    patch_list(&json, "metrics");
    put_rows(&json, rows, count);
    put_rows(&json, bgp_rows, bgp_count);
    put_process_metrics(&json);
    patch_close(&json);
    patch_close(&json);
    return write_file(argv[1], patch_text(&json)) ? 0 : 1;
}
