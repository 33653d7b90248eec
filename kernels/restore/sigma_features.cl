// What a frame's own pixels tell about its blur: statistics of small tiles spread over it, the input of sigma_network.cl.
//
//   p[y][x], TILE x TILE   luma of a tile in units of 1/255 of the working space (samples.cl). Frames smaller than a tile are mirrored without repeating their border, as blur mirrors them.
//   w[i] = (1 - cos(2 pi i / TILE)) / 2                                       Hann's window
//   S[v][u] = |sum over y, x of w[y] w[x] (p[y][x] - mean) exp(-2 pi i (v y + u x)/TILE)|^2 / 144      power; white noise of deviation s gives s^2
//   band r = mean of S over -16 < u, v < 16 with round(sqrt(u^2 + v^2)) = r for r = 2..16, and with all that is more for r = 17
//   Profiles of edges, along x (along y likewise, x and y exchanged), from a[y][x] = (p[y-1][x] + 2 p[y][x] + p[y+1][x])/4 and d[k] = a[y][x+k+1] - a[y][x+k]:
//   at 4 <= y < 28, 8 <= x < 24 there is an edge where |d[0]| >= |d[-1]|, |d[1]| and |a[y+1][x] + a[y+1][x+1] - a[y-1][x] - a[y-1][x+1]| / 4 <= 0.4 |d[0]|
//   Over the edges of both directions:  s4 = sum of d[0]^4, s3 = sum of |d[0]|^3,  A[k] = sum of d[0]^3 (d[k] + d[-k])/2 / (s4 + 1),  k = 1..6,
//                                       B = sum of |d[0]|^3 (d[2] - d[-2])/2 / (s4 + 1), which has a sign where blur was in linear light
//   Over the same positions, edges or not:  m1 = max |d[0]|, m2 = max |d[1] - d[0]|, m3 = max |d[1] - 2 d[0] + d[-1]|;  m0 = max p - min p
//   blocks = mean over the grid of 8, blocks of JPEG, of min(|difference of neighbours|, 6) / the same over the whole tile, 0.1 added to both
//
//   features[tile] = { ln(band r + FLOOR) for r = 2..17, ln(clamp(1 - A[k], 0.005, 4)) for k = 1..6, ln(s4/(s3 + 1) + 0.5), ln(m1 + 0.5), ln((m2 + 0.5)/(m1 + 0.5)),
//                      ln((m3 + 0.5)/(m2 + 0.5)), ln((m0 + 0.5)/(m1 + 0.5)), ln(blocks), mean/64, B }
// A step blurred by a Gaussian has A[k] = exp(-k^2 / (2 sigma^2)), and ln band falls by 4 pi^2 sigma^2 f^2 at f = r/TILE cycles per pixel.
//
// Tensors:  features  float [rows*columns][FEATURES], overwritten
// Tiles:    columns x rows of them; the left end of column i is (i*(frameW - TILE)/(columns - 1)) rounded down to a multiple of 8, so that blocks lie alike in all; a single one is in the middle
// Work:     one work-group per tile; global = { LANES, columns, rows }, local = { LANES, 1, 1 }. On a CPU LANES is 1 and a vector holds 8 columns, on a GPU a lane holds one.
// Local memory: 21 KiB with LANES above 1, else none.
// The transform folds the tile in both directions (cosines see x and TILE - x alike, sines with opposite sign), so that four products of 16x16 matrices remain: 33 k multiply-accumulates per
// tile of 1024 pixels, and 12 k for the rest.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceSigmaFeatures.cs

#define FEATURES 30
#define BANDS 16
#define LAGS 6
#define FLOOR 0.05f      // about half of what rounding to 8 bits adds (1/12), so that 10-bit frames look much the same

#include "restore/tile_spectrum.cl"

// 1 where a column and the next lie in different blocks; 1 where there is a next column.
__constant float BLOCK_END[TILE] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
__constant float HAS_NEXT[TILE] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 };

// Frequencies -16 < u, v < 16 in each band.
__constant float BAND_COUNT[BANDS] = { 12, 16, 32, 28, 40, 40, 48, 68, 56, 72, 68, 88, 88, 84, 76, 136 };
#define BLOCK_STEP_COUNT (2 * 3 * TILE)
#define ALL_STEP_COUNT (2 * (TILE - 1) * TILE)

// What the lanes of a tile add up.
enum { S4, S3, A1, B = A1 + LAGS, ALL_STEPS, BLOCK_STEPS, M1, M2, M3, HIGHEST, LOWEST, PIXELS, BAND, SUMS = BAND + BANDS };

#define IS_LARGEST(i) ((i) >= M1 && (i) <= HIGHEST)

// Adds the edges of a vector of positions to a lane's sums. a points at the first of them; step is the distance of neighbours across the edge, along that of neighbours along it.
void add_edges(SHARED const float* a, int step, int along, vec* restrict sums) {
    vec value[2 * LAGS + 2], d[2 * LAGS + 1];
    #pragma unroll
    for (int k = 0; k < 2 * LAGS + 2; k++) value[k] = LOAD(a + (k - LAGS) * step);
    #pragma unroll
    for (int k = 0; k < 2 * LAGS + 1; k++) d[k] = value[k + 1] - value[k];
    const vec here = d[LAGS], size = fabs(here);
    const vec slope = 0.25f * (LOAD(a + along) + LOAD(a + along + step) - LOAD(a - along) - LOAD(a - along + step));
    const mask edge = size >= fabs(d[LAGS - 1]) && size >= fabs(d[LAGS + 1]) && fabs(slope) <= 0.4f * size;
    const vec weight = edge ? size * here * here : (vec)0, oriented = here < 0 ? -weight : weight;
    sums[S4] = fma(weight, size, sums[S4]);
    sums[S3] += weight;
    #pragma unroll
    for (int k = 1; k <= LAGS; k++) sums[A1 + k - 1] = fma(oriented, 0.5f * (d[LAGS + k] + d[LAGS - k]), sums[A1 + k - 1]);
    sums[B] = fma(weight, 0.5f * (d[LAGS + 2] - d[LAGS - 2]), sums[B]);
    sums[M1] = fmax(sums[M1], size);
    sums[M2] = fmax(sums[M2], fabs(d[LAGS + 1] - here));
    sums[M3] = fmax(sums[M3], fabs(d[LAGS + 1] - 2 * here + d[LAGS - 1]));
}

// A feature from what all lanes added up.
float feature(SHARED const float* total, int i) {
    if (i < BANDS) return log(total[BAND + i] / BAND_COUNT[i] + FLOOR);
    i -= BANDS;
    const float edges = total[S4] + 1;
    if (i < LAGS) return log(clamp(1 - total[A1 + i] / edges, 0.005f, 4.0f));
    switch (i - LAGS) {
        case 0: return log(total[S4] / (total[S3] + 1) + 0.5f);
        case 1: return log(total[M1] + 0.5f);
        case 2: return log((total[M2] + 0.5f) / (total[M1] + 0.5f));
        case 3: return log((total[M3] + 0.5f) / (total[M2] + 0.5f));
        case 4: return log((total[HIGHEST] - total[LOWEST] + 0.5f) / (total[M1] + 0.5f));
        case 5: return log((total[BLOCK_STEPS] / BLOCK_STEP_COUNT + 0.1f) / (total[ALL_STEPS] / ALL_STEP_COUNT + 0.1f));
        case 6: return total[PIXELS] * (1.0f / (64 * TILE * TILE));
        default: return total[B] / edges;
    }
}

__kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void sigma_features(FRAME_ARGUMENTS, __global float* restrict features, int columns, int rows) {
    // Vectors that reach past a row's end meet a neighbouring row, past the tile's end what follows here; neither is used.
    SHARED float pixels[VEC + TILE * TILE + VEC], across[TILE * TILE], down[TILE * TILE], spectrum[2 * TILE * HALF_TILE], total[LANES * SUMS];
    SHARED float* p = pixels + VEC;
    const int lane = get_local_id(0), column = get_group_id(1), row = get_group_id(2);
    const int left = originX + tile_start(column, columns, frameW), top = originY + tile_start(row, rows, frameH);
    vec sums[BAND];
    for (int i = 0; i < BAND; i++) sums[i] = 0;
    sums[LOWEST] = 1e9f;
    sums[HIGHEST] = -1e9f;

    // Pixels.
    load_tile(FRAME, left, top, lane, p);
    for (int x = lane; x < VEC; x += LANES) pixels[x] = p[TILE * TILE + x] = 0;
    SYNC;

    // Smoothed along edges, extremes, steps between neighbours.
    for (int x = lane * VEC; x < TILE; x += LANES * VEC) {
        vec above = LOAD(p + x), here = above;
        const vec blockEnd = TABLE(BLOCK_END + x), hasNext = TABLE(HAS_NEXT + x);
        for (int y = 0; y < TILE; y++) {
            const vec below = y < TILE - 1 ? LOAD(p + (y + 1) * TILE + x) : here, next = LOAD(p + y * TILE + x + 1);
            STORE(0.25f * (above + 2 * here + below), down + y * TILE + x);
            sums[HIGHEST] = fmax(sums[HIGHEST], here);
            sums[LOWEST] = fmin(sums[LOWEST], here);
            sums[PIXELS] += here;
            const vec step = fmin(fabs(next - here), 6.0f);
            sums[ALL_STEPS] = fma(hasNext, step, sums[ALL_STEPS]);
            sums[BLOCK_STEPS] = fma(blockEnd, step, sums[BLOCK_STEPS]);
            const vec stepDown = fmin(fabs(below - here), 6.0f);
            sums[ALL_STEPS] += stepDown;
            if (BLOCK_END[y] != 0) sums[BLOCK_STEPS] += stepDown;
            above = here;
            here = below;
        }
    }
    for (int y = 0; y < TILE; y++) {
        for (int x = lane * VEC; x < TILE; x += LANES * VEC) {
            SHARED const float* here = p + y * TILE + x;
            STORE(0.25f * (LOAD(here - 1) + 2 * LOAD(here) + LOAD(here + 1)), across + y * TILE + x);
        }
    }
    SYNC;

    // Edges.
    for (int x = 8 + lane * VEC; x < TILE - 8; x += LANES * VEC) {
        for (int y = 4; y < TILE - 4; y++) add_edges(down + y * TILE + x, 1, TILE, sums);
    }
    for (int x = 4 + lane * VEC; x < TILE - 4; x += LANES * VEC) {
        for (int y = 8; y < TILE - 8; y++) add_edges(across + y * TILE + x, TILE, 1, sums);
    }
    for (int i = 0; i < BAND; i++) total[lane * SUMS + i] = IS_LARGEST(i) ? LARGEST(sums[i]) : i == LOWEST ? -LARGEST(-sums[i]) : SUM(sums[i]);
    SYNC;
    float mean = 0;
    for (int i = 0; i < LANES; i++) mean += total[i * SUMS + PIXELS];
    mean *= 1.0f / (TILE * TILE);

    // Spectrum.
    for (int x = lane * VEC; x < TILE; x += LANES * VEC) transform_columns(p, mean, spectrum, x);
    SYNC;
    fold_columns(spectrum, lane);
    SYNC;
    // The powers take the place of the pixels.
    for (int i = lane * VEC; i < HALF_TILE * HALF_TILE; i += LANES * VEC) STORE(power(spectrum + i % HALF_TILE, i / HALF_TILE), p + i);
    SYNC;
    for (int b = 0; b < BANDS; b++) total[lane * SUMS + BAND + b] = 0;
    for (int u = lane; u < HALF_TILE; u += LANES) {
        int radius = u;
        for (int v = 0; v < HALF_TILE; v++) {
            if (4 * (u * u + v * v) > (2 * radius + 1) * (2 * radius + 1)) radius++;
            // A coefficient stands for itself and those of opposite signs.
            const float count = (u > 0 ? 2 : 1) * (v > 0 ? 2 : 1);
            if (radius >= 2) total[lane * SUMS + BAND + min(radius - 2, BANDS - 1)] += count * p[u * HALF_TILE + v];
        }
    }
    SYNC;

    // One lane per sum, then one per feature.
    for (int i = lane; i < SUMS; i += LANES) {
        for (int other = 1; other < LANES; other++) {
            const float value = total[other * SUMS + i];
            total[i] = IS_LARGEST(i) ? fmax(total[i], value) : i == LOWEST ? fmin(total[i], value) : total[i] + value;
        }
    }
    SYNC;
    for (int i = lane; i < FEATURES; i += LANES) features[(row * columns + column) * FEATURES + i] = feature(total, i);
}
