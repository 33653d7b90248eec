// Deblurring by a polynomial in the blur itself: Polyblur.
//
// Delbracio, Garcia-Dorado, Choi, Kelly, Milanfar, "Polyblur: removing mild blur by polynomial reblurring", IEEE Transactions on Computational Imaging 7 (2021). With K the convolution with the blur's Gaussian,
//   w = a3 K^3 v + a2 K^2 v + a1 K v + beta v,   a3 = alpha/2 - beta + 2, a2 = 3 beta - alpha - 6, a1 = 5 - 3 beta + alpha/2
// which is three convolutions by Horner's rule, t = a3 K v + a2 v, t = K t + a1 v, w = K t + beta v; the sum of the four is 1.
//   K(dx, dy) = exp(-(dx dy) C^-1 (dx dy)' / 2) / sum,   |dx|, |dy| <= radius = ceil(RADIUS_SIGMAS * sigma of the wider direction), at most MAX_RADIUS
// Halos are taken back where the restored picture falls while the blurred one rises: with M = -grad v . grad w,
//   out = z v + (1 - z) w,   z = M / (|grad v|^2 + M + NO_SLOPE) where M > 0, else 0          at every pixel, which is the least z for which grad out . grad v >= 0 where z is constant
// An optional bilateral filter splits off what has no edges before (base v, the rest is added back), so that noise is not sharpened.
// Where we differ: C may change over the frame. It is interpolated between the estimates of tiles to blocks of BLOCK x BLOCK pixels. And blur that is mild enough to pass for none is faded out: a covariance whose
// geometric mean is below SHARP counts as 0, and in full from FULL on. Both for estimates only; a sigma that was given is taken as it is.
//
// Tensors:
//   plane    float [H][W]    gamma-encoded luma, 0 to 1
//   v, base, t, restored    float [PAD_H + blocksH*BLOCK + PAD_H][pitch], pitch = PAD_W + blocksW*BLOCK + PAD_W: planes within a frame of pixels that repeat the nearest one; pixel (0, 0) at (PAD_H, PAD_W)
//   estimates  as restore/polyblur_estimate.cl has them
//   weights  float [blocks][WEIGHTS_FLOATS]: radius, then K from WEIGHTS_HEADER on, [kx][WEIGHTS_PITCH]; for a line [k]
// Work:
//   polyblur_pad        one work-item per PAD_RUN pixels of a row of v: global = { ceil(pitch/PAD_RUN), rows }; polyblur_extend likewise, in place, after every convolution
//   polyblur_weights    one work-item per block, or one for a whole frame; polyblur_line one
//   polyblur_convolve   one work-item per COLUMNS x ROWS pixels, COLUMNS a multiple of LANES, both divide BLOCK
//   polyblur_convolve_line   the same for a Gaussian that is round, rows and columns after one another; for CPUs
//   polyblur_base, polyblur_finish   one work-item per RUN pixels of a row, RUN a multiple of LANES
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferencePolyblur.cs

#ifndef LANES
#define LANES 16               // pixels of a vector: 16 on CPUs, 1 on GPUs
#define COLUMNS 16             // of a work-item of the convolutions; 1 on GPUs
#define LINE_COLUMNS 64        // of polyblur_convolve_line, which repeats what lies beside them
#define ROWS 16                // 4 on GPUs
#define RUN 128                // 1 on GPUs
#define PAD_RUN 65536          // whole rows; 1 on GPUs
#endif
#ifndef BLOCK
#define BLOCK 16               // pixels; see PolyblurRestorer.cs, as are those below
#define PAD_W 16
#define PAD_H 12
#define WEIGHTS_HEADER 16
#define WEIGHTS_PITCH 28
#define WEIGHTS_FLOATS 720
#define CELL 64
#define SHARP 0.55f
#endif

#define MAX_RADIUS 12          // 3 sigma for a sigma of 4
#define RADIUS_SIGMAS 3
#define FULL (SHARP + 0.05f)
#define SMALLEST 1e-4f         // variance; narrower Gaussians have one tap
#define ESTIMATE_FLOATS 8
#define BILATERAL_RADIUS 2
#define BILATERAL_SIGMA 5.0f   // pixels; with BILATERAL_LEVELS as in the authors' companion code
#define BILATERAL_LEVELS 0.1f
#define NO_SLOPE 1e-8f         // square of a slope that is rounding, a fortieth of a code of 8 bits

#if LANES == 16
#define REAL float16
#define LOAD(p) vload16(0, p)
#define STORE(value, p) vstore16(value, 0, p)
#define INDEX ((float16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#else
#define REAL float
#define LOAD(p) (*(p))
#define STORE(value, p) (*(p) = (value))
#endif
#define AT(y, x) ((size_t)((y) + PAD_H) * pitch + (x) + PAD_W)

__kernel void polyblur_pad(__global const float* restrict plane, int W, int H, __global float* restrict v, int pitch, int rows) {
    const int from = get_global_id(0) * PAD_RUN, row = get_global_id(1);
    if (from >= pitch || row >= rows) return;
    __global const float* source = plane + (size_t)clamp(row - PAD_H, 0, H - 1) * W;
    __global float* to = v + (size_t)row * pitch;
    const int end = min(from + PAD_RUN, pitch), inside = clamp(PAD_W, from, end), outside = clamp(PAD_W + W, from, end);
    for (int x = from; x < inside; x++) to[x] = source[0];
    for (int x = inside; x < outside; x++) to[x] = source[x - PAD_W];
    for (int x = outside; x < end; x++) to[x] = source[W - 1];
}

__kernel void polyblur_extend(int W, int H, __global float* v, int pitch, int rows) {
    const int from = get_global_id(0) * PAD_RUN, row = get_global_id(1);
    if (from >= pitch || row >= rows) return;
    const int nearest = clamp(row - PAD_H, 0, H - 1);
    __global const float* source = v + (size_t)(nearest + PAD_H) * pitch;
    __global float* to = v + (size_t)row * pitch;
    const int end = min(from + PAD_RUN, pitch), inside = clamp(PAD_W, from, end), outside = clamp(PAD_W + W, from, end);
    for (int x = from; x < inside; x++) to[x] = source[PAD_W];
    if (nearest != row - PAD_H) for (int x = inside; x < outside; x++) to[x] = source[x];
    for (int x = outside; x < end; x++) to[x] = source[PAD_W + W - 1];
}

// given: sigma of the frame, or negative for the estimates; perTile: whether those of tiles.
__kernel void polyblur_weights(__global const float* restrict estimates, int cellsW, int cellsH, float given, int perTile, int blocksW, int blocksH, __global float* restrict weights) {
    const int bx = get_global_id(0), by = get_global_id(1);
    if (bx >= blocksW || by >= blocksH) return;
    float xx = given * given, xy = 0, yy = xx;
    if (given < 0) {
        float e[4];
        if (perTile) {
            // Tiles are centred at the corners of cells.
            const float x = (bx + 0.5f) * BLOCK / CELL, y = (by + 0.5f) * BLOCK / CELL;
            const int x0 = min((int)x, cellsW - 1), y0 = min((int)y, cellsH - 1), tilesW = cellsW + 1;
            const float tx = min(x - x0, 1.0f), ty = min(y - y0, 1.0f);
            __global const float* tile = estimates + (1 + (size_t)y0 * tilesW + x0) * ESTIMATE_FLOATS;
            for (int i = 0; i < 4; i++)
                e[i] = mix(mix(tile[i], tile[i + ESTIMATE_FLOATS], tx), mix(tile[i + tilesW * ESTIMATE_FLOATS], tile[i + (tilesW + 1) * ESTIMATE_FLOATS], tx), ty);
        } else {
            for (int i = 0; i < 4; i++) e[i] = estimates[i];
        }
        const float fade = smoothstep(SHARP, FULL, e[3]);
        xx = e[0] * fade;
        xy = e[1] * fade;
        yy = e[2] * fade;
    }
    xx = max(xx, SMALLEST);
    yy = max(yy, SMALLEST);
    const float middle = 0.5f * (xx + yy), spread = sqrt(0.25f * (xx - yy) * (xx - yy) + xy * xy), det = xx * yy - xy * xy;
    const int radius = xx <= SMALLEST ? 0 : clamp((int)ceil(RADIUS_SIGMAS * sqrt(middle + spread)), 0, MAX_RADIUS);
    const float pxx = -0.5f * yy / det, pxy = xy / det, pyy = -0.5f * xx / det;
    __global float* block = weights + ((size_t)by * blocksW + bx) * WEIGHTS_FLOATS;
    __global float* w = block + WEIGHTS_HEADER;
    float sum = 0;
    for (int kx = 0; kx <= 2 * radius; kx++)
    for (int ky = 0; ky <= 2 * radius; ky++) {
        const float x = kx - radius, y = ky - radius, value = exp(pxx * x * x + pxy * x * y + pyy * y * y);
        w[kx * WEIGHTS_PITCH + ky] = value;
        sum += value;
    }
    for (int kx = 0; kx <= 2 * radius; kx++)
    for (int ky = 0; ky <= 2 * radius; ky++) w[kx * WEIGHTS_PITCH + ky] /= sum;
    block[0] = radius;
}

__kernel void polyblur_line(float sigma, __global float* restrict weights) {
    const float variance = max(sigma * sigma, SMALLEST);
    const int radius = clamp((int)ceil(RADIUS_SIGMAS * sigma), 0, MAX_RADIUS);
    __global float* w = weights + WEIGHTS_HEADER;
    float sum = 0;
    for (int k = 0; k <= 2 * radius; k++) sum += w[k] = exp(-0.5f * (k - radius) * (k - radius) / variance);
    for (int k = 0; k <= 2 * radius; k++) w[k] /= sum;
    weights[0] = radius;
}

// COUNT taps of a column at once: every row of t that is read serves all of them.
#define TAPS(COUNT) { \
    const float k0 = w[0], k1 = COUNT > 1 ? w[1] : 0, k2 = COUNT > 2 ? w[2] : 0, k3 = COUNT > 3 ? w[3] : 0; \
    _Pragma("unroll") \
    for (int i = 0; i < ROWS + COUNT - 1; i++) { \
        const REAL value = LOAD(p + i * pitch); \
        if (i < ROWS) sum[i] = fma((REAL)k0, value, sum[i]); \
        if (COUNT > 1 && i >= 1 && i - 1 < ROWS) sum[i - 1] = fma((REAL)k1, value, sum[i - 1]); \
        if (COUNT > 2 && i >= 2 && i - 2 < ROWS) sum[i - 2] = fma((REAL)k2, value, sum[i - 2]); \
        if (COUNT > 3 && i >= 3 && i - 3 < ROWS) sum[i - 3] = fma((REAL)k3, value, sum[i - 3]); \
    } \
}

// out = scale * K t + share * v. blockFloats: WEIGHTS_FLOATS where every block has its own K, 0 where all share the first.
__kernel void polyblur_convolve(__global const float* restrict t, __global const float* restrict v, __global float* restrict out, int pitch, int rows, float scale, float share,
                                __global const float* restrict weights, int blockFloats, int blocksW) {
    const int left = get_global_id(0) * COLUMNS, top = get_global_id(1) * ROWS;
    if (PAD_W + left >= pitch - PAD_W || PAD_H + top >= rows - PAD_H) return;
    __global const float* block = weights + (size_t)(top / BLOCK * blocksW + left / BLOCK) * blockFloats;
    const int radius = (int)block[0], side = 2 * radius + 1;
    for (int x = left; x < left + COLUMNS; x += LANES) {
        REAL sum[ROWS];
        for (int r = 0; r < ROWS; r++) sum[r] = 0;
        for (int kx = 0; kx < side; kx++) {
            __global const float* w = block + WEIGHTS_HEADER + kx * WEIGHTS_PITCH;
            __global const float* p = t + AT(top - radius, x - radius + kx);
            int ky = 0;
            for (; ky + 4 <= side; ky += 4, w += 4, p += 4 * pitch) TAPS(4)
            if (ky + 3 <= side) TAPS(3) else TAPS(1)     // sides are odd
        }
        for (int r = 0; r < ROWS; r++) STORE(fma((REAL)scale, sum[r], share * LOAD(v + AT(top + r, x))), out + AT(top + r, x));
    }
}

#define LINE_W (LINE_COLUMNS + 2 * PAD_W)

__kernel void polyblur_convolve_line(__global const float* restrict t, __global const float* restrict v, __global float* restrict out, int pitch, int rows, float scale, float share,
                                     __global const float* restrict weights) {
    const int left = get_global_id(0) * LINE_COLUMNS, top = get_global_id(1) * ROWS;
    if (PAD_W + left >= pitch - PAD_W || PAD_H + top >= rows - PAD_H) return;
    const int radius = (int)weights[0], side = 2 * radius + 1;
    float columns[ROWS * LINE_W];     // sums down the columns; column 0 is left - radius
    for (int x = 0; x < LINE_COLUMNS + 2 * radius; x += LANES) {
        REAL sum[ROWS];
        for (int r = 0; r < ROWS; r++) sum[r] = 0;
        __global const float* w = weights + WEIGHTS_HEADER;
        __global const float* p = t + AT(top - radius, left - radius + x);
        int ky = 0;
        for (; ky + 4 <= side; ky += 4, w += 4, p += 4 * pitch) TAPS(4)
        if (ky + 3 <= side) TAPS(3) else TAPS(1)
        for (int r = 0; r < ROWS; r++) STORE(sum[r], columns + r * LINE_W + x);
    }
    for (int x = 0; x < LINE_COLUMNS; x += LANES) {
        REAL sum[ROWS];
        for (int r = 0; r < ROWS; r++) sum[r] = 0;
        for (int kx = 0; kx < side; kx++) {
            const REAL w = weights[WEIGHTS_HEADER + kx];
            for (int r = 0; r < ROWS; r++) sum[r] = fma(w, LOAD(columns + r * LINE_W + x + kx), sum[r]);
        }
        for (int r = 0; r < ROWS; r++) STORE(fma((REAL)scale, sum[r], share * LOAD(v + AT(top + r, left + x))), out + AT(top + r, left + x));
    }
}

// Columns beyond the frame are written as well, and then by polyblur_extend.
__kernel void polyblur_base(__global const float* restrict v, __global float* restrict base, int pitch, int W, int H) {
    const int from = get_global_id(0) * RUN, y = get_global_id(1);
    if (from >= W || y >= H) return;
    for (int x = from; x < min(from + RUN, W); x += LANES) {
        const REAL centre = LOAD(v + AT(y, x));
        REAL sum = 0, total = 0;
        for (int dy = -BILATERAL_RADIUS; dy <= BILATERAL_RADIUS; dy++)
        for (int dx = -BILATERAL_RADIUS; dx <= BILATERAL_RADIUS; dx++) {
            const REAL value = LOAD(v + AT(y + dy, x + dx)), step = value - centre;
            const REAL weight = exp(step * step * (-0.5f / (BILATERAL_LEVELS * BILATERAL_LEVELS)) - (dx * dx + dy * dy) * (0.5f / (BILATERAL_SIGMA * BILATERAL_SIGMA)));
            sum = fma(weight, value, sum);
            total += weight;
        }
        STORE(sum / total, base + AT(y, x));
    }
}

// plane = restored without halos + (v - base), 0 to 1.
__kernel void polyblur_finish(__global const float* restrict v, __global const float* restrict base, __global const float* restrict restored, int pitch, int W, int H, int halo, __global float* restrict plane) {
    const int from = get_global_id(0) * RUN, y = get_global_id(1);
    if (from >= W || y >= H) return;
    for (int x = from; x < min(from + RUN, W); x += LANES) {
        const REAL blurred = LOAD(base + AT(y, x));
        REAL w = LOAD(restored + AT(y, x));
        if (halo) {
            const REAL vx = 0.5f * (LOAD(base + AT(y, x + 1)) - LOAD(base + AT(y, x - 1))), vy = 0.5f * (LOAD(base + AT(y + 1, x)) - LOAD(base + AT(y - 1, x)));
            const REAL wx = 0.5f * (LOAD(restored + AT(y, x + 1)) - LOAD(restored + AT(y, x - 1))), wy = 0.5f * (LOAD(restored + AT(y + 1, x)) - LOAD(restored + AT(y - 1, x)));
            const REAL m = fmax(-(vx * wx + vy * wy), (REAL)0.0f);
            w += m / (vx * vx + vy * vy + m + NO_SLOPE) * (blurred - w);
        }
        const REAL value = clamp(w + (LOAD(v + AT(y, x)) - blurred), (REAL)0.0f, (REAL)1.0f);
        if (x + LANES <= W) {
            STORE(value, plane + (size_t)y * W + x);
        } else {
            float rest[LANES];
            STORE(value, rest);
            for (int i = 0; x + i < W; i++) plane[(size_t)y * W + x + i] = rest[i];
        }
    }
}
