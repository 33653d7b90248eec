// The first two layers of DBCNN on tensor cores in one kernel: patch extraction and the 1x1 mapping. The N1 maps in between stay in registers. Borders replicate.
//
//   As in gpu_extract_map.cl, with HALF_SAMPLE of the frame's values (gpu_maps.cl), weights and maps1 rounded to half; sums are float.
//
//   weight1  half [N1/16][C][ky][16][16]       the "channels" of a block are the taps kx = 0..15 of one row of the support; zero past SIZE1 and past the network's maps;
//   bias1    float [N1]                        rows of a 16x16 block in the order of common/fragments.cl. N1 is rounded up to a multiple of 16*BLOCKS1
//   weight2  half [N2/16][N1/16][16][16]       N2 is K rounded up to a multiple of 16
//   bias2    float [N2]
//   out      maps [ceil(K/4)][H][W], overwritten; see gpu_maps.cl
//   W, H     size of the tile
// Work:   a warp computes 16 columns x ROWS rows of all maps, 16*BLOCKS1 of maps1 at a time; a work-group TILE_W x TILE_H pixels.
//         global = { ceil(W/TILE_W)*32, ceil(H/TILE_H)*LOCAL_H, LOCAL_K }, local = { 32, LOCAL_H, LOCAL_K }: one warp along x, warps above each other along y, side by side
//         along z; any W and H.
// Local memory: the frame's tile with its halo, four halves per pixel, C * PLANE * 8 bytes (5,632 with the defaults).
//
// Why this shape. One channel gives a tensor core nothing to sum over; the taps of a row of the support do, when every pixel carries the values to its right along. The tile
// keeps four of them per pixel (its own and three neighbours'), so "channels" 4q..4q+3 of a pixel are the word of the pixel 4q to the right: load_input with a stride of 4.
// A 9x9 takes 9*16 of 81 products that way, on units many times as fast. The sums of maps1 are input fragments of the mapping as they stand (common/fragments.cl).
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef SIZE1
#define SIZE1 9          // side of patch extraction's support, odd, at most 15
#define N1 64            // maps of patch extraction, a multiple of 16*BLOCKS1
#define K 32             // maps of the mapping
#define N2 32            // the same, a multiple of 16
#endif
#ifndef LOCAL_H
#define LOCAL_H 4        // warps above each other
#define LOCAL_K 2        // warps side by side
#define ROWS 2           // rows per warp
#define BLOCKS1 4        // blocks of 16 maps of patch extraction per warp and step
#endif
#define HALF_MAPS

#include "color/samples.cl"
#include "conv/gpu_maps.cl"
#include "common/fragments.cl"

#define BLOCKS2 (N2 / 16)
#define PAD1 (SIZE1 / 2)
#define TILE_W (16 * LOCAL_K)
#define TILE_H (LOCAL_H * ROWS)
#define HALO_W (TILE_W + 12)             // load_input reaches 12 words to the right
#define PLANE (HALO_W * (TILE_H + 2 * PAD1))
#define WORK_ITEMS (32 * LOCAL_H * LOCAL_K)

#ifdef RELU1
#define ACTIVATE1(v) fmax(v, 0.0f)
#else
#define ACTIVATE1(v) (v)
#endif

__kernel __attribute__((reqd_work_group_size(32, LOCAL_H, LOCAL_K)))
void gpu_extract_map_mma_forward(FRAME_ARGUMENTS, __global const uint2* restrict weight1, __global const float4* restrict bias1,
                                 __global const uint2* restrict weight2, __global const float4* restrict bias2, __global MAPS* restrict out, int W, int H) {
    __local uint2 tile[C * PLANE], scratch[LOCAL_H * LOCAL_K * SCRATCH_ITEMS];
    const int lane = get_local_id(0), ly = get_local_id(1), lz = get_local_id(2), warp = lz * LOCAL_H + ly, item = warp * 32 + lane;
    const int tileX = get_group_id(0) * TILE_W, tileY = get_group_id(1) * TILE_H;

    for (int i = item; i < C * PLANE; i += WORK_ITEMS) {
        const int left = tileX + i % HALO_W - PAD1, y = originY + clamp(tileY + i % PLANE / HALO_W - PAD1, 0, H - 1), c = i / PLANE;
        const float4 v = (float4)(working_at(FRAME, c, y, originX + clamp(left, 0, W - 1)), working_at(FRAME, c, y, originX + clamp(left + 1, 0, W - 1)),
                                  working_at(FRAME, c, y, originX + clamp(left + 2, 0, W - 1)), working_at(FRAME, c, y, originX + clamp(left + 3, 0, W - 1)));
        vstorea_half4(HALF_SAMPLE(v), i, (__local half*)tile);
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    float4 low[ROWS][BLOCKS2], high[ROWS][BLOCKS2];
    #pragma unroll
    for (int i = 0; i < ROWS; i++) {
        #pragma unroll
        for (int b = 0; b < BLOCKS2; b++) low[i][b] = high[i][b] = bias2[b * 4 + lane % 4];
    }

    for (int first = 0; first < N1 / 16; first += BLOCKS1) {
        float4 low1[ROWS][BLOCKS1], high1[ROWS][BLOCKS1];
        #pragma unroll
        for (int i = 0; i < ROWS; i++) {
            #pragma unroll
            for (int b = 0; b < BLOCKS1; b++) low1[i][b] = high1[i][b] = bias1[(first + b) * 4 + lane % 4];
        }
        for (int c = 0; c < C; c++) {
            for (int ky = 0; ky < SIZE1; ky++) {
                __local const uint2* row = tile + c * PLANE + (ly * ROWS + ky) * HALO_W + lz * 16;
                input_fragment v[ROWS];
                #pragma unroll
                for (int i = 0; i < ROWS; i++) v[i] = load_input(row + i * HALO_W, 4, lane);
                #pragma unroll
                for (int b = 0; b < BLOCKS1; b++) {
                    const weight_fragment filters = load_weight(weight1 + (((first + b) * C + c) * SIZE1 + ky) * 64, lane);
                    #pragma unroll
                    for (int i = 0; i < ROWS; i++) multiply_add(&low1[i][b], &high1[i][b], v[i], filters);
                }
            }
        }
        #pragma unroll
        for (int b1 = 0; b1 < BLOCKS1; b1++) {
            #pragma unroll
            for (int i = 0; i < ROWS; i++) {
                const input_fragment maps1 = input_of_sums(ACTIVATE1(low1[i][b1]), ACTIVATE1(high1[i][b1]), scratch + warp * SCRATCH_ITEMS, lane);
                #pragma unroll
                for (int b = 0; b < BLOCKS2; b++)
                    multiply_add(&low[i][b], &high[i][b], maps1, load_weight(weight2 + (b * (N1 / 16) + first + b1) * 64, lane));
            }
        }
    }

    const int x = tileX + lz * 16 + lane / 4;
    #pragma unroll
    for (int i = 0; i < ROWS; i++) {
        const int y = tileY + ly * ROWS + i;
        #pragma unroll
        for (int b = 0; b < BLOCKS2; b++) {
            const int m = b * 4 + lane % 4;
            if (y >= H || m >= (K + 3) / 4) continue;
            const size_t at = ((size_t)m * H + y) * W + x;
            if (x < W) STORE_MAPS(ACTIVATE(low[i][b]), at, out);
            if (x + 8 < W) STORE_MAPS(ACTIVATE(high[i][b]), at + 8, out);
        }
    }
}
