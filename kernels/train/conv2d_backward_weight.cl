// Gradient of a convolution's weights: the sum over all pixels of an outer product of two tensors.
//
//   sum[o][v] = sum over n, y, x of vec[n][y][x][v] * scalar[n][y][x] at offset[o]
//
// One kernel serves both shapes of layer. With many output maps, vec is the output's gradient and the offsets walk the taps and channels of the input:
//   dWeight[k][c][ky][kx] = sum of dOut[n][y][x][k] * in[n][y + ky][x + kx][c]          offset = ky*row + kx*C + c
// With few outputs, vec is the input and the offsets walk the output's gradient, which has a zero halo of SIZE - 1:
//   dWeight[k][c][ky][kx] = sum of in[n][y][x][c] * dOut[n][y - ky][x - kx][k]          offset = (SIZE-1 - ky)*row + (SIZE-1 - kx)*K + k
// The sum of vec alone is kept too: it is the bias gradient of the first shape.
//
// Tensors: vec [N][H][W][VEC_CHANNELS], scalar [..][..][..][SCALAR_CHANNELS], each with origin, row stride and image stride in floats.
//   offset   int [OFFSETS], OFFSETS a multiple of 6 (padded with zeros)
//   partial  float [G][VEC_CHANNELS/16][OFFSETS + 1][16], overwritten; the last row is the sum of vec
// Work:   one work-item per 16 channels of vec and 1/G of the rows; global = { VEC_CHANNELS/16, G, 1 }, local = { 1, 1, 1 }
// The split into G parts and the order of the sums in reduce_partials are fixed, so that a run repeats bit by bit.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef VEC_CHANNELS
#define VEC_CHANNELS 16      // channels of vec, a multiple of 16
#endif
#ifndef SCALAR_CHANNELS
#define SCALAR_CHANNELS 1    // floats from one pixel of scalar to the next
#endif
#ifndef OFFSETS
#define OFFSETS 84           // taps x channels, rounded up to a multiple of 6
#endif
#ifndef BAND_ROWS
#define BAND_ROWS 1          // rows summed before the next six offsets: what six offsets read stays in the first-level cache for the next six
#endif

#define STEP(i) value = s##i[x*SCALAR_CHANNELS]; a##i = fma((float8)(value), vecA, a##i); b##i = fma((float8)(value), vecB, b##i);
#define LOAD(i) float8 a##i = sums[2*(o + i)], b##i = sums[2*(o + i) + 1];
#define SAVE(i) sums[2*(o + i)] = a##i; sums[2*(o + i) + 1] = b##i;

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_backward_weight(__global const float* restrict vec, int vecOrigin, int vecRow, int vecImage,
                            __global const float* restrict scalar, int scalarOrigin, int scalarRow, int scalarImage,
                            __global const int* restrict offset, __global float* restrict partial, int N, int H, int W) {
    const int vecBlock = get_global_id(0);
    const int g = get_global_id(1), G = get_global_size(1);
    const int rowEnd = N*H*(g + 1)/G;
    vec += vecOrigin + vecBlock*16;
    scalar += scalarOrigin;

    float8 sums[2*(OFFSETS + 1)];
    for (int i = 0; i < 2*(OFFSETS + 1); i++) sums[i] = 0;

    for (int band = N*H*g/G; band < rowEnd; band += BAND_ROWS) {
        const int bandEnd = min(band + BAND_ROWS, rowEnd);
        for (int o = 0; o < OFFSETS; o += 6) {
            LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5)
            for (int row = band; row < bandEnd; row++) {
                const int n = row/H, y = row%H;
                __global const float* v = vec + n*vecImage + y*vecRow;
                __global const float* s = scalar + n*scalarImage + y*scalarRow;
                __global const float *s0 = s + offset[o], *s1 = s + offset[o + 1], *s2 = s + offset[o + 2];
                __global const float *s3 = s + offset[o + 3], *s4 = s + offset[o + 4], *s5 = s + offset[o + 5];
                for (int x = 0; x < W; x++, v += VEC_CHANNELS) {
                    const float8 vecA = vload8(0, v), vecB = vload8(1, v);
                    float value;
                    STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5)
                }
            }
            SAVE(0) SAVE(1) SAVE(2) SAVE(3) SAVE(4) SAVE(5)
        }
        float8 a = sums[2*OFFSETS], b = sums[2*OFFSETS + 1];
        for (int row = band; row < bandEnd; row++) {
            __global const float* v = vec + (row/H)*vecImage + (row%H)*vecRow;
            for (int x = 0; x < W; x++, v += VEC_CHANNELS) { a += vload8(0, v); b += vload8(1, v); }
        }
        sums[2*OFFSETS] = a;
        sums[2*OFFSETS + 1] = b;
    }

    __global float* to = partial + (g*(VEC_CHANNELS/16) + vecBlock)*((OFFSETS + 1)*16);
    for (int i = 0; i < 2*(OFFSETS + 1); i++) vstore8(sums[i], i, to);
}

// Adds the G parts: weight rows to gradient[weightOrigin..], laid out [VEC_CHANNELS/16][USED_OFFSETS][16], and the sum of vec to gradient[biasOrigin..] (skipped below 0).
// Work: global = { 16, USED_OFFSETS + 1, VEC_CHANNELS/16 }, local = { 16, 1, 1 }
#ifndef USED_OFFSETS
#define USED_OFFSETS 81      // OFFSETS without its padding
#endif
__kernel __attribute__((reqd_work_group_size(16, 1, 1)))
void reduce_partials(__global const float* restrict partial, __global float* restrict gradient, int weightOrigin, int biasOrigin, int G) {
    const int lane = get_global_id(0), row = get_global_id(1), vecBlock = get_global_id(2);
    const int isBias = row == USED_OFFSETS;
    __global const float* from = partial + (vecBlock*(OFFSETS + 1) + (isBias ? OFFSETS : row))*16 + lane;
    float sum = 0;
    for (int g = 0; g < G; g++) sum += from[g*(VEC_CHANNELS/16)*(OFFSETS + 1)*16];
    if (!isBias) gradient[weightOrigin + (vecBlock*USED_OFFSETS + row)*16 + lane] = sum;
    else if (biasOrigin >= 0) gradient[biasOrigin + vecBlock*16 + lane] = sum;
}
