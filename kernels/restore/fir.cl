// A symmetric filter of TAPS taps along rows or columns of a float plane; beyond the plane its border repeats.
//
//   fir_rows:     out[y][x] = sum over k of taps[k] * in[y][clamp(x + k - RADIUS, 0, W - 1)],   k = 0..TAPS-1
//   fir_columns:  out[y][x] = sum over k of taps[k] * in[clamp(y + k - RADIUS, 0, H - 1)][x]
//
// Tensors, row-major, no gap between rows:
//   in, out  float [H][W]; two buffers
//   table    float [filters][PITCH], one filter per row: PAD zeros, the taps, PAD zeros and more. The zeros let rows that share what they read run through the same loop.
// Work:   one work-item per VEC columns and ROWS rows (fir_columns), or RUN columns and ROWS rows (fir_rows; with VEC 1 one pixel).
//         global = { roundUp(ceil(W/VEC or RUN), local x), ceil(H/ROWS) }, with VEC 1 fir_rows { roundUp(W, local x), H }; local = { any, 1 }
// Both are bound by arithmetic, 65 multiply-accumulates per pixel each: a vector read serves ROWS sums down a column, a tap read serves ROWS sums across rows.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceMaxPol.cs

#ifndef VEC
#define VEC 16         // columns of a vector; 1 on GPUs
#define RUN 128        // columns of a work-item along rows
#endif
#define ROWS 8         // rows of a work-item: with two fused multiply-adds under way in each of four cycles, as many sums as keep both units busy
#define RADIUS 32      // MaxPol's half length
#define TAPS (2 * RADIUS + 1)
#define PAD (ROWS - 1)
#define PITCH 80       // TAPS + 2*PAD, rounded up to whole vectors

#if VEC == 16
typedef float16 vec;
#define LOAD(p) vload16(0, p)
#define STORE(v, p) vstore16(v, 0, p)
#else
typedef float vec;
#define LOAD(p) (*(p))
#define STORE(v, p) (*(p) = (v))
#endif

// The vector of a row that begins at column x; columns beyond the last are the last.
vec load_columns(__global const float* restrict row, int x, int W) {
    if (x + VEC <= W) return LOAD(row + x);
    float lanes[VEC];
    for (int i = 0; i < VEC; i++) lanes[i] = row[min(x + i, W - 1)];
    return LOAD(lanes);
}

void store_columns(vec value, __global float* restrict row, int x, int W) {
    if (x + VEC <= W) {
        STORE(value, row + x);
        return;
    }
    float lanes[VEC];
    STORE(value, lanes);
    for (int i = 0; i < VEC && x + i < W; i++) row[x + i] = lanes[i];
}

// tapStep is 1; a step known at build time makes compilers merge the reads of neighbouring taps into vectors and permutes.
__kernel void fir_columns(__global const float* restrict in, __global const float* restrict table, int filter, int tapStep, __global float* restrict out, int W, int H) {
    const int x = get_global_id(0) * VEC, y0 = get_global_id(1) * ROWS;
    if (x >= W || y0 >= H) return;
    __global const float* taps = table + filter * PITCH + PAD;
    vec sums[ROWS];
    #pragma unroll
    for (int r = 0; r < ROWS; r++) sums[r] = 0;
    for (int k = 0; k < TAPS + PAD; k++) {
        const vec value = load_columns(in + (size_t)clamp(y0 + k - RADIUS, 0, H - 1) * W, x, W);
        #pragma unroll
        for (int r = 0; r < ROWS; r++) sums[r] = fma((vec)taps[(k - r) * tapStep], value, sums[r]);
    }
    #pragma unroll
    for (int r = 0; r < ROWS; r++) {
        if (y0 + r < H) store_columns(sums[r], out + (size_t)(y0 + r) * W, x, W);
    }
}

__kernel void fir_rows(__global const float* restrict in, __global const float* restrict table, int filter, __global float* restrict out, int W, int H) {
    __global const float* taps = table + filter * PITCH + PAD;
#if VEC == 1
    const int x = get_global_id(0), y = get_global_id(1);
    if (x >= W) return;
    float sum = 0;
    for (int k = 0; k < TAPS; k++) sum = fma(taps[k], in[(size_t)y * W + clamp(x + k - RADIUS, 0, W - 1)], sum);
    out[(size_t)y * W + x] = sum;
#else
    const int x0 = get_global_id(0) * RUN, y0 = get_global_id(1) * ROWS;
    if (x0 >= W || y0 >= H) return;
    float runs[ROWS * (RUN + 2 * RADIUS)];
    for (int r = 0; r < ROWS; r++) {
        __global const float* row = in + (size_t)min(y0 + r, H - 1) * W;
        float* run = runs + r * (RUN + 2 * RADIUS);
        if (x0 >= RADIUS && x0 + RUN + RADIUS <= W) {
            for (int i = 0; i < RUN + 2 * RADIUS; i += VEC) STORE(LOAD(row + x0 - RADIUS + i), run + i);
        } else {
            for (int i = 0; i < RUN + 2 * RADIUS; i++) run[i] = row[clamp(x0 - RADIUS + i, 0, W - 1)];
        }
    }
    for (int x = 0; x < RUN && x0 + x < W; x += VEC) {
        vec sums[ROWS];
        #pragma unroll
        for (int r = 0; r < ROWS; r++) sums[r] = 0;
        for (int k = 0; k < TAPS; k++) {
            const vec tap = taps[k];
            #pragma unroll
            for (int r = 0; r < ROWS; r++) sums[r] = fma(tap, LOAD(runs + r * (RUN + 2 * RADIUS) + x + k), sums[r]);
        }
        #pragma unroll
        for (int r = 0; r < ROWS; r++) {
            if (y0 + r < H) store_columns(sums[r], out + (size_t)(y0 + r) * W, x0 + x, W);
        }
    }
#endif
}
