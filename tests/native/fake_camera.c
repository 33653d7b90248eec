// A camera and a loopback device that exist only for programs that load this: gcc -shared -fPIC -o fake_camera.so fake_camera.c,
// then LD_PRELOAD=fake_camera.so. Build machines have neither, so this stands between OpenCV, v4l2-ctl or ffmpeg and the kernel.
//
//   /dev/video9    a Video4Linux2 capture device: MJPG and YUYV, buffers by mmap, pictures at the rate it is set to
//   /dev/video10   an output device, as v4l2loopback makes it: what is written to it lands in a file
//
// Environment:
//   FAKE_CAMERA_STATE    a file whose first word says how the camera behaves, read again at every step:
//                        "works", "missing" (no such device), "busy" (another program streams), "unplugged" (ENODEV),
//                        "silent" (no picture ever comes), "turned" (pictures of another size than was agreed on, MJPG only)
//   FAKE_CAMERA_JPEG     the file that is sent as every MJPG picture; FAKE_CAMERA_JPEG_TURNED the one after it was turned
//   FAKE_CAMERA_OUTPUT   where what is written to /dev/video10 lands
//
// YUYV pictures: luma = 16 + (x + y + 2*frame) mod 200, Cb = 100, Cr = 160, limited range.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CAPTURE "/dev/video9"
#define OUTPUT "/dev/video10"
#define MAX_FILES 64     // open descriptors of the capture device
#define MAX_BUFFERS 8
#define BUFFER_BYTES (1 << 21)    // holds 1280x720 YUYV; a multiple of the page size

struct mode { uint32_t format; int width, height, fps[2]; };
static const struct mode modes[] = {
    { V4L2_PIX_FMT_MJPEG, 1280, 720, { 30, 15 } },
    { V4L2_PIX_FMT_MJPEG, 640, 480, { 30, 15 } },
    { V4L2_PIX_FMT_YUYV, 640, 480, { 30, 15 } },
    { V4L2_PIX_FMT_YUYV, 1280, 720, { 10, 5 } },
    { V4L2_PIX_FMT_YUYV, 320, 240, { 30, 15 } },
};
#define MODES (sizeof modes / sizeof modes[0])
static const uint32_t formats[] = { V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_YUYV };

struct camera {
    int fd;            // a timer that ticks with every picture, so that poll and select need no help; 0 when unused
    int memory;
    int mode, fps;     // mode: index in modes
    int buffers, queued[MAX_BUFFERS], queue_length;
    int frame;
};
static struct camera cameras[MAX_FILES];
static int output_fd = -1;

static int state_is(const char *name)
{
    char word[32] = "works";
    const char *path = getenv("FAKE_CAMERA_STATE");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (file) {
        if (fscanf(file, "%31s", word) != 1) strcpy(word, "works");
        fclose(file);
    }
    return strcmp(word, name) == 0;
}

static struct camera *find(int fd)
{
    for (int i = 0; fd > 0 && i < MAX_FILES; i++)
        if (cameras[i].fd == fd) return &cameras[i];
    return NULL;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static int open_camera(void)
{
    if (state_is("missing")) return fail(ENOENT);
    if (state_is("unplugged")) return fail(ENODEV);
    for (int i = 0; i < MAX_FILES; i++) {
        if (cameras[i].fd) continue;
        memset(&cameras[i], 0, sizeof cameras[i]);
        cameras[i].mode = 2;
        cameras[i].fps = 30;
        cameras[i].memory = -1;
        return cameras[i].fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    }
    return fail(EMFILE);
}

static int open_path(const char *path, int flags, mode_t mode, int (*next)(const char *, int, ...))
{
    if (strcmp(path, CAPTURE) == 0) return open_camera();
    if (strcmp(path, OUTPUT) != 0) return next(path, flags, mode);
    if (!getenv("FAKE_CAMERA_OUTPUT") || state_is("missing")) return fail(ENOENT);
    return output_fd = next(getenv("FAKE_CAMERA_OUTPUT"), O_RDWR | O_CREAT | O_APPEND | (flags & O_CLOEXEC), 0600);
}

#define OPEN(name)                                                          \
    int name(const char *path, int flags, ...)                              \
    {                                                                       \
        va_list rest;                                                       \
        va_start(rest, flags);                                              \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                       \
        return open_path(path, flags, mode, (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name)); \
    }
OPEN(open)
OPEN(open64)

// What programs call that were built with checks for missing modes.
int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open64(path, flags); }

int close(int fd)
{
    struct camera *camera = find(fd);
    if (camera) {
        int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
        if (camera->memory >= 0) next(camera->memory);
        camera->fd = 0;
    }
    if (fd == output_fd) output_fd = -1;
    return ((int (*)(int))dlsym(RTLD_NEXT, "close"))(fd);
}

// v4l2-ctl asks the kernel what kind of device a number belongs to.
static int describe(const char *path, struct stat *result)
{
    int is_output = strcmp(path, OUTPUT) == 0;
    if (!is_output && strcmp(path, CAPTURE) != 0) return 1;
    if (state_is("missing")) return fail(ENOENT);
    memset(result, 0, sizeof *result);
    result->st_mode = S_IFCHR | 0666;
    result->st_rdev = makedev(81, is_output ? 10 : 9);
    return 0;
}

int stat(const char *restrict path, struct stat *restrict result)
{
    int described = describe(path, result);
    return described <= 0 ? described : ((int (*)(const char *, struct stat *))dlsym(RTLD_NEXT, "stat"))(path, result);
}

int stat64(const char *restrict path, struct stat64 *restrict result)
{
    int described = describe(path, (struct stat *)result);
    return described <= 0 ? described : ((int (*)(const char *, struct stat64 *))dlsym(RTLD_NEXT, "stat64"))(path, result);
}

static FILE *open_file(const char *restrict path, const char *restrict mode, const char *name)
{
    if (strcmp(path, "/sys/dev/char/81:9/uevent") == 0 || strcmp(path, "/sys/dev/char/81:10/uevent") == 0) {
        FILE *event = tmpfile();
        fprintf(event, "DEVNAME=video9\n");
        rewind(event);
        return event;
    }
    return ((FILE *(*)(const char *, const char *))dlsym(RTLD_NEXT, name))(path, mode);
}

FILE *fopen(const char *restrict path, const char *restrict mode) { return open_file(path, mode, "fopen"); }
FILE *fopen64(const char *restrict path, const char *restrict mode) { return open_file(path, mode, "fopen64"); }

static void *map(void *address, size_t length, int protection, int flags, int fd, off_t offset, const char *name)
{
    struct camera *camera = fd >= 0 ? find(fd) : NULL;
    if (camera) fd = camera->memory;
    return ((void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, name))(address, length, protection, flags, fd, offset);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) { return map(address, length, protection, flags, fd, offset, "mmap"); }
void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) { return map(address, length, protection, flags, fd, offset, "mmap64"); }

static void describe_format(const struct mode *mode, struct v4l2_format *format)
{
    struct v4l2_pix_format *pix = &format->fmt.pix;
    int is_yuyv = mode->format == V4L2_PIX_FMT_YUYV;
    memset(pix, 0, sizeof *pix);
    pix->width = mode->width;
    pix->height = mode->height;
    pix->pixelformat = mode->format;
    pix->field = V4L2_FIELD_NONE;
    pix->bytesperline = is_yuyv ? 2 * mode->width : 0;
    pix->sizeimage = is_yuyv ? 2 * mode->width * mode->height : BUFFER_BYTES;
    pix->colorspace = V4L2_COLORSPACE_SRGB;
}

// The offered mode of the format that comes nearest in size; YUYV for formats that are not offered.
static int nearest(const struct v4l2_pix_format *wanted)
{
    uint32_t format = wanted->pixelformat == V4L2_PIX_FMT_MJPEG ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
    int best = -1;
    long best_distance = 0;
    for (unsigned i = 0; i < MODES; i++) {
        long distance = labs((long)modes[i].width * modes[i].height - (long)wanted->width * wanted->height);
        if (modes[i].format == format && (best < 0 || distance < best_distance)) best = i, best_distance = distance;
    }
    return best;
}

static int fill(struct camera *camera, int index)
{
    const struct mode *mode = &modes[camera->mode];
    static uint8_t picture[BUFFER_BYTES];
    int length;
    if (mode->format == V4L2_PIX_FMT_MJPEG) {
        const char *path = getenv(state_is("turned") ? "FAKE_CAMERA_JPEG_TURNED" : "FAKE_CAMERA_JPEG");
        FILE *file = path ? fopen(path, "rb") : NULL;
        length = file ? (int)fread(picture, 1, sizeof picture, file) : 0;
        if (file) fclose(file);
    } else {
        length = 2 * mode->width * mode->height;
        for (int y = 0; y < mode->height; y++)
            for (int x = 0; x < mode->width; x++) {
                picture[2 * (y * mode->width + x)] = (uint8_t)(16 + (x + y + 2 * camera->frame) % 200);
                picture[2 * (y * mode->width + x) + 1] = x % 2 ? 160 : 100;
            }
    }
    if (pwrite(camera->memory, picture, length, (off_t)index * BUFFER_BYTES) != length) return -1;
    return length;
}

static void describe_buffer(struct v4l2_buffer *buffer, int index)
{
    buffer->index = index;
    buffer->length = BUFFER_BYTES;
    buffer->m.offset = index * BUFFER_BYTES;
    buffer->memory = V4L2_MEMORY_MMAP;
}

static int tick(struct camera *camera, int fps)
{
    struct itimerspec interval = { 0 };
    if (fps > 0) interval.it_interval.tv_nsec = interval.it_value.tv_nsec = 1000000000L / fps;
    return timerfd_settime(camera->fd, 0, &interval, NULL);
}

static int control_camera(struct camera *camera, unsigned long request, void *argument)
{
    if (state_is("unplugged")) return fail(ENODEV);
    switch (request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *capability = argument;
        memset(capability, 0, sizeof *capability);
        strcpy((char *)capability->driver, "fake");
        strcpy((char *)capability->card, "Fake Camera: C9");
        strcpy((char *)capability->bus_info, "fake:9");
        capability->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        capability->capabilities = capability->device_caps | V4L2_CAP_DEVICE_CAPS;
        return 0;
    }
    case VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *description = argument;
        if (description->index >= 2 || description->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
        description->pixelformat = formats[description->index];
        description->flags = description->index == 0 ? V4L2_FMT_FLAG_COMPRESSED : 0;
        strcpy((char *)description->description, description->index == 0 ? "Motion-JPEG" : "YUYV 4:2:2");
        return 0;
    }
    case VIDIOC_ENUM_FRAMESIZES: {
        struct v4l2_frmsizeenum *size = argument;
        unsigned left = size->index;
        for (unsigned i = 0; i < MODES; i++) {
            if (modes[i].format != size->pixel_format || left--) continue;
            size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
            size->discrete.width = modes[i].width;
            size->discrete.height = modes[i].height;
            return 0;
        }
        return fail(EINVAL);
    }
    case VIDIOC_ENUM_FRAMEINTERVALS: {
        struct v4l2_frmivalenum *interval = argument;
        for (unsigned i = 0; i < MODES && interval->index < 2; i++) {
            if (modes[i].format != interval->pixel_format || modes[i].width != (int)interval->width || modes[i].height != (int)interval->height) continue;
            interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
            interval->discrete.numerator = 1;
            interval->discrete.denominator = modes[i].fps[interval->index];
            return 0;
        }
        return fail(EINVAL);
    }
    case VIDIOC_G_FMT:
        describe_format(&modes[camera->mode], argument);
        return 0;
    case VIDIOC_TRY_FMT:
        describe_format(&modes[nearest(&((struct v4l2_format *)argument)->fmt.pix)], argument);
        return 0;
    case VIDIOC_S_FMT:
        if (state_is("busy") || camera->buffers > 0) return fail(EBUSY);
        camera->mode = nearest(&((struct v4l2_format *)argument)->fmt.pix);
        camera->fps = modes[camera->mode].fps[0];
        describe_format(&modes[camera->mode], argument);
        return 0;
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
        struct v4l2_captureparm *parameters = &((struct v4l2_streamparm *)argument)->parm.capture;
        if (request == VIDIOC_S_PARM) {
            if (state_is("busy")) return fail(EBUSY);
            struct v4l2_fract wanted = parameters->timeperframe;
            const int *fps = modes[camera->mode].fps;
            camera->fps = wanted.numerator && (int)(wanted.denominator / wanted.numerator) <= fps[1] ? fps[1] : fps[0];
        }
        memset(parameters, 0, sizeof *parameters);
        parameters->capability = V4L2_CAP_TIMEPERFRAME;
        parameters->timeperframe.numerator = 1;
        parameters->timeperframe.denominator = camera->fps;
        return 0;
    }
    case VIDIOC_ENUMINPUT: {
        struct v4l2_input *input = argument;
        if (input->index > 0) return fail(EINVAL);
        memset(input, 0, sizeof *input);
        strcpy((char *)input->name, "Camera 1");
        input->type = V4L2_INPUT_TYPE_CAMERA;
        return 0;
    }
    case VIDIOC_G_INPUT:
        *(int *)argument = 0;
        return 0;
    case VIDIOC_S_INPUT:
        return *(int *)argument == 0 ? 0 : fail(EINVAL);
    case VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *wanted = argument;
        if (state_is("busy")) return fail(EBUSY);
        if (wanted->memory != V4L2_MEMORY_MMAP) return fail(EINVAL);
        if (wanted->count > MAX_BUFFERS) wanted->count = MAX_BUFFERS;
        if (camera->memory < 0) {
            camera->memory = memfd_create("fake_camera", MFD_CLOEXEC);
            if (ftruncate(camera->memory, (off_t)MAX_BUFFERS * BUFFER_BYTES) != 0) return -1;
        }
        camera->buffers = wanted->count;
        camera->queue_length = 0;
        return 0;
    }
    case VIDIOC_QUERYBUF: {
        struct v4l2_buffer *buffer = argument;
        if ((int)buffer->index >= camera->buffers) return fail(EINVAL);
        describe_buffer(buffer, buffer->index);
        return 0;
    }
    case VIDIOC_QBUF: {
        struct v4l2_buffer *buffer = argument;
        if ((int)buffer->index >= camera->buffers || camera->queue_length == MAX_BUFFERS) return fail(EINVAL);
        camera->queued[camera->queue_length++] = buffer->index;
        return 0;
    }
    case VIDIOC_DQBUF: {
        struct v4l2_buffer *buffer = argument;
        uint64_t ticks;
        if (camera->queue_length == 0 || read(camera->fd, &ticks, sizeof ticks) != sizeof ticks) return fail(EAGAIN);
        camera->frame += (int)ticks;
        int index = camera->queued[0];
        memmove(camera->queued, camera->queued + 1, --camera->queue_length * sizeof camera->queued[0]);
        int length = fill(camera, index);
        if (length < 0) return fail(EIO);
        describe_buffer(buffer, index);
        buffer->bytesused = length;
        buffer->sequence = camera->frame;
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        buffer->timestamp.tv_sec = now.tv_sec;
        buffer->timestamp.tv_usec = now.tv_nsec / 1000;
        buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
        return 0;
    }
    case VIDIOC_STREAMON:
        return state_is("busy") ? fail(EBUSY) : tick(camera, state_is("silent") ? 0 : camera->fps);
    case VIDIOC_STREAMOFF:
        camera->queue_length = 0;
        return tick(camera, 0);
    default:
        return fail(ENOTTY);
    }
}

static int control_output(unsigned long request, void *argument)
{
    static struct v4l2_pix_format pix;
    switch (request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *capability = argument;
        memset(capability, 0, sizeof *capability);
        strcpy((char *)capability->driver, "v4l2 loopback");
        strcpy((char *)capability->card, "Fake Loopback");
        capability->device_caps = V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_READWRITE;
        capability->capabilities = capability->device_caps | V4L2_CAP_DEVICE_CAPS;
        return 0;
    }
    case VIDIOC_S_FMT:
        if (state_is("busy")) return fail(EBUSY);
        pix = ((struct v4l2_format *)argument)->fmt.pix;
        return 0;
    case VIDIOC_G_FMT:
        ((struct v4l2_format *)argument)->fmt.pix = pix;
        return 0;
    default:
        return fail(ENOTTY);
    }
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    // Some callers pass the request as an int, which sign extension turns into another number.
    struct camera *camera = find(fd);
    if (camera) return control_camera(camera, (uint32_t)request, argument);
    if (fd >= 0 && fd == output_fd) return control_output((uint32_t)request, argument);
    return ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(fd, request, argument);
}
