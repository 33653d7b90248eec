/*
 * Calls that nobody should make: null pointers, values out of range, sizes up to the largest numbers, strides that are too short or too long, handles that are
 * none, none any more, or used and ended by other threads meanwhile. Each is answered by the status that the header names and a message; none crashes.
 */
#include "picture.h"
#include <limits.h>
#include <math.h>
#include <pthread.h>

#define MODEL "tiny-camera"

static rtd_format small(int pixels) {
    rtd_format format = { pixels, 16, 12, RTD_RANGE_FULL };
    return format;
}

static void test_formats(void) {
    static const rtd_format wrong[] = {
        { -1, 16, 12, RTD_RANGE_FULL },
        { RTD_RGB48 + 1, 16, 12, RTD_RANGE_FULL },
        { INT32_MIN, 16, 12, RTD_RANGE_FULL },
        { INT32_MAX, 16, 12, RTD_RANGE_FULL },
        { RTD_GRAY8, 0, 12, RTD_RANGE_FULL },
        { RTD_GRAY8, 16, 0, RTD_RANGE_FULL },
        { RTD_GRAY8, -1, 12, RTD_RANGE_FULL },
        { RTD_GRAY8, 16, INT32_MIN, RTD_RANGE_FULL },
        { RTD_GRAY8, INT32_MAX, INT32_MAX, RTD_RANGE_FULL },
        { RTD_RGB48, INT32_MAX, 1, RTD_RANGE_FULL },
        { RTD_YUV420P8, INT32_MAX, 2, RTD_RANGE_FULL },
        { RTD_NV12, 2, INT32_MAX, RTD_RANGE_FULL },
        { RTD_P010, 1 << 16, 1 << 15, RTD_RANGE_FULL },
        { RTD_RGBA32, 1 << 15, 1 << 14, RTD_RANGE_FULL }, /* 2 GiB, just */
        { RTD_GRAY8, 16, 12, 2 },
        { RTD_GRAY8, 16, 12, -1 },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        size_t row_bytes = 1, rows = 1;
        rtd_deblurrer *deblurrer = (rtd_deblurrer *)(uintptr_t)1;
        FAILS(rtd_plane_size(&wrong[i], 0, &row_bytes, &rows), RTD_ERROR_ARGUMENT, "");
        FAILS(rtd_create(MODEL, NULL, &wrong[i], &deblurrer), RTD_ERROR_ARGUMENT, "");
        CHECK(!deblurrer, "format %zu: a handle after an error", i);
        FAILS(rtd_create_from_memory("x", 1, NULL, &wrong[i], &deblurrer), RTD_ERROR_ARGUMENT, "");
    }
    rtd_format format = small(RTD_NV12), largest = { RTD_GRAY8, INT32_MAX, 1, RTD_RANGE_FULL };
    size_t row_bytes = 0, rows = 0;
    static const int planes[] = { -1, 2, 3, INT_MIN, INT_MAX };
    for (size_t i = 0; i < sizeof planes / sizeof *planes; i++) FAILS(rtd_plane_size(&format, planes[i], &row_bytes, &rows), RTD_ERROR_ARGUMENT, "plane");
    FAILS(rtd_plane_size(NULL, 0, &row_bytes, &rows), RTD_ERROR_ARGUMENT, "NULL");
    FAILS(rtd_plane_size(&format, 0, NULL, &rows), RTD_ERROR_ARGUMENT, "NULL");
    FAILS(rtd_plane_size(&format, 0, &row_bytes, NULL), RTD_ERROR_ARGUMENT, "NULL");
    OK(rtd_plane_size(&largest, 0, &row_bytes, &rows));
    CHECK(row_bytes == INT32_MAX && rows == 1, "the largest picture: %zu bytes, %zu rows", row_bytes, rows);
}

/* Files that are no models, and the beginning of a real one. */
static void test_models(const char *path) {
    rtd_format format = small(RTD_GRAY8);
    rtd_deblurrer *deblurrer = NULL;
    static const char *names[] = { "no-such-model", "/nonexistent/model.safetensors", "/", "/dev/null", "tiny-camera.safetensors", "../tiny", "\xFF\xFE", "%s%n" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int status = rtd_create(names[i], NULL, &format, &deblurrer);
        CHECK(status == RTD_ERROR_MODEL, "model '%s': status %d: %s", names[i], status, rtd_last_error());
        CHECK(rtd_last_error()[0] && !deblurrer, "model '%s': handle or no message", names[i]);
    }

    FAILS(rtd_create("", NULL, &format, &deblurrer), RTD_ERROR_ARGUMENT, "empty");

    static unsigned char contents[1 << 19];
    FILE *file = fopen(path, "rb");
    NEED(file, "%s cannot be opened", path);
    size_t size = fread(contents, 1, sizeof contents, file);
    fclose(file);
    NEED(size > 1000 && size < sizeof contents, "%s has %zu bytes", path, size);
    static const size_t cuts[] = { 1, 7, 8, 9, 100, 1000 };
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) FAILS(rtd_create_from_memory(contents, cuts[i], NULL, &format, &deblurrer), RTD_ERROR_MODEL, "");
    FAILS(rtd_create_from_memory(contents, size - 1, NULL, &format, &deblurrer), RTD_ERROR_MODEL, "");
    FAILS(rtd_create_from_memory(contents, size + 1, NULL, &format, &deblurrer), RTD_ERROR_MODEL, "");
    FAILS(rtd_create_from_memory(contents, 0, NULL, &format, &deblurrer), RTD_ERROR_MODEL, "");
    FAILS(rtd_create_from_memory(contents, SIZE_MAX, NULL, &format, &deblurrer), RTD_ERROR_ARGUMENT, "");
    FAILS(rtd_create_from_memory(NULL, 1000, NULL, &format, &deblurrer), RTD_ERROR_ARGUMENT, "NULL");
    FAILS(rtd_create_from_memory(NULL, 0, NULL, &format, &deblurrer), RTD_ERROR_ARGUMENT, "NULL");

    /* Damage in the header, where lengths and shapes are: a deblurrer or a status, whatever it hits. */
    unsigned random = 1;
    for (int i = 0; i < 500; i++) {
        random = random * 1664525u + 1013904223u;
        size_t at = (random >> 8) % 900;
        unsigned char kept = contents[at];
        contents[at] = (unsigned char)(random >> 24 ^ kept ^ 1);
        int status = rtd_create_from_memory(contents, size, "no such device", &format, &deblurrer);
        CHECK(status == RTD_ERROR_MODEL || status == RTD_ERROR_DEVICE, "damage at %zu: status %d: %s", at, status, rtd_last_error());
        CHECK(!deblurrer, "damage at %zu: a deblurrer", at);
        contents[at] = kept;
    }
}

static void test_create(void) {
    rtd_format format = small(RTD_GRAY8);
    rtd_deblurrer *deblurrer = NULL;
    FAILS(rtd_create(MODEL, NULL, NULL, &deblurrer), RTD_ERROR_ARGUMENT, "NULL");
    FAILS(rtd_create(MODEL, NULL, &format, NULL), RTD_ERROR_ARGUMENT, "NULL");
    FAILS(rtd_create_from_memory("x", 1, NULL, NULL, &deblurrer), RTD_ERROR_ARGUMENT, "NULL");
    FAILS(rtd_create_from_memory("x", 1, NULL, &format, NULL), RTD_ERROR_ARGUMENT, "NULL");
    static const char *devices[] = { "99", "-1", "no such device", "999999999999999999999", "\xFF" };
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) FAILS(rtd_create(MODEL, devices[i], &format, &deblurrer), RTD_ERROR_DEVICE, "");
    FAILS(rtd_device_info(0, NULL), RTD_ERROR_ARGUMENT, "NULL");
    rtd_device device;
    FAILS(rtd_device_info(INT_MAX, &device), RTD_ERROR_ARGUMENT, "");
    FAILS(rtd_device_info(INT_MIN, &device), RTD_ERROR_ARGUMENT, "");
    CHECK(!rtd_model_name(INT_MIN) && !rtd_model_name(INT_MAX), "a model without number");
}

static void test_options(rtd_deblurrer *deblurrer) {
    static const float strengths[] = { -0.01f, 1.01f, NAN, INFINITY, -INFINITY, 1e30f };
    static const float sigmas[] = { -0.5f, -3, 4.01f, NAN, INFINITY, -INFINITY };
    static const int flags[] = { -1, 2, INT_MIN, INT_MAX };
    for (size_t i = 0; i < sizeof strengths / sizeof *strengths; i++) FAILS(rtd_set_strength(deblurrer, strengths[i]), RTD_ERROR_ARGUMENT, "");
    for (size_t i = 0; i < sizeof sigmas / sizeof *sigmas; i++) FAILS(rtd_set_sigma(deblurrer, sigmas[i]), RTD_ERROR_ARGUMENT, "");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) FAILS(rtd_set_guard(deblurrer, flags[i]), RTD_ERROR_ARGUMENT, "");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) FAILS(rtd_set_view(deblurrer, flags[i]), RTD_ERROR_ARGUMENT, "");
    OK(rtd_set_sigma(deblurrer, 0));
    OK(rtd_set_sigma(deblurrer, 4));
    OK(rtd_set_sigma(deblurrer, RTD_SIGMA_AUTO));
}

/* A wrong picture in every place that takes one; the state of the deblurrer stays. */
static void refuse(rtd_deblurrer *deblurrer, const rtd_picture *wrong, const rtd_picture *right) {
    FAILS(rtd_process(deblurrer, wrong, right), RTD_ERROR_ARGUMENT, "");
    FAILS(rtd_process(deblurrer, right, wrong), RTD_ERROR_ARGUMENT, "");
    FAILS(rtd_process(deblurrer, wrong, wrong), RTD_ERROR_ARGUMENT, "");
    FAILS(rtd_submit(deblurrer, wrong), RTD_ERROR_ARGUMENT, "");
    CHECK(rtd_in_flight(deblurrer) == 0, "in flight after a wrong picture");
    OK(rtd_submit(deblurrer, right));
    FAILS(rtd_collect(deblurrer, wrong), RTD_ERROR_ARGUMENT, "");
    OK(rtd_collect(deblurrer, right));
}

static void test_pictures(void) {
    static const int formats[] = { RTD_GRAY8, RTD_YUV420P8, RTD_NV12, RTD_P010, RTD_RGB48 };
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        rtd_format format = { formats[f], 17, 11, RTD_RANGE_FULL }; /* odd: chroma rounds up, and one byte less is too short */
        rtd_deblurrer *deblurrer = NULL;
        OK(rtd_create(MODEL, NULL, &format, &deblurrer));
        test_picture right = make_picture(format, 2);
        draw(&right, 0);
        OK(rtd_set_sigma(deblurrer, 1));
        refuse(deblurrer, NULL, &right.picture);
        for (int plane = 0; plane < right.planes; plane++) {
            const size_t strides[] = { 0, 1, right.row_bytes[plane] - 1, SIZE_MAX, SIZE_MAX / 2, (size_t)INT32_MAX + 1, (size_t)1 << 32, SIZE_MAX - 15 };
            rtd_picture wrong = right.picture;
            wrong.plane[plane] = NULL;
            refuse(deblurrer, &wrong, &right.picture);
            for (size_t i = 0; i < sizeof strides / sizeof *strides; i++) {
                wrong = right.picture;
                wrong.stride_bytes[plane] = strides[i];
                refuse(deblurrer, &wrong, &right.picture);
            }
        }
        /* What lies behind the planes of a format does not count. */
        rtd_picture more = right.picture;
        for (int plane = right.planes; plane < RTD_MAX_PLANES; plane++) more.plane[plane] = (void *)(uintptr_t)1, more.stride_bytes[plane] = SIZE_MAX;
        OK(rtd_process(deblurrer, &more, &more));
        CHECK_CANARIES(&right);
        free_picture(&right);
        test_options(deblurrer);
        OK(rtd_destroy(deblurrer));
    }
}

/* Every function that takes a handle refuses this one. */
static void refuse_handle(rtd_deblurrer *deblurrer, const rtd_picture *picture) {
    float sigma;
    int unchanged;
    FAILS(rtd_process(deblurrer, picture, picture), RTD_ERROR_HANDLE, "");
    FAILS(rtd_submit(deblurrer, picture), RTD_ERROR_HANDLE, "");
    FAILS(rtd_collect(deblurrer, picture), RTD_ERROR_HANDLE, "");
    FAILS(rtd_in_flight(deblurrer), RTD_ERROR_HANDLE, "");
    FAILS(rtd_last_sigma(deblurrer, &sigma, &unchanged), RTD_ERROR_HANDLE, "");
    FAILS(rtd_set_strength(deblurrer, 1), RTD_ERROR_HANDLE, "");
    FAILS(rtd_set_sigma(deblurrer, 1), RTD_ERROR_HANDLE, "");
    FAILS(rtd_set_guard(deblurrer, 1), RTD_ERROR_HANDLE, "");
    FAILS(rtd_set_view(deblurrer, 0), RTD_ERROR_HANDLE, "");
    if (deblurrer) FAILS(rtd_destroy(deblurrer), RTD_ERROR_HANDLE, "");
}

static void test_handles(void) {
    rtd_format format = small(RTD_GRAY8);
    test_picture picture = make_picture(format, 0);
    draw(&picture, 0);
    rtd_deblurrer *alive = NULL, *gone = NULL;
    OK(rtd_create(MODEL, NULL, &format, &gone));
    OK(rtd_destroy(gone));
    OK(rtd_create(MODEL, NULL, &format, &alive));
    CHECK(alive != gone, "a handle was used twice");
    uintptr_t numbers[] = { 0, 1, 2, 16, (uintptr_t)&picture, (uintptr_t)alive + 1, (uintptr_t)alive + 16, (uintptr_t)alive - 1, UINTPTR_MAX, (uintptr_t)INTPTR_MAX, (uintptr_t)gone };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) refuse_handle((rtd_deblurrer *)numbers[i], &picture.picture);
    OK(rtd_process(alive, &picture.picture, &picture.picture));
    OK(rtd_destroy(alive));
    refuse_handle(alive, &picture.picture);
    free_picture(&picture);
}

/* ---- Two threads, one handle ---- */

typedef struct {
    rtd_deblurrer *deblurrer;
    rtd_format format;
    int seed, processed, end; /* of the last call; counted up while others look */
} user;

static void *use_until_gone(void *argument) {
    user *user = argument;
    test_picture picture = make_picture(user->format, 0);
    for (int i = 0; user->end == 0; i++) {
        draw(&picture, user->seed);
        int status = (i + user->seed) % 3 == 0 ? rtd_process(user->deblurrer, &picture.picture, &picture.picture)
            : (i + user->seed) % 3 == 1 ? rtd_submit(user->deblurrer, &picture.picture) : rtd_collect(user->deblurrer, &picture.picture);
        if (status == RTD_ERROR_HANDLE) user->end = status;
        else CHECK(status == RTD_OK || status == RTD_ERROR_STATE, "status %d: %s", status, rtd_last_error());
        CHECK(status == RTD_OK || rtd_last_error()[0], "no message");
        __atomic_add_fetch(&user->processed, 1, __ATOMIC_RELAXED);
    }
    free_picture(&picture);
    return NULL;
}

/* Ended by one thread while two others use it: they get the end as a status. */
static void test_destroy_during_use(void) {
    rtd_format format = { RTD_YUV420P8, 65, 47, RTD_RANGE_FULL };
    for (int i = 0; i < 30; i++) {
        user users[2];
        pthread_t threads[2];
        rtd_deblurrer *deblurrer = NULL;
        OK(rtd_create(MODEL, NULL, &format, &deblurrer));
        for (int t = 0; t < 2; t++) {
            users[t] = (user){ deblurrer, format, t, 0, 0 };
            NEED(pthread_create(&threads[t], NULL, use_until_gone, &users[t]) == 0, "no thread");
        }
        while (__atomic_load_n(&users[0].processed, __ATOMIC_RELAXED) + __atomic_load_n(&users[1].processed, __ATOMIC_RELAXED) < i) usleep(50);
        OK(rtd_destroy(deblurrer));
        for (int t = 0; t < 2; t++) pthread_join(threads[t], NULL);
        CHECK(users[0].end == RTD_ERROR_HANDLE && users[1].end == RTD_ERROR_HANDLE, "a thread did not notice the end");
    }
}

static void *destroy(void *argument) { return (void *)(intptr_t)rtd_destroy(argument); }

/* Ended by two threads at once: exactly one of them ends it. */
static void test_destroy_twice_at_once(void) {
    rtd_format format = small(RTD_GRAY8);
    for (int i = 0; i < 20; i++) {
        rtd_deblurrer *deblurrer = NULL;
        pthread_t threads[2];
        void *status[2];
        OK(rtd_create(MODEL, NULL, &format, &deblurrer));
        for (int t = 0; t < 2; t++) NEED(pthread_create(&threads[t], NULL, destroy, deblurrer) == 0, "no thread");
        for (int t = 0; t < 2; t++) pthread_join(threads[t], &status[t]);
        CHECK((intptr_t)status[0] + (intptr_t)status[1] == RTD_ERROR_HANDLE, "%d and %d", (int)(intptr_t)status[0], (int)(intptr_t)status[1]);
    }
}

static void *process_fifty(void *argument) {
    user *user = argument;
    test_picture picture = make_picture(user->format, 0), expected = make_picture(user->format, 0);
    draw(&expected, user->seed);
    OK(rtd_process(user->deblurrer, &expected.picture, &expected.picture));
    for (int i = 0; i < 50; i++) {
        draw(&picture, user->seed);
        OK(rtd_process(user->deblurrer, &picture.picture, &picture.picture));
        CHECK(is_same(&picture, &expected), "thread %d got another's picture", user->seed);
    }
    free_picture(&picture);
    free_picture(&expected);
    return NULL;
}

/* Four threads restore pictures of their own with one deblurrer: they wait for each other, and each gets its own back. */
static void test_sharing(void) {
    rtd_format format = { RTD_GRAY8, 65, 47, RTD_RANGE_FULL };
    user users[4];
    pthread_t threads[4];
    rtd_deblurrer *deblurrer = NULL;
    OK(rtd_create(MODEL, NULL, &format, &deblurrer));
    OK(rtd_set_sigma(deblurrer, 1.5f));
    for (int t = 0; t < 4; t++) {
        users[t] = (user){ deblurrer, format, t * 2, 0, 0 };
        NEED(pthread_create(&threads[t], NULL, process_fifty, &users[t]) == 0, "no thread");
    }
    for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);
    OK(rtd_destroy(deblurrer));
}

/* On a machine without OpenCL devices everything that needs one says so, and the rest works. */
static void test_without_device(void) {
    rtd_format format = small(RTD_GRAY8);
    rtd_deblurrer *deblurrer = NULL;
    rtd_device device;
    int count = rtd_device_count();
    CHECK(count == 0 || count == RTD_ERROR_DEVICE, "%d devices", count);
    FAILS(rtd_create(MODEL, NULL, &format, &deblurrer), RTD_ERROR_DEVICE, "OpenCL");
    FAILS(rtd_create(NULL, "0", &format, &deblurrer), RTD_ERROR_DEVICE, "");
    CHECK(!deblurrer, "a deblurrer without a device");
    CHECK(rtd_device_info(0, &device) == (count == 0 ? RTD_ERROR_ARGUMENT : RTD_ERROR_DEVICE), "device 0: %s", rtd_last_error());
    OK(rtd_release_devices());
    OK(rtd_destroy(NULL));
}

int main(int argc, char **argv) {
    NEED(argc == 2 || argc == 3, "usage: wrong_arguments MODEL_FILE [without-device]");
    test_formats();
    if (argc == 3) {
        test_models(argv[1]);
        test_without_device();
        return finish("wrong_arguments without a device");
    }
    skip_without_device();
    test_models(argv[1]);
    test_create();
    test_pictures();
    test_handles();
    test_destroy_during_use();
    test_destroy_twice_at_once();
    test_sharing();
    return finish("wrong_arguments");
}
