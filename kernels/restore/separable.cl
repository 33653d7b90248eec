// A filter that is a sum of separable ones: rows first, then columns.
//
//   mid[t][y][x] = sum over k of tap_t[k] * in[y][clamp(x + k - R, 0, W-1)]                        k = 0..2R
//   sum[y][x]    = sum over t, k of gain_t * tap_t[k] * mid[t][clamp(y + k - R, 0, H-1)][x]
//   out          = sum, or with[y][x] / max(sum, SMALLEST) (RATIO), or with[y][x] * sum (PRODUCT)
//
// Every tap_t is symmetric and the same along both axes, so the filter is symmetric and treats both axes alike: gain_t and tap_t come from the eigenvectors of its matrix.
//
// Tensors, row-major, no gap between rows:
//   in, with, out  float [H][W]    out may be `with`, but not in
//   mid            float [TERMS][H][W]
//   taps           float [sets][SET_FLOATS]; a set is
//                    along_rows     [TERMS][TAPS]                 tap_t[k] at k; zero past 2R
//                    along_columns  [ROWS - 1 + TAPS + ROWS - 1][TERMS]   gain_t * tap_t[k] at ROWS - 1 + k; zero elsewhere, so that ROWS outputs can share the rows they read
// Work:   rows:    one work-item per RUN pixels of a row;  global = { roundUp(ceil(W/RUN), local x), H }
//         columns: one work-item per RUN pixels of ROWS rows;  global = { roundUp(ceil(W/RUN), local x), ceil(H/ROWS) }; any local.
// Each value that is read serves all TERMS (rows) or ROWS outputs (columns).
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceFilter.cs

#ifndef TERMS
#define TERMS 1      // separable filters in the sum
#endif
#ifndef VEC
#define VEC 16       // pixels in a vector: 1, 4, 8 or 16
#define RUN 64       // pixels of a row per work-item, a multiple of VEC
#define ROWS 8       // outputs of a column per work-item
#define MAX_RADIUS 48    // largest R
#endif
#define TAPS (2 * MAX_RADIUS + 1)
#define SET_FLOATS (TERMS * TAPS + (TAPS + 2 * (ROWS - 1)) * TERMS)
#define SMALLEST 1e-6f   // of a blurred picture that divides: far below one code

#if VEC == 1
typedef float pixels;
#define LOAD(p) (*(p))
#define STORE(v, p) (*(p) = (v))
#else
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
typedef JOIN(float, VEC) pixels;
#define LOAD(p) JOIN(vload, VEC)(0, p)
#define STORE(v, p) JOIN(vstore, VEC)(v, 0, p)
#endif

// Stores what lies inside the row.
void store_inside(pixels value, __global float* restrict row, int x, int W) {
    if (x + VEC <= W) {
        STORE(value, row + x);
        return;
    }
    float one[VEC];
    STORE(value, one);
    for (int i = 0; x + i < W; i++) row[x + i] = one[i];
}

__kernel void separable_rows(__global const float* restrict in, __global const float* restrict taps, int set, int R, __global float* restrict mid, int W, int H) {
    const int from = get_global_id(0) * RUN, y = get_global_id(1);
    if (from >= W) return;
    __global const float* along = taps + (size_t)set * SET_FLOATS;
    __global const float* row = in + (size_t)y * W;

    float line[RUN + 2 * MAX_RADIUS];
    const int first = from - R, count = RUN + 2 * R;
    if (first >= 0 && first + count <= W) {
        for (int i = 0; i < count; i++) line[i] = row[first + i];
    } else {
        for (int i = 0; i < count; i++) line[i] = row[clamp(first + i, 0, W - 1)];
    }

    for (int x = 0; x < RUN && from + x < W; x += VEC) {
        pixels sum[TERMS];
        #pragma unroll
        for (int t = 0; t < TERMS; t++) sum[t] = 0;
        for (int k = 0; k <= 2 * R; k++) {
            const pixels value = LOAD(line + x + k);
            #pragma unroll
            for (int t = 0; t < TERMS; t++) sum[t] = fma(value, (pixels)(along[t * TAPS + k]), sum[t]);
        }
        #pragma unroll
        for (int t = 0; t < TERMS; t++) store_inside(sum[t], mid + ((size_t)t * H + y) * W, from + x, W);
    }
}

// Sums of ROWS outputs from row y on; mid begins at their column. Inlined by force, so that the sums stay in registers.
inline __attribute__((always_inline))
void column_sums(__global const float* mid, __global const float* along, int R, int y, int W, int H, pixels* sum) {
    pixels s[ROWS];
    #pragma unroll
    for (int i = 0; i < ROWS; i++) s[i] = 0;
    for (int t = 0; t < TERMS; t++) {
        // Output row i takes tap dy - i + R.
        __global const float* tap = along + (ROWS - 1) * TERMS + t;
        for (int dy = -R; dy < ROWS + R; dy++, tap += TERMS) {
            const pixels value = LOAD(mid + ((size_t)t * H + clamp(y + dy, 0, H - 1)) * W);
            #pragma unroll
            for (int i = 0; i < ROWS; i++) s[i] = fma(value, (pixels)(tap[-i * TERMS]), s[i]);
        }
    }
    #pragma unroll
    for (int i = 0; i < ROWS; i++) sum[i] = s[i];
}

// The same where a row is shorter than a vector.
void narrow_sums(__global const float* mid, __global const float* along, int R, int y, int W, int H, pixels* sum) {
    float* one = (float*)sum;
    for (int i = 0; i < ROWS; i++) {
        for (int x = 0; x < VEC; x++) {
            float s = 0;
            for (int t = 0; t < TERMS; t++) {
                for (int k = -R; k <= R; k++) s += along[(ROWS - 1 + k + R) * TERMS + t] * mid[((size_t)t * H + clamp(y + i + k, 0, H - 1)) * W + min(x, W - 1)];
            }
            one[i * VEC + x] = s;
        }
    }
}

// What out becomes of the sum.
#define PLAIN 0
#define RATIO 1
#define PRODUCT 2

__kernel void separable_columns(__global const float* restrict mid, __global const float* restrict taps, int set, int R, __global const float* with, int combine, __global float* out, int W, int H) {
    const int from = get_global_id(0) * RUN, y = get_global_id(1) * ROWS;
    if (from >= W) return;
    __global const float* along = taps + (size_t)set * SET_FLOATS + TERMS * TAPS;

    for (int x = from; x < from + RUN && x < W; x += VEC) {
        // The last vector of a row begins early enough to end with it, where the row is long enough.
        const int column = W >= VEC ? min(x, W - VEC) : x;
        pixels sum[ROWS];
        if (W >= VEC) {
            column_sums(mid + column, along, R, y, W, H, sum);
        } else {
            narrow_sums(mid, along, R, y, W, H, sum);
        }
        for (int i = 0; i < ROWS && y + i < H; i++) {
            const size_t at = (size_t)(y + i) * W + column;
            if (column == x && x + VEC <= W) {
                STORE(combine == PLAIN ? sum[i] : combine == RATIO ? LOAD(with + at) / fmax(sum[i], (pixels)(SMALLEST)) : LOAD(with + at) * sum[i], out + at);
                continue;
            }
            float one[VEC];
            STORE(sum[i], one);
            // Pixels before x have been written, and may be read no more.
            for (int p = x - column; p < VEC && column + p < W; p++) out[at + p] = combine == PLAIN ? one[p] : combine == RATIO ? with[at + p] / fmax(one[p], SMALLEST) : with[at + p] * one[p];
        }
    }
}
