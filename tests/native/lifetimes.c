/*
 * Deblurrers come and go: one after another, and eight at a time on threads of their own. After a warm-up neither memory, descriptors nor threads of the process grow.
 *
 *     lifetimes [COUNT [ROUNDS_OF_THREADS]]
 */
#include "picture.h"
#include "process_use.h"
#include <pthread.h>

#define MODEL "tiny-camera"
/*
 * Limits. With nothing leaked the lowest points wander by 4 MiB where one thread works at a time, and by 20 where eight do, between 78 and 98 MiB however long that goes on
 * (5120 deblurrers: -1 MiB). One deblurrer of the smallest network holds about 400 KiB of weights and buffers: with 1000 alone, or 160 times eight, half of which count, the limits
 * are 25 and 51 KiB for each.
 */
enum { ALONE_KIB = 12288, TOGETHER_KIB = 32768, THREADS_KIB = 4096, PICTURES_KIB = 1024 };

static void live_once(int i) {
    rtd_format format = { i % (RTD_RGB48 + 1), 16 + i % 3, 16, RTD_RANGE_FULL };
    rtd_deblurrer *deblurrer = NULL;
    OK(rtd_create(MODEL, NULL, &format, &deblurrer));
    test_picture picture = make_picture(format, 0);
    draw(&picture, i);
    OK(rtd_process(deblurrer, &picture.picture, &picture.picture));
    /* Some end with pictures in flight, some fail: that leaves nothing behind either. */
    if (i % 3 == 0) OK(rtd_submit(deblurrer, &picture.picture));
    FAILS(rtd_set_strength(deblurrer, 2), RTD_ERROR_ARGUMENT, "");
    free_picture(&picture);
    OK(rtd_destroy(deblurrer));
}

static void *live_on_a_thread(void *argument) {
    live_once(*(int *)argument);
    return NULL;
}

static void live_on_threads(int i) {
    pthread_t threads[8];
    int numbers[8];
    for (int t = 0; t < 8; t++) {
        numbers[t] = i + t;
        NEED(pthread_create(&threads[t], NULL, live_on_a_thread, &numbers[t]) == 0, "no thread");
    }
    for (int t = 0; t < 8; t++) pthread_join(threads[t], NULL);
}

static void *fail(void *nothing) {
    FAILS(rtd_in_flight(NULL), RTD_ERROR_HANDLE, "");
    return nothing;
}

static void fail_on_a_thread(int i) {
    pthread_t thread;
    NEED(pthread_create(&thread, NULL, fail, NULL) == 0, "no thread %d", i);
    pthread_join(thread, NULL);
}

static rtd_deblurrer *lasting;
static test_picture frame;

static void restore_one(int i) {
    (void)i;
    OK(rtd_submit(lasting, &frame.picture));
    if (rtd_in_flight(lasting) == RTD_MAX_IN_FLIGHT) OK(rtd_collect(lasting, &frame.picture));
}

int main(int argc, char **argv) {
    skip_without_device();
    /* One heap for all threads: each new heap of malloc's would look like growth. */
    mallopt(M_ARENA_MAX, 1);
    int count = argc > 1 ? atoi(argv[1]) : 1000, rounds = argc > 2 ? atoi(argv[2]) : 100;

    check_growth("one after another", live_once, count, ALONE_KIB);
    check_growth("eight at a time", live_on_threads, rounds, TOGETHER_KIB);
    /* Threads of the host that have ended take what the library kept for them along, the message of their last failure as well. */
    check_growth("threads", fail_on_a_thread, count * 10, THREADS_KIB);

    rtd_format format = { RTD_YUV420P8, 64, 48, RTD_RANGE_LIMITED };
    frame = make_picture(format, 0);
    draw(&frame, 0);
    OK(rtd_create(MODEL, NULL, &format, &lasting));
    check_growth("pictures", restore_one, count * 4, PICTURES_KIB);
    OK(rtd_destroy(lasting));
    free_picture(&frame);
    return finish("lifetimes");
}
