/*
 * picture.h - pictures for tests that notice every byte which should not have been touched.
 *
 * Each plane lies in pages of its own, its last row ending where a page begins that can neither be read nor written. The bytes before the first row and between
 * the rows are canaries: a pattern that depends on the place, and which valgrind is told nobody may read.
 *
 *     | canaries | row 0 | canaries | row 1 | ... | last row | forbidden page |
 */
#ifndef PICTURE_H
#define PICTURE_H

#include "check.h"
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif
#ifndef VALGRIND_MAKE_MEM_NOACCESS
#define VALGRIND_MAKE_MEM_NOACCESS(address, bytes) (void)0
#define VALGRIND_MAKE_MEM_DEFINED(address, bytes) (void)0
#endif

typedef struct {
    rtd_format format;
    rtd_picture picture; /* what the library gets */
    int planes;
    size_t row_bytes[RTD_MAX_PLANES], rows[RTD_MAX_PLANES];
    unsigned char *pages[RTD_MAX_PLANES]; /* the mapping, and how much of it can be used */
    size_t usable[RTD_MAX_PLANES];
} test_picture;

static inline unsigned char canary(size_t i) { return (unsigned char)(0xA5 ^ (i * 7)); }

static inline int is_10_bit(int pixels) { return pixels == RTD_GRAY10 || (pixels >= RTD_YUV420P10 && pixels <= RTD_YUV444P10); }
static inline int is_rgb(int pixels) { return pixels >= RTD_RGB24; }
static inline int bytes_per_sample(int pixels) { return is_10_bit(pixels) || pixels == RTD_P010 || pixels == RTD_RGB48 ? 2 : 1; }

static inline int samples_per_pixel(int pixels, int plane) {
    return pixels == RTD_RGBA32 || pixels == RTD_BGRA32 ? 4 : is_rgb(pixels) ? 3 : (pixels == RTD_NV12 || pixels == RTD_P010) && plane == 1 ? 2 : 1;
}

/* Calls visit(bytes, count) on every stretch of canaries of a plane. */
static inline void visit_canaries(test_picture *p, int plane, void (*visit)(test_picture *, unsigned char *, size_t)) {
    unsigned char *first = p->picture.plane[plane];
    visit(p, p->pages[plane], (size_t)(first - p->pages[plane]));
    for (size_t y = 0; y + 1 < p->rows[plane]; y++) visit(p, first + y * p->picture.stride_bytes[plane] + p->row_bytes[plane], p->picture.stride_bytes[plane] - p->row_bytes[plane]);
}

static inline void set_canaries(test_picture *p, unsigned char *bytes, size_t count) {
    (void)p;
    for (size_t i = 0; i < count; i++) bytes[i] = canary((size_t)(bytes + i));
    VALGRIND_MAKE_MEM_NOACCESS(bytes, count);
}

static inline void look_at_canaries(test_picture *p, unsigned char *bytes, size_t count) {
    VALGRIND_MAKE_MEM_DEFINED(bytes, count);
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == canary((size_t)(bytes + i))) continue;
        complain(__FILE__, __LINE__, "format %d, %dx%d: byte %zu of %zu outside the rows was written", (int)p->format.pixels, (int)p->format.width, (int)p->format.height, i, count);
        break;
    }
    VALGRIND_MAKE_MEM_NOACCESS(bytes, count);
}

/* A picture whose rows are so many bytes apart more than they need. The caller frees it. */
static inline test_picture make_picture(rtd_format format, size_t gap_bytes) {
    test_picture p;
    memset(&p, 0, sizeof p);
    p.format = format;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (; p.planes < RTD_MAX_PLANES && rtd_plane_size(&format, p.planes, &p.row_bytes[p.planes], &p.rows[p.planes]) == RTD_OK; p.planes++) {
        int plane = p.planes;
        size_t stride = p.row_bytes[plane] + gap_bytes, size = stride * (p.rows[plane] - 1) + p.row_bytes[plane];
        p.usable[plane] = (size + 64 + page - 1) / page * page;
        p.pages[plane] = mmap(NULL, p.usable[plane] + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        NEED(p.pages[plane] != MAP_FAILED && mprotect(p.pages[plane] + p.usable[plane], page, PROT_NONE) == 0, "no memory for a picture");
        p.picture.plane[plane] = p.pages[plane] + p.usable[plane] - size;
        p.picture.stride_bytes[plane] = stride;
        visit_canaries(&p, plane, set_canaries);
    }
    NEED(p.planes > 0, "format %d: %s", (int)format.pixels, rtd_last_error());
    return p;
}

static inline void free_picture(test_picture *p) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int plane = 0; plane < p->planes; plane++) munmap(p->pages[plane], p->usable[plane] + page);
}

static inline unsigned char *row(const test_picture *p, int plane, size_t y) { return (unsigned char *)p->picture.plane[plane] + y * p->picture.stride_bytes[plane]; }

/* A checkerboard of cells of 6 pixels, averaged over 5x5: edges with a blur that the networks know. 40 to 215. */
static inline int soft_checkerboard(int x, int y, int shift) {
    int white = 0;
    for (int dy = 0; dy < 5; dy++)
        for (int dx = 0; dx < 5; dx++) white += ((x + dx + shift) / 6 + (y + dy) / 6) & 1;
    return 40 + white * 7;
}

/* Draws the checkerboard, moved by `shift`; chroma and fourth bytes get a pattern without meaning. */
static inline void draw(test_picture *p, int shift) {
    int pixels = p->format.pixels;
    for (int plane = 0; plane < p->planes; plane++) {
        int per_pixel = samples_per_pixel(pixels, plane), bytes = bytes_per_sample(pixels);
        size_t samples = p->row_bytes[plane] / (size_t)bytes;
        for (size_t y = 0; y < p->rows[plane]; y++) {
            for (size_t i = 0; i < samples; i++) {
                int x = (int)i / per_pixel, c = (int)i % per_pixel;
                int is_pattern = (plane > 0 && !is_rgb(pixels)) || c == 3;
                unsigned value = is_pattern ? (unsigned)(i * 31 + y * 17 + (size_t)shift) & 255 : (unsigned)(soft_checkerboard(x, (int)y, shift) - c * 9);
                unsigned word = is_10_bit(pixels) ? value * 4 + (unsigned)(i & 3) : pixels == RTD_P010 ? (value * 4 + (unsigned)(i & 3)) << 6 : value * 257;
                unsigned char *sample = row(p, plane, y) + i * (size_t)bytes;
                sample[0] = (unsigned char)(bytes == 2 ? word & 255 : value);
                if (bytes == 2) sample[1] = (unsigned char)(word >> 8);
            }
        }
    }
}

/* A checkerboard that is not blurred at all. */
static inline void draw_sharp(test_picture *p) {
    for (size_t y = 0; y < p->rows[0]; y++)
        for (size_t i = 0; i < p->row_bytes[0]; i++) row(p, 0, y)[i] = (i / 7 + y / 7) & 1 ? 200 : 50;
}

/* Nothing outside the rows was written. */
#define CHECK_CANARIES(p) \
    do { \
        for (int plane_ = 0; plane_ < (p)->planes; plane_++) visit_canaries((p), plane_, look_at_canaries); \
    } while (0)

/* Bytes of a plane that differ. */
static inline size_t differences(const test_picture *a, const test_picture *b, int plane) {
    size_t count = 0;
    for (size_t y = 0; y < a->rows[plane]; y++)
        for (size_t i = 0; i < a->row_bytes[plane]; i++) count += row(a, plane, y)[i] != row(b, plane, y)[i];
    return count;
}

static inline int is_same(const test_picture *a, const test_picture *b) {
    for (int plane = 0; plane < a->planes; plane++)
        if (differences(a, b, plane) != 0) return 0;
    return 1;
}

static inline void copy_rows(test_picture *to, const test_picture *from) {
    for (int plane = 0; plane < to->planes; plane++)
        for (size_t y = 0; y < to->rows[plane]; y++) memcpy(row(to, plane, y), row(from, plane, y), to->row_bytes[plane]);
}

#endif
