// Convolution without padding ("valid") on a GPU, the forward pass of the trainer and, with turned and transposed weights, its backward pass to the input: the same function,
// tensors and macros as conv2d_valid.cl, which is for CPUs.
//
//   out[n][y][x][k] = act(bias[k] + sum over ky, kx, c of weight[k][c][ky][kx] * in[n][y + ky][x + kx][c])
//
// Weights as there, in one of the orders of gpu_weights.cl.
// Work:   one work-item per ROWS pixels below each other x FILTERS filters of one image; pixels are numbered along rows, so that no column is left over:
//         global = { roundUp(W*ceil(H/ROWS), LOCAL), K/FILTERS, N }, local = { LOCAL, 1, 1 }
//
// A work-item holds ROWS x FILTERS sums in registers. Four channels at a time it loads a column of ROWS + SIZE - 1 pixels, which serve every ky, and weights that are the same for
// all work-items of a group: per kx of a 3x3 layer 6 + 48 loads of four floats for 768 multiply-adds. No local memory: the pixels of a group lie in the first cache.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#include "train/gpu_weights.cl"

#ifndef ROWS
#define ROWS 4        // pixels of a work-item
#endif
#ifndef FILTERS
#define FILTERS 16    // filters of a work-item, a divisor of K
#endif
#ifndef LOCAL
#define LOCAL 64      // work-items of a work-group
#endif

#if C % 4 == 0
#define STEP 4
#define PIXEL float4
#define LOAD_PIXEL(p) (*(__global const float4*)(p))
#else
#define STEP 1
#define PIXEL float
#define LOAD_PIXEL(p) (*(p))
#endif

#include "train/activation.cl"

// The filters' sums of every row take one channel of the pixels under tap (ky, kx).
#if ORDER == 0 && FILTERS == 16
#define ADD_CHANNEL(channel, component) { \
    __global const float4* w = (__global const float4*)(weight + WEIGHT_AT(kFirst, channel, ky*SIZE + kx)); \
    const float4 w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3]; \
    _Pragma("unroll") for (int row = 0; row < ROWS; row++) { \
        const float v = pixel[row + ky] component; \
        sum[row][0] = fma(v, w0.x, sum[row][0]); sum[row][1] = fma(v, w0.y, sum[row][1]); sum[row][2] = fma(v, w0.z, sum[row][2]); sum[row][3] = fma(v, w0.w, sum[row][3]); \
        sum[row][4] = fma(v, w1.x, sum[row][4]); sum[row][5] = fma(v, w1.y, sum[row][5]); sum[row][6] = fma(v, w1.z, sum[row][6]); sum[row][7] = fma(v, w1.w, sum[row][7]); \
        sum[row][8] = fma(v, w2.x, sum[row][8]); sum[row][9] = fma(v, w2.y, sum[row][9]); sum[row][10] = fma(v, w2.z, sum[row][10]); sum[row][11] = fma(v, w2.w, sum[row][11]); \
        sum[row][12] = fma(v, w3.x, sum[row][12]); sum[row][13] = fma(v, w3.y, sum[row][13]); sum[row][14] = fma(v, w3.z, sum[row][14]); sum[row][15] = fma(v, w3.w, sum[row][15]); \
    } \
}
#else
#define ADD_CHANNEL(channel, component) \
    _Pragma("unroll") for (int k = 0; k < FILTERS; k++) { \
        const float w = weight[WEIGHT_AT(kFirst + k, channel, ky*SIZE + kx)]; \
        _Pragma("unroll") for (int row = 0; row < ROWS; row++) sum[row][k] = fma(pixel[row + ky] component, w, sum[row][k]); \
    }
#endif

__kernel __attribute__((reqd_work_group_size(LOCAL, 1, 1)))
void gpu_conv2d_valid(__global const float* restrict in, int inOrigin, int inRow, int inImage,
                      __global const float* restrict weight, int weightOrigin,
                      __global const float* restrict bias, int biasOrigin, int weightImage,
                      __global float* out, int outOrigin, int outRow, int outImage,
                      __global const float* other, int otherOrigin, int otherRow, int otherImage,
                      int H, int W) {
    const int id = get_global_id(0), x = id%W, y = id/W*ROWS;
    const int kFirst = get_global_id(1)*FILTERS, n = get_global_id(2);
    if (y >= H) return;
    in += inOrigin + n*inImage + x*C;
    weight += weightOrigin + n*weightImage;

    float sum[ROWS][FILTERS];
    #pragma unroll
    for (int k = 0; k < FILTERS; k++) {
#ifdef BIAS
        const float start = bias[biasOrigin + n*weightImage + kFirst + k];
#else
        const float start = 0;
#endif
        #pragma unroll
        for (int row = 0; row < ROWS; row++) sum[row][k] = start;
    }
    for (int c = 0; c < C; c += STEP) {
        for (int kx = 0; kx < SIZE; kx++) {
            PIXEL pixel[ROWS + SIZE - 1];
            // Rows below the image are read as the last one; their sums are not stored.
            #pragma unroll
            for (int i = 0; i < ROWS + SIZE - 1; i++) pixel[i] = LOAD_PIXEL(in + min(y + i, H + SIZE - 2)*inRow + kx*C + c);
            #pragma unroll
            for (int ky = 0; ky < SIZE; ky++) {
#if STEP == 4
                ADD_CHANNEL(c, .x) ADD_CHANNEL(c + 1, .y) ADD_CHANNEL(c + 2, .z) ADD_CHANNEL(c + 3, .w)
#else
                ADD_CHANNEL(c, )
#endif
            }
        }
    }
    out += outOrigin + n*outImage + x*K + kFirst;
    other += otherOrigin + n*otherImage + x*K + kFirst;
    #pragma unroll
    for (int row = 0; row < ROWS; row++) {
        if (y + row >= H) break;
        __global float* o = out + (y + row)*outRow;
        __global const float* g = other + (y + row)*otherRow;
#if FILTERS % 4 == 0 && !defined(ACCUMULATE)
        #pragma unroll
        for (int k = 0; k < FILTERS; k += 4)
            *(__global float4*)(o + k) = (float4)(ACT1(sum[row][k], g[k]), ACT1(sum[row][k + 1], g[k + 1]), ACT1(sum[row][k + 2], g[k + 2]), ACT1(sum[row][k + 3], g[k + 3]));
#else
        #pragma unroll
        for (int k = 0; k < FILTERS; k++) o[k] = ACT1(sum[row][k] + BEFORE1(o[k]), g[k]);
#endif
    }
}
