// Convolution of any shape at stride 1: the version that is right everywhere and that the faster ones fall back to.
// Borders replicate, so that the size stays; bias, ReLU, another tensor to add, and for first and last layers the frame's samples are folded in.
//
//   sum[k][y][x] = bias[k] + sum over c, ky, kx of weight[k][c][ky][kx] * in[c][clamp(y + ky - PAD, 0, H-1)][clamp(x + kx - PAD, 0, W-1)]
//   act(v)       = max(0, v) with RELU, v without
//   out          = act(sum), or skip + act(sum) with SKIP_TENSOR or SKIP_FRAME, or skip - act(sum) with SUBTRACT as well
//
// in is a tensor of IN_C channels, or the frame (IN_FRAME); WITH_C more channels follow from `with`, a tensor or the frame (WITH_FRAME). skip is a tensor or the frame.
// The frame as a tensor: C * SCALE * SCALE channels, channel (dy*SCALE + dx)*C + c of cell (y, x) is channel c of pixel (y*SCALE + dy, x*SCALE + dx). With LAST the result goes back
// to pixels the same way, through restore_at (samples.cl).
//
// Tensors, row-major, last index fastest, no gap between rows; W and H count cells of a tile:
//   in, with, skip  float [channels][H][W]
//   weight  float [ceil(K/K_STEP)][IN_C + WITH_C][SIZE][SIZE][K_STEP]    filters past K are zero
//   bias    float [ceil(K/K_STEP)][K_STEP]                               likewise
//   out     float [K][H][W]    overwritten; not with LAST
// Work:   one work-item per cell and K_STEP filters; each input value is read once for all of them.
//         global = { roundUp(W, local x), roundUp(H, local y), ceil(K/K_STEP) }, any local.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef SIZE
#define IN_C 1       // channels of in
#define WITH_C 0     // channels of with
#define K 1          // output channels
#define SIZE 3       // side of the support in taps, odd
#define K_STEP 1     // filters per work-item: 1, 2, 4 or 8
#define SCALE 1      // side of a cell in pixels
#endif
#define PAD (SIZE / 2)

#include "color/samples.cl"

#if K_STEP == 1
typedef float sums;
#define LOAD(i, p) ((p)[i])
#define STORE(v, p) (*(p) = (v))
#else
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
typedef JOIN(float, K_STEP) sums;
#define LOAD(i, p) JOIN(vload, K_STEP)(i, p)
#define STORE(v, p) JOIN(vstore, K_STEP)(v, 0, p)
#endif

// Pixel and channel of the frame that a channel of a cell stands for.
#define CELL_Y(channel, y) ((y) * SCALE + (channel) / C / SCALE)
#define CELL_X(channel, x) ((x) * SCALE + (channel) / C % SCALE)

// The frame read as a tensor; (y, x) is a cell of the tile and may lie outside, where the border of the frame's cells replicates.
float frame_at(FRAME_ARGUMENTS, int channel, int y, int x) {
    const int row = clamp(originY / SCALE + y, 0, (frameH + SCALE - 1) / SCALE - 1), column = clamp(originX / SCALE + x, 0, (frameW + SCALE - 1) / SCALE - 1);
    return working_at(FRAME, channel % C, CELL_Y(channel, row), CELL_X(channel, column));
}

#ifdef IN_FRAME
#define IN(c, y, x) frame_at(FRAME, originX, originY, c, y, x)
#else
#define IN(c, y, x) in[((size_t)(c) * H + clamp(y, 0, H - 1)) * W + clamp(x, 0, W - 1)]
#endif
#ifdef WITH_FRAME
#define WITH(c, y, x) frame_at(FRAME, originX, originY, c, y, x)
#else
#define WITH(c, y, x) with[((size_t)(c) * H + clamp(y, 0, H - 1)) * W + clamp(x, 0, W - 1)]
#endif

// Tensors that a layer does not have are bound to any other buffer and not read.
__kernel void conv2d_forward(FRAME_ARGUMENTS,
#ifdef LAST
                             RESTORED_ARGUMENTS,
#endif
                             __global const float* restrict in, __global const float* restrict with, __global const float* restrict skip,
                             __global const float* restrict weight, __global const float* restrict bias, __global float* restrict out, int W, int H) {
    const int x = get_global_id(0), y = get_global_id(1), step = get_global_id(2);
    if (x >= W || y >= H) return;

    sums sum = LOAD(step, bias);
    __global const float* w = weight + (size_t)step * (IN_C + WITH_C) * SIZE * SIZE * K_STEP;
    for (int c = 0; c < IN_C; c++) {
        for (int ky = 0; ky < SIZE; ky++) {
            for (int kx = 0; kx < SIZE; kx++, w += K_STEP) sum = fma((sums)(IN(c, y + ky - PAD, x + kx - PAD)), LOAD(0, w), sum);
        }
    }
#if WITH_C > 0
    for (int c = 0; c < WITH_C; c++) {
        for (int ky = 0; ky < SIZE; ky++) {
            for (int kx = 0; kx < SIZE; kx++, w += K_STEP) sum = fma((sums)(WITH(c, y + ky - PAD, x + kx - PAD)), LOAD(0, w), sum);
        }
    }
#endif
#ifdef RELU
    sum = fmax(sum, (sums)(0.0f));
#endif

    float result[K_STEP];
    STORE(sum, result);
    for (int i = 0, k = step * K_STEP; i < K_STEP && k < K; i++, k++) {
        const size_t at = ((size_t)k * H + y) * W + x;
        float value = result[i];
#ifdef SUBTRACT
        value = -value;
#endif
#if defined(SKIP_FRAME)
        value += frame_at(FRAME, originX, originY, k, y, x);
#elif defined(SKIP_TENSOR)
        value += skip[at];
#endif
#ifdef LAST
        const int row = CELL_Y(k, y), column = CELL_X(k, x);
        if (IS_KEPT(row, column)) restore_at(FRAME, RESTORED, k % C, originY + row, originX + column, value);
#else
        out[at] = value;
#endif
    }
}
