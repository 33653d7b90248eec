// Convolution of any shape at stride 1: the version that is right everywhere and that the faster ones fall back to.
// Borders replicate, so that a frame keeps its size; bias, ReLU and the network's global skip are folded in.
//
//   out[k][y][x] = act(bias[k] + sum over c, ky, kx of
//                      weight[k][c][ky][kx] * in[c][clamp(y + ky - PAD, 0, H-1)][clamp(x + kx - PAD, 0, W-1)]) + skip[k][y][x]
//   act(v) = max(0, v) with RELU, v without; skip only with SKIP.
//
// Tensors, row-major, last index fastest, no gap between rows:
//   in      float [C][H][W]
//   weight  float [ceil(K/K_STEP)][C][SIZE][SIZE][K_STEP]    filters past K are zero
//   bias    float [ceil(K/K_STEP)][K_STEP]                   likewise
//   skip    float [K][H][W]    read only with SKIP; must not be out
//   out     float [K][H][W]    overwritten
// Work:   one work-item per pixel and K_STEP filters; each input sample is read once for all of them.
//         global = { roundUp(W, local x), roundUp(H, local y), ceil(K/K_STEP) }, any local.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef C
#define C 1          // input channels
#define K 1          // output channels
#define SIZE 3       // side of the support in taps, odd
#define K_STEP 1     // filters per work-item: 1, 2, 4 or 8
#endif
#define PAD (SIZE / 2)

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

__kernel void conv2d_forward(__global const float* restrict in, __global const float* restrict weight, __global const float* restrict bias,
                             __global const float* restrict skip, __global float* restrict out, int W, int H) {
    const int x = get_global_id(0), y = get_global_id(1), step = get_global_id(2);
    if (x >= W || y >= H) return;

    sums sum = LOAD(step, bias);
    __global const float* w = weight + (size_t)step * C * SIZE * SIZE * K_STEP;
    for (int c = 0; c < C; c++) {
        for (int ky = 0; ky < SIZE; ky++) {
            __global const float* row = in + ((size_t)c * H + clamp(y + ky - PAD, 0, H - 1)) * W;
            for (int kx = 0; kx < SIZE; kx++, w += K_STEP) sum = fma((sums)(row[clamp(x + kx - PAD, 0, W - 1)]), LOAD(0, w), sum);
        }
    }
#ifdef RELU
    sum = fmax(sum, (sums)(0.0f));
#endif

    float result[K_STEP];
    STORE(sum, result);
    for (int i = 0, k = step * K_STEP; i < K_STEP && k < K; i++, k++) {
        const size_t at = ((size_t)k * H + y) * W + x;
#ifdef SKIP
        result[i] += skip[at];
#endif
        out[at] = result[i];
    }
}
