// Radial amplitude spectra of a frame and of its quarter-size copy, whose ratio tells of the blur (SpectrumFit).
//
//   quarter_down, quarter_across:  quarter[y][x] = sum over j, k of h[j] h[k] * working_at(4y + j - 9, 4x + k - 9)
//     h    two steps of halving in one: each with the maximally flat half-band filter (-1, 0, 9, 16, 9, 0, -1)/32, the second on every other pixel
//   spectrum_tiles:  bins[tile][b] = mean of S[v][u] (restore/tile_spectrum.cl) over -16 < u, v < 16 with b < BINS/16 * sqrt(u^2 + v^2) <= b + 1, without u = v = 0
//   spectrum_mean:   amplitudes[scale][b] = sqrt(mean of bins[tile][b] over the tiles of that scale);   scale 0 is the frame, 1 the quarter
//
// Hosseini and Plataniotis, "Convolutional Deblurring for Natural Imaging", IEEE TIP 2019, take the amplitude spectrum of the whole picture at once. Tiles need no large transform, and their window keeps the picture's
// border, where it does not continue on the other side, from passing for detail. Root mean squares instead of mean amplitudes let tiles with contrast weigh more than tiles of noise: on 29 photographs with noise of
// 2/255 sigma 1 was found as 1.16 instead of 1.21, sigma 0.5 as 0.72 instead of 0.92. Tiles of 64 instead of 32 pixels scattered as much.
//
// Tensors, row-major:
//   down        float [quarterH][frameW]
//   quarter     float [quarterH][quarterW]; quarterW = ceil(frameW/4), quarterH likewise
//   bins        float [rows*columns][BINS]
//   amplitudes  float [2][BINS]
// Work:   quarter_down: one work-item per RUN pixels of a row; quarter_across: one per row of the quarter, or per pixel with RUN 1; global = { ceil(columns/RUN), quarterH }
//         spectrum_tiles: one work-group per tile; global = { LANES, columns, rows }, local = { LANES, 1, 1 }
//         spectrum_mean: one work-item per bin of a scale; global = { BINS, 2 }
// Local memory: 9 KiB with LANES above 1, else none.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceSpectrum.cs

#ifndef RUN
#define RUN 128          // pixels of a row per work-item; 1 on GPUs
#endif
#define SCALE 4          // of the quarter
#define QUARTER_TAPS 19
#define QUARTER_RADIUS 9
#define BINS 13          // as published

#include "restore/tile_spectrum.cl"

__constant float QUARTER[QUARTER_TAPS] = {
    1 / 1024.0f, 0, -9 / 1024.0f, -16 / 1024.0f, -18 / 1024.0f, 0, 66 / 1024.0f, 144 / 1024.0f, 216 / 1024.0f, 256 / 1024.0f,
    216 / 1024.0f, 144 / 1024.0f, 66 / 1024.0f, 0, -18 / 1024.0f, -16 / 1024.0f, -9 / 1024.0f, 0, 1 / 1024.0f };

// Frequencies -16 < u, v < 16 in each bin.
__constant float BIN_COUNT[BINS] = { 4, 16, 24, 24, 52, 56, 64, 52, 92, 96, 96, 104, 112 };

__kernel void quarter_down(FRAME_ARGUMENTS, __global float* restrict down) {
    const int from = get_global_id(0) * RUN, y = get_global_id(1);
    if (from >= frameW) return;
    const int count = min(RUN, frameW - from);
    float sums[RUN];
    for (int x = 0; x < RUN; x++) sums[x] = 0;
    for (int k = 0; k < QUARTER_TAPS; k++) {
        const float tap = QUARTER[k];
        const int fromY = clamp(SCALE * y + k - QUARTER_RADIUS, 0, frameH - 1);
        for (int x = 0; x < count; x++) sums[x] = fma(tap, working_inside(FRAME, 0, fromY, from + x), sums[x]);
    }
    for (int x = 0; x < count; x++) down[(size_t)y * frameW + from + x] = sums[x];
}

__kernel void quarter_across(__global const float* restrict down, __global float* restrict quarter, int W, int quarterW) {
    const int from = get_global_id(0) * RUN, y = get_global_id(1);
    __global const float* row = down + (size_t)y * W;
    for (int x = from; x < min(from + RUN, quarterW); x++) {
        float sum = 0;
        for (int k = 0; k < QUARTER_TAPS; k++) sum = fma(QUARTER[k], row[clamp(SCALE * x + k - QUARTER_RADIUS, 0, W - 1)], sum);
        quarter[(size_t)y * quarterW + x] = sum;
    }
}

__kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void spectrum_tiles(FRAME_ARGUMENTS, __global float* restrict bins, int columns, int rows) {
    SHARED float p[TILE * TILE], spectrum[2 * TILE * HALF_TILE], total[LANES * BINS];
    const int lane = get_local_id(0), column = get_group_id(1), row = get_group_id(2);
    load_tile(FRAME, originX + tile_start(column, columns, frameW), originY + tile_start(row, rows, frameH), lane, p);
    SYNC;
    vec sum = 0;
    for (int i = lane * VEC; i < TILE * TILE; i += LANES * VEC) sum += LOAD(p + i);
    total[lane] = SUM(sum);
    SYNC;
    float mean = 0;
    for (int i = 0; i < LANES; i++) mean += total[i];
    mean *= 1.0f / (TILE * TILE);

    for (int x = lane * VEC; x < TILE; x += LANES * VEC) transform_columns(p, mean, spectrum, x);
    SYNC;
    fold_columns(spectrum, lane);
    SYNC;
    // The powers take the place of the pixels.
    for (int i = lane * VEC; i < HALF_TILE * HALF_TILE; i += LANES * VEC) STORE(power(spectrum + i % HALF_TILE, i / HALF_TILE), p + i);
    SYNC;
    for (int b = 0; b < BINS; b++) total[lane * BINS + b] = 0;
    for (int u = lane; u < HALF_TILE; u += LANES) {
        int b = 0;
        for (int v = u > 0 ? 0 : 1; v < HALF_TILE; v++) {
            // Bin b ends at radius (b + 1) * 16/13.
            while (BINS * BINS * (u * u + v * v) > HALF_TILE * HALF_TILE * (b + 1) * (b + 1)) b++;
            // A coefficient stands for itself and those of opposite signs.
            if (b < BINS) total[lane * BINS + b] += (u > 0 ? 2 : 1) * (v > 0 ? 2 : 1) * p[u * HALF_TILE + v];
        }
    }
    SYNC;
    for (int b = lane; b < BINS; b += LANES) {
        float all = 0;
        for (int i = 0; i < LANES; i++) all += total[i * BINS + b];
        bins[(row * columns + column) * BINS + b] = all / BIN_COUNT[b];
    }
}

__kernel void spectrum_mean(__global const float* restrict ofFrame, int frameTiles, __global const float* restrict ofQuarter, int quarterTiles, __global float* restrict amplitudes) {
    const int b = get_global_id(0), scale = get_global_id(1), tiles = scale == 0 ? frameTiles : quarterTiles;
    __global const float* bins = scale == 0 ? ofFrame : ofQuarter;
    float sum = 0;
    for (int tile = 0; tile < tiles; tile++) sum += bins[tile * BINS + b];
    amplitudes[scale * BINS + b] = sqrt(sum / tiles);
}
