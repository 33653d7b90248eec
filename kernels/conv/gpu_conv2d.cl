// Convolution of any shape at stride 1 on a GPU: many work-items, an input tile with its halo in local memory, sums in registers. Borders replicate.
// First layers read the frame and last layers write it, at full size or at half (SCALE 2), so that no pass over the frame is left for anybody else.
//
//   out[k][y][x] = finish(bias[k] + sum over c, ky, kx of weight[k][c][ky][kx] * in[c][clamp(y + ky - PAD, 0, H-1)][clamp(x + kx - PAD, 0, W-1)])
//   finish: see gpu_maps.cl
//
//   in       FRAME_IN: channel (dy*SCALE + dx)*C + c at (x, y) is the frame's working value of channel c at (x*SCALE + dx, y*SCALE + dy), see samples.cl (with HALF_ARITHMETIC,
//            HALF_SAMPLE of it, see gpu_maps.cl); without: maps [IN1/4][H][W], followed by the maps [IN2/4][H][W] of in2 where IN2 > 0 (a concatenation). See gpu_maps.cl.
//   weight   NUMBER [groups][CHANNELS][kx][ky][FILTERS], kx before ky; groups = ceil(K / (LOCAL_K*FILTERS)) * LOCAL_K; zero past K and past the channels of the network
//   bias     float [groups][FILTERS], likewise
//   out      FRAME_OUT: filter (dy*SCALE + dx)*C + c is the network's sum (SKIP) or result for channel c of frame pixel (x*SCALE + dx, y*SCALE + dy), see samples.cl;
//            without: maps [ceil(K/4)][H][W]; overwritten
//   skip     maps like out, read only with SKIP_TENSOR
//   W, H     size of the layer: that of the tile divided by SCALE, rounded up
// Work:   a work-item computes ROWS vertical neighbours for FILTERS filters, a work-group TILE_W x TILE_H pixels for LOCAL_K*FILTERS filters.
//         global = { ceil(W/TILE_W)*LOCAL_W, ceil(H/TILE_H)*LOCAL_H, groups }, local = { LOCAL_W, LOCAL_H, LOCAL_K }; any W and H.
// Local memory: CHANNEL_STEP channels of the tile with its halo, CHANNEL_STEP * PLANE numbers (9,792 bytes with the defaults; a 9x9 on one channel of the frame 3,840).
//
// Why this shape. Vertical neighbours share their inputs: for one channel and kx a work-item reads ROWS + SIZE - 1 values of a column and does ROWS*SIZE*FILTERS
// multiply-adds with them, 96 for 6 reads and 6 float4 of weights with the defaults. Its neighbours read the columns beside, so no bank of local memory is hit twice.
// Weights are the same for all work-items of a row: one read serves them all, from the constant path of some GPUs and from the first cache of others.
// Half arithmetic (HALF_ARITHMETIC, where probe_fp16.cl shows that it works) doubles the rate on many GPUs. A half holds 11 bits, so only the sum of a stage
// (CHANNEL_STEP channels) is kept in it. With ROUND_TO_HALF as well it is a twin for tests: floats rounded after every step, the same results on any device.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef SIZE
#define SIZE 3           // side of the support in taps, odd
#define K 4              // filters
#endif
#if !defined(FRAME_IN) && !defined(IN1)
#define IN1 4            // maps of the input, and of a second one behind it; multiples of 4
#define IN2 0
#endif
#ifndef SCALE
#define SCALE 1          // pixels of the frame per pixel of the layer on each axis: 1, or 2 for space-to-depth (FRAME_IN) and depth-to-space (FRAME_OUT)
#endif
#ifndef LOCAL_W
#define LOCAL_W 32       // work-items along x, along y and along the filters
#define LOCAL_H 4
#define LOCAL_K 1
#define ROWS 4           // pixels per work-item
#define FILTERS 8        // filters per work-item: 1, 2 or a multiple of 4
#endif

#include "color/samples.cl"
#include "conv/gpu_maps.cl"

#ifdef FRAME_IN
#define CHANNELS (C * SCALE * SCALE)
#define CHANNEL_STEP (CHANNELS % 4 == 0 ? 4 : CHANNELS % 3 == 0 ? 3 : 1)
#else
#define CHANNELS (IN1 + IN2)
#define CHANNEL_STEP 4                   // the maps that lie side by side
#endif
#define PAD (SIZE / 2)
#define TILE_W LOCAL_W
#define TILE_H (LOCAL_H * ROWS)
#define HALO_W (TILE_W + 2 * PAD)
#define PLANE (HALO_W * (TILE_H + 2 * PAD))
#define WORK_ITEMS (LOCAL_W * LOCAL_H * LOCAL_K)

// A vector holds four filters; fewer where there are fewer.
#if FILTERS % 4 == 0
#define LANES 4
#else
#define LANES FILTERS
#endif
#define VECTORS (FILTERS / LANES)
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#if LANES == 1
#define VECTOR(type) type
#define SUFFIX
#else
#define VECTOR(type) JOIN(type, LANES)
#define SUFFIX LANES
#endif

#if defined(HALF_ARITHMETIC) && defined(ROUND_TO_HALF)
#define NUMBER float
float round_to_half(float v) {
    ushort bits;
    vstore_half(v, 0, (half*)&bits);
    return vload_half(0, (const half*)&bits);
}
VECTOR(float) round_all_to_half(VECTOR(float) v) {
    ushort bits[LANES];
    JOIN(vstore_half, SUFFIX)(v, 0, (half*)bits);
    return JOIN(vload_half, SUFFIX)(0, (const half*)bits);
}
#define TO_NUMBER(v) round_to_half(v)
#define TO_SAMPLE(v) round_to_half(HALF_SAMPLE(v))
#define TO_FLOATS(v) (v)
#define MULTIPLY_ADD(a, b, sum) round_all_to_half(fma(a, b, sum))
#elif defined(HALF_ARITHMETIC)
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#define NUMBER half
#define TO_NUMBER(v) ((half)(v))
#define TO_SAMPLE(v) ((half)HALF_SAMPLE(v))
#define TO_FLOATS(v) JOIN(convert_float, SUFFIX)(v)
#define MULTIPLY_ADD(a, b, sum) ((a) * (b) + (sum))      // operators only: some drivers have no functions of half
#else
#define NUMBER float
#define TO_NUMBER(v) (v)
#define TO_SAMPLE(v) (v)
#define MULTIPLY_ADD(a, b, sum) fma(a, b, sum)
#endif
typedef VECTOR(NUMBER) numbers;
typedef VECTOR(float) floats;

__kernel __attribute__((reqd_work_group_size(LOCAL_W, LOCAL_H, LOCAL_K)))
void gpu_conv2d_forward(
#if defined(FRAME_IN) || defined(FRAME_OUT)
                        FRAME_ARGUMENTS,
#endif
#ifdef FRAME_OUT
                        RESTORED_ARGUMENTS,
#endif
#ifndef FRAME_IN
                        __global const MAPS* restrict in, __global const MAPS* restrict in2,
#endif
                        __global const numbers* restrict weight, __global const floats* restrict bias,
#ifndef FRAME_OUT
                        __global const MAPS* skip, __global MAPS* out,
#endif
                        int W, int H) {
    __local NUMBER tile[CHANNEL_STEP * PLANE];
    const int lx = get_local_id(0), ly = get_local_id(1), item = (get_local_id(2) * LOCAL_H + ly) * LOCAL_W + lx;
    const int tileX = get_group_id(0) * TILE_W, tileY = get_group_id(1) * TILE_H, group = get_global_id(2);

    floats sum[ROWS][VECTORS];
    #pragma unroll
    for (int i = 0; i < ROWS; i++) {
        #pragma unroll
        for (int f = 0; f < VECTORS; f++) sum[i][f] = bias[group * VECTORS + f];
    }

    __global const numbers* w = weight + (size_t)group * CHANNELS * SIZE * SIZE * VECTORS;
    for (int first = 0; first < CHANNELS; first += CHANNEL_STEP) {
        barrier(CLK_LOCAL_MEM_FENCE);      // everybody has read the channels before these
        for (int i = item; i < PLANE; i += WORK_ITEMS) {
            const int x = clamp(tileX + i % HALO_W - PAD, 0, W - 1), y = clamp(tileY + i / HALO_W - PAD, 0, H - 1);
#ifdef FRAME_IN
            for (int s = 0; s < CHANNEL_STEP; s++) {
                const int cell = (first + s) / C;
                tile[s * PLANE + i] = TO_SAMPLE(working_at(FRAME, (first + s) % C, originY + y * SCALE + cell / SCALE, originX + x * SCALE + cell % SCALE));
            }
#else
            const size_t pixel = (size_t)y * W + x, pixels = (size_t)W * H;
#if IN2 > 0
            const float4 v = first < IN1 ? LOAD_MAPS(first / 4 * pixels + pixel, in) : LOAD_MAPS((first - IN1) / 4 * pixels + pixel, in2);
#else
            const float4 v = LOAD_MAPS(first / 4 * pixels + pixel, in);
#endif
            tile[i] = TO_NUMBER(v.x); tile[PLANE + i] = TO_NUMBER(v.y); tile[2 * PLANE + i] = TO_NUMBER(v.z); tile[3 * PLANE + i] = TO_NUMBER(v.w);
#endif
        }
        barrier(CLK_LOCAL_MEM_FENCE);

#ifdef HALF_ARITHMETIC
        numbers part[ROWS][VECTORS];
        #pragma unroll
        for (int i = 0; i < ROWS; i++) {
            #pragma unroll
            for (int f = 0; f < VECTORS; f++) part[i][f] = 0;
        }
#define PART part
#else
#define PART sum
#endif
        for (int s = 0; s < CHANNEL_STEP; s++) {
            for (int kx = 0; kx < SIZE; kx++) {
                __local const NUMBER* column = tile + s * PLANE + ly * ROWS * HALO_W + lx + kx;
                NUMBER v[ROWS + SIZE - 1];
                #pragma unroll
                for (int i = 0; i < ROWS + SIZE - 1; i++) v[i] = column[i * HALO_W];
                #pragma unroll
                for (int ky = 0; ky < SIZE; ky++) {
                    #pragma unroll
                    for (int f = 0; f < VECTORS; f++) {
                        const numbers filters = *w++;
                        #pragma unroll
                        for (int i = 0; i < ROWS; i++) PART[i][f] = MULTIPLY_ADD((numbers)(v[i + ky]), filters, PART[i][f]);
                    }
                }
            }
        }
#ifdef HALF_ARITHMETIC
        #pragma unroll
        for (int i = 0; i < ROWS; i++) {
            #pragma unroll
            for (int f = 0; f < VECTORS; f++) sum[i][f] += TO_FLOATS(part[i][f]);
        }
#endif
    }

    const int x = tileX + lx;
    #pragma unroll
    for (int i = 0; i < ROWS; i++) {
        const int y = tileY + ly * ROWS + i;
        if (x >= W || y >= H) continue;
        #pragma unroll
        for (int f = 0; f < VECTORS; f++) {
#ifdef FRAME_OUT
            union { floats vector; float lane[LANES]; } result;
            result.vector = ACTIVATE(sum[i][f]);
            for (int lane = 0; lane < LANES; lane++) {
                const int k = (group * VECTORS + f) * LANES + lane, row = y * SCALE + k / C / SCALE, column = x * SCALE + k / C % SCALE;
                if (k < K && IS_KEPT(row, column)) restore_at(FRAME, RESTORED, k % C, originY + row, originX + column, result.lane[lane]);
            }
#else
            const int m = group * VECTORS + f;
            const size_t at = ((size_t)m * H + y) * W + x;
            if (m < (K + 3) / 4) STORE_MAPS(FINISH(sum[i][f], at), at, out);
#endif
        }
    }
}
