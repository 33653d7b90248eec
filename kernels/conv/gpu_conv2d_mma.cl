// Convolution of hidden layers on tensor cores: for every tap, 16 pixels x 16 channels times 16 channels x 16 filters (an implicit matrix product; see common/fragments.cl).
// Borders replicate. Maps are half; sums are float.
//
//   out[k][y][x] = finish(bias[k] + sum over c, ky, kx of weight[k][c][ky][kx] * in[c][clamp(y + ky - PAD, 0, H-1)][clamp(x + kx - PAD, 0, W-1)])
//   finish: see gpu_maps.cl
//
//   in, in2  maps [IN1/4][H][W] and [IN2/4][H][W]; see gpu_conv2d.cl
//   weight   half [groups * BLOCKS][ceil(CHANNELS/16)][kx][ky][16][16], kx before ky; rows of a 16x16 block in the order of common/fragments.cl; zero past K and CHANNELS;
//            groups = ceil(K / (16*BLOCKS))
//   bias     float [groups * BLOCKS * 16], likewise
//   skip     maps like out, read only with SKIP_TENSOR
//   out      maps [ceil(K/4)][H][W]; overwritten
// Work:   a warp computes 16 columns x ROWS rows for 16*BLOCKS filters; a work-group TILE_W x TILE_H pixels.
//         global = { ceil(W/TILE_W)*32, ceil(H/TILE_H)*LOCAL_H, groups*LOCAL_K }, local = { 32, LOCAL_H, LOCAL_K }: one warp along x, warps above each other along y, side by
//         side along z; any W and H.
// Local memory: 16 channels of the tile with its halo, 4 * PLANE * 8 bytes (19,584 with the defaults).
//
// Why this shape. As in gpu_conv2d.cl a column of inputs is read once and meets all rows of the support. Local memory keeps the layout of the maps, so a work-item reads
// its four channels of a pixel in one word; PLANE is 4 more than a multiple of 16, so that a half-warp (4 pixels of 4 planes) hits all 32 banks once.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef SIZE
#define SIZE 3           // side of the support in taps, odd
#define K 16             // filters
#define IN1 16           // maps of the input, and of a second one behind it; multiples of 4
#define IN2 0
#endif
#ifndef LOCAL_H
#define LOCAL_H 4        // warps above each other
#define LOCAL_K 2        // warps side by side
#define ROWS 4           // rows per warp
#define BLOCKS 2         // blocks of 16 filters per warp
#endif
#define HALF_MAPS

#include "conv/gpu_maps.cl"
#include "common/fragments.cl"

#define CHANNELS (IN1 + IN2)
#define PAD (SIZE / 2)
#define TILE_W (16 * LOCAL_K)
#define TILE_H (LOCAL_H * ROWS)
#define HALO_W (TILE_W + 2 * PAD)
#define HALO (HALO_W * (TILE_H + 2 * PAD))
#define PLANE ((HALO + 11) / 16 * 16 + 4)
#define WORK_ITEMS (32 * LOCAL_H * LOCAL_K)

__kernel __attribute__((reqd_work_group_size(32, LOCAL_H, LOCAL_K)))
void gpu_conv2d_mma_forward(__global const uint2* restrict in, __global const uint2* restrict in2, __global const uint2* restrict weight, __global const float4* restrict bias,
                            __global const MAPS* skip, __global MAPS* out, int W, int H) {
    __local uint2 tile[4 * PLANE];
    const int lane = get_local_id(0), ly = get_local_id(1), lz = get_local_id(2), item = (lz * LOCAL_H + ly) * 32 + lane;
    const int tileX = get_group_id(0) * TILE_W, tileY = get_group_id(1) * TILE_H, block = get_group_id(2) * BLOCKS;

    float4 low[ROWS][BLOCKS], high[ROWS][BLOCKS];
    #pragma unroll
    for (int i = 0; i < ROWS; i++) {
        #pragma unroll
        for (int b = 0; b < BLOCKS; b++) low[i][b] = high[i][b] = bias[(block + b) * 4 + lane % 4];
    }

    for (int first = 0; first < CHANNELS; first += 16) {
        barrier(CLK_LOCAL_MEM_FENCE);      // everybody has read the channels before these
        for (int i = item; i < HALO; i += WORK_ITEMS) {
            const int x = clamp(tileX + i % HALO_W - PAD, 0, W - 1), y = clamp(tileY + i / HALO_W - PAD, 0, H - 1);
            const size_t pixel = (size_t)y * W + x, pixels = (size_t)W * H;
            #pragma unroll
            for (int q = 0; q < 4; q++) {
                const int c = first + 4 * q;
                uint2 v = 0;
                if (c < IN1) v = in[c / 4 * pixels + pixel];
#if IN2 > 0
                else if (c < CHANNELS) v = in2[(c - IN1) / 4 * pixels + pixel];
#endif
                tile[q * PLANE + i] = v;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        for (int kx = 0; kx < SIZE; kx++) {
            __local const uint2* column = tile + ly * ROWS * HALO_W + lz * 16 + kx;
            input_fragment v[ROWS + SIZE - 1];
            #pragma unroll
            for (int i = 0; i < ROWS + SIZE - 1; i++) v[i] = load_input(column + i * HALO_W, PLANE, lane);
            #pragma unroll
            for (int b = 0; b < BLOCKS; b++) {
                __global const uint2* w = weight + (((size_t)(block + b) * ((CHANNELS + 15) / 16) + first / 16) * SIZE + kx) * SIZE * 64;
                #pragma unroll
                for (int ky = 0; ky < SIZE; ky++) {
                    const weight_fragment filters = load_weight(w + ky * 64, lane);
                    #pragma unroll
                    for (int i = 0; i < ROWS; i++) multiply_add(&low[i][b], &high[i][b], v[i + ky], filters);
                }
            }
        }
    }

    const int x = tileX + lz * 16 + lane / 4;
    #pragma unroll
    for (int i = 0; i < ROWS; i++) {
        const int y = tileY + ly * ROWS + i;
        #pragma unroll
        for (int b = 0; b < BLOCKS; b++) {
            const int m = (block + b) * 4 + lane % 4;
            if (y >= H || m >= (K + 3) / 4) continue;
            const size_t at = ((size_t)m * H + y) * W + x;
            if (x < W) STORE_MAPS(FINISH(low[i][b], at), at, out);
            if (x + 8 < W) STORE_MAPS(FINISH(high[i][b], at + 8), at + 8, out);
        }
    }
}
