/* main() of a fuzz target in the presets without libFuzzer: every file of the named directories
 * (or every named file) is one input, so that a corpus is also a regression test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/sbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return -1;
    }
    struct sbuf input = {0};
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        sbuf_put(&input, (struct str){.ptr = chunk, .len = n});
    (void)fclose(file);
    /* An exact copy, so that a sanitizer sees the first byte read behind the end. */
    uint8_t *exact = heap_alloc(input.len);
    for (size_t i = 0; i < input.len; i++)
        exact[i] = (uint8_t)input.ptr[i];
    (void)LLVMFuzzerTestOneInput(exact, input.len);
    free(exact);
    sbuf_done(&input);
    return 1;
}

static int replay_dir(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) {
        perror(path);
        return -1;
    }
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        scoped_sbuf struct sbuf name = {0};
        sbuf_printf(&name, "%s/%s", path, entry->d_name);
        if (replay_file(sbuf_cstr(&name)) > 0)
            count++;
    }
    (void)closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        struct stat about;
        if (stat(argv[i], &about) < 0) {
            perror(argv[i]);
            return 1;
        }
        int count = S_ISDIR(about.st_mode) ? replay_dir(argv[i]) : replay_file(argv[i]);
        if (count < 0)
            return 1;
        total += count;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1;
}
