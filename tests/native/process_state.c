/*
 * What belongs to the host stays the host's: how the process handles signals, what a thread's rounding, errno, locale, signal mask and signal stack are, its environment and
 * folder, and its standard output. Faults of the host go to the host's handlers, before the library's first call and after; a host may exit while pictures are in flight.
 *
 *     process_state           runs all cases below, each in a process of its own
 *     process_state CASE      runs one
 */
#define _GNU_SOURCE /* dladdr */
#include "picture.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <xmmintrin.h>

extern char **environ;

static const rtd_format format = { RTD_GRAY8, 48, 32, RTD_RANGE_FULL };

/* One call of every kind. */
static void use_library(void) {
    rtd_deblurrer *deblurrer = NULL;
    test_picture picture = make_picture(format, 0);
    draw(&picture, 0);
    OK(rtd_create("tiny-camera", NULL, &format, &deblurrer));
    OK(rtd_process(deblurrer, &picture.picture, &picture.picture));
    OK(rtd_submit(deblurrer, &picture.picture));
    OK(rtd_collect(deblurrer, &picture.picture));
    FAILS(rtd_create("no such model", NULL, &format, &deblurrer), RTD_ERROR_MODEL, "");
    FAILS(rtd_in_flight(NULL), RTD_ERROR_HANDLE, "");
    free_picture(&picture);
    OK(rtd_release_devices());
}

static void own_handler(int signal) { (void)signal; }

/* ---- Signals ---- */

static struct sigaction before[65];

/* All signals are handled as before, except those that the header names: the runtime's own faults, and the signal that it stops threads with. With `drivers`, code of
 * an OpenCL driver may have set handlers as well: the compiler in PoCL does. It is named, and the library is not blamed. */
static void check_signals(const char *after_what, int drivers) {
    for (int number = 1; number < 65; number++) {
        struct sigaction after;
        Dl_info place;
        if (number == SIGSEGV || number == SIGFPE || number == SIGRTMIN || sigaction(number, NULL, &after) != 0) continue;
        if (before[number].sa_handler == after.sa_handler && before[number].sa_flags == after.sa_flags) continue;
        const char *file = dladdr((void *)(uintptr_t)after.sa_handler, &place) && place.dli_fname ? place.dli_fname : "nobody";
        if (drivers && number != SIGPIPE && !strstr(file, "realtimedeblur") && !strstr(file, "process_state") && file[0] == '/') printf("signal %d is taken by %s\n", number, file);
        else complain(__FILE__, __LINE__, "after %s signal %d (%s) goes to %s with flags %x", after_what, number, strsignal(number), file, (unsigned)after.sa_flags);
    }
}

static void test_signals(void (*sigpipe)(int)) {
    signal(SIGPIPE, sigpipe);
    signal(SIGUSR1, own_handler);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGINT, own_handler);
    for (int number = 1; number < 65; number++) sigaction(number, NULL, &before[number]);
    CHECK(rtd_api_version() == RTD_API_VERSION, "interface %d", rtd_api_version());
    FAILS(rtd_in_flight(NULL), RTD_ERROR_HANDLE, "");
    check_signals("the first call", 0);
    use_library();
    check_signals("work on a device", 1);
}

static void sigpipe_default(void) { test_signals(SIG_DFL); }
static void sigpipe_ignored(void) { test_signals(SIG_IGN); }
static void sigpipe_own(void) { test_signals(own_handler); }

/* ---- Faults of the host ---- */

static sigjmp_buf after_fault;
static volatile sig_atomic_t caught;

static void catch(int signal, siginfo_t *information, void *context) {
    (void)information, (void)context;
    caught = signal;
    siglongjmp(after_fault, 1);
}

static volatile int one = 1, zero;
static volatile int *volatile nowhere; /* NULL */

__attribute__((no_sanitize("undefined"))) static void fault(int signal) {
    if (signal == SIGSEGV) *nowhere = 1;
    else zero = one / zero;
}

static void expect_fault(int signal) {
    caught = 0;
    if (sigsetjmp(after_fault, 1) == 0) fault(signal);
    CHECK(caught == signal, "a fault with signal %d came as %d", signal, (int)caught);
}

static void *fault_on_a_thread(void *nothing) {
    use_library();
    expect_fault(SIGSEGV);
    return nothing;
}

static void faults_own(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = catch;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    expect_fault(SIGSEGV);
    use_library();
    for (int i = 0; i < 3; i++) {
        expect_fault(SIGSEGV);
        expect_fault(SIGFPE);
        use_library();
    }
    pthread_t thread;
    NEED(pthread_create(&thread, NULL, fault_on_a_thread, NULL) == 0, "no thread");
    pthread_join(thread, NULL);
}

/* Without a handler a fault ends the process as it always does; main() looks at how. */
static void fault_default(void) {
    use_library();
    fault(SIGSEGV);
}

/* ---- What belongs to the thread or the process ---- */

static void thread_state(void) {
    use_library(); /* the very first call may do more; the second time below everything counts, and the first time in `first_call` */
    sigset_t mask, mask_after;
    stack_t stack, stack_after;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    sigaltstack(NULL, &stack);

    /* Rounding up, flushing of denormals and unmasked inexact results are modes that no library expects. */
    unsigned plain = _mm_getcsr();
    _mm_setcsr((plain & ~0x3Fu) | 0x8040 | _MM_ROUND_UP);
    fesetround(FE_UPWARD);
    unsigned mode = _mm_getcsr() & ~0x3Fu; /* without the sticky flags */
    int rounding = fegetround();
    rtd_deblurrer *deblurrer = NULL;
    test_picture picture = make_picture(format, 0), other = make_picture(format, 0);
    draw(&picture, 0);
    OK(rtd_create("tiny-camera", NULL, &format, &deblurrer));
    CHECK((_mm_getcsr() & ~0x3Fu) == mode && fegetround() == rounding, "creating changed the floating-point mode from %x to %x", mode, _mm_getcsr());
    OK(rtd_process(deblurrer, &picture.picture, &other.picture));
    CHECK((_mm_getcsr() & ~0x3Fu) == mode && fegetround() == rounding, "processing changed the floating-point mode from %x to %x", mode, _mm_getcsr());
    _mm_setcsr(plain);
    fesetround(FE_TONEAREST);
    OK(rtd_destroy(deblurrer));
    free_picture(&picture);
    free_picture(&other);

    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    sigaltstack(NULL, &stack_after);
    for (int number = 1; number < 65; number++) CHECK(sigismember(&mask, number) == sigismember(&mask_after, number), "signal %d was blocked or unblocked", number);
    CHECK(stack.ss_sp == stack_after.ss_sp && stack.ss_flags == stack_after.ss_flags, "the signal stack was replaced");
}

/* The first call starts the runtime: what belongs to the process stays then as well. Of the calls, those for each picture leave errno as it is. */
static void first_call(void) {
    char locale[256], folder[4096], folder_after[4096], *variables[4096];
    NEED(setlocale(LC_ALL, "C"), "no locale");
    snprintf(locale, sizeof locale, "%s", setlocale(LC_ALL, NULL));
    NEED(getcwd(folder, sizeof folder), "no folder");
    umask(027);
    int count = 0;
    for (; environ[count] && count < 4096; count++) variables[count] = strdup(environ[count]);

    rtd_deblurrer *deblurrer = NULL;
    test_picture picture = make_picture(format, 0);
    draw(&picture, 0);
    OK(rtd_create("tiny-camera", NULL, &format, &deblurrer));
    OK(rtd_process(deblurrer, &picture.picture, &picture.picture));
    for (int i = 0; i < 4; i++) {
        errno = 4711;
        int status = i == 0 ? rtd_process(deblurrer, &picture.picture, &picture.picture) : i == 1 ? rtd_submit(deblurrer, &picture.picture)
            : i == 2 ? rtd_collect(deblurrer, &picture.picture) : rtd_set_strength(deblurrer, 0.5f);
        int after = errno;
        CHECK(status == RTD_OK && after == 4711, "call %d: status %d, errno %d", i, status, after);
    }
    OK(rtd_destroy(deblurrer));
    OK(rtd_release_devices());
    free_picture(&picture);

    CHECK(strcmp(locale, setlocale(LC_ALL, NULL)) == 0, "the locale became %s", setlocale(LC_ALL, NULL));
    CHECK(getcwd(folder_after, sizeof folder_after) && strcmp(folder, folder_after) == 0, "the folder became %s", folder_after);
    CHECK(umask(027) == 027, "the file mode mask was changed");
    int after = 0;
    for (; environ[after]; after++) {
        /* PoCL tells hwloc, which it uses, to load no plugins. */
        if (after < count ? strcmp(environ[after], variables[after]) != 0 : strncmp(environ[after], "HWLOC_", 6) != 0) complain(__FILE__, __LINE__, "the environment was changed: %s", environ[after]);
    }
    CHECK(after >= count, "%d variables became %d", count, after);
}

/* The library writes nothing to the host's output; failures go to the log and rtd_last_error(). */
static void silence(void) {
    char path[] = "/tmp/realtimedeblur-test-XXXXXX";
    int file = mkstemp(path), out = dup(1), err = dup(2);
    NEED(file >= 0, "no file");
    unlink(path);
    fflush(NULL);
    dup2(file, 1);
    dup2(file, 2);
    use_library();
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    char text[512];
    ssize_t count = pread(file, text, sizeof text - 1, 0);
    text[count > 0 ? count : 0] = '\0';
    CHECK(count == 0, "written to the host's output: %s", text);
}

static int is_busy;

static void *process_for_ever(void *argument) {
    test_picture picture = make_picture(format, 0);
    draw(&picture, 0);
    for (int i = 0;; i++) {
        if (rtd_process(argument, &picture.picture, &picture.picture) != RTD_OK) abort();
        if (i == 5) __atomic_store_n(&is_busy, 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

/* exit() while threads are inside the library, with pictures in flight and nothing destroyed. */
static void exit_during_use(void) {
    rtd_deblurrer *deblurrers[2] = { NULL, NULL };
    pthread_t thread;
    test_picture picture = make_picture(format, 0);
    draw(&picture, 0);
    for (int i = 0; i < 2; i++) OK(rtd_create("tiny-camera", NULL, &format, &deblurrers[i]));
    OK(rtd_submit(deblurrers[1], &picture.picture));
    NEED(pthread_create(&thread, NULL, process_for_ever, deblurrers[0]) == 0, "no thread");
    while (!__atomic_load_n(&is_busy, __ATOMIC_ACQUIRE)) usleep(1000);
    exit(failed_checks != 0);
}

static const struct {
    const char *name;
    void (*run)(void);
    int signal; /* that the process ends with; 0 where it ends by itself */
} cases[] = {
    { "sigpipe_default", sigpipe_default, 0 },
    { "sigpipe_ignored", sigpipe_ignored, 0 },
    { "sigpipe_own", sigpipe_own, 0 },
    { "faults_own", faults_own, 0 },
    { "fault_default", fault_default, SIGSEGV },
    { "thread_state", thread_state, 0 },
    { "first_call", first_call, 0 },
    { "silence", silence, 0 },
    { "exit_during_use", exit_during_use, 0 },
};

static void run_in_child(size_t i) {
    char *arguments[] = { "process_state", (char *)(uintptr_t)cases[i].name, NULL };
    pid_t child;
    int status;
    NEED(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) == 0, "no process");
    for (int tenths = 0; waitpid(child, &status, WNOHANG) == 0; tenths++) {
        if (tenths == 1200) {
            kill(child, SIGKILL);
            complain(__FILE__, __LINE__, "%s hangs", cases[i].name);
        }
        usleep(100000);
    }
    int ended = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    CHECK(ended == cases[i].signal, "%s ended with signal %d, not %d", cases[i].name, ended, cases[i].signal);
    CHECK(ended || WEXITSTATUS(status) == 0, "%s failed with %d", cases[i].name, WEXITSTATUS(status));
}

int main(int argc, char **argv) {
    if (argc < 2) skip_without_device();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (argc < 2) run_in_child(i);
        else if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return finish(cases[i].name);
        }
    }
    return argc < 2 ? finish("process_state") : 2;
}
