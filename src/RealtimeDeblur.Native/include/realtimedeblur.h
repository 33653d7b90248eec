/*
 * realtimedeblur.h - sharpens mildly blurred pictures and video with small convolutional networks, on any OpenCL device.
 *
 *     rtd_format format = { RTD_RGBA32, 1280, 720, RTD_RANGE_FULL };
 *     rtd_picture picture = { { pixels }, { 1280 * 4 } };
 *     rtd_deblurrer *deblurrer;
 *     if (rtd_create(NULL, NULL, &format, &deblurrer) != RTD_OK
 *         || rtd_process(deblurrer, &picture, &picture) != RTD_OK) puts(rtd_last_error());
 *     rtd_destroy(deblurrer);
 *
 * Results. Functions that can fail return RTD_OK (0) or a negative status, and leave a sentence that says what to do in rtd_last_error().
 * Nothing but a wild pointer to memory can crash: null pointers, values out of range, handles of deblurrers that are gone, and wrong states are answered by a status.
 *
 * Threads. Every function may be called from every thread. Calls on different deblurrers run at the same time; calls on one wait for each other.
 *
 * Memory. The library keeps no pointer of the caller's after a function has returned, except the log callback and its user pointer. Handles belong to the
 * caller, who gives each to rtd_destroy() once. Strings are UTF-8. Sizes and strides are in bytes where their names say so, otherwise in pixels.
 * Nothing is allocated per picture once a deblurrer has restored its first.
 *
 * Process. The library contains a .NET runtime, which starts with the first call and stays: it can be loaded, closed and loaded again, but is never unmapped.
 * The runtime handles SIGSEGV and SIGFPE for its own code and hands those of other code to the handlers it found; it stops its threads with SIGRTMIN, and leaves the other signals alone.
 * OpenCL drivers may not: the compiler in PoCL takes SIGINT, SIGTERM, SIGUSR1 and more. A host that handles these sets its handlers after the first rtd_process().
 * A process that forks must not call the library in the child.
 */
#ifndef REALTIMEDEBLUR_H
#define REALTIMEDEBLUR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when functions are added. A program runs with any library whose rtd_api_version() is at least the one it was compiled with. */
#define RTD_API_VERSION 1

enum {
    RTD_OK = 0,
    RTD_ERROR_ARGUMENT = -1, /* null, out of range, a stride shorter than a row, an unknown format */
    RTD_ERROR_HANDLE = -2,   /* not a deblurrer, or one that was destroyed */
    RTD_ERROR_MODEL = -3,    /* no such model, or a damaged file */
    RTD_ERROR_DEVICE = -4,   /* no OpenCL device, none that matches, or its driver failed */
    RTD_ERROR_MEMORY = -5,   /* too little memory, of the host or of the device */
    RTD_ERROR_STATE = -6,    /* submitted too much, collected too often */
    RTD_ERROR_INTERNAL = -7  /* a mistake in this library: please report rtd_last_error() */
};

/* Layout of the samples of a picture. 10-bit samples are 16-bit little-endian words. Odd sizes round chroma up. */
enum {
    RTD_GRAY8 = 0,      /* 1 plane: luma */
    RTD_GRAY10 = 1,     /* 1 plane, values 0 to 1023 */
    RTD_YUV420P8 = 2,   /* 3 planes: luma; Cb and Cr of half width and height. I420, FFmpeg's yuv420p */
    RTD_YUV422P8 = 3,   /* 3 planes: Cb and Cr of half width */
    RTD_YUV444P8 = 4,   /* 3 planes of full size */
    RTD_YUV420P10 = 5,  /* as RTD_YUV420P8, values 0 to 1023: FFmpeg's yuv420p10le */
    RTD_YUV422P10 = 6,
    RTD_YUV444P10 = 7,
    RTD_NV12 = 8,       /* 2 planes: luma; Cb and Cr in turns, half width and height */
    RTD_P010 = 9,       /* as RTD_NV12, 10 bits in the high bits of each word: values 0 to 1023 times 64 */
    RTD_RGB24 = 10,     /* 1 plane: R, G, B */
    RTD_BGR24 = 11,     /* 1 plane: B, G, R */
    RTD_RGBA32 = 12,    /* 1 plane: R, G, B and a fourth byte, which passes unchanged */
    RTD_BGRA32 = 13,    /* 1 plane: B, G, R and a fourth byte, which passes unchanged */
    RTD_RGB48 = 14      /* 1 plane: R, G, B of 16 bits, little-endian, 0 to 65535 */
};

/* What the values of luma mean. RGB is always full range, whatever is given. */
enum {
    RTD_RANGE_LIMITED = 0, /* black 16, white 235 of 255: usual in video */
    RTD_RANGE_FULL = 1     /* black 0, white 255: JPEG, webcams */
};

/* What a restored picture shows. */
enum {
    RTD_VIEW_RESTORED = 0,
    RTD_VIEW_CONFIDENCE = 1 /* in place of luma (or R, G and B): white where the correction was written in full, black where it was left out */
};

#define RTD_SIGMA_AUTO (-1.0f) /* estimate the blur of each picture; leave sharp ones unchanged */
#define RTD_SIGMA_OFF (-2.0f)  /* estimate nothing; take sigma 1 */

#define RTD_MAX_PLANES 3
#define RTD_MAX_IN_FLIGHT 3 /* pictures that may be submitted before the first is collected */

/* A deblurrer: one network, one device, pictures of one format. The value is a number, not an address; a number is never used twice. */
typedef struct rtd_deblurrer rtd_deblurrer;

/* Layout and size of pictures. */
typedef struct rtd_format {
    int32_t pixels; /* RTD_GRAY8 ... RTD_RGB48 */
    int32_t width;  /* of the full-size plane, 1 or more */
    int32_t height; /* 1 or more; a whole picture has less than 2 GiB */
    int32_t range;  /* RTD_RANGE_LIMITED or RTD_RANGE_FULL */
} rtd_format;

/* A picture in memory of the caller's: for each plane of the format its first row, and the bytes from the beginning of one row to that of the next,
 * at least those of a row (see rtd_plane_size). Entries beyond the planes of the format are ignored. */
typedef struct rtd_picture {
    void *plane[RTD_MAX_PLANES];
    size_t stride_bytes[RTD_MAX_PLANES];
} rtd_picture;

enum { RTD_DEVICE_GPU = 0, RTD_DEVICE_ACCELERATOR = 1, RTD_DEVICE_CPU = 2, RTD_DEVICE_OTHER = 3 };

/* An OpenCL device. Names that are too long are cut. */
typedef struct rtd_device {
    char name[128];
    char platform[128];
    char driver[128];
    int32_t type; /* RTD_DEVICE_GPU ... RTD_DEVICE_OTHER */
    int32_t compute_units;
    uint64_t memory_bytes;
    int32_t supports_fp16;      /* 1 where the driver announces arithmetic in half precision, else 0 */
    int32_t shares_host_memory; /* 1 where device and host use the same memory, else 0 */
} rtd_device;

/* ---- What the library is and can do ---- */

/* Version of the library, e.g. "0.1.0". Valid for ever. */
const char *rtd_version(void);

/* RTD_API_VERSION of the library. */
int rtd_api_version(void);

/* Number of models inside the library. */
int rtd_model_count(void);

/* Name of model 0 ... rtd_model_count() - 1, e.g. "fast-camera"; NULL for another index. Valid for ever. */
const char *rtd_model_name(int index);

/* Bytes of a row and rows of plane 0, 1 or 2 of a format. RTD_ERROR_ARGUMENT for a plane or format that the library does not have: so this also tells what it takes. */
int rtd_plane_size(const rtd_format *format, int plane, size_t *row_bytes, size_t *rows);

/* Number of OpenCL devices of this machine, 0 or more: GPUs first, then accelerators, then CPUs. RTD_ERROR_DEVICE where there is no OpenCL at all. */
int rtd_device_count(void);

/* Describes device 0 ... rtd_device_count() - 1. */
int rtd_device_info(int index, rtd_device *device);

/* ---- Deblurrers ---- */

/* Makes a deblurrer for pictures of one format: opens the device, compiles kernels, allocates what pictures need. Some drivers finish compiling with the first picture.
 * The very first time that takes seconds, afterwards a fraction of one: compiled kernels are kept in the user's cache folder.
 *   model      name of a model in the library, or path of a .safetensors file; NULL takes "fast-camera", which suits real pictures.
 *              Or a filter of the literature, with parameters behind its name: "wiener", "wiener:ratio=0.01"; `deblur image --help` lists them
 *   device     index, or part of the name, upper and lower case alike; NULL takes the first
 *   format     of every picture
 *   deblurrer  receives the handle, NULL after an error */
int rtd_create(const char *model, const char *device, const rtd_format *format, rtd_deblurrer **deblurrer);

/* The same with the contents of a .safetensors file, which may be freed or changed afterwards. */
int rtd_create_from_memory(const void *model, size_t size_bytes, const char *device, const rtd_format *format, rtd_deblurrer **deblurrer);

/* Ends a deblurrer; pictures that were submitted and not collected are lost. NULL does nothing. */
int rtd_destroy(rtd_deblurrer *deblurrer);

/* Closes the devices that no deblurrer uses. Without it a device stays open once it was used, which makes the next rtd_create() fast. */
int rtd_release_devices(void);

/* ---- Pictures ---- */

/* Restores one picture on its own and waits for it. Input and output may be the same picture; they must not overlap otherwise.
 * Bytes between the end of a row and the next are neither read nor written. None may be in flight. */
int rtd_process(rtd_deblurrer *deblurrer, const rtd_picture *input, const rtd_picture *output);

/* Hands over the next picture of a video and returns without waiting for its restoration. With RTD_SIGMA_AUTO the blur is followed over the video, so that it does not flicker.
 * RTD_ERROR_STATE when RTD_MAX_IN_FLIGHT pictures are in flight. The picture is copied: it may be changed at once. */
int rtd_submit(rtd_deblurrer *deblurrer, const rtd_picture *input);

/* Waits for the oldest picture in flight and writes it. RTD_ERROR_STATE when none is. A picture whose restoration failed is in flight no longer; after RTD_ERROR_ARGUMENT it still is. */
int rtd_collect(rtd_deblurrer *deblurrer, const rtd_picture *output);

/* Pictures submitted and not yet collected, or a negative status. */
int rtd_in_flight(rtd_deblurrer *deblurrer);

/* The blur of the picture that rtd_process() or rtd_collect() wrote last.
 *   sigma      of the Gaussian it was restored for, in pixels; negative before the first picture, and for models that are not told one. May be NULL
 *   unchanged  1 if the picture was found to be sharp and passed unchanged, else 0. May be NULL */
int rtd_last_sigma(rtd_deblurrer *deblurrer, float *sigma, int *unchanged);

/* ---- Options: they count from the next rtd_process() or rtd_submit() on ---- */

/* Share of the restored detail: 0 leaves the picture unchanged, 1 (the default) is full. */
int rtd_set_strength(rtd_deblurrer *deblurrer, float strength);

/* Blur to restore: standard deviation of the Gaussian in pixels, 0 to 4; RTD_SIGMA_AUTO (the default) or RTD_SIGMA_OFF. Models that are not told one ignore it. */
int rtd_set_sigma(rtd_deblurrer *deblurrer, float sigma);

/* 1 (the default): what does not fit the blur (captions, the plane in focus, clipped lights, noise) is left alone. 0: everything is restored alike. */
int rtd_set_guard(rtd_deblurrer *deblurrer, int guard);

/* RTD_VIEW_RESTORED (the default) or RTD_VIEW_CONFIDENCE. */
int rtd_set_view(rtd_deblurrer *deblurrer, int view);

/* ---- Errors and log ---- */

/* What went wrong in the last call of this thread that failed: a sentence or two, "" if none has. Valid until the next failure on this thread, and no longer than the thread. */
const char *rtd_last_error(void);

enum { RTD_LOG_ERROR = 1, RTD_LOG_INFO = 3 };

/* Receives what happens: every failure (RTD_LOG_ERROR), and devices opened, deblurrers made and ended (RTD_LOG_INFO). Called on the thread whose call caused it; may call the library, whose messages about that it does not get, but must return. */
typedef void (*rtd_log_callback)(int level, const char *message, void *user);

/* Sets the one log callback of the process; NULL ends it. Another thread may be inside the old callback when this returns. */
int rtd_set_log(rtd_log_callback callback, void *user);

#ifdef __cplusplus
}
#endif

#endif
