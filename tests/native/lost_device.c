// A layer for OpenCL loaders that makes a device fail in the middle of its work, as one does that is unplugged, reset by its driver, or taken away.
//
//   gcc -shared -fPIC lost_device.c -o lost_device.so
//   OPENCL_LAYERS=$PWD/lost_device.so LOST_AFTER=500 LOST_CALL=enqueue deblur video ...
//
// LOST_AFTER is how many kernels run before; LOST_CALL says where it shows: enqueue (a kernel cannot be started), wait (the wait for an event fails), or both.
//
// Interface: "OpenCL layers" of the Khronos loader, which ocl-icd has too: clInitLayer gets the table of the driver's functions and returns one that is used in its place. The table is an array of
// function pointers in the order of cl_icd.h; the two that are needed here are declared with plain types, because Debian's loader comes without headers.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LAYER_API_VERSION = 0x4240, LAYER_NAME = 0x4241, VERSION_100 = 100 };      // clGetLayerInfo
enum { WAIT_FOR_EVENTS = 41, ENQUEUE_ND_RANGE_KERNEL = 59 };                      // places in the table
enum { SUCCESS = 0, OUT_OF_RESOURCES = -5, EVENT_FAILED = -14, INVALID_VALUE = -30 };
enum { TABLE_SIZE = 512 };

typedef int32_t (*enqueue_function)(void *queue, void *kernel, uint32_t dimensions, const size_t *offset, const size_t *global, const size_t *local, uint32_t wait_count, void *const *waits, void **event);
typedef int32_t (*wait_function)(uint32_t count, void *const *events);

static void *const *driver;
static void *table[TABLE_SIZE];
static long kernels_left;
static int fails_enqueue, fails_wait;

static int32_t enqueue(void *queue, void *kernel, uint32_t dimensions, const size_t *offset, const size_t *global, const size_t *local, uint32_t wait_count, void *const *waits, void **event)
{
    if (__atomic_sub_fetch(&kernels_left, 1, __ATOMIC_RELAXED) < 0 && fails_enqueue) return OUT_OF_RESOURCES;
    return ((enqueue_function)driver[ENQUEUE_ND_RANGE_KERNEL])(queue, kernel, dimensions, offset, global, local, wait_count, waits, event);
}

static int32_t wait_for_events(uint32_t count, void *const *events)
{
    int32_t status = ((wait_function)driver[WAIT_FOR_EVENTS])(count, events);
    return __atomic_load_n(&kernels_left, __ATOMIC_RELAXED) < 0 && fails_wait ? EVENT_FAILED : status;
}

int32_t clGetLayerInfo(uint32_t name, size_t size, void *value, size_t *size_ret)
{
    static const char layer_name[] = "lost device";
    const uint32_t version = VERSION_100;
    const void *answer = name == LAYER_API_VERSION ? (const void *)&version : name == LAYER_NAME ? (const void *)layer_name : NULL;
    size_t length = name == LAYER_API_VERSION ? sizeof version : sizeof layer_name;
    if (answer == NULL || (value != NULL && size < length)) return INVALID_VALUE;
    if (value != NULL) memcpy(value, answer, length);
    if (size_ret != NULL) *size_ret = length;
    return SUCCESS;
}

int32_t clInitLayer(uint32_t count, void *const *target, uint32_t *count_ret, void *const **table_ret)
{
    const char *after = getenv("LOST_AFTER"), *call = getenv("LOST_CALL");
    if (count <= ENQUEUE_ND_RANGE_KERNEL || count > TABLE_SIZE || after == NULL || call == NULL) return INVALID_VALUE;
    kernels_left = atol(after);
    fails_enqueue = strcmp(call, "wait") != 0;
    fails_wait = strcmp(call, "enqueue") != 0;
    driver = target;
    memcpy(table, target, count * sizeof *table);
    table[WAIT_FOR_EVENTS] = (void *)wait_for_events;
    table[ENQUEUE_ND_RANGE_KERNEL] = (void *)enqueue;
    *count_ret = count;
    *table_ret = table;
    return SUCCESS;
}
