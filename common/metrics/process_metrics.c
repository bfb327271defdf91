#include "common/metrics/process_metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

const struct metric process_metrics_rows[PROCESS_METRICS] = {
    [PROCESS_CPU_SECONDS] = {"process_cpu_seconds_total", "User and system time spent.",
                             METRIC_COUNTER},
    [PROCESS_RESIDENT_BYTES] = {"process_resident_memory_bytes", "Memory in RAM.", METRIC_GAUGE},
    [PROCESS_VIRTUAL_BYTES] = {"process_virtual_memory_bytes", "Address space in use.",
                               METRIC_GAUGE},
    [PROCESS_OPEN_FDS] = {"process_open_fds", "Open descriptors.", METRIC_GAUGE},
    [PROCESS_MAX_FDS] = {"process_max_fds", "Most descriptors that may be open.", METRIC_GAUGE},
    [PROCESS_START_TIME] = {"process_start_time_seconds",
                            "Start of the process, in seconds since 1970.", METRIC_GAUGE},
};

struct metrics *process_metrics_new(void)
{
    return metrics_new(process_metrics_rows, PROCESS_METRICS);
}

/* The file's text in the buffer, which is empty when it cannot be read. */
static struct str read_file(const char *path, struct sbuf *buffer)
{
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    char chunk[4096];
    for (ssize_t len; fd >= 0 && (len = read(fd, chunk, sizeof(chunk))) > 0;)
        sbuf_put(buffer, (struct str){.ptr = chunk, .len = (size_t)len});
    return sbuf_str(buffer);
}

/* Word number index, from 0, of words that single blanks part; 0 when it is no number. */
static double number_at(struct str words, size_t index)
{
    struct str word = {0};
    for (size_t i = 0; i <= index; i++) {
        if (!str_next(&words, ' ', &word))
            return 0;
    }
    uint64_t number = 0;
    if (str_to_u64(str_trim(word), UINT64_MAX, &number) < 0)
        return 0;
    return (double)number;
}

/* The kernel's start, in seconds since 1970 (line "btime" of /proc/stat). */
static double boot_time(void)
{
    scoped_sbuf struct sbuf buffer = {0};
    struct str rest = read_file("/proc/stat", &buffer), line;
    while (str_next(&rest, '\n', &line)) {
        if (str_starts_with(line, STR("btime ")))
            return number_at(line, 1);
    }
    return 0;
}

/* proc(5), /proc/PID/stat: the name, field 2, may hold blanks and brackets; field 22 is the start
 * in ticks since boot, 23 the address space in bytes, 24 the resident pages. */
static void update_from_stat(struct metrics *metrics)
{
    enum { FIRST = 3, START = 22, VIRTUAL = 23, RESIDENT = 24 };
    scoped_sbuf struct sbuf buffer = {0};
    struct str stat = read_file("/proc/self/stat", &buffer);
    size_t name_end = stat.len;
    while (name_end && stat.ptr[name_end - 1] != ')')
        name_end--;
    if (!name_end)
        return;
    struct str fields = str_slice(stat, name_end + 1, stat.len);
    double ticks = number_at(fields, START - FIRST);
    double pages = number_at(fields, RESIDENT - FIRST);
    metric_set(metrics, PROCESS_START_TIME, boot_time() + ticks / (double)sysconf(_SC_CLK_TCK),
               NO_LABELS);
    metric_set(metrics, PROCESS_VIRTUAL_BYTES, number_at(fields, VIRTUAL - FIRST), NO_LABELS);
    metric_set(metrics, PROCESS_RESIDENT_BYTES, pages * (double)sysconf(_SC_PAGESIZE), NO_LABELS);
}

static void update_fds(struct metrics *metrics)
{
    enum { NOT_OURS = 3 }; /* ".", ".." and the descriptor that reads the directory */
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return;
    size_t count = 0;
    while (readdir(dir))
        count++;
    (void)closedir(dir); /* it was only read */
    metric_set(metrics, PROCESS_OPEN_FDS, (double)count - NOT_OURS, NO_LABELS);
}

void process_metrics_update(struct metrics *metrics)
{
    struct timespec cpu;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0)
        metric_set(metrics, PROCESS_CPU_SECONDS, (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9,
                   NO_LABELS);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(metrics, PROCESS_MAX_FDS, (double)limit.rlim_cur, NO_LABELS);
    update_from_stat(metrics);
    update_fds(metrics);
}
