// Gradients of a convolution's weights and biases on a GPU: the same function as conv2d_backward_weight.cl, which is for CPUs.
//
//   dWeight[k][c][ky][kx] = sum over y, x of dOut[n][y][x][k] * in[n][y + ky][x + kx][c],   dBias[k] = sum over y, x of dOut[n][y][x][k]
//
// Tensors: in [N][H + SIZE - 1][W + SIZE - 1][C], dOut [N][H][W][K], channels fastest, each with origin, row stride and image stride in floats
//   partial  float [N*P][gradients]: every image's rows are dealt out to its P parts. Weights lie at weightOrigin in one of the orders of gpu_weights.cl; overwritten.
// Work:   weight: one work-item per channel c, TAP_ROWS rows of taps and FILTERS filters of a part: id = c + C*(tapRow + SIZE/TAP_ROWS*filterGroup);
//                 global = { roundUp(C*SIZE/TAP_ROWS*K/FILTERS, LOCAL), N*P }, local = { LOCAL, 1 }
//         bias:   one work-item per filter of a part; global = { roundUp(K, LOCAL), N*P }, local = { LOCAL, 1 }
//
// A work-item walks along the rows of its part with the pixels under its taps in registers: each step loads TAP_ROWS new pixels, side by side for neighbouring work-items, and FILTERS
// gradients, the same for all of them, for TAP_ROWS*SIZE*FILTERS multiply-adds (72 for 3x3).
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#include "train/gpu_weights.cl"

#ifndef TAP_ROWS
#define TAP_ROWS 3    // rows of taps of a work-item, a divisor of SIZE
#endif
#ifndef FILTERS
#define FILTERS 8     // filters of a work-item, a divisor of K
#endif
#ifndef LOCAL
#define LOCAL 64      // work-items of a work-group
#endif
#define ITEMS (C*(SIZE/TAP_ROWS)*(K/FILTERS))

__kernel __attribute__((reqd_work_group_size(LOCAL, 1, 1)))
void gpu_conv2d_backward_weight(__global const float* restrict in, int inOrigin, int inRow, int inImage,
                                __global const float* restrict dOut, int dOutOrigin, int dOutRow, int dOutImage,
                                __global float* restrict partial, int gradients, int weightOrigin, int biasOrigin, int P, int H, int W) {
    const int id = get_global_id(0), g = get_global_id(1), n = g/P, part = g%P;
    if (id >= ITEMS) return;
    const int c = id%C, tapRow = id/C%(SIZE/TAP_ROWS)*TAP_ROWS, kFirst = id/C/(SIZE/TAP_ROWS)*FILTERS;
    in += inOrigin + n*inImage + tapRow*inRow + c;
    dOut += dOutOrigin + n*dOutImage + kFirst;

    float sum[TAP_ROWS][SIZE][FILTERS];
    #pragma unroll
    for (int i = 0; i < TAP_ROWS; i++)
        #pragma unroll
        for (int kx = 0; kx < SIZE; kx++)
            #pragma unroll
            for (int k = 0; k < FILTERS; k++) sum[i][kx][k] = 0;

    for (int y = H*part/P; y < H*(part + 1)/P; y++) {
        __global const float* p = in + y*inRow;
        __global const float* d = dOut + y*dOutRow;
        float pixel[TAP_ROWS][SIZE];
        #pragma unroll
        for (int i = 0; i < TAP_ROWS; i++)
            #pragma unroll
            for (int kx = 0; kx < SIZE - 1; kx++) pixel[i][kx + 1] = p[i*inRow + kx*C];
        for (int x = 0; x < W; x++) {
            float gradient[FILTERS];
#if FILTERS == 8
            const float4 low = *(__global const float4*)(d + x*K), high = *(__global const float4*)(d + x*K + 4);
            gradient[0] = low.x; gradient[1] = low.y; gradient[2] = low.z; gradient[3] = low.w;
            gradient[4] = high.x; gradient[5] = high.y; gradient[6] = high.z; gradient[7] = high.w;
#else
            #pragma unroll
            for (int k = 0; k < FILTERS; k++) gradient[k] = d[x*K + k];
#endif
            #pragma unroll
            for (int i = 0; i < TAP_ROWS; i++) {
                #pragma unroll
                for (int kx = 0; kx < SIZE - 1; kx++) pixel[i][kx] = pixel[i][kx + 1];
                pixel[i][SIZE - 1] = p[i*inRow + (x + SIZE - 1)*C];
                #pragma unroll
                for (int kx = 0; kx < SIZE; kx++)
                    #pragma unroll
                    for (int k = 0; k < FILTERS; k++) sum[i][kx][k] = fma(gradient[k], pixel[i][kx], sum[i][kx][k]);
            }
        }
    }
    partial += g*gradients + weightOrigin;
    #pragma unroll
    for (int i = 0; i < TAP_ROWS; i++)
        #pragma unroll
        for (int kx = 0; kx < SIZE; kx++)
            #pragma unroll
            for (int k = 0; k < FILTERS; k++) partial[WEIGHT_AT(kFirst + k, c, (tapRow + i)*SIZE + kx)] = sum[i][kx][k];
}

__kernel __attribute__((reqd_work_group_size(LOCAL, 1, 1)))
void gpu_conv2d_backward_bias(__global const float* restrict dOut, int dOutOrigin, int dOutRow, int dOutImage,
                              __global float* restrict partial, int gradients, int biasOrigin, int P, int H, int W) {
    const int k = get_global_id(0), g = get_global_id(1), n = g/P, part = g%P;
    if (k >= K) return;
    dOut += dOutOrigin + n*dOutImage + k;
    float sum = 0;
    for (int y = H*part/P; y < H*(part + 1)/P; y++)
        for (int x = 0; x < W; x++) sum += dOut[y*dOutRow + x*K];
    partial[g*gradients + biasOrigin + k] = sum;
}
