// Convolution with few channels on both sides on a CPU: the layers of back-projection, which blur an estimate of the frame, compare it with the frame and correct it.
// Computes what conv2d.cl computes, with SCALE 1; results differ from it in the last bits, because the sums run in another order.
//
//   sum[k][y][x] = bias[k] + sum over c, ky, kx of weight[k][c][ky][kx] * in[c][clamp(y + ky - PAD, 0, H-1)][clamp(x + kx - PAD, 0, W-1)]
//   out          = act(sum), or skip + act(sum) with SKIP_TENSOR or SKIP_FRAME, or skip - act(sum) with SUBTRACT as well; with LAST through restore_at (samples.cl)
//
// in is a tensor of IN_C channels; WITH_C more follow from `with`, a tensor or the frame (WITH_FRAME). skip is a tensor or the frame.
//
// Tensors, row-major, last index fastest, no gap between rows:
//   in, with, skip  float [channels][H][W]
//   weight          float [K][IN_C + WITH_C][SIZE][SIZE]
//   bias            float [K]
//   out             float [K][H][W]    overwritten; not with LAST
// Work:   one work-item per tile of TILE_W x TILE_H pixels, whose inputs it copies to private memory first, borders replicated; vectors are 8 pixels of a row, TILE_H rows of them are
//         summed at once, so that a weight is read once for all. global = { ceil(W/TILE_W), ceil(H/TILE_H) }, local = 1. Any W and H.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef SIZE
#define IN_C 1       // channels of in
#define WITH_C 0     // channels of with
#define K 1          // output channels
#define SIZE 3       // side of the support in taps, odd
#endif
#define PAD (SIZE / 2)
#define TILE_W 64    // with its halo and the rows above and below it stays in the first cache
#define TILE_H 8     // accumulators; they leave half of 16 registers for inputs
#define PATCH_W (TILE_W + 2 * PAD)
#define PATCH_H (TILE_H + 2 * PAD)

#include "color/samples.cl"

// Copies a plane's part that begins at (top, left) of the tile, which may lie outside.
void copy_plane(__global const float* restrict plane, int W, int H, int top, int left, float patch[PATCH_H][PATCH_W]) {
    const int inside = left >= 0 && left + PATCH_W <= W;
    for (int row = 0; row < PATCH_H; row++) {
        __global const float* from = plane + (size_t)clamp(top + row, 0, H - 1) * W;
        if (inside) for (int x = 0; x < PATCH_W; x++) patch[row][x] = from[left + x];
        else for (int x = 0; x < PATCH_W; x++) patch[row][x] = from[clamp(left + x, 0, W - 1)];
    }
}

// Tensors that a layer does not have are bound to any other buffer and not read.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void few_maps_forward(FRAME_ARGUMENTS,
#ifdef LAST
                      RESTORED_ARGUMENTS,
#endif
                      __global const float* restrict in, __global const float* restrict with, __global const float* restrict skip,
                      __global const float* restrict weight, __global const float* restrict bias, __global float* restrict out, int W, int H) {
    const int left = get_global_id(0) * TILE_W, top = get_global_id(1) * TILE_H;
    float patch[IN_C + WITH_C][PATCH_H][PATCH_W];
    for (int c = 0; c < IN_C; c++) copy_plane(in + (size_t)c * H * W, W, H, top - PAD, left - PAD, patch[c]);
#ifdef WITH_FRAME
    for (int c = 0; c < WITH_C; c++) {
        for (int row = 0; row < PATCH_H; row++) {
            for (int x = 0; x < PATCH_W; x++) patch[IN_C + c][row][x] = working_at(FRAME, c, originY + top - PAD + row, originX + left - PAD + x);
        }
    }
#else
    for (int c = 0; c < WITH_C; c++) copy_plane(with + (size_t)c * H * W, W, H, top - PAD, left - PAD, patch[IN_C + c]);
#endif

    const int tileColumns = min(TILE_W, W - left), tileRows = min(TILE_H, H - top);
    for (int k = 0; k < K; k++) {
        float result[TILE_H][TILE_W];
        for (int x = 0; x < tileColumns; x += 8) {
            float8 sums[TILE_H];
            #pragma unroll
            for (int i = 0; i < TILE_H; i++) sums[i] = bias[k];
            __global const float* w = weight + k * (IN_C + WITH_C) * SIZE * SIZE;
            for (int c = 0; c < IN_C + WITH_C; c++) {
                for (int ky = 0; ky < SIZE; ky++) {
                    for (int kx = 0; kx < SIZE; kx++, w++) {
                        const float8 v = *w;
                        #pragma unroll
                        for (int i = 0; i < TILE_H; i++) sums[i] = fma(v, vload8(0, &patch[c][ky + i][x + kx]), sums[i]);
                    }
                }
            }
            #pragma unroll
            for (int i = 0; i < TILE_H; i++) {
#ifdef RELU
                sums[i] = fmax(sums[i], (float8)(0.0f));
#endif
#ifdef SUBTRACT
                sums[i] = -sums[i];
#endif
                vstore8(sums[i], 0, &result[i][x]);
            }
        }
        for (int row = 0; row < tileRows; row++) {
            const int y = top + row;
            for (int column = 0; column < tileColumns; column++) {
                const int x = left + column;
                float value = result[row][column];
#if defined(SKIP_FRAME)
                value += working_at(FRAME, k, originY + y, originX + x);
#elif defined(SKIP_TENSOR)
                value += skip[((size_t)k * H + y) * W + x];
#endif
#ifdef LAST
                if (IS_KEPT(y, x)) restore_at(FRAME, RESTORED, k, originY + y, originX + x, value);
#else
                out[((size_t)k * H + y) * W + x] = value;
#endif
            }
        }
    }
}
