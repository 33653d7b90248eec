// Convolution without padding ("valid") on a CPU, the forward pass of the trainer and, with turned and transposed weights, its backward pass to the input.
// GPUs have gpu_conv2d_valid.cl for it.
//
//   out[n][y][x][k] = act(bias[k] + sum over ky, kx, c of weight[k][c][ky][kx] * in[n][y + ky][x + kx][c])
//
// act is nothing, ReLU (-DRELU), other[n][y][x][k] + the sum (-DADD, a skip connection), or a gate (-DGATE): the sum where other[n][y][x][k] > 0, else 0, which is how a
// gradient passes back through a ReLU. With -DACCUMULATE what out held before counts as part of the sum: a layer of two inputs, a tensor of several readers.
// The gradient of the input is this convolution over the output's gradient with a zero halo of SIZE - 1, weights turned by 180 degrees, C and K swapped.
//
// Tensors, channels fastest (NHWC), floats; every tensor comes with its origin, row stride and image stride in floats, so that halos and crops cost no copy:
//   in      [N][H + SIZE - 1][W + SIZE - 1][C]
//   out     [N][H][W][K]
//   other   [N][H][W][K]
//   weight, bias: each image has its own, weightImage floats apart (0: one for all), because weights depend on the image's sigma
//   conv2d_valid_many:   weight [K/16][SIZE][SIZE][C][16], K a multiple of 16 (maps are padded with zero filters)
//   conv2d_valid_few:    weight [C/16][SIZE][SIZE][K][16], C a multiple of 16, K small
//   conv2d_valid_small:  weight [SIZE][SIZE][C][K], C and K small
// Work:   many:  one work-item per X_RUN columns x 6 rows of one image; global = { ceil(W/X_RUN), ceil(H/6), N }, local = { 1, 1, 1 }
//         few:   one work-item per 8 columns of one row;                global = { ceil(W/8), H, N },             local = { 1, 1, 1 }
//         small: the same
// Tiles past the bottom or right edge move back inside and compute some pixels twice: H >= 6 (many), W >= 8 (few).
//
// Six sums of 16 channels: with AVX2 they are twelve registers, and with the weights and a broadcast pixel fill the 16 that there are; with AVX-512 a float16 is one
// register. (Two float8 each would be the same on AVX2, but leave AVX-512 with 256-bit vectors in registers past the sixteenth, which cost a fifth of the rate.)
// The six pixels lie below each other, a run-time stride apart: adjacent ones would be loaded together and shuffled.
// Few outputs instead sum over eight channels per vector; every vector is loaded once for all the taps that it meets.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef C
#define C 1          // input channels
#endif
#ifndef K
#define K 16         // output channels
#endif
#ifndef SIZE
#define SIZE 9       // side of the support in taps
#endif
#ifndef X_RUN
#define X_RUN 16     // columns per work-item: enough work to hide its start
#endif
#define ROW_TAPS (SIZE*C)    // scalars of one row under the support; contiguous, because channels are fastest
#define FEW_W 8              // columns of a work-item with few outputs

#define STEP(i, pixel) sum##i = fma((float16)(pixel), w, sum##i);

#include "train/activation.cl"

#ifdef GATE
#define ACT(sum, other) select((float16)(0.0f), sum, vload16(0, other) > 0.0f)
#elif defined(ADD)
#define ACT(sum, other) (vload16(0, other) + sum)
#elif defined(RELU)
#define ACT(sum, other) fmax(sum, 0.0f)
#else
#define ACT(sum, other) (sum)
#endif
#ifdef ACCUMULATE
#define BEFORE(o) vload16(0, o)
#else
#define BEFORE(o) 0.0f
#endif
// Rows that the tile above has stored already are left alone: they would be accumulated twice.
#define STORE(i) if (y + i >= yFirst) vstore16(ACT(sum##i + BEFORE(o), g), 0, o); o += outRow; g += otherRow;

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_valid_many(__global const float* restrict in, int inOrigin, int inRow, int inImage,
                       __global const float* restrict weight, int weightOrigin,
                       __global const float* restrict bias, int biasOrigin, int weightImage,
                       __global float* out, int outOrigin, int outRow, int outImage,
                       __global const float* other, int otherOrigin, int otherRow, int otherImage,
                       int H, int W) {
    const int xStart = get_global_id(0)*X_RUN;
    const int xEnd = min(xStart + X_RUN, W);
    const int yFirst = get_global_id(1)*6, y = min(yFirst, H - 6);
    const int n = get_global_id(2);
    in += inOrigin + n*inImage + y*inRow;
    out += outOrigin + n*outImage + y*outRow;
    other += otherOrigin + n*otherImage + y*otherRow;
    weight += weightOrigin + n*weightImage;

    for (int kBlock = 0; kBlock < K; kBlock += 16) {
#ifdef BIAS
        const float16 start = vload16(0, bias + biasOrigin + n*weightImage + kBlock);
#else
        const float16 start = 0;
#endif
        for (int x = xStart; x < xEnd; x++) {
            float16 sum0 = start, sum1 = start, sum2 = start, sum3 = start, sum4 = start, sum5 = start;
            __global const float* weights = weight + kBlock*(SIZE*ROW_TAPS);
            __global const float* row = in + x*C;
            for (int ky = 0; ky < SIZE; ky++, row += inRow) {
                for (int tap = 0; tap < ROW_TAPS; tap++, weights += 16) {
                    const float16 w = vload16(0, weights);
                    __global const float* p = row + tap;
                    STEP(0, p[0]) STEP(1, p[inRow]) STEP(2, p[2*inRow]) STEP(3, p[3*inRow]) STEP(4, p[4*inRow]) STEP(5, p[5*inRow])
                }
            }
            __global float* o = out + x*K + kBlock;
            __global const float* g = other + x*K + kBlock;
            STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5)
        }
    }
}

#define SUM8(v) (((v.s0 + v.s4) + (v.s1 + v.s5)) + ((v.s2 + v.s6) + (v.s3 + v.s7)))

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_valid_few(__global const float* restrict in, int inOrigin, int inRow, int inImage,
                      __global const float* restrict weight, int weightOrigin,
                      __global const float* restrict bias, int biasOrigin, int weightImage,
                      __global float* out, int outOrigin, int outRow, int outImage,
                      __global const float* other, int otherOrigin, int otherRow, int otherImage,
                      int H, int W) {
    const int xFirst = get_global_id(0)*FEW_W, x = min(xFirst, W - FEW_W);
    const int y = get_global_id(1);
    const int n = get_global_id(2);
    in += inOrigin + n*inImage + y*inRow + x*C;
    out += outOrigin + n*outImage + y*outRow + x*K;
    other += otherOrigin + n*otherImage + y*otherRow + x*K;
    weight += weightOrigin + n*weightImage;
    for (int k = 0; k < K; k++) {
        float8 sums[FEW_W];
        #pragma unroll
        for (int i = 0; i < FEW_W; i++) sums[i] = 0;
        for (int ky = 0; ky < SIZE; ky++) {
            for (int c = 0; c < C; c += 8) {
                __global const float* weights = weight + ((c/16*SIZE + ky)*SIZE*K + k)*16 + c%16;
                __global const float* p = in + ky*inRow + c;
                float8 w[SIZE];
                #pragma unroll
                for (int kx = 0; kx < SIZE; kx++) w[kx] = vload8(0, weights + kx*K*16);
                #pragma unroll
                for (int column = 0; column < FEW_W + SIZE - 1; column++) {
                    const float8 v = vload8(0, p + column*C);
                    #pragma unroll
                    for (int kx = 0; kx < SIZE; kx++) {
                        if (column - kx >= 0 && column - kx < FEW_W) sums[column - kx] = fma(v, w[kx], sums[column - kx]);
                    }
                }
            }
        }
#ifdef BIAS
        const float start = bias[biasOrigin + n*weightImage + k];
#else
        const float start = 0;
#endif
        #pragma unroll
        for (int i = 0; i < FEW_W; i++) {
            if (x + i >= xFirst) out[i*K + k] = ACT1(start + SUM8(sums[i]) + BEFORE1(out[i*K + k]), other[i*K + k]);
        }
    }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_valid_small(__global const float* restrict in, int inOrigin, int inRow, int inImage,
                        __global const float* restrict weight, int weightOrigin,
                        __global const float* restrict bias, int biasOrigin, int weightImage,
                        __global float* out, int outOrigin, int outRow, int outImage,
                        __global const float* other, int otherOrigin, int otherRow, int otherImage,
                        int H, int W) {
    const int x = get_global_id(0)*FEW_W, columns = min(FEW_W, W - x);
    const int y = get_global_id(1);
    const int n = get_global_id(2);
    in += inOrigin + n*inImage + y*inRow + x*C;
    out += outOrigin + n*outImage + y*outRow + x*K;
    other += otherOrigin + n*otherImage + y*otherRow + x*K;
    weight += weightOrigin + n*weightImage;
    for (int k = 0; k < K; k++) {
#ifdef BIAS
        const float start = bias[biasOrigin + n*weightImage + k];
#else
        const float start = 0;
#endif
        float sums[FEW_W];
#if C == 1
        if (columns == FEW_W) {
            float8 sum = start;
            for (int ky = 0; ky < SIZE; ky++)
                for (int kx = 0; kx < SIZE; kx++) sum = fma((float8)(weight[(ky*SIZE + kx)*K + k]), vload8(0, in + ky*inRow + kx), sum);
            vstore8(sum, 0, sums);
        } else
#endif
        for (int i = 0; i < columns; i++) {
            float sum = start;
            for (int ky = 0; ky < SIZE; ky++)
                for (int tap = 0; tap < ROW_TAPS; tap++) sum = fma(weight[(ky*ROW_TAPS + tap)*K + k], in[ky*inRow + i*C + tap], sum);
            sums[i] = sum;
        }
        for (int i = 0; i < columns; i++) out[i*K + k] = ACT1(sums[i] + BEFORE1(out[i*K + k]), other[i*K + k]);
    }
}
