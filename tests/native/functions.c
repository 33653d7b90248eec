/*
 * Every function of realtimedeblur.h, used as it says: each pixel format with odd sizes and padded rows, in place and not, one by one and three in flight,
 * all options, all sources of a model, devices, the log, and errors per thread.
 *
 *     functions VERSION MODEL_FILE            the version that is expected, and a file with the weights of tiny-camera
 *     functions VERSION MODEL_FILE FORMAT     only pictures of this format: under valgrind a driver takes minutes to compile for one
 */
#include "picture.h"
#include <ctype.h>
#include <pthread.h>

#define MODEL "tiny-camera"

static rtd_deblurrer *make(rtd_format format) {
    rtd_deblurrer *deblurrer = NULL;
    OK(rtd_create(MODEL, NULL, &format, &deblurrer));
    NEED(deblurrer, "no deblurrer");
    return deblurrer;
}

static void test_library(const char *version) {
    CHECK(strcmp(rtd_version(), version) == 0, "version %s, not %s", rtd_version(), version);
    CHECK(rtd_version() == rtd_version(), "the version moves");
    CHECK(rtd_api_version() == RTD_API_VERSION, "interface %d, header %d", rtd_api_version(), RTD_API_VERSION);
    CHECK(rtd_last_error()[0] == '\0', "an error before any: %s", rtd_last_error());

    int count = rtd_model_count(), has_default = 0;
    CHECK(count >= 2, "%d models", count);
    for (int i = 0; i < count; i++) {
        const char *name = rtd_model_name(i);
        NEED(name && name[0], "model %d has no name", i);
        CHECK(name == rtd_model_name(i), "the name of model %d moves", i);
        has_default |= strcmp(name, "fast-camera") == 0;
    }
    CHECK(has_default, "fast-camera is missing");
    CHECK(!rtd_model_name(-1) && !rtd_model_name(count), "names of models that are none");
}

/* Bytes of a row and rows for 5x3 pixels, by hand from the layouts that the header describes. */
static void test_plane_sizes(void) {
    static const struct { int planes; size_t size[3][2]; } expected[] = {
        [RTD_GRAY8] = { 1, { { 5, 3 } } },
        [RTD_GRAY10] = { 1, { { 10, 3 } } },
        [RTD_YUV420P8] = { 3, { { 5, 3 }, { 3, 2 }, { 3, 2 } } },
        [RTD_YUV422P8] = { 3, { { 5, 3 }, { 3, 3 }, { 3, 3 } } },
        [RTD_YUV444P8] = { 3, { { 5, 3 }, { 5, 3 }, { 5, 3 } } },
        [RTD_YUV420P10] = { 3, { { 10, 3 }, { 6, 2 }, { 6, 2 } } },
        [RTD_YUV422P10] = { 3, { { 10, 3 }, { 6, 3 }, { 6, 3 } } },
        [RTD_YUV444P10] = { 3, { { 10, 3 }, { 10, 3 }, { 10, 3 } } },
        [RTD_NV12] = { 2, { { 5, 3 }, { 6, 2 } } },
        [RTD_P010] = { 2, { { 10, 3 }, { 12, 2 } } },
        [RTD_RGB24] = { 1, { { 15, 3 } } },
        [RTD_BGR24] = { 1, { { 15, 3 } } },
        [RTD_RGBA32] = { 1, { { 20, 3 } } },
        [RTD_BGRA32] = { 1, { { 20, 3 } } },
        [RTD_RGB48] = { 1, { { 30, 3 } } },
    };
    for (int pixels = RTD_GRAY8; pixels <= RTD_RGB48; pixels++) {
        rtd_format format = { pixels, 5, 3, RTD_RANGE_FULL };
        size_t row_bytes = 0, rows = 0;
        for (int plane = 0; plane < expected[pixels].planes; plane++) {
            OK(rtd_plane_size(&format, plane, &row_bytes, &rows));
            CHECK(row_bytes == expected[pixels].size[plane][0] && rows == expected[pixels].size[plane][1], "format %d, plane %d: %zu bytes, %zu rows", pixels, plane, row_bytes, rows);
        }
        FAILS(rtd_plane_size(&format, expected[pixels].planes, &row_bytes, &rows), RTD_ERROR_ARGUMENT, "plane");
    }
    rtd_format unknown = { RTD_RGB48 + 1, 5, 3, RTD_RANGE_FULL };
    size_t row_bytes, rows;
    FAILS(rtd_plane_size(&unknown, 0, &row_bytes, &rows), RTD_ERROR_ARGUMENT, "15");
}

static void test_devices(void) {
    int count = rtd_device_count();
    for (int i = 0, type = RTD_DEVICE_GPU; i < count; i++) {
        rtd_device device;
        memset(&device, 0xFF, sizeof device);
        OK(rtd_device_info(i, &device));
        CHECK(memchr(device.name, 0, sizeof device.name) && device.name[0], "device %d: name", i);
        CHECK(memchr(device.platform, 0, sizeof device.platform) && device.platform[0], "device %d: platform", i);
        CHECK(memchr(device.driver, 0, sizeof device.driver) && device.driver[0], "device %d: driver", i);
        CHECK(device.type >= type && device.type <= RTD_DEVICE_OTHER, "device %d: type %d after %d", i, (int)device.type, type);
        CHECK(device.compute_units > 0 && device.memory_bytes > 1 << 20, "device %d: %d units, %llu bytes", i, (int)device.compute_units, (unsigned long long)device.memory_bytes);
        CHECK((device.supports_fp16 | 1) == 1 && (device.shares_host_memory | 1) == 1, "device %d: flags %d, %d", i, (int)device.supports_fp16, (int)device.shares_host_memory);
        type = device.type;
    }
    rtd_device device;
    FAILS(rtd_device_info(count, &device), RTD_ERROR_ARGUMENT, "device");
    FAILS(rtd_device_info(-1, &device), RTD_ERROR_ARGUMENT, "-1");

    /* By index, by a part of the name in either case; an empty selector is none. */
    rtd_format format = { RTD_GRAY8, 16, 16, RTD_RANGE_FULL };
    OK(rtd_device_info(0, &device));
    char lower[128], upper[128];
    for (size_t i = 0; i < sizeof lower; i++) {
        lower[i] = (char)tolower((unsigned char)device.name[i]);
        upper[i] = (char)toupper((unsigned char)device.name[i]);
    }
    const char *selectors[] = { "0", lower, upper };
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        rtd_deblurrer *deblurrer = NULL;
        OK(rtd_create(MODEL, selectors[i], &format, &deblurrer));
        OK(rtd_destroy(deblurrer));
    }
}

/* One format and size: in place equals out of place equals three in flight; chroma, fourth bytes, the input and everything outside the rows stay. */
static void test_format(int pixels, int width, int height, size_t gap_bytes) {
    rtd_format format = { pixels, width, height, pixels % 2 == 0 ? RTD_RANGE_LIMITED : RTD_RANGE_FULL };
    rtd_deblurrer *deblurrer = make(format);
    test_picture original = make_picture(format, 0), input = make_picture(format, gap_bytes), output = make_picture(format, gap_bytes + 5), video[RTD_MAX_IN_FLIGHT];
    draw(&original, 0);
    copy_rows(&input, &original);
    OK(rtd_set_sigma(deblurrer, 1.5f));

    OK(rtd_process(deblurrer, &input.picture, &output.picture));
    CHECK_CANARIES(&input);
    CHECK_CANARIES(&output);
    CHECK(is_same(&input, &original), "format %d, %dx%d: the input was changed", pixels, width, height);
    if (width * height >= 100) CHECK(differences(&input, &output, 0) > 0, "format %d, %dx%d: nothing was restored", pixels, width, height);
    if (!is_rgb(pixels)) for (int plane = 1; plane < input.planes; plane++) CHECK(differences(&input, &output, plane) == 0, "format %d, %dx%d: chroma was changed", pixels, width, height);
    if (samples_per_pixel(pixels, 0) == 4) {
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) CHECK(row(&output, 0, (size_t)y)[x * 4 + 3] == row(&input, 0, (size_t)y)[x * 4 + 3], "format %d: the fourth byte at %d, %d", pixels, x, y);
    }
    if (is_10_bit(pixels) || pixels == RTD_P010) {
        for (size_t y = 0; y < output.rows[0]; y++) {
            for (int x = 0; x < width; x++) {
                unsigned word = row(&output, 0, y)[2 * x] | (unsigned)row(&output, 0, y)[2 * x + 1] << 8;
                CHECK(pixels == RTD_P010 ? (word & 63) == 0 : word < 1024, "format %d: value %u at %d, %zu", pixels, word, x, y);
            }
        }
    }

    float sigma = 0;
    int unchanged = -1;
    OK(rtd_last_sigma(deblurrer, &sigma, &unchanged));
    CHECK(sigma == 1.5f && unchanged == 0, "sigma %g, unchanged %d", (double)sigma, unchanged);

    OK(rtd_process(deblurrer, &input.picture, &input.picture));
    CHECK_CANARIES(&input);
    CHECK(is_same(&input, &output), "format %d, %dx%d, gap %zu: in place is another result", pixels, width, height, gap_bytes);

    /* The order of a video, with different strides for each picture. What was submitted may be overwritten. */
    test_picture expected = make_picture(format, 0);
    for (int i = 0; i < RTD_MAX_IN_FLIGHT; i++) {
        video[i] = make_picture(format, (size_t)i * gap_bytes);
        draw(&video[i], i * 2);
        OK(rtd_submit(deblurrer, &video[i].picture));
        CHECK(rtd_in_flight(deblurrer) == i + 1, "%d in flight, not %d", rtd_in_flight(deblurrer), i + 1);
        for (int plane = 0; plane < video[i].planes; plane++)
            for (size_t y = 0; y < video[i].rows[plane]; y++) memset(row(&video[i], plane, y), 0x77, video[i].row_bytes[plane]);
    }
    for (int i = 0; i < RTD_MAX_IN_FLIGHT; i++) OK(rtd_collect(deblurrer, &video[i].picture));
    CHECK(rtd_in_flight(deblurrer) == 0, "%d in flight at the end", rtd_in_flight(deblurrer));
    for (int i = 0; i < RTD_MAX_IN_FLIGHT; i++) {
        draw(&expected, i * 2);
        OK(rtd_process(deblurrer, &expected.picture, &expected.picture));
        CHECK_CANARIES(&video[i]);
        CHECK(is_same(&video[i], &expected), "format %d, %dx%d: picture %d of a video is not what it is alone", pixels, width, height, i);
        free_picture(&video[i]);
    }
    free_picture(&expected);
    free_picture(&original);
    free_picture(&input);
    free_picture(&output);
    OK(rtd_destroy(deblurrer));
}

static void test_states(void) {
    rtd_format format = { RTD_YUV420P8, 33, 17, RTD_RANGE_LIMITED };
    rtd_deblurrer *deblurrer = make(format);
    test_picture picture = make_picture(format, 0), output = make_picture(format, 0);
    draw(&picture, 0);
    CHECK(rtd_in_flight(deblurrer) == 0, "in flight before the first");
    FAILS(rtd_collect(deblurrer, &output.picture), RTD_ERROR_STATE, "");
    for (int i = 0; i < RTD_MAX_IN_FLIGHT; i++) OK(rtd_submit(deblurrer, &picture.picture));
    FAILS(rtd_submit(deblurrer, &picture.picture), RTD_ERROR_STATE, "");
    FAILS(rtd_process(deblurrer, &picture.picture, &output.picture), RTD_ERROR_STATE, "");
    rtd_picture broken = output.picture;
    broken.stride_bytes[0] = 32;
    FAILS(rtd_collect(deblurrer, &broken), RTD_ERROR_ARGUMENT, "stride");
    CHECK(rtd_in_flight(deblurrer) == RTD_MAX_IN_FLIGHT, "%d in flight after a wrong argument", rtd_in_flight(deblurrer));
    for (int i = 0; i < RTD_MAX_IN_FLIGHT; i++) OK(rtd_collect(deblurrer, &output.picture));
    FAILS(rtd_collect(deblurrer, &output.picture), RTD_ERROR_STATE, "");
    OK(rtd_process(deblurrer, &picture.picture, &output.picture));

    /* Ends with pictures in flight. */
    OK(rtd_submit(deblurrer, &picture.picture));
    OK(rtd_submit(deblurrer, &picture.picture));
    OK(rtd_destroy(deblurrer));
    OK(rtd_destroy(NULL));
    free_picture(&picture);
    free_picture(&output);
}

static void test_options(void) {
    rtd_format format = { RTD_GRAY8, 160, 120, RTD_RANGE_FULL };
    rtd_deblurrer *deblurrer = make(format);
    test_picture blurred = make_picture(format, 0), sharp = make_picture(format, 0), full = make_picture(format, 0), other = make_picture(format, 0);
    draw(&blurred, 0);
    draw_sharp(&sharp);

    float sigma = 0;
    int unchanged = -1;
    OK(rtd_last_sigma(deblurrer, &sigma, &unchanged));
    CHECK(sigma < 0 && unchanged == 0, "before the first picture: sigma %g, unchanged %d", (double)sigma, unchanged);
    OK(rtd_last_sigma(deblurrer, NULL, NULL));

    /* Estimated: of a blurred picture something between no blur and the most there is; a sharp one passes. */
    OK(rtd_process(deblurrer, &blurred.picture, &full.picture));
    OK(rtd_last_sigma(deblurrer, &sigma, &unchanged));
    CHECK(sigma > 0.5f && sigma < 3 && unchanged == 0, "blurred: sigma %g, unchanged %d", (double)sigma, unchanged);
    CHECK(differences(&blurred, &full, 0) > 1000, "blurred: only %zu bytes changed", differences(&blurred, &full, 0));
    OK(rtd_process(deblurrer, &sharp.picture, &other.picture));
    OK(rtd_last_sigma(deblurrer, NULL, &unchanged));
    CHECK(unchanged == 1 && is_same(&sharp, &other), "sharp: unchanged %d, %zu bytes changed", unchanged, differences(&sharp, &other, 0));
    OK(rtd_set_sigma(deblurrer, 1.5f));
    OK(rtd_process(deblurrer, &sharp.picture, &other.picture));
    OK(rtd_last_sigma(deblurrer, &sigma, &unchanged));
    CHECK(sigma == 1.5f && unchanged == 0, "given: sigma %g, unchanged %d", (double)sigma, unchanged);
    OK(rtd_set_sigma(deblurrer, RTD_SIGMA_OFF));
    OK(rtd_process(deblurrer, &blurred.picture, &other.picture));
    OK(rtd_set_sigma(deblurrer, 1));
    OK(rtd_process(deblurrer, &blurred.picture, &full.picture));
    CHECK(is_same(&full, &other), "off is not sigma 1");
    OK(rtd_set_sigma(deblurrer, 2));
    OK(rtd_process(deblurrer, &blurred.picture, &full.picture));
    CHECK(!is_same(&full, &other), "sigma 2 is the same as 1");

    OK(rtd_set_strength(deblurrer, 0));
    OK(rtd_process(deblurrer, &blurred.picture, &other.picture));
    CHECK(is_same(&blurred, &other), "strength 0 changed the picture");
    OK(rtd_set_strength(deblurrer, 0.5f));
    OK(rtd_process(deblurrer, &blurred.picture, &other.picture));
    CHECK(!is_same(&blurred, &other) && !is_same(&full, &other), "strength 0.5 is the same as 0 or 1");
    OK(rtd_set_strength(deblurrer, 1));
    OK(rtd_process(deblurrer, &blurred.picture, &other.picture));
    CHECK(is_same(&full, &other), "strength 1 is not what the deblurrer began with");

    /* The guard leaves what is sharp already. */
    OK(rtd_process(deblurrer, &sharp.picture, &full.picture));
    OK(rtd_set_guard(deblurrer, 0));
    OK(rtd_process(deblurrer, &sharp.picture, &other.picture));
    CHECK(differences(&sharp, &full, 0) < differences(&sharp, &other, 0), "without the guard it is the same");
    OK(rtd_set_guard(deblurrer, 1));
    OK(rtd_process(deblurrer, &blurred.picture, &full.picture));
    OK(rtd_set_view(deblurrer, RTD_VIEW_CONFIDENCE));
    OK(rtd_process(deblurrer, &blurred.picture, &other.picture));
    CHECK(!is_same(&full, &other), "the confidence looks like the picture");
    OK(rtd_set_view(deblurrer, RTD_VIEW_RESTORED));
    OK(rtd_process(deblurrer, &blurred.picture, &other.picture));
    CHECK(is_same(&full, &other), "the first options again give another result");

    /* Each picture has the options of the moment it was submitted. */
    OK(rtd_set_strength(deblurrer, 0));
    OK(rtd_submit(deblurrer, &blurred.picture));
    OK(rtd_set_strength(deblurrer, 1));
    OK(rtd_submit(deblurrer, &blurred.picture));
    OK(rtd_set_strength(deblurrer, 0));
    OK(rtd_collect(deblurrer, &other.picture));
    CHECK(is_same(&blurred, &other), "a picture in flight took options that were set later");
    OK(rtd_collect(deblurrer, &other.picture));
    CHECK(is_same(&full, &other), "a picture in flight took options that were set before or after");

    free_picture(&blurred);
    free_picture(&sharp);
    free_picture(&full);
    free_picture(&other);
    OK(rtd_destroy(deblurrer));
}

/* From its name, its file and memory that is overwritten afterwards, a model gives the same picture; every model gives one. */
static void test_models(const char *path) {
    rtd_format format = { RTD_RGB24, 61, 43, RTD_RANGE_FULL };
    test_picture blurred = make_picture(format, 0), by_name = make_picture(format, 0), other = make_picture(format, 0);
    draw(&blurred, 0);

    FILE *file = fopen(path, "rb");
    NEED(file, "%s cannot be opened", path);
    NEED(fseek(file, 0, SEEK_END) == 0, "%s has no end", path);
    size_t size = (size_t)ftell(file);
    unsigned char *contents = malloc(size + 1);
    rewind(file);
    NEED(contents && fread(contents, 1, size, file) == size, "%s cannot be read", path);
    fclose(file);

    rtd_deblurrer *deblurrers[3] = { NULL, NULL, NULL };
    OK(rtd_create(MODEL, NULL, &format, &deblurrers[0]));
    OK(rtd_create(path, NULL, &format, &deblurrers[1]));
    OK(rtd_create_from_memory(contents, size, NULL, &format, &deblurrers[2]));
    memset(contents, 0x55, size);
    free(contents);
    for (int i = 0; i < 3; i++) {
        OK(rtd_process(deblurrers[i], &blurred.picture, i == 0 ? &by_name.picture : &other.picture));
        if (i > 0) CHECK(is_same(&by_name, &other), "the model from %s gives another picture", i == 1 ? "the file" : "memory");
        for (int j = 0; j < i; j++) CHECK(deblurrers[i] != deblurrers[j], "one handle for two deblurrers");
        OK(rtd_destroy(deblurrers[i]));
    }

    for (int i = 0; i < rtd_model_count(); i++) {
        rtd_deblurrer *deblurrer = NULL;
        OK(rtd_create(rtd_model_name(i), NULL, &format, &deblurrer));
        OK(rtd_set_sigma(deblurrer, 1.5f));
        OK(rtd_process(deblurrer, &blurred.picture, &other.picture));
        CHECK(!is_same(&blurred, &other), "%s changed nothing", rtd_model_name(i));
        OK(rtd_destroy(deblurrer));
    }

    /* The default has a name. */
    rtd_deblurrer *deblurrer = NULL;
    OK(rtd_create(NULL, NULL, &format, &deblurrer));
    OK(rtd_process(deblurrer, &blurred.picture, &other.picture));
    OK(rtd_destroy(deblurrer));
    OK(rtd_create("fast-camera", NULL, &format, &deblurrer));
    OK(rtd_process(deblurrer, &blurred.picture, &by_name.picture));
    CHECK(is_same(&by_name, &other), "NULL is not fast-camera");
    OK(rtd_destroy(deblurrer));
    free_picture(&blurred);
    free_picture(&by_name);
    free_picture(&other);
}

typedef struct {
    pthread_t thread;
    int infos, errors, wrong_calls;
    char last_error[512];
} heard;

static void listen(int level, const char *message, void *user) {
    heard *heard = user;
    if (level == RTD_LOG_INFO) heard->infos++;
    else if (level == RTD_LOG_ERROR) {
        heard->errors++;
        snprintf(heard->last_error, sizeof heard->last_error, "%s", message);
    } else heard->wrong_calls++;
    if (!pthread_equal(pthread_self(), heard->thread) || !message || !message[0]) heard->wrong_calls++;
    /* The callback may call the library; what fails in here is not what failed outside. */
    size_t row_bytes, rows;
    if (rtd_plane_size(NULL, 0, &row_bytes, &rows) != RTD_ERROR_ARGUMENT) heard->wrong_calls++;
}

static void test_log(void) {
    heard first = { .thread = pthread_self() }, second = { .thread = pthread_self() };
    rtd_format format = { RTD_GRAY8, 16, 16, RTD_RANGE_FULL };
    OK(rtd_set_log(listen, &first));
    rtd_deblurrer *deblurrer = make(format);
    CHECK(first.infos >= 1 && first.errors == 0, "making a deblurrer: %d infos, %d errors", first.infos, first.errors);
    int infos = first.infos;
    FAILS(rtd_set_strength(deblurrer, 2), RTD_ERROR_ARGUMENT, "trength");
    CHECK(first.errors == 1 && strcmp(first.last_error, rtd_last_error()) == 0, "%d errors; '%s' is not '%s'", first.errors, first.last_error, rtd_last_error());
    OK(rtd_set_log(listen, &second));
    OK(rtd_destroy(deblurrer));
    CHECK(first.infos == infos && second.infos >= 1, "ending a deblurrer: %d infos", second.infos);
    infos = second.infos;
    OK(rtd_release_devices());
    CHECK(second.infos > infos, "closing devices said nothing");
    infos = second.infos;
    OK(rtd_set_log(NULL, NULL));
    OK(rtd_destroy(make(format)));
    CHECK(second.infos == infos && second.errors == 0, "heard after the end");
    CHECK(first.wrong_calls == 0 && second.wrong_calls == 0, "%d and %d wrong calls of the callback", first.wrong_calls, second.wrong_calls);
}

static void *fail_elsewhere(void *result) {
    CHECK(rtd_last_error()[0] == '\0', "another thread's error: %s", rtd_last_error());
    FAILS(rtd_device_info(12345, NULL), RTD_ERROR_ARGUMENT, "");
    return result;
}

static void test_errors_of_threads(void) {
    FAILS(rtd_in_flight((rtd_deblurrer *)(uintptr_t)4711), RTD_ERROR_HANDLE, "");
    char before[512];
    snprintf(before, sizeof before, "%s", rtd_last_error());
    pthread_t thread;
    NEED(pthread_create(&thread, NULL, fail_elsewhere, NULL) == 0, "no thread");
    pthread_join(thread, NULL);
    CHECK(strcmp(before, rtd_last_error()) == 0, "'%s' became '%s'", before, rtd_last_error());
    CHECK(rtd_api_version() == RTD_API_VERSION && strcmp(before, rtd_last_error()) == 0, "a call that went well took the message away");
}

int main(int argc, char **argv) {
    NEED(argc == 3 || argc == 4, "usage: functions VERSION MODEL_FILE [FORMAT]");
    test_library(argv[1]);
    test_plane_sizes();
    skip_without_device();
    if (argc == 4) {
        test_format(atoi(argv[3]), 33, 19, 3);
        test_format(atoi(argv[3]), 1, 1, 1);
        test_errors_of_threads();
        OK(rtd_release_devices());
        return finish("functions, one format");
    }
    test_devices();
    for (int pixels = RTD_GRAY8; pixels <= RTD_RGB48; pixels++) {
        test_format(pixels, 33, 19, 0);
        test_format(pixels, 33, 19, 3);
        test_format(pixels, 64, 6, 64);
        test_format(pixels, 1, 1, 1);
    }
    test_states();
    test_options();
    test_models(argv[2]);
    test_log();
    test_errors_of_threads();
    OK(rtd_release_devices());
    return finish("functions");
}
