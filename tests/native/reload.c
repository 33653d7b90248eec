/*
 * Opened and closed again with dlopen and dlclose, as hosts of plugins do: in between it works, a thread that used it may outlive the dlclose, and nothing grows.
 * This program is not linked with the library.
 *
 *     reload LIBRARY [COUNT]
 */
#define rtd_last_error no_library_linked
#include "process_use.h"
#undef rtd_last_error
#include <dlfcn.h>
#include <pthread.h>

const char *no_library_linked(void) { return ""; }

static struct {
    int (*create)(const char *, const char *, const rtd_format *, rtd_deblurrer **);
    int (*process)(rtd_deblurrer *, const rtd_picture *, const rtd_picture *);
    int (*destroy)(rtd_deblurrer *);
    int (*release_devices)(void);
    int (*device_count)(void);
    const char *(*last_error)(void);
    const char *(*version)(void);
} rtd;

/* ISO C has no conversion from void * to a pointer to a function; POSIX prescribes this one. */
static void find(void *library, const char *name, void *function) {
    void *address = dlsym(library, name);
    NEED(address, "%s: %s", name, dlerror());
    memcpy(function, &address, sizeof address);
}

static void *load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    NEED(library, "%s", dlerror());
    find(library, "rtd_create", &rtd.create);
    find(library, "rtd_process", &rtd.process);
    find(library, "rtd_destroy", &rtd.destroy);
    find(library, "rtd_release_devices", &rtd.release_devices);
    find(library, "rtd_device_count", &rtd.device_count);
    find(library, "rtd_last_error", &rtd.last_error);
    find(library, "rtd_version", &rtd.version);
    return library;
}

static void use_once(void) {
    rtd_format format = { RTD_GRAY8, 16, 16, RTD_RANGE_FULL };
    unsigned char pixels[256];
    rtd_picture picture = { { pixels }, { 16 } };
    rtd_deblurrer *deblurrer = NULL;
    memset(pixels, 100, sizeof pixels);
    CHECK(rtd.create("tiny-camera", NULL, &format, &deblurrer) == RTD_OK, "create: %s", rtd.last_error());
    CHECK(rtd.process(deblurrer, &picture, &picture) == RTD_OK, "process: %s", rtd.last_error());
    CHECK(rtd.destroy(deblurrer) == RTD_OK, "destroy: %s", rtd.last_error());
    CHECK(rtd.process(deblurrer, &picture, &picture) == RTD_ERROR_HANDLE, "a handle that is gone worked");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static enum { STARTING, USED, CLOSED } stage;

static void reach(int next) {
    pthread_mutex_lock(&lock);
    stage = next;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(int awaited) {
    pthread_mutex_lock(&lock);
    while ((int)stage != awaited) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

/* The runtime keeps something for each thread, and takes it back with code of its own when the thread ends: that code must still be there. */
static void *use_and_stay(void *nothing) {
    use_once();
    reach(USED);
    wait_for(CLOSED);
    return nothing;
}

static const char *path;

static void close_below_a_thread(void) {
    void *library = load(path);
    pthread_t thread;
    stage = STARTING;
    NEED(pthread_create(&thread, NULL, use_and_stay, NULL) == 0, "no thread");
    wait_for(USED);
    CHECK(dlclose(library) == 0, "%s", dlerror());
    reach(CLOSED);
    pthread_join(thread, NULL);
}

static void open_use_close(int i) {
    void *library = load(path);
    CHECK(rtd.version()[0] != '\0', "no version");
    if (i % 2 == 0) use_once();
    if (i % 10 == 0) CHECK(rtd.release_devices() == RTD_OK, "%s", rtd.last_error());
    CHECK(dlclose(library) == 0, "%s", dlerror());
}

int main(int argc, char **argv) {
    NEED(argc >= 2, "usage: reload LIBRARY [COUNT]");
    path = argv[1];
    void *library = load(path);
    int devices = rtd.device_count();
    dlclose(library);
    if (devices <= 0) {
        puts("There is no OpenCL device on this machine.");
        return SKIPPED;
    }
    for (int i = 0; i < 10; i++) close_below_a_thread();
    /* A second copy of the library and its runtime would be 20 MiB and more. */
    check_growth("loaded again", open_use_close, argc > 2 ? atoi(argv[2]) : 200, 8192);
    for (int i = 0; i < 10; i++) close_below_a_thread();
    return finish("reload");
}
