/* Restores raw frames on their way from standard input to standard output:
 *
 *     ffmpeg -i soft.mp4 -f rawvideo -pix_fmt yuv420p - | pipe 1280 720 yuv420p fast-camera | ffplay -f rawvideo -video_size 1280x720 -
 *
 * Three frames are under way at once, so that reading, computing and writing overlap: it submits until as many are in flight as may be, then collects one for each it submits. */
#include <errno.h>
#include <realtimedeblur.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FFmpeg's names of the formats. */
static const struct {
    const char *name;
    int32_t pixels;
} formats[] = {
    { "gray", RTD_GRAY8 },           { "gray10le", RTD_GRAY10 },         { "yuv420p", RTD_YUV420P8 },     { "yuv422p", RTD_YUV422P8 },
    { "yuv444p", RTD_YUV444P8 },     { "yuv420p10le", RTD_YUV420P10 },   { "yuv422p10le", RTD_YUV422P10 }, { "yuv444p10le", RTD_YUV444P10 },
    { "nv12", RTD_NV12 },            { "p010le", RTD_P010 },             { "rgb24", RTD_RGB24 },          { "bgr24", RTD_BGR24 },
    { "rgba", RTD_RGBA32 },          { "bgra", RTD_BGRA32 },             { "rgb48le", RTD_RGB48 },
};

/* A frame without gaps between rows and planes, and where its planes lie. */
typedef struct {
    unsigned char *bytes;
    size_t size_bytes;
    rtd_picture picture;
} frame;

static int fail(const char *what, const char *why) {
    fprintf(stderr, "pipe: %s: %s\n", what, why);
    return 1;
}

static frame make_frame(const rtd_format *format) {
    frame result = { NULL, 0, { { NULL }, { 0 } } };
    size_t offset[RTD_MAX_PLANES], row_bytes, rows;
    int planes = 0;
    while (planes < RTD_MAX_PLANES && rtd_plane_size(format, planes, &row_bytes, &rows) == RTD_OK) {
        offset[planes] = result.size_bytes;
        result.picture.stride_bytes[planes++] = row_bytes;
        result.size_bytes += row_bytes * rows;
    }
    if (planes == 0 || !(result.bytes = malloc(result.size_bytes))) return result;
    while (planes-- > 0) result.picture.plane[planes] = result.bytes + offset[planes];
    return result;
}

/* Reads a whole frame, however small the portions that a pipe gives it in: 1, 0 at the end of the stream, -1 where that lies inside a frame or reading failed. */
static int read_frame(frame *frame) {
    size_t have = 0;
    while (have < frame->size_bytes) {
        ssize_t part = read(STDIN_FILENO, frame->bytes + have, frame->size_bytes - have);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return fail("standard input", strerror(errno)), -1;
        if (part == 0) return have == 0 ? 0 : (fail("standard input", "ends in the middle of a frame; are size and format right?"), -1);
        have += (size_t)part;
    }
    return 1;
}

/* 1, or 0 when the reader has gone, which is no error: it has seen enough. -1 for others. */
static int write_frame(const frame *frame) {
    size_t done = 0;
    while (done < frame->size_bytes) {
        ssize_t part = write(STDOUT_FILENO, frame->bytes + done, frame->size_bytes - done);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0 && errno == EPIPE) return 0;
        if (part < 0) return fail("standard output", strerror(errno)), -1;
        done += (size_t)part;
    }
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 4 || argc > 5) return fail("usage", "pipe WIDTH HEIGHT FORMAT [MODEL], e.g. pipe 1280 720 yuv420p fast-camera < in.yuv > out.yuv"), 2;
    rtd_format format = { -1, atoi(argv[1]), atoi(argv[2]), RTD_RANGE_LIMITED };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(argv[3], formats[i].name) == 0) format.pixels = formats[i].pixels;
    if (format.pixels < 0) return fail(argv[3], "is not a format of this program. Use one of FFmpeg's names, such as yuv420p, nv12 or rgb24."), 2;

    signal(SIGPIPE, SIG_IGN); /* write() then returns EPIPE */
    rtd_deblurrer *deblurrer;
    if (rtd_create(argc > 4 ? argv[4] : NULL, NULL, &format, &deblurrer) != RTD_OK) return fail("create", rtd_last_error());
    frame frame = make_frame(&format);
    if (!frame.bytes) return fail("frame", "not enough memory");

    /* One buffer does for input and output: the library has copied a frame when rtd_submit() returns. */
    int has_input = 1, has_reader = 1, in_flight = 0, status = 0;
    while (has_input || in_flight > 0) {
        if (has_input) {
            int result = read_frame(&frame);
            if (result < 0) status = 1; /* frames in flight are whole; they are still written */
            has_input = result > 0;
            if (has_input && rtd_submit(deblurrer, &frame.picture) != RTD_OK) {
                status = fail("submit", rtd_last_error());
                break;
            }
            in_flight += has_input;
        }
        if (in_flight == RTD_MAX_IN_FLIGHT || (!has_input && in_flight > 0)) {
            if (rtd_collect(deblurrer, &frame.picture) != RTD_OK) {
                status = fail("collect", rtd_last_error());
                break;
            }
            in_flight--;
            int result = write_frame(&frame);
            if (result < 0) status = 1;
            has_reader = result > 0;
        }
        if (!has_reader) break;
    }
    rtd_destroy(deblurrer);
    free(frame.bytes);
    return status;
}
