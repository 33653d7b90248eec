// How far to trust a network that restores blur of a known sigma, pixel by pixel, and its result mixed with the frame accordingly.
//
// A blur of sigma leaves almost nothing above the frequency where the Gaussian G has fallen to sqrt(N), N = 0.001. A region that has detail up there was not blurred so much: captions, the
// plane in focus, edges that clipping made steep. A network for sigma would ring there. So two parts of the luma y are compared, both in codes of 8 bits:
//   h = y - G*y          the detail that deblurring works on
//   t = y - L*y          what no blur of sigma lets through; L passes what a Wiener filter can bring back: its taps are those of g^2 / (g^2 + N) in each direction, g that of G
//   T, H, A              means of t^2, of h^2, and of (y >= CLIPPED) over every ROW_STEP-th row of a cell of CELL x CELL pixels, then over cells with (1 4 6 4 1)/16 in both directions, a window of 12 pixels at half height
//   v                    variance of the frame's noise: NOISE_SCALE * the tenth percentile of blocks of BLOCK x BLOCK cells of T, divided by the share of white noise that t sees, and at least that of
//                        rounding to 8 bits, 1/12; frames with fewer than MIN_BLOCKS blocks are taken to have no other
//   rho  = (T - NOISE_MARGIN * v * (share in t)) / (H + FLOOR) / (T/H of a sharp photograph, whose power falls with the square of the frequency)
//   clip = min(1, A / CLIP_SHARE)
//   soft = 1 - smoothstep(LOW, HIGH, rho * (1 + CLIP_WEIGHT * clip))
//   confidence = soft * (1 - largest (1 - soft) * clip of the 5 x 5 cells around) * smoothstep(NOISE_LOW, NOISE_HIGH, H / (v * share of white noise in h))
// The second factor follows rings as far as they reach from clipped edges, the third leaves alone what is not stronger than the noise. The map is smoothed with (1 2 1)/4 in both directions and
// interpolated linearly between the cells' centres:
//   out = frame + round(strength * confidence * (restored - frame)), halves to even, sample by sample.
// It depends on the frame and sigma alone, so it is the same for every network.
//
// Figures: the constants were chosen on photographs for training and then, for stripes and text, on centres of the pictures below, so these are not figures on unseen pictures. With the linear network of WienerNetwork in the tests (a Wiener filter of
// 25 x 25 taps, noise to signal 0.001). Luma PSNR in dB, mean of Set14 and of every second picture of Kodak24, network alone, then guarded:
//   blurred everywhere      sigma 1: 36.23 36.18, 36.81 37.10; sigma 1.6: 31.46 31.45, 31.98 32.05; sigma 2: 29.62 29.63, 30.19 30.20; sigma 3: 26.87 26.87, 27.74 27.74
//   left half sharp         that half against the input: sigma 1.6: 14.6 47.1, 15.1 47.7; sigma 2: 14.3 60.6, 15.0 55.9; the blurred half gains 0.4 to 0.5 at the cut. Pictures below 40 dB have parts that are
//                           out of focus themselves, which are restored
//   noise of 2 codes        (centres of 400 x 400) sigma 1: 22.97 25.00, 22.94 25.73; sigma 2: 26.37 27.18, 26.50 27.72; sigma 3: 25.77 25.95, 26.28 26.57. Wiener filters for such noise, which denoise, gain 0.1 to 1.3
// Fine stripes are the worst case: blurred by little they have as much above the limit as a sharp photograph. kodim19's fence loses 0.5 dB at sigma 1, text of Set14 1.5 dB at sigma 1 and 0.4 dB at 1.6.
// Tried and not better: the residual of the re-blurred result, (G*r - y)^2, for t^2 (the same with this network, but it takes what a denoising network removes for detail that was sharp), the energy of the
// change (r - y)^2, its correlation with t, Gaussian high-passes for L, a ratio of 0.01 for N (stripes lose twice as much), the smallest confidence of 3 x 3 cells everywhere.
//
// Tensors, row-major, no gap between rows; cells beyond the frame do not exist, pixels and cells beyond an edge count as those at it:
//   frame, restored, out  SAMPLE, as color/samples.cl has them
//   energy     float [3][cellsH][cellsW]    T, H and A of single cells, overwritten
//   noise      float [1]                    v, overwritten
//   factors    float [2][cellsH][cellsW]    soft * the factor of noise; (1 - soft) * clip; overwritten
//   confidence float [cellsH][cellsW]       before smoothing, overwritten
//   table      float [sigmas][TABLE_ROW]    for every sigma: taps of L from the centre outwards, taps of G, share in t, 1 / (share in h), 1 / (T/H of a sharp photograph)
// Work, in this order:
//   confidence_energy_rows     one work-item per strip of STRIP columns and `segment` rows (a multiple of CELL), which keeps the rows that it needs in a ring; for CPUs
//   confidence_energy_tile     the same on GPUs: a work-group of LOCAL_W x LOCAL_H per tile of TILE_W x TILE_H pixels, which lies in local memory with its halo
//   confidence_noise           one work-group of LOCAL_BLOCKS work-items
//   confidence_factors         one work-item per FACTOR_CELLS cells of a row
//   confidence_spread          likewise
//   confidence_apply           one work-item per APPLY_CELLS cells of a row: the pixels of CELL rows
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConfidence.cs

#include "color/samples.cl"

#define CELL 4
#define ROW_STEP 2           // detail is wider than a row; every second one tells as much
#define BLOCK 4              // cells
#define MAX_RADIUS 12        // taps of L and G to either side: 3 sigma, up to a sigma of 4
#define TABLE_ROW 32
#define TABLE_G (MAX_RADIUS + 1)
#define TABLE_NOISE_T 26
#define TABLE_NOISE_H 27
#define TABLE_SHARP 28
#define CODES 255.0f         // codes of 8 bits per unit of the working space
#define CLIPPED 230.7f       // 250 of 255 of the way from black (16) to white (235)
#define ROUNDING (1.0f / 12)
#define NOISE_SCALE 1.2f
#define NOISE_MAX 9.0f
#define NOISE_SHARE 10       // one block in so many is quieter
#define NOISE_MARGIN 1.3f
#define MIN_BLOCKS 32
#define BINS 80              // of the histogram of blocks, BINS_PER_OCTAVE for every doubling of the variance from FIRST_BIN on
#define BINS_PER_OCTAVE 8
#define FIRST_BIN (ROUNDING / 4)
#define FLOOR 3.0f
#define CLIP_WEIGHT 3.0f
#define CLIP_SHARE 0.05f
#define LOW 0.14f
#define HIGH 0.21f
#define NOISE_LOW 1.2f
#define NOISE_HIGH 2.0f

#ifndef STRIP
#define STRIP 128            // columns of a work-item, a multiple of 32
#endif
#ifndef LOCAL_W
#define LOCAL_W 32
#define LOCAL_H 8
#define TILE_W 32            // multiples of CELL
#define TILE_H 16
#endif
#ifndef LOCAL_BLOCKS
#define LOCAL_BLOCKS 1
#endif
#ifndef FACTOR_CELLS
#define FACTOR_CELLS 64
#endif
#ifndef APPLY_CELLS
#define APPLY_CELLS 64
#endif

#define EDGE 16              // columns of a ring beside the strip; MAX_RADIUS rounded up to whole vectors
#define RING_W (STRIP + 2 * EDGE)
#define RING_H 32            // rows: 2 * MAX_RADIUS + 1, rounded up to a power of two
#define RING_ROW(ring, y) ((ring) + ((y) & (RING_H - 1)) * RING_W)

void load_luma_row(FRAME_ARGUMENTS, float* row, int y, int left) {
    const int fromY = clamp(y, 0, frameH - 1);
#if !defined(PLANAR) && (SAMPLES == 1 || C == 1)
    // Inside the frame, without a test per pixel, the compiler makes vectors of it.
    if (left >= 0 && left + RING_W <= frameW) {
        __global const SAMPLE* from = frame + (size_t)fromY * frameStride + (size_t)left * SAMPLES;
        for (int x = 0; x < RING_W; x++) {
#if SAMPLES == 1
            row[x] = CODES * offset + CODES * scale * (float)from[x];
#else
            __global const SAMPLE* p = from + x * SAMPLES;
            row[x] = CODES * offset + CODES * scale * (65.481f * (float)p[RED] + 128.553f * (float)p[1] + 24.966f * (float)p[BLUE]);
#endif
        }
        return;
    }
#endif
    for (int x = 0; x < RING_W; x++) row[x] = CODES * working_inside(FRAME, 0, fromY, clamp(left + x, 0, frameW - 1));
}

// Sixteen pixels into the sums of their columns, or as the first of them.
void add_detail(float16 luma, float16 passedL, float16 passedG, bool isFirst, float* sumT, float* sumH, float* sumA) {
    const float16 t = luma - passedL, h = luma - passedG, a = select((float16)0.0f, (float16)1.0f, luma >= CLIPPED);
    vstore16(isFirst ? t * t : fma(t, t, vload16(0, sumT)), 0, sumT);
    vstore16(isFirst ? h * h : fma(h, h, vload16(0, sumH)), 0, sumH);
    vstore16(isFirst ? a : a + vload16(0, sumA), 0, sumA);
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void confidence_energy_rows(FRAME_ARGUMENTS, __global const float* restrict table, int tableRow, int radius, __global float* restrict energy, int cellsW, int cellsH, int segment) {
    __global const float* taps = table + tableRow * TABLE_ROW;
    float tapL[MAX_RADIUS + 1], tapG[MAX_RADIUS + 1];
    for (int k = 0; k <= radius; k++) {
        tapL[k] = taps[k];
        tapG[k] = taps[TABLE_G + k];
    }
    const int x0 = get_global_id(0) * STRIP, y0 = get_global_id(1) * segment, yEnd = min(y0 + segment, frameH);
    const size_t plane = (size_t)cellsW * cellsH;
    float ring[RING_H * RING_W], rowL[RING_W], rowG[RING_W], sumT[STRIP], sumH[STRIP], sumA[STRIP];

    int loaded = y0 - radius;
    for (int y = y0; y < yEnd; y += ROW_STEP) {
        for (; loaded <= y + radius; loaded++) load_luma_row(FRAME, originX, originY, RING_ROW(ring, loaded), loaded, x0 - EDGE);
        const float* rows[2 * MAX_RADIUS + 1];
        for (int k = -radius; k <= radius; k++) rows[MAX_RADIUS + k] = RING_ROW(ring, y + k);
        const float* centre = rows[MAX_RADIUS];
        // Two vectors at once: four sums that do not wait for each other.
        for (int x = 0; x < RING_W; x += 32) {
            float16 l0 = tapL[0] * vload16(0, centre + x), l1 = tapL[0] * vload16(1, centre + x), g0 = tapG[0] * vload16(0, centre + x), g1 = tapG[0] * vload16(1, centre + x);
            for (int k = 1; k <= radius; k++) {
                const float* above = rows[MAX_RADIUS - k] + x;
                const float* below = rows[MAX_RADIUS + k] + x;
                const float16 pair0 = vload16(0, above) + vload16(0, below), pair1 = vload16(1, above) + vload16(1, below);
                l0 = fma((float16)tapL[k], pair0, l0);
                g0 = fma((float16)tapG[k], pair0, g0);
                l1 = fma((float16)tapL[k], pair1, l1);
                g1 = fma((float16)tapG[k], pair1, g1);
            }
            vstore16(l0, 0, rowL + x);
            vstore16(l1, 1, rowL + x);
            vstore16(g0, 0, rowG + x);
            vstore16(g1, 1, rowG + x);
        }
        const bool isFirst = y % CELL == 0, isLast = y % CELL + ROW_STEP >= CELL || y + ROW_STEP >= frameH;
        for (int x = 0; x < STRIP; x += 32) {
            const float* fromL = rowL + EDGE + x;
            const float* fromG = rowG + EDGE + x;
            float16 l0 = tapL[0] * vload16(0, fromL), l1 = tapL[0] * vload16(1, fromL), g0 = tapG[0] * vload16(0, fromG), g1 = tapG[0] * vload16(1, fromG);
            for (int k = 1; k <= radius; k++) {
                l0 = fma((float16)tapL[k], vload16(0, fromL - k) + vload16(0, fromL + k), l0);
                g0 = fma((float16)tapG[k], vload16(0, fromG - k) + vload16(0, fromG + k), g0);
                l1 = fma((float16)tapL[k], vload16(1, fromL - k) + vload16(1, fromL + k), l1);
                g1 = fma((float16)tapG[k], vload16(1, fromG - k) + vload16(1, fromG + k), g1);
            }
            add_detail(vload16(0, centre + EDGE + x), l0, g0, isFirst, sumT + x, sumH + x, sumA + x);
            add_detail(vload16(1, centre + EDGE + x), l1, g1, isFirst, sumT + x + 16, sumH + x + 16, sumA + x + 16);
        }
        if (!isLast) continue;
        const int cells = (min(STRIP, frameW - x0) + CELL - 1) / CELL;
        __global float* to = energy + (size_t)(y / CELL) * cellsW + x0 / CELL;
        for (int cell = 0; cell < cells; cell++) {
            const int columns = min(CELL, frameW - x0 - cell * CELL);
            float t = 0, h = 0, a = 0;
            for (int x = cell * CELL; x < cell * CELL + columns; x++) {
                t += sumT[x];
                h += sumH[x];
                a += sumA[x];
            }
            const float share = 1.0f / (columns * (y % CELL / ROW_STEP + 1));
            to[cell] = share * t;
            to[plane + cell] = share * h;
            to[2 * plane + cell] = share * a;
        }
    }
}

#define HALO_W (TILE_W + 2 * MAX_RADIUS)
#define HALO_H (TILE_H + 2 * MAX_RADIUS)

__kernel __attribute__((reqd_work_group_size(LOCAL_W, LOCAL_H, 1)))
void confidence_energy_tile(FRAME_ARGUMENTS, __global const float* restrict table, int tableRow, int radius, __global float* restrict energy, int cellsW, int cellsH) {
    __local float luma[HALO_H * HALO_W], rowsL[TILE_H * HALO_W], rowsG[TILE_H * HALO_W];
    __local float tapL[MAX_RADIUS + 1], tapG[MAX_RADIUS + 1];
    const int item = get_local_id(1) * LOCAL_W + get_local_id(0), items = LOCAL_W * LOCAL_H;
    const int x0 = get_group_id(0) * TILE_W, y0 = get_group_id(1) * TILE_H;
    for (int k = item; k <= radius; k += items) {
        tapL[k] = table[tableRow * TABLE_ROW + k];
        tapG[k] = table[tableRow * TABLE_ROW + TABLE_G + k];
    }
    // Of the halo only what the radius asks for.
    const int w = TILE_W + 2 * radius, h = TILE_H + 2 * radius;
    for (int i = item; i < w * h; i += items)
        luma[i / w * HALO_W + i % w] = CODES * working_at(FRAME, 0, y0 - radius + i / w, x0 - radius + i % w);
    barrier(CLK_LOCAL_MEM_FENCE);

    for (int i = item; i < w * TILE_H; i += items) {
        __local const float* from = luma + (i / w + radius) * HALO_W + i % w;
        float l = tapL[0] * from[0], g = tapG[0] * from[0];
        for (int k = 1; k <= radius; k++) {
            const float pair = from[-k * HALO_W] + from[k * HALO_W];
            l = fma(tapL[k], pair, l);
            g = fma(tapG[k], pair, g);
        }
        rowsL[i / w * HALO_W + i % w] = l;
        rowsG[i / w * HALO_W + i % w] = g;
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    // The detail takes the place of what the filters read, once all have read it.
    float detailT[TILE_W * TILE_H / (LOCAL_W * LOCAL_H)], detailH[TILE_W * TILE_H / (LOCAL_W * LOCAL_H)], centres[TILE_W * TILE_H / (LOCAL_W * LOCAL_H)];
    for (int n = 0; n < TILE_W * TILE_H / (LOCAL_W * LOCAL_H); n++) {
        const int i = item + n * items, at = i / TILE_W * HALO_W + i % TILE_W + radius;
        float l = tapL[0] * rowsL[at], g = tapG[0] * rowsG[at];
        for (int k = 1; k <= radius; k++) {
            l = fma(tapL[k], rowsL[at - k] + rowsL[at + k], l);
            g = fma(tapG[k], rowsG[at - k] + rowsG[at + k], g);
        }
        centres[n] = luma[at + radius * HALO_W];
        detailT[n] = centres[n] - l;
        detailH[n] = centres[n] - g;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int n = 0; n < TILE_W * TILE_H / (LOCAL_W * LOCAL_H); n++) {
        const int i = item + n * items, at = i / TILE_W * HALO_W + i % TILE_W;
        luma[at] = centres[n] >= CLIPPED ? 1.0f : 0.0f;
        rowsL[at] = detailT[n] * detailT[n];
        rowsG[at] = detailH[n] * detailH[n];
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    for (int i = item; i < (TILE_W / CELL) * (TILE_H / CELL); i += items) {
        const int cellX = i % (TILE_W / CELL), cellY = i / (TILE_W / CELL), x = x0 + cellX * CELL, y = y0 + cellY * CELL;
        if (x >= frameW || y >= frameH) continue;
        const int columns = min(CELL, frameW - x), rows = min(CELL, frameH - y);
        float t = 0, h2 = 0, a = 0;
        for (int j = 0; j < rows; j += ROW_STEP) {
            for (int k = 0; k < columns; k++) {
                const int at = (cellY * CELL + j) * HALO_W + cellX * CELL + k;
                t += rowsL[at];
                h2 += rowsG[at];
                a += luma[at];
            }
        }
        const float share = 1.0f / (columns * ((rows + ROW_STEP - 1) / ROW_STEP));
        const size_t plane = (size_t)cellsW * cellsH, to = (size_t)(y / CELL) * cellsW + x / CELL;
        energy[to] = share * t;
        energy[plane + to] = share * h2;
        energy[2 * plane + to] = share * a;
    }
}

__kernel __attribute__((reqd_work_group_size(LOCAL_BLOCKS, 1, 1)))
void confidence_noise(__global const float* restrict energy, __global const float* restrict table, int tableRow, int cellsW, int cellsH, __global float* restrict noise) {
    __local int histogram[BINS];
    const int item = get_local_id(0), blocksW = cellsW / BLOCK, blocks = blocksW * (cellsH / BLOCK);
    const float share = table[tableRow * TABLE_ROW + TABLE_NOISE_T];
    for (int i = item; i < BINS; i += LOCAL_BLOCKS) histogram[i] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = item; i < blocks; i += LOCAL_BLOCKS) {
        __global const float* from = energy + (size_t)(i / blocksW * BLOCK) * cellsW + i % blocksW * BLOCK;
        float4 sum = 0.0f;
        for (int j = 0; j < BLOCK; j++) sum += vload4(0, from + (size_t)j * cellsW);
        const float variance = NOISE_SCALE * (sum.x + sum.y + sum.z + sum.w) / (BLOCK * BLOCK);
        const float bin = variance > FIRST_BIN * share ? BINS_PER_OCTAVE * log2(variance / (FIRST_BIN * share)) : 0.0f;
        // At a sigma near 0 the filters see no noise, and the share is 0: bin may be infinite, which has no int.
        atomic_inc(histogram + (int)fmin(bin, BINS - 1.0f));
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item != 0) return;
    float variance = ROUNDING;
    if (blocks >= MIN_BLOCKS) {
        // Where in its bin the block lies is interpolated, so that the variance changes smoothly from frame to frame.
        const float wanted = (float)blocks / NOISE_SHARE;
        int below = 0, bin = 0;
        while (bin < BINS - 1 && below + histogram[bin] < wanted) below += histogram[bin++];
        const float position = bin + (wanted - below) / max(histogram[bin], 1);
        variance = clamp(FIRST_BIN * exp2(position / BINS_PER_OCTAVE), ROUNDING, NOISE_MAX);
    }
    noise[0] = variance;
}

float smoothstep_between(float low, float high, float x) {
    const float t = (x - low) * (1.0f / (high - low)), within = t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t;
    return within * within * (3.0f - 2.0f * within);
}

#define FIVE(a, b, c, d, e) (((a) + (e) + 4.0f * ((b) + (d)) + 6.0f * (c)) * (1.0f / 16))

__kernel
void confidence_factors(__global const float* restrict energy, __global const float* restrict noise, __global const float* restrict table, int tableRow, int cellsW, int cellsH,
                        __global float* restrict factors) {
    const int x0 = get_global_id(0) * FACTOR_CELLS, y = get_global_id(1);
    if (x0 >= cellsW || y >= cellsH) return;
    const size_t plane = (size_t)cellsW * cellsH;
    const int count = min(FACTOR_CELLS, cellsW - x0);
    float smooth[3][FACTOR_CELLS + 4];
    for (int p = 0; p < 3; p++) {
        __global const float* rows[5];
        for (int j = 0; j < 5; j++) rows[j] = energy + p * plane + (size_t)clamp(y + j - 2, 0, cellsH - 1) * cellsW;
        if (x0 >= 2 && x0 + FACTOR_CELLS + 2 <= cellsW) {
            for (int x = 0; x < FACTOR_CELLS + 4; x++)
                smooth[p][x] = FIVE(rows[0][x0 + x - 2], rows[1][x0 + x - 2], rows[2][x0 + x - 2], rows[3][x0 + x - 2], rows[4][x0 + x - 2]);
        } else {
            for (int x = 0; x < count + 4; x++) {
                const int from = clamp(x0 + x - 2, 0, cellsW - 1);
                smooth[p][x] = FIVE(rows[0][from], rows[1][from], rows[2][from], rows[3][from], rows[4][from]);
            }
        }
    }
    __global const float* taps = table + tableRow * TABLE_ROW;
    const float shareT = taps[TABLE_NOISE_T] * noise[0] * NOISE_MARGIN, scaleH = taps[TABLE_NOISE_H] / noise[0], sharp = taps[TABLE_SHARP];
    __global float* to = factors + (size_t)y * cellsW + x0;
    for (int x = 0; x < count; x++) {
        const float t = FIVE(smooth[0][x], smooth[0][x + 1], smooth[0][x + 2], smooth[0][x + 3], smooth[0][x + 4]);
        const float h = FIVE(smooth[1][x], smooth[1][x + 1], smooth[1][x + 2], smooth[1][x + 3], smooth[1][x + 4]);
        const float a = FIVE(smooth[2][x], smooth[2][x + 1], smooth[2][x + 2], smooth[2][x + 3], smooth[2][x + 4]);
        const float part = a * (1.0f / CLIP_SHARE), clip = part < 1.0f ? part : 1.0f, rho = (t - shareT) / (h + FLOOR) * sharp;
        const float excess = smoothstep_between(LOW, HIGH, rho * (1.0f + CLIP_WEIGHT * clip));
        to[x] = (1.0f - excess) * smoothstep_between(NOISE_LOW, NOISE_HIGH, h * scaleH);
        to[plane + x] = excess * clip;
    }
}

// Without fmax, which compilers do not make vectors of for the sake of NaNs.
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define LARGEST(a, b, c, d, e) LARGER(LARGER(LARGER(a, b), LARGER(c, d)), e)

__kernel
void confidence_spread(__global const float* restrict factors, int cellsW, int cellsH, __global float* restrict confidence) {
    const int x0 = get_global_id(0) * FACTOR_CELLS, y = get_global_id(1);
    if (x0 >= cellsW || y >= cellsH) return;
    const int count = min(FACTOR_CELLS, cellsW - x0);
    __global const float* rows[5];
    for (int j = 0; j < 5; j++) rows[j] = factors + ((size_t)cellsH + clamp(y + j - 2, 0, cellsH - 1)) * cellsW;
    float largest[FACTOR_CELLS + 4];
    if (x0 >= 2 && x0 + FACTOR_CELLS + 2 <= cellsW) {
        for (int x = 0; x < FACTOR_CELLS + 4; x++)
            largest[x] = LARGEST(rows[0][x0 + x - 2], rows[1][x0 + x - 2], rows[2][x0 + x - 2], rows[3][x0 + x - 2], rows[4][x0 + x - 2]);
    } else {
        for (int x = 0; x < count + 4; x++) {
            const int from = clamp(x0 + x - 2, 0, cellsW - 1);
            largest[x] = LARGEST(rows[0][from], rows[1][from], rows[2][from], rows[3][from], rows[4][from]);
        }
    }
    const size_t at = (size_t)y * cellsW + x0;
    for (int x = 0; x < count; x++)
        confidence[at + x] = factors[at + x] * (1.0f - LARGEST(largest[x], largest[x + 1], largest[x + 2], largest[x + 3], largest[x + 4]));
}

// Floats of this size have no fraction: adding it and taking it away again rounds halves to even.
#define ROUND 12582912.0f

#define THREE(a, b, c) (0.25f * ((a) + (c)) + 0.5f * (b))

// With showMap the map itself is written, the largest code for full correction.
__kernel
void confidence_apply(FRAME_ARGUMENTS, __global const SAMPLE* restrict restored, __global const float* restrict confidence, int cellsW, int cellsH, __global SAMPLE* restrict out, float strength, int showMap) {
    const int cell0 = get_global_id(0) * APPLY_CELLS, cellY = get_global_id(1);
    if (cell0 >= cellsW || cellY >= cellsH) return;
    // Smoothed rows above, at and below, from the cell before the first to the one after the last; those beyond the frame repeat its edge.
    float rows[3][APPLY_CELLS + 2];
    for (int j = 0; j < 3; j++) {
        const int y = clamp(cellY + j - 1, 0, cellsH - 1);
        __global const float* above = confidence + (size_t)max(y - 1, 0) * cellsW;
        __global const float* at = confidence + (size_t)y * cellsW;
        __global const float* below = confidence + (size_t)min(y + 1, cellsH - 1) * cellsW;
        float column[APPLY_CELLS + 4];
        if (cell0 >= 2 && cell0 + APPLY_CELLS + 2 <= cellsW) {
            for (int x = 0; x < APPLY_CELLS + 4; x++) column[x] = THREE(above[cell0 + x - 2], at[cell0 + x - 2], below[cell0 + x - 2]);
            for (int x = 0; x < APPLY_CELLS + 2; x++) rows[j][x] = THREE(column[x], column[x + 1], column[x + 2]);
        } else {
            for (int x = 0; x < APPLY_CELLS + 4; x++) {
                const int from = clamp(cell0 + x - 2, 0, cellsW - 1);
                column[x] = THREE(above[from], at[from], below[from]);
            }
            for (int x = 0; x < APPLY_CELLS + 2; x++) {
                const int centre = clamp(cell0 + x - 1, 0, cellsW - 1) - cell0 + 2;
                rows[j][x] = THREE(column[centre - 1], column[centre], column[centre + 1]);
            }
        }
    }
    const int x0 = cell0 * CELL, columns = min(APPLY_CELLS * CELL, frameW - x0);
    for (int j = 0; j < CELL && cellY * CELL + j < frameH; j++) {
        // The pixel's centre lies so far below that of its cell, in cells.
        const float down = (j + 0.5f) / CELL - 0.5f;
        const float* other = rows[down < 0 ? 0 : 2];
        float between[APPLY_CELLS + 2], share[APPLY_CELLS * CELL];
        for (int x = 0; x < APPLY_CELLS + 2; x++) between[x] = rows[1][x] + fabs(down) * (other[x] - rows[1][x]);
        for (int x = 0; x < APPLY_CELLS; x++) {
            const float left = between[x] - between[x + 1], right = between[x + 2] - between[x + 1];
            vstore4((float4)between[x + 1] + (float4)(0.375f * left, 0.125f * left, 0.125f * right, 0.375f * right), 0, share + x * CELL);
        }
        const size_t at = (size_t)(cellY * CELL + j) * frameStride + (size_t)x0 * SAMPLES;
#if SAMPLES == 1
#define SHARE share
#else
        float shares[SAMPLES * APPLY_CELLS * CELL];
        for (int x = 0; x < APPLY_CELLS * CELL; x++) {
            for (int s = 0; s < SAMPLES; s++) shares[x * SAMPLES + s] = share[x];
        }
#define SHARE shares
#endif
        __global const SAMPLE* before = frame + at;
        __global const SAMPLE* after = restored + at;
        __global SAMPLE* to = out + at;
        if (showMap) {
            for (int i = 0; i < columns * SAMPLES; i++) to[i] = SAMPLES == 4 && i % SAMPLES == 3 ? before[i] : (SAMPLE)((int)(SHARE[i] * (MAX_CODE / CODE_STEP) + 0.5f) * CODE_STEP);
            continue;
        }
        for (int i = 0; i < columns * SAMPLES; i++) {
            const float change = strength * SHARE[i] * (float)(((int)after[i] - (int)before[i]) / CODE_STEP);
            const int code = (int)before[i] + (int)((change + ROUND) - ROUND) * CODE_STEP;
            to[i] = (SAMPLE)(code < 0 ? 0 : code > MAX_CODE ? MAX_CODE : code);
        }
    }
}
