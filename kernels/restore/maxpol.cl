// The steps of 1Shot-MaxPol after its filter (separable.cl): how much of the filtered edges is added to the picture.
//
//   luma I, filtered F = I + E                      E are the edges that deblurring adds
//   h_I, h_E           histograms of I and E, 256 bins: bin clamp(round(255 v), 0, 255), so that all negative edges fall into bin 0
//   H(h) = -sum of p log2 p, p = h / sum of h       entropy in bits
//   g = strength * H(h_I) / (H(h_E) + 0.5)
//   maxpol_restore:  restored = sample + the change g E; see restore_at in color/samples.cl, with SKIP
//
// Hosseini and Plataniotis, "Convolutional Deblurring for Natural Imaging", IEEE TIP 2019.
//
// Tensors, row-major, no gap between rows:
//   luma, filtered  float [H][W]
//   counts          uint [groups][2][BINS]: a share of both histograms from each work-group
//   gain            float [1]
// Work:   maxpol_histograms: work-group g counts pixels [g*share, (g+1)*share); global = { groups*LANES }, local = { LANES }
//         maxpol_gain: global = local = { LANES }
//         maxpol_restore: one work-item per RUN pixels of a row; global = { roundUp(ceil(W/RUN), local x), H }, any local
// Local memory: 3 KiB with LANES above 1, else none.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceMaxPol.cs

#ifndef LANES
#define LANES 1          // work-items per work-group: 1, or 256 on GPUs
#define RUN 128          // pixels of a row per work-item; 1 on GPUs
#endif
#define BINS 256
#define EDGE_ENTROPY 0.5f    // added to the entropy of the edges, as published: a flat picture has none

#define SKIP             // restore_row is given the change
#include "color/samples.cl"

#if LANES == 1
#define SHARED
#define SYNC
#define COPIES 4         // histograms in turns, so that no increment waits for the one before it
#define COUNT(bin) ((bin)++)
#else
#define SHARED __local
#define SYNC barrier(CLK_LOCAL_MEM_FENCE)
#define COPIES 1
#define COUNT(bin) atomic_inc(&(bin))
#endif

int bin_of(float value) { return clamp(convert_int_rte(value * (BINS - 1)), 0, BINS - 1); }

__kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void maxpol_histograms(__global const float* restrict luma, __global const float* restrict filtered, __global uint* restrict counts, int share, int pixels) {
    SHARED uint bins[COPIES * 2 * BINS];
    const int lane = get_local_id(0), group = get_group_id(0), from = group * share, to = min(from + share, pixels);
    for (int i = lane; i < COPIES * 2 * BINS; i += LANES) bins[i] = 0;
    SYNC;
    int i = from + lane;
#if LANES == 1
    for (; i + 16 <= to; i += 16) {
        int ofLuma[16], ofEdges[16];
        const float16 value = vload16(0, luma + i), edge = vload16(0, filtered + i) - value;
        vstore16(clamp(convert_int16_rte(value * (BINS - 1)), 0, BINS - 1), 0, ofLuma);
        vstore16(clamp(convert_int16_rte(edge * (BINS - 1)), 0, BINS - 1), 0, ofEdges);
        for (int k = 0; k < 16; k++) {
            SHARED uint* copy = bins + k % COPIES * 2 * BINS;
            COUNT(copy[ofLuma[k]]);
            COUNT(copy[BINS + ofEdges[k]]);
        }
    }
#endif
    for (; i < to; i += LANES) {
        COUNT(bins[bin_of(luma[i])]);
        COUNT(bins[BINS + bin_of(filtered[i] - luma[i])]);
    }
    SYNC;
    for (int b = lane; b < 2 * BINS; b += LANES) {
        uint sum = 0;
        for (int copy = 0; copy < COPIES; copy++) sum += bins[copy * 2 * BINS + b];
        counts[group * 2 * BINS + b] = sum;
    }
}

__kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void maxpol_gain(__global const uint* restrict counts, int groups, int pixels, float strength, __global float* restrict gain) {
    SHARED float entropies[2 * LANES];
    const int lane = get_local_id(0);
    for (int histogram = 0; histogram < 2; histogram++) {
        float entropy = 0;
        for (int b = lane; b < BINS; b += LANES) {
            uint sum = 0;
            for (int group = 0; group < groups; group++) sum += counts[(group * 2 + histogram) * BINS + b];
            const float p = (float)sum / pixels;
            if (sum > 0) entropy -= p * log2(p);
        }
        entropies[histogram * LANES + lane] = entropy;
    }
    SYNC;
    if (lane > 0) return;
    float ofLuma = 0, ofEdges = 0;
    for (int i = 0; i < LANES; i++) {
        ofLuma += entropies[i];
        ofEdges += entropies[LANES + i];
    }
    gain[0] = strength * ofLuma / (ofEdges + EDGE_ENTROPY);
}

__kernel void maxpol_restore(FRAME_ARGUMENTS, RESTORED_ARGUMENTS, __global const float* restrict luma, __global const float* restrict filtered, __global const float* restrict share) {
    const int from = get_global_id(0) * RUN, y = get_global_id(1);
    if (from >= frameW) return;
    const int count = min(RUN, frameW - from);
    const size_t first = (size_t)y * frameW + from;
    float change[RUN];
    for (int i = 0; i < count; i++) change[i] = share[0] * (filtered[first + i] - luma[first + i]);
    restore_row(FRAME, RESTORED, 0, y, from, count, change);
}
