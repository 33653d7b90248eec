/* process_use.h - what this process holds at the moment: memory in use, descriptors, threads. */
#ifndef PROCESS_USE_H
#define PROCESS_USE_H

#include "check.h"
#include <dirent.h>
#include <limits.h>
#include <malloc.h>
#include <unistd.h>

typedef struct {
    long memory_kib; /* anonymous memory that is resident: what a leak adds to; code that is paged in does not count */
    int descriptors, threads;
} process_use;

static inline int count_entries(const char *folder) {
    DIR *entries = opendir(folder);
    NEED(entries, "%s cannot be listed", folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(entries));) count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

static inline process_use current_use(void) {
    process_use use = { 0, 0, 0 };
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    NEED(file, "/proc/self/status cannot be opened");
    while (fgets(line, sizeof line, file)) sscanf(line, "RssAnon: %ld", &use.memory_kib);
    fclose(file);
    use.descriptors = count_entries("/proc/self/fd");
    use.threads = count_entries("/proc/self/task");
    return use;
}

/*
 * Growth that lasts. Memory goes up and down: the collector lets garbage lie until it is worth collecting, and malloc keeps what is freed. A leak raises the lowest points.
 * So the work is done in sixteen parts with a sample after each; the lowest sample of the last quarter may exceed the lowest of the second quarter, before which all is warm-up,
 * by limit_kib. Descriptors and threads may not grow at all.
 */
static inline void check_growth(const char *what, void (*work)(int), int count, long limit_kib) {
    process_use lowest[4];
    for (int part = 0, done = 0; part < 16; part++) {
        for (; done < (int)((long)count * (part + 1) / 16); done++) work(done);
        malloc_trim(0);
        process_use use = current_use(), *quarter = &lowest[part / 4];
        if (part % 4 == 0) *quarter = use;
        if (use.memory_kib < quarter->memory_kib) quarter->memory_kib = use.memory_kib;
        if (use.descriptors < quarter->descriptors) quarter->descriptors = use.descriptors;
        if (use.threads < quarter->threads) quarter->threads = use.threads;
    }
#ifdef __SANITIZE_ADDRESS__
    limit_kib = LONG_MAX; /* AddressSanitizer keeps what is freed */
#endif
    long growth = lowest[3].memory_kib - lowest[1].memory_kib;
    printf("%s, %d times: memory %+ld KiB (limit %ld) to %ld, descriptors %+d to %d, threads %+d to %d\n", what, count, growth, limit_kib, lowest[3].memory_kib,
        lowest[3].descriptors - lowest[1].descriptors, lowest[3].descriptors, lowest[3].threads - lowest[1].threads, lowest[3].threads);
    CHECK(growth <= limit_kib, "%s: memory grew by %ld KiB, more than %ld", what, growth, limit_kib);
    CHECK(lowest[3].descriptors <= lowest[1].descriptors, "%s: descriptors grew from %d to %d", what, lowest[1].descriptors, lowest[3].descriptors);
    CHECK(lowest[3].threads <= lowest[1].threads, "%s: threads grew from %d to %d", what, lowest[1].threads, lowest[3].threads);
}

#endif
