/*
 * Random calls: about half of the arguments are right, the rest are not. Every call has to return a status that the header allows it, with a message where it failed;
 * never RTD_ERROR_INTERNAL. Pointers to pixels are the one thing that is always right when it is not NULL: memory is as large as any stride used here needs.
 *
 *     fuzz [CALLS [SEED [THREADS]]]
 *
 * One thread repeats its calls when it gets the same seed. Several share their handles, so that pictures, options and ends of a deblurrer meet.
 */
#include "check.h"
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

enum { SLOTS = 8, LARGEST_SIDE = 40, LARGEST_STRIDE = 512, PLANE_BYTES = LARGEST_SIDE * LARGEST_STRIDE };

/* Making a deblurrer takes milliseconds, the other calls microseconds: one call in so many may make one. */
enum { CALLS_PER_CREATION = 250 };

/* Handles that threads share: some alive, some ended. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static rtd_deblurrer *slots[SLOTS];

typedef struct {
    uint64_t random;
    long calls;
    long answers[8]; /* calls by status: answers[-status] */
    unsigned char *memory; /* six planes */
} fuzzer;

static uint32_t next(fuzzer *f) {
    /* xorshift64*, Vigna 2016 */
    f->random ^= f->random >> 12;
    f->random ^= f->random << 25;
    f->random ^= f->random >> 27;
    return (uint32_t)(f->random * UINT64_C(2685821657736338717) >> 32);
}

static uint32_t below(fuzzer *f, uint32_t n) { return next(f) % n; }
static int one_in(fuzzer *f, uint32_t n) { return below(f, n) == 0; }

static int any_int(fuzzer *f) {
    static const int edges[] = { INT_MIN, INT_MIN + 1, -3, -2, -1, 0, 1, 2, 3, 4, 255, 65535, 65536, INT_MAX - 1, INT_MAX };
    return one_in(f, 4) ? (int)next(f) : edges[below(f, sizeof edges / sizeof *edges)];
}

static float any_float(fuzzer *f) {
    static const float edges[] = { 0, -0.0f, 1, -1, -2, 4, 0.5f, 1.6f, 4.1f, 1e-40f, 1e30f, NAN, INFINITY, -INFINITY };
    return edges[below(f, sizeof edges / sizeof *edges)];
}

static rtd_deblurrer *any_handle(fuzzer *f) {
    if (one_in(f, 10)) return (rtd_deblurrer *)(uintptr_t)(one_in(f, 2) ? (uint64_t)next(f) << 32 | next(f) : (uint64_t)below(f, 3));
    pthread_mutex_lock(&lock);
    rtd_deblurrer *handle = slots[below(f, SLOTS)];
    pthread_mutex_unlock(&lock);
    return handle;
}

static const rtd_format *any_format(fuzzer *f, rtd_format *format) {
    if (one_in(f, 20)) return NULL;
    *format = (rtd_format){ (int32_t)below(f, RTD_RGB48 + 1), 1 + (int32_t)below(f, LARGEST_SIDE), 1 + (int32_t)below(f, LARGEST_SIDE), (int32_t)below(f, 2) };
    if (!one_in(f, 3)) return format;
    /* Sizes that are wrong are wrong by far: a large one that is right would need gigabytes. */
    if (one_in(f, 2)) format->pixels = any_int(f);
    if (one_in(f, 2)) format->width = one_in(f, 2) ? INT_MAX - (int)below(f, 4) : -(int)below(f, 1u << 31);
    if (format->width > LARGEST_SIDE && format->height < 3) format->height = 3;
    if (one_in(f, 3)) format->height = -(int)below(f, 4);
    if (one_in(f, 3)) format->range = any_int(f);
    return format;
}

static const rtd_picture *any_picture(fuzzer *f, rtd_picture *picture, int number) {
    if (one_in(f, 20)) return NULL;
    static const size_t wrong[] = { 0, 1, 39, 79, SIZE_MAX, SIZE_MAX / 2, (size_t)1 << 31, (size_t)1 << 40 };
    for (int plane = 0; plane < RTD_MAX_PLANES; plane++) {
        picture->plane[plane] = one_in(f, 40) ? NULL : f->memory + (size_t)(number * RTD_MAX_PLANES + plane) * PLANE_BYTES;
        /* 240 bytes are a row of 40 pixels of RTD_RGB48. */
        picture->stride_bytes[plane] = one_in(f, 30) ? wrong[below(f, sizeof wrong / sizeof *wrong)] : 240 + below(f, LARGEST_STRIDE - 240);
    }
    /* With one row any stride is right, and memory of one row is enough. */
    return picture;
}

/* The first deblurrers are made without mistakes, of all formats in turn. */
static void fill_slots(void) {
    for (int i = 0; i < SLOTS; i++) {
        rtd_format format = { i * 2, 9 + i * 4, 40 - i * 3, i & 1 };
        OK(rtd_create("tiny-camera", NULL, &format, &slots[i]));
    }
}

static void make_one(fuzzer *f) {
    rtd_format format;
    const rtd_format *chosen = any_format(f, &format);
    rtd_deblurrer *handle = NULL;
    char name[32];
    for (size_t i = 0; i + 1 < sizeof name; i++) name[i] = (char)next(f);
    name[sizeof name - 1] = '\0';
    const char *models[] = { "tiny-camera", "tiny", "tiny-camera", "tiny-camera", name, "" }, *devices[] = { NULL, "0", "0", "7", name };
    const char *model = models[below(f, 6)], *device = devices[below(f, 5)];
    int status = one_in(f, 5) ? rtd_create_from_memory(one_in(f, 5) ? NULL : name, below(f, sizeof name), device, chosen, &handle)
        : rtd_create(model, device, chosen, one_in(f, 20) ? NULL : &handle);
    CHECK(status == RTD_OK || status == RTD_ERROR_ARGUMENT || status == RTD_ERROR_MODEL || status == RTD_ERROR_DEVICE, "create: status %d: %s", status, rtd_last_error());
    CHECK((status == RTD_OK) == (handle != NULL), "create: status %d with handle %p", status, (void *)handle);
    f->answers[status <= 0 && status > -8 ? -status : 7]++;
    if (!handle) return;
    pthread_mutex_lock(&lock);
    rtd_deblurrer **slot = &slots[below(f, SLOTS)], *old = *slot;
    *slot = handle;
    pthread_mutex_unlock(&lock);
    /* Another thread may have ended it. */
    if (old) {
        status = rtd_destroy(old);
        CHECK(status == RTD_OK || status == RTD_ERROR_HANDLE, "destroy: status %d: %s", status, rtd_last_error());
    }
}

/* Statuses that a call may answer with, as bits 1 << -status. */
enum { FINE = 1, ARGUMENT = 2, HANDLE = 4, STATE = 64 };

static void call_one(fuzzer *f) {
    rtd_format format;
    rtd_picture input, output;
    rtd_device device;
    size_t row_bytes, rows;
    float sigma;
    int unchanged, status, allowed, function = (int)below(f, 22);
    switch (function) {
    case 0: case 1: case 2: case 3:
        status = rtd_process(any_handle(f), any_picture(f, &input, 0), any_picture(f, &output, (int)below(f, 2)));
        allowed = FINE | ARGUMENT | HANDLE | STATE;
        break;
    case 4: case 5: case 6: case 7:
        status = rtd_submit(any_handle(f), any_picture(f, &input, 0));
        allowed = FINE | ARGUMENT | HANDLE | STATE;
        break;
    case 8: case 9: case 10: case 11:
        status = rtd_collect(any_handle(f), any_picture(f, &output, 1));
        allowed = FINE | ARGUMENT | HANDLE | STATE;
        break;
    case 12:
        status = rtd_in_flight(any_handle(f));
        CHECK(status <= RTD_MAX_IN_FLIGHT, "%d in flight", status);
        if (status > 0) status = RTD_OK;
        allowed = FINE | HANDLE;
        break;
    case 13:
        status = rtd_last_sigma(any_handle(f), one_in(f, 3) ? NULL : &sigma, one_in(f, 3) ? NULL : &unchanged);
        allowed = FINE | HANDLE;
        break;
    case 14:
        status = rtd_set_strength(any_handle(f), any_float(f));
        allowed = FINE | HANDLE | ARGUMENT;
        break;
    case 15:
        status = rtd_set_sigma(any_handle(f), any_float(f));
        allowed = FINE | HANDLE | ARGUMENT;
        break;
    case 16:
        status = rtd_set_guard(any_handle(f), any_int(f));
        allowed = FINE | HANDLE | ARGUMENT;
        break;
    case 17:
        status = rtd_set_view(any_handle(f), any_int(f));
        allowed = FINE | HANDLE | ARGUMENT;
        break;
    case 18:
        status = rtd_plane_size(any_format(f, &format), one_in(f, 2) ? (int)below(f, 3) : any_int(f), one_in(f, 10) ? NULL : &row_bytes, one_in(f, 10) ? NULL : &rows);
        allowed = FINE | ARGUMENT;
        break;
    case 19:
        status = rtd_device_info(one_in(f, 2) ? 0 : any_int(f), one_in(f, 10) ? NULL : &device);
        allowed = FINE | ARGUMENT;
        break;
    case 20: {
        const char *name = rtd_model_name(any_int(f));
        CHECK(!name || name[0], "an empty name");
        CHECK(rtd_model_count() > 0 && rtd_api_version() == RTD_API_VERSION && rtd_version()[0], "the library is not what it was");
        return;
    }
    default:
        /* Seldom, so that most handles live for a while. */
        if (!one_in(f, 200)) return;
        status = one_in(f, 4) ? rtd_release_devices() : rtd_destroy(any_handle(f));
        allowed = FINE | HANDLE;
        break;
    }
    CHECK(status <= 0 && status > -8 && (allowed >> -status & 1), "function %d: status %d: %s", function, status, rtd_last_error());
    CHECK(status == RTD_OK || rtd_last_error()[0], "function %d: status %d without a message", function, status);
    f->answers[status <= 0 && status > -8 ? -status : 7]++;
}

static void *run(void *argument) {
    fuzzer *f = argument;
    for (long i = 0; i < f->calls && failed_checks == 0; i++) {
        if (i % CALLS_PER_CREATION == 0) make_one(f);
        call_one(f);
    }
    return NULL;
}

int main(int argc, char **argv) {
    skip_without_device();
    long calls = argc > 1 ? atol(argv[1]) : 100000, threads = argc > 3 ? atol(argv[3]) : 1;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
    fuzzer fuzzers[16];
    pthread_t ids[16];
    NEED(calls > 0 && threads >= 1 && threads <= 16, "usage: fuzz [CALLS [SEED [THREADS]]]");
    /* Before the first call, so that a crash has it above. */
    printf("fuzz: %ld calls, seed %llu, %ld threads\n", calls, (unsigned long long)seed, threads);
    fflush(stdout);
    for (long t = 0; t < threads; t++) {
        memset(&fuzzers[t], 0, sizeof fuzzers[t]);
        fuzzers[t].random = seed * 16 + (uint64_t)t + 1;
        fuzzers[t].calls = calls / threads;
        fuzzers[t].memory = calloc(2 * RTD_MAX_PLANES, PLANE_BYTES);
        NEED(fuzzers[t].memory, "no memory");
        for (size_t i = 0; i < 2 * RTD_MAX_PLANES * PLANE_BYTES; i++) fuzzers[t].memory[i] = (unsigned char)next(&fuzzers[t]);
    }
    fill_slots();
    for (long t = 1; t < threads; t++) NEED(pthread_create(&ids[t], NULL, run, &fuzzers[t]) == 0, "no thread");
    run(&fuzzers[0]);
    long answers[8] = { 0 };
    for (long t = 0; t < threads; t++) {
        if (t > 0) pthread_join(ids[t], NULL);
        for (int i = 0; i < 8; i++) answers[i] += fuzzers[t].answers[i];
        free(fuzzers[t].memory);
    }
    for (int i = 0; i < SLOTS; i++) if (slots[i]) CHECK(rtd_destroy(slots[i]) != RTD_ERROR_INTERNAL, "%s", rtd_last_error());
    printf("fuzz: %ld ok, %ld argument, %ld handle, %ld model, %ld device, %ld memory, %ld state, %ld internal\n", answers[0], answers[1], answers[2], answers[3], answers[4], answers[5], answers[6], answers[7]);
    /* Calls that mostly fail would test little. */
    CHECK(calls < 5000 || answers[0] > calls / 4, "only %ld of %ld calls went well", answers[0], calls);
    return finish("fuzz");
}
