/* Several videos at once: threads [THREADS [PICTURES [WIDTH HEIGHT [MODEL]]]]
 *
 * Each thread has a deblurrer of its own and restores a video of its own; all share the device. Calls on different deblurrers need no lock.
 * Afterwards every video is restored once more alone, and has to come out the same. */
#include <pthread.h>
#include <realtimedeblur.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct {
    int index;               /* of the video */
    int pictures;
    rtd_format format;
    const char *model;
    uint64_t fingerprint;    /* of all restored pictures together */
    char problem[512];       /* empty if all went well */
} video;

/* Picture number `time` of video `index`: soft bars that move at a speed of their own. */
static void draw(unsigned char *luma, const rtd_format *format, int index, int time) {
    for (int y = 0; y < format->height; y++) {
        for (int x = 0; x < format->width; x++) {
            int phase = (x + y * (index + 1) + time * (index + 2)) % 32;
            int rise = phase < 16 ? phase : 31 - phase; /* 0 to 15 and back */
            luma[(size_t)y * (size_t)format->width + (size_t)x] = (unsigned char)(40 + (rise < 4 ? 0 : rise > 11 ? 7 : rise - 4) * 25);
        }
    }
}

/* FNV-1a. */
static uint64_t add_to_fingerprint(uint64_t fingerprint, const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) fingerprint = (fingerprint ^ bytes[i]) * UINT64_C(1099511628211);
    return fingerprint;
}

static void *restore(void *argument) {
    video *video = argument;
    size_t size_bytes = (size_t)video->format.width * (size_t)video->format.height;
    unsigned char *luma = malloc(size_bytes);
    rtd_picture picture = { { luma }, { (size_t)video->format.width } };
    rtd_deblurrer *deblurrer = NULL;
    video->fingerprint = UINT64_C(14695981039346656037);

    int status = luma ? rtd_create(video->model, NULL, &video->format, &deblurrer) : RTD_ERROR_MEMORY;
    for (int submitted = 0, collected = 0; status == RTD_OK && collected < video->pictures;) {
        if (submitted < video->pictures && submitted - collected < RTD_MAX_IN_FLIGHT) {
            draw(luma, &video->format, video->index, submitted++);
            status = rtd_submit(deblurrer, &picture);
        } else {
            status = rtd_collect(deblurrer, &picture);
            collected++;
            video->fingerprint = add_to_fingerprint(video->fingerprint, luma, size_bytes);
        }
    }
    /* rtd_last_error() belongs to this thread: it has to be read here. */
    snprintf(video->problem, sizeof video->problem, "%s", status == RTD_OK ? "" : luma ? rtd_last_error() : "not enough memory");
    rtd_destroy(deblurrer);
    free(luma);
    return NULL;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 4, pictures = argc > 2 ? atoi(argv[2]) : 50;
    rtd_format format = { RTD_GRAY8, argc > 4 ? atoi(argv[3]) : 640, argc > 4 ? atoi(argv[4]) : 480, RTD_RANGE_FULL };
    const char *model = argc > 5 ? argv[5] : "tiny-camera";
    if (count < 1 || count > 64 || pictures < 1 || format.width < 1 || format.height < 1) {
        fputs("usage: threads [THREADS [PICTURES [WIDTH HEIGHT [MODEL]]]], e.g. threads 4 50 640 480\n", stderr);
        return 2;
    }

    video together[64], alone[64];
    pthread_t threads[64];
    for (int i = 0; i < count; i++) alone[i] = together[i] = (video){ i, pictures, format, model, 0, "" };
    double start = seconds();
    for (int i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, restore, &together[i]) != 0) {
            fputs("could not start a thread\n", stderr);
            return 1;
        }
    }
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    double elapsed = seconds() - start;

    int status = 0;
    for (int i = 0; i < count; i++) {
        if (together[i].problem[0] == '\0') restore(&alone[i]);
        const char *problem = together[i].problem[0] != '\0' ? together[i].problem : alone[i].problem;
        int is_same = together[i].fingerprint == alone[i].fingerprint;
        printf("video %d: %s\n", i, problem[0] != '\0' ? problem : is_same ? "the same as alone" : "DIFFERENT from alone");
        if (problem[0] != '\0' || !is_same) status = 1;
    }
    printf("%d threads, %d pictures of %dx%d: %.1f pictures/s together, setting up included\n", count, count * pictures, (int)format.width, (int)format.height, count * pictures / elapsed);
    return status;
}
