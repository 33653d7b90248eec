// The first two layers of DBCNN on a GPU in one kernel: patch extraction and the 1x1 mapping. The N1 maps in between stay in local memory, MAPS_STEP at a time.
// Borders replicate, as in conv2d.cl; results differ from it in the last bits, because the sums run in another order.
//
//   maps1[i][y][x] = act1(bias1[i] + sum over c, ky, kx of weight1[i][c][ky][kx] * frame value of channel c at (clamp(x + kx - PAD1, 0, W-1), clamp(y + ky - PAD1, 0, H-1)))
//   out[j][y][x]   = act(bias2[j] + sum over i of weight2[j][i] * maps1[i][y][x])
//   act1(v) = max(0, v) with RELU1, act(v) likewise with RELU; v without. Frame values: samples.cl.
//
//   weight1  float [N1/FILTERS1][C][kx][ky][FILTERS1], kx before ky      N1 is rounded up to a multiple of MAPS_STEP; maps past the network's have zero weights
//   bias1    float [N1/FILTERS1][FILTERS1]                               and stay zero
//   weight2  float [LOCAL_K][N1][FILTERS2]                               N2 is K rounded up to a multiple of 4*LOCAL_K, likewise
//   bias2    float [LOCAL_K][FILTERS2]
//   out      maps [ceil(K/4)][H][W], overwritten; see gpu_maps.cl
//   W, H     size of the tile
// Work:   a work-item computes ROWS vertical neighbours: FILTERS1 of each MAPS_STEP maps1, and FILTERS2 of the results; a work-group all maps of TILE_W x TILE_H pixels.
//         global = { ceil(W/TILE_W)*LOCAL_W, ceil(H/TILE_H)*LOCAL_H, LOCAL_K }, local = { LOCAL_W, LOCAL_H, LOCAL_K }; any W and H.
// Local memory: the frame's tile with its halo, C * PLANE floats, and MAPS_STEP * TILE_PIXELS floats (2,560 + 16,384 bytes with the defaults).
//
// Why this shape. The 64 maps of a 1280x720 frame are 236 MB, written and read again; here they never leave the compute unit. Work-items that differ in z compute different
// maps of the same pixels and hand them to each other through local memory, so each needs registers for FILTERS1 + FILTERS2 sums per pixel, not for N1 + N2.
// See gpu_conv2d.cl for the inner loop.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef SIZE1
#define SIZE1 9          // side of patch extraction's support, odd
#define N1 64            // maps of patch extraction, a multiple of MAPS_STEP
#define K 32             // maps of the mapping
#define N2 32            // the same, a multiple of 4*LOCAL_K
#endif
#ifndef LOCAL_W
#define LOCAL_W 32       // work-items along x, along y and along the maps
#define LOCAL_H 2
#define LOCAL_K 4
#define ROWS 4           // pixels per work-item
#define FILTERS1 4       // maps of patch extraction per work-item and step, a multiple of 4
#endif

#include "color/samples.cl"
#include "conv/gpu_maps.cl"

#define FILTERS2 (N2 / LOCAL_K)
#define MAPS_STEP (FILTERS1 * LOCAL_K)
#define PAD1 (SIZE1 / 2)
#define TILE_W LOCAL_W
#define TILE_H (LOCAL_H * ROWS)
#define TILE_PIXELS (TILE_W * TILE_H)
#define HALO_W (TILE_W + 2 * PAD1)
#define PLANE (HALO_W * (TILE_H + 2 * PAD1))
#define WORK_ITEMS (LOCAL_W * LOCAL_H * LOCAL_K)

#ifdef RELU1
#define ACTIVATE1(v) fmax(v, 0.0f)
#else
#define ACTIVATE1(v) (v)
#endif

__kernel __attribute__((reqd_work_group_size(LOCAL_W, LOCAL_H, LOCAL_K)))
void gpu_extract_map_forward(FRAME_ARGUMENTS, __global const float4* restrict weight1, __global const float4* restrict bias1,
                             __global const float4* restrict weight2, __global const float4* restrict bias2, __global MAPS* restrict out, int W, int H) {
    __local float tile[C * PLANE], maps1[MAPS_STEP * TILE_PIXELS];
    const int lx = get_local_id(0), ly = get_local_id(1), lk = get_local_id(2), item = (lk * LOCAL_H + ly) * LOCAL_W + lx;
    const int tileX = get_group_id(0) * TILE_W, tileY = get_group_id(1) * TILE_H;

    for (int i = item; i < C * PLANE; i += WORK_ITEMS) {
        const int x = clamp(tileX + i % HALO_W - PAD1, 0, W - 1), y = clamp(tileY + i % PLANE / HALO_W - PAD1, 0, H - 1);
        tile[i] = working_at(FRAME, i / PLANE, originY + y, originX + x);
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    float4 sum[ROWS][FILTERS2 / 4];
    #pragma unroll
    for (int i = 0; i < ROWS; i++) {
        #pragma unroll
        for (int f = 0; f < FILTERS2 / 4; f++) sum[i][f] = bias2[lk * (FILTERS2 / 4) + f];
    }

    __global const float4* w2 = weight2 + (size_t)lk * N1 * (FILTERS2 / 4);
    for (int first = 0; first < N1; first += MAPS_STEP) {
        const int group = first / FILTERS1 + lk;
        float4 sum1[ROWS][FILTERS1 / 4];
        #pragma unroll
        for (int i = 0; i < ROWS; i++) {
            #pragma unroll
            for (int f = 0; f < FILTERS1 / 4; f++) sum1[i][f] = bias1[group * (FILTERS1 / 4) + f];
        }
        __global const float4* w1 = weight1 + (size_t)group * C * SIZE1 * SIZE1 * (FILTERS1 / 4);
        for (int c = 0; c < C; c++) {
            for (int kx = 0; kx < SIZE1; kx++) {
                __local const float* column = tile + c * PLANE + ly * ROWS * HALO_W + lx + kx;
                float v[ROWS + SIZE1 - 1];
                #pragma unroll
                for (int i = 0; i < ROWS + SIZE1 - 1; i++) v[i] = column[i * HALO_W];
                #pragma unroll
                for (int ky = 0; ky < SIZE1; ky++) {
                    #pragma unroll
                    for (int f = 0; f < FILTERS1 / 4; f++) {
                        const float4 filters = *w1++;
                        #pragma unroll
                        for (int i = 0; i < ROWS; i++) sum1[i][f] = fma((float4)(v[i + ky]), filters, sum1[i][f]);
                    }
                }
            }
        }

        __local float* own = maps1 + ly * ROWS * TILE_W + lx;      // this work-item's column, of any map
        barrier(CLK_LOCAL_MEM_FENCE);       // everybody has read the maps before these
        #pragma unroll
        for (int i = 0; i < ROWS; i++) {
            #pragma unroll
            for (int f = 0; f < FILTERS1 / 4; f++) {
                const float4 v = ACTIVATE1(sum1[i][f]);
                __local float* to = own + (lk * FILTERS1 + f * 4) * TILE_PIXELS + i * TILE_W;
                to[0] = v.x; to[TILE_PIXELS] = v.y; to[2 * TILE_PIXELS] = v.z; to[3 * TILE_PIXELS] = v.w;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        for (int m = 0; m < MAPS_STEP; m++) {
            float v[ROWS];
            #pragma unroll
            for (int i = 0; i < ROWS; i++) v[i] = own[m * TILE_PIXELS + i * TILE_W];
            #pragma unroll
            for (int f = 0; f < FILTERS2 / 4; f++) {
                const float4 filters = *w2++;
                #pragma unroll
                for (int i = 0; i < ROWS; i++) sum[i][f] = fma((float4)(v[i]), filters, sum[i][f]);
            }
        }
    }

    const int x = tileX + lx;
    #pragma unroll
    for (int i = 0; i < ROWS; i++) {
        const int y = tileY + ly * ROWS + i;
        if (x >= W || y >= H) continue;
        #pragma unroll
        for (int f = 0; f < FILTERS2 / 4; f++) {
            const int m = lk * (FILTERS2 / 4) + f;
            const size_t at = ((size_t)m * H + y) * W + x;
            if (m < (K + 3) / 4) STORE_MAPS(ACTIVATE(sum[i][f]), at, out);
        }
    }
}
