/*
 * check.h - the few lines that a test program in C needs. A check that does not hold says where and with which values, and the program goes on; finish() is its exit status.
 * Threads may check as well.
 */
#ifndef CHECK_H
#define CHECK_H

#include <realtimedeblur.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed_checks;

static inline void complain(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline void complain(const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    __atomic_add_fetch(&failed_checks, 1, __ATOMIC_RELAXED);
}

/* CHECK(condition, "format", values...) */
#define CHECK(condition, ...) \
    do { \
        if (!(condition)) complain(__FILE__, __LINE__, __VA_ARGS__); \
    } while (0)

/* The call returns RTD_OK. */
#define OK(call) \
    do { \
        int status_ = (call); \
        if (status_ != RTD_OK) complain(__FILE__, __LINE__, #call ": status %d: %s", status_, rtd_last_error()); \
    } while (0)

/* The call returns this status, and the message, which must not be that of a failure before, contains this text. */
#define FAILS(call, expected, text) \
    do { \
        const char *before_ = rtd_last_error(); \
        int status_ = (call); \
        const char *after_ = rtd_last_error(); \
        if (status_ != (expected)) complain(__FILE__, __LINE__, #call ": status %d, not %d: %s", status_, (int)(expected), after_); \
        else if (after_ == before_) complain(__FILE__, __LINE__, #call ": left no message of its own"); \
        else if (after_[0] == '\0' || !strstr(after_, (text))) complain(__FILE__, __LINE__, #call ": message '%s' lacks '%s'", after_, (text)); \
    } while (0)

/* For what a test cannot go on without. */
#define NEED(condition, ...) \
    do { \
        if (!(condition)) { \
            complain(__FILE__, __LINE__, __VA_ARGS__); \
            exit(1); \
        } \
    } while (0)

/* CTest counts a program that exits with this as skipped. */
#define SKIPPED 77

/* Ends the program where there is no OpenCL device. */
static inline void skip_without_device(void) {
    if (rtd_device_count() > 0) return;
    puts("There is no OpenCL device on this machine.");
    exit(SKIPPED);
}

static inline int finish(const char *what) {
    if (failed_checks == 0) printf("%s: all checks hold\n", what);
    else fprintf(stderr, "%s: %d checks failed\n", what, failed_checks);
    return failed_checks == 0 ? 0 : 1;
}

#endif
