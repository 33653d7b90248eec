// The small network that turns the statistics of tiles (sigma_features.cl) into the blur of the frame, or of parts of it. Which tiles to believe is learned: each of HEADS attentions weighs all tiles of the part.
//
//   x      = clamp((features[tile] - mean) * scale, -4, 4)
//   t      = tile3 * relu(tile2 * relu(tile1 * x + b1) + b2) + b3           HEADS scores, then VALUES values, of every tile
//   z[a]   = sum over tiles of values * softmax over tiles of score a
//   levels = out2 * relu(out1 * z + b4) + b5                                QUANTILES of the level ln(sigma^2 + 0.3^2)/2
// MEMBERS networks of the same shape do this; the host averages their levels.
//
// Tensors:  features  float [tiles][FEATURES]
//           weights   float, one after another, each but the first two once per member:
//                     mean [FEATURES], scale [FEATURES], tile1 [MEMBERS][FEATURES][HIDDEN], b1 [MEMBERS][HIDDEN], tile2 [MEMBERS][HIDDEN][HIDDEN], b2 [MEMBERS][HIDDEN],
//                     tile3 [MEMBERS][HIDDEN][HEADS + VALUES], b3 [MEMBERS][HEADS + VALUES], out1 [MEMBERS][HEADS*VALUES][OUT], b4 [MEMBERS][OUT], out2 [MEMBERS][OUT][QUANTILES], b5 [MEMBERS][QUANTILES]
//           embedded  float [MEMBERS][tiles][HEADS + VALUES], written by the first kernel
//           parts     int [parts][4]: first column and row of tiles, and the first of neither; the whole frame, or overlapping pieces of it
//           levels    float [parts][MEMBERS][QUANTILES], written by the second
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceSigmaNetwork.cs

#ifndef MEMBERS
#define MEMBERS 3        // networks
#define HIDDEN 32        // a multiple of 8
#define HEADS 8          // attentions
#define VALUES 16        // HEADS + VALUES is a multiple of 8
#define OUT 32           // a multiple of 8
#define LANES 1          // work-items of sigma_levels
#endif
#define FEATURES 30
#define QUANTILES 5
#define EMBEDDED (HEADS + VALUES)

#define SCALE_AT FEATURES
#define TILE1_AT (2 * FEATURES)
#define B1_AT (TILE1_AT + MEMBERS * FEATURES * HIDDEN)
#define TILE2_AT (B1_AT + MEMBERS * HIDDEN)
#define B2_AT (TILE2_AT + MEMBERS * HIDDEN * HIDDEN)
#define TILE3_AT (B2_AT + MEMBERS * HIDDEN)
#define B3_AT (TILE3_AT + MEMBERS * HIDDEN * EMBEDDED)
#define OUT1_AT (B3_AT + MEMBERS * EMBEDDED)
#define B4_AT (OUT1_AT + MEMBERS * HEADS * VALUES * OUT)
#define OUT2_AT (B4_AT + MEMBERS * OUT)
#define B5_AT (OUT2_AT + MEMBERS * OUT * QUANTILES)

// out = bias + weight * in for a layer of 8*OUT8 outputs; weights lie input by input.
#define LAYER(out, OUT8, in, IN, weight, bias)                                                                                  \
    for (int o = 0; o < OUT8; o++) out[o] = vload8(o, bias);                                                                    \
    for (int i = 0; i < IN; i++) {                                                                                              \
        for (int o = 0; o < OUT8; o++) out[o] = fma((float8)((in)[i]), vload8(i * OUT8 + o, weight), out[o]);                   \
    }

// Work: one work-item per tile and member; global = { tiles, MEMBERS }, local = { 1, 1 }, or { 32, 1 } with tiles rounded up.
__kernel void sigma_embed(__global const float* restrict features, __global const float* restrict weights, __global float* restrict embedded, int tiles) {
    const int tile = get_global_id(0), member = get_global_id(1);
    if (tile >= tiles) return;
    float in[FEATURES > HIDDEN ? FEATURES : HIDDEN];
    for (int i = 0; i < FEATURES; i++) in[i] = clamp((features[tile * FEATURES + i] - weights[i]) * weights[SCALE_AT + i], -4.0f, 4.0f);
    float8 hidden[HIDDEN / 8], out[EMBEDDED / 8];
    LAYER(hidden, HIDDEN / 8, in, FEATURES, weights + TILE1_AT + member * FEATURES * HIDDEN, weights + B1_AT + member * HIDDEN)
    for (int o = 0; o < HIDDEN / 8; o++) vstore8(fmax(hidden[o], 0.0f), o, in);
    LAYER(hidden, HIDDEN / 8, in, HIDDEN, weights + TILE2_AT + member * HIDDEN * HIDDEN, weights + B2_AT + member * HIDDEN)
    for (int o = 0; o < HIDDEN / 8; o++) vstore8(fmax(hidden[o], 0.0f), o, in);
    LAYER(out, EMBEDDED / 8, in, HIDDEN, weights + TILE3_AT + member * HIDDEN * EMBEDDED, weights + B3_AT + member * EMBEDDED)
    for (int o = 0; o < EMBEDDED / 8; o++) vstore8(out[o], o, embedded + (member * tiles + tile) * EMBEDDED);
}

// Work: one work-group per part; global = { LANES * parts }, local = { LANES }. Local memory: MEMBERS * (HEADS*VALUES + OUT) floats.
__kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void sigma_levels(__global const float* restrict embedded, __global const float* restrict weights, __global const int* restrict parts, __global float* restrict levels, int tiles, int columns) {
    __local float pooled[MEMBERS * HEADS * VALUES], hidden[MEMBERS * OUT];
    const int lane = get_local_id(0), part = get_group_id(0);
    const int4 inside = vload4(part, parts);
    for (int i = lane; i < MEMBERS * HEADS; i += LANES) {
        const int member = i / HEADS, head = i % HEADS;
        __global const float* from = embedded + (size_t)member * tiles * EMBEDDED;
        float highest = -INFINITY;
        for (int row = inside.y; row < inside.w; row++) {
            for (int column = inside.x; column < inside.z; column++) highest = fmax(highest, from[(row * columns + column) * EMBEDDED + head]);
        }
        float total = 0, sums[VALUES];
        for (int v = 0; v < VALUES; v++) sums[v] = 0;
        for (int row = inside.y; row < inside.w; row++) {
            for (int column = inside.x; column < inside.z; column++) {
                __global const float* tile = from + (row * columns + column) * EMBEDDED;
                const float share = exp(tile[head] - highest);
                total += share;
                for (int v = 0; v < VALUES; v++) sums[v] = fma(share, tile[HEADS + v], sums[v]);
            }
        }
        for (int v = 0; v < VALUES; v++) pooled[i * VALUES + v] = sums[v] / total;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = lane; i < MEMBERS * OUT; i += LANES) {
        const int member = i / OUT, o = i % OUT;
        float sum = weights[B4_AT + i];
        for (int z = 0; z < HEADS * VALUES; z++) sum = fma(pooled[member * HEADS * VALUES + z], weights[OUT1_AT + (member * HEADS * VALUES + z) * OUT + o], sum);
        hidden[i] = fmax(sum, 0.0f);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = lane; i < MEMBERS * QUANTILES; i += LANES) {
        const int member = i / QUANTILES, q = i % QUANTILES;
        float sum = weights[B5_AT + i];
        for (int o = 0; o < OUT; o++) sum = fma(hidden[member * OUT + o], weights[OUT2_AT + (member * OUT + o) * QUANTILES + q], sum);
        levels[part * MEMBERS * QUANTILES + i] = sum;
    }
}
