// Convolution without padding ("valid"), the forward pass of the trainer and, with turned and transposed weights, its backward pass to the input.
//
//   out[n][y][x][k] = act(bias[k] + sum over ky, kx, c of weight[k][c][ky][kx] * in[n][y + ky][x + kx][c])
//
// act is nothing, ReLU (-DRELU), or a gate (-DGATE): the sum where gate[n][y][x][k] > 0, else 0, which is how a gradient passes back through a ReLU.
// The gradient of the input is this convolution over the output's gradient with a zero halo of SIZE - 1, weights turned by 180 degrees, C and K swapped.
//
// Tensors, channels fastest (NHWC), floats; every tensor comes with its origin, row stride and image stride in floats, so that halos cost no copy:
//   in      [N][H + SIZE - 1][W + SIZE - 1][C]
//   out     [N][H][W][K]       overwritten
//   gate    [N][H][W][K]
//   conv2d_valid_many:  weight [K/16][SIZE][SIZE][C][16], K a multiple of 16 (maps are padded with zero filters)
//   conv2d_valid_few:   weight [C/16][SIZE][SIZE][K][16], C a multiple of 16, K small
// Work:   many: one work-item per X_RUN columns x 6 rows of one image; global = { ceil(W/X_RUN), ceil(H/6), N }, local = { 1, 1, 1 }
//         few:  one work-item per 8 columns of one row;                global = { ceil(W/8), H, N },             local = { 1, 1, 1 }
// Tiles past the bottom or right edge move back inside and compute some pixels twice: H >= 6 (many), W >= 8 (few).
//
// Twelve float8 sums (6 pixels x 16 channels) fill the registers of a CPU with 16 vector registers: each step takes 2 weight loads,
// 6 broadcast pixels and 12 FMAs. The six pixels lie below each other, a run-time stride apart: adjacent ones would be loaded together and shuffled.
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

#define STEP(i, pixel) value = (pixel); a##i = fma((float8)(value), weightA, a##i); b##i = fma((float8)(value), weightB, b##i);

#ifdef GATE
#define ACT(sum, half8) select((float8)(0.0f), sum, vload8(half8, g) > 0.0f)
#elif defined(RELU)
#define ACT(sum, half8) fmax(sum, 0.0f)
#else
#define ACT(sum, half8) (sum)
#endif
#define STORE(i) vstore8(ACT(a##i, 0), 0, o); vstore8(ACT(b##i, 1), 1, o); o += outRow; g += gateRow;

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_valid_many(__global const float* restrict in, int inOrigin, int inRow, int inImage,
                       __global const float* restrict weight, int weightOrigin,
                       __global const float* restrict bias, int biasOrigin,
                       __global float* restrict out, int outOrigin, int outRow, int outImage,
                       __global const float* restrict gate, int gateOrigin, int gateRow, int gateImage,
                       int H, int W) {
    const int xStart = get_global_id(0)*X_RUN;
    const int xEnd = min(xStart + X_RUN, W);
    const int y = min((int)get_global_id(1)*6, H - 6);
    const int n = get_global_id(2);
    in += inOrigin + n*inImage + y*inRow;
    out += outOrigin + n*outImage + y*outRow;
    gate += gateOrigin + n*gateImage + y*gateRow;

    for (int kBlock = 0; kBlock < K; kBlock += 16) {
#ifdef BIAS
        const float8 biasA = vload8(0, bias + biasOrigin + kBlock), biasB = vload8(1, bias + biasOrigin + kBlock);
#else
        const float8 biasA = 0, biasB = 0;
#endif
        for (int x = xStart; x < xEnd; x++) {
            float8 a0 = biasA, a1 = biasA, a2 = biasA, a3 = biasA, a4 = biasA, a5 = biasA;
            float8 b0 = biasB, b1 = biasB, b2 = biasB, b3 = biasB, b4 = biasB, b5 = biasB;
            __global const float* w = weight + weightOrigin + kBlock*(SIZE*ROW_TAPS);
            __global const float* row = in + x*C;
            for (int ky = 0; ky < SIZE; ky++, row += inRow) {
                for (int tap = 0; tap < ROW_TAPS; tap++, w += 16) {
                    const float8 weightA = vload8(0, w), weightB = vload8(1, w);
                    __global const float* p = row + tap;
                    float value;
                    STEP(0, p[0]) STEP(1, p[inRow]) STEP(2, p[2*inRow]) STEP(3, p[3*inRow]) STEP(4, p[4*inRow]) STEP(5, p[5*inRow])
                }
            }
            __global float* o = out + x*K + kBlock;
            __global const float* g = gate + x*K + kBlock;
            STORE(0) STORE(1) STORE(2) STORE(3) STORE(4) STORE(5)
        }
    }
}

#define SUM8(v) (((v.s0 + v.s4) + (v.s1 + v.s5)) + ((v.s2 + v.s6) + (v.s3 + v.s7)))
#define TAP(i) s##i = fma(vload8(0, p + i*C), w, s##i);

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_valid_few(__global const float* restrict in, int inOrigin, int inRow, int inImage,
                      __global const float* restrict weight, int weightOrigin,
                      __global const float* restrict bias, int biasOrigin,
                      __global float* restrict out, int outOrigin, int outRow, int outImage,
                      int H, int W) {
    const int x = min((int)get_global_id(0)*8, W - 8);
    const int y = get_global_id(1);
    const int n = get_global_id(2);
    in += inOrigin + n*inImage + y*inRow + x*C;
    out += outOrigin + n*outImage + y*outRow + x*K;
    for (int k = 0; k < K; k++) {
        float8 s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
        for (int c = 0; c < C; c += 8) {
            __global const float* row = in + c;
            __global const float* weights = weight + weightOrigin + ((c/16)*(SIZE*SIZE*K) + k)*16 + c%16;
            for (int ky = 0; ky < SIZE; ky++, row += inRow) {
                __global const float* p = row;
                for (int kx = 0; kx < SIZE; kx++, p += C, weights += K*16) {
                    const float8 w = vload8(0, weights);
                    TAP(0) TAP(1) TAP(2) TAP(3) TAP(4) TAP(5) TAP(6) TAP(7)
                }
            }
        }
#ifdef BIAS
        const float start = bias[biasOrigin + k];
#else
        const float start = 0;
#endif
        out[0*K + k] = start + SUM8(s0); out[1*K + k] = start + SUM8(s1); out[2*K + k] = start + SUM8(s2); out[3*K + k] = start + SUM8(s3);
        out[4*K + k] = start + SUM8(s4); out[5*K + k] = start + SUM8(s5); out[6*K + k] = start + SUM8(s6); out[7*K + k] = start + SUM8(s7);
    }
}
