// Gradient of a convolution's weights on a CPU: the sum over all pixels of an outer product of two tensors. GPUs have gpu_conv2d_backward_weight.cl for it.
//
//   sum[o][v] = sum over n, y, x of vec[n][y][x][v] * scalar[n][y][x] at offset[o]
//
// conv2d_backward_weight serves both shapes of layer. With many output maps, vec is the output's gradient and the offsets walk the taps and channels of the input:
//   dWeight[k][c][ky][kx] = sum of dOut[n][y][x][k] * in[n][y + ky][x + kx][c]          offset = ky*row + kx*C + c
//   dBias[k] = sum of dOut[n][y][x][k]                                                  (-DBIAS)
// With few outputs, vec is the input and the offsets walk the output's gradient, which has a zero halo of SIZE - 1:
//   dWeight[k][c][ky][kx] = sum of in[n][y][x][c] * dOut[n][y - ky][x - kx][k]          offset = (SIZE-1 - ky)*row + (SIZE-1 - kx)*K + k
// and dBias sums scalar over the pixels of the output, which begin SIZE - 1 pixels and rows after the scalar's origin (-DFEW_BIAS).
//
// conv2d_backward_weight_small is for few inputs and few outputs: dWeight[k][c][ky][kx] and dBias as above, weights as [SIZE][SIZE][C][K].
//
// conv2d_backward_map does the first two layers of a network whose second is 1x1, from the second's gradient dOut2 [..][MAP_K]: both layers' weights and biases, and between them
//   dOut[n][y][x][k] = sum over j of weight2[j][k] * dOut2[n][y][x][j]                  0 with -DGATE where out[n][y][x][k], the first layer's result, is not above 0
// which stays in the cache, a row at a time. Here VEC_CHANNELS = K, SCALAR_CHANNELS = C and OFFSETS = SIZE*SIZE*C are the first layer's.
//
// Tensors: vec [N][H][W][VEC_CHANNELS], scalar [..][..][..][SCALAR_CHANNELS], out [N][H][W][K], each with origin, row stride and image stride in floats.
//   offset   int [OFFSETS];  offset2 int [K]: the position of each channel in a pixel of out, 0 to K - 1
//   turned2  float [K/16][MAP_K][16]: weight2[j][k], 16 k together
//   partial  float [N*P][gradients], each part laid out as the network's flat parameters; a layer's weights lie at weightOrigin as [VEC_CHANNELS/16][OFFSETS][16],
//            its biases at biasOrigin. Overwritten there. An image's rows are dealt out to its P parts: images keep their gradients apart, because each has weights of its own.
// Work:   weight: one work-item per 16 channels of vec and part; global = { VEC_CHANNELS/16, N*P, 1 }, local = { 1, 1, 1 }
//         map:    one work-item per part;                        global = { 1, N*P, 1 },               local = { 1, 1, 1 };  W >= 6
//         small:  one work-item per part;                        the same
// The split into parts and the order in which collect (blend.cl) adds them are fixed, so that a run repeats bit by bit.
//
// Up to six sums of 16 channels stay in registers along a row (see conv2d_valid.cl). Offsets are dealt out evenly, so that no sum is empty: 81 are eleven times six and three
// times five. They come from memory: known ones, of adjacent channels, would be loaded together and shuffled.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef VEC_CHANNELS
#define VEC_CHANNELS 16      // channels of vec, a multiple of 16
#endif
#ifndef SCALAR_CHANNELS
#define SCALAR_CHANNELS 1    // floats from one pixel of scalar to the next
#endif
#ifndef OFFSETS
#define OFFSETS 81           // taps x channels that are walked
#endif
#ifndef SIZE
#define SIZE 9               // side of the support in taps
#endif
#ifndef SMALL_C
#define SMALL_C 1            // input channels of a small layer; SMALL_K likewise
#endif
#ifndef SMALL_K
#define SMALL_K 1
#endif
#ifndef MAP_K
#define MAP_K 16             // output channels of the 1x1 layer, a multiple of 16
#endif
#ifndef SEGMENT
#define SEGMENT 64           // pixels of a row at a time in conv2d_backward_map
#endif
#define VEC_BLOCKS (VEC_CHANNELS/16)
#define MAP_BLOCKS (MAP_K/16)

// OFFSETS in BLOCKS(OFFSETS) groups of up to six; the first of them have one more than the others.
#define BLOCKS(count) (((count) + 5)/6)
#define BLOCK(count) ((count)/BLOCKS(count))
#define LARGER_BLOCKS(count) ((count)%BLOCKS(count))

// sums[o + i] += vec*scalar over the pixels of a row, for i < COUNT.
#define ADD_BLOCK(COUNT, sums, vec, vecStep, scalar, scalarStep, offset, pixels) { \
    float16 sum[COUNT]; \
    __global const float* at[COUNT]; \
    _Pragma("unroll") for (int i = 0; i < COUNT; i++) { sum[i] = sums[o + i]; at[i] = scalar + offset[o + i]; } \
    for (int x = 0; x < pixels; x++) { \
        const float16 value = vload16(0, vec + x*vecStep); \
        _Pragma("unroll") for (int i = 0; i < COUNT; i++) sum[i] = fma((float16)(at[i][x*scalarStep]), value, sum[i]); \
    } \
    _Pragma("unroll") for (int i = 0; i < COUNT; i++) sums[o + i] = sum[i]; \
}
#define ADD_PRODUCTS(count, sums, vec, vecStep, scalar, scalarStep, offset, pixels) { \
    int o = 0; \
    for (; o < LARGER_BLOCKS(count)*(BLOCK(count) + 1); o += BLOCK(count) + 1) ADD_BLOCK((BLOCK(count) + 1), sums, vec, vecStep, scalar, scalarStep, offset, pixels) \
    for (; o < count; o += BLOCK(count)) ADD_BLOCK(BLOCK(count), sums, vec, vecStep, scalar, scalarStep, offset, pixels) \
}

// sum += vec over the pixels of a row; in four sums, as one would wait for itself.
#define ADD_PIXELS(sum, vec, vecStep, pixels) { \
    float16 s0 = 0, s1 = 0, s2 = 0, s3 = 0; \
    int x = 0; \
    for (; x + 4 <= pixels; x += 4) { \
        s0 += vload16(0, vec + x*vecStep); \
        s1 += vload16(0, vec + (x + 1)*vecStep); \
        s2 += vload16(0, vec + (x + 2)*vecStep); \
        s3 += vload16(0, vec + (x + 3)*vecStep); \
    } \
    for (; x < pixels; x++) s0 += vload16(0, vec + x*vecStep); \
    sum += (s0 + s1) + (s2 + s3); \
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_backward_weight(__global const float* restrict vec, int vecOrigin, int vecRow, int vecImage,
                            __global const float* restrict scalar, int scalarOrigin, int scalarRow, int scalarImage,
                            __global const int* restrict offset, __global float* restrict partial, int gradients, int weightOrigin, int biasOrigin,
                            int P, int H, int W) {
    const int vecBlock = get_global_id(0);
    const int g = get_global_id(1), n = g/P, part = g%P;
    float16 sums[OFFSETS], bias = 0;
    for (int i = 0; i < OFFSETS; i++) sums[i] = 0;

    for (int y = H*part/P; y < H*(part + 1)/P; y++) {
        __global const float* v = vec + vecOrigin + n*vecImage + y*vecRow + vecBlock*16;
        __global const float* s = scalar + scalarOrigin + n*scalarImage + y*scalarRow;
        ADD_PRODUCTS(OFFSETS, sums, v, VEC_CHANNELS, s, SCALAR_CHANNELS, offset, W)
#ifdef BIAS
        ADD_PIXELS(bias, v, VEC_CHANNELS, W)
#endif
    }

    partial += g*gradients;
    for (int i = 0; i < OFFSETS; i++) vstore16(sums[i], vecBlock*OFFSETS + i, partial + weightOrigin);
#ifdef BIAS
    vstore16(bias, vecBlock, partial + biasOrigin);
#endif
#ifdef FEW_BIAS
    // The output is SIZE - 1 lower and narrower than the input, whose rows are dealt out here.
    if (vecBlock > 0) return;
    float few[SCALAR_CHANNELS];
    for (int k = 0; k < SCALAR_CHANNELS; k++) few[k] = 0;
    const int outH = H - SIZE + 1, outW = W - SIZE + 1;
    for (int y = outH*part/P; y < outH*(part + 1)/P; y++) {
        __global const float* s = scalar + scalarOrigin + n*scalarImage + (y + SIZE - 1)*scalarRow + (SIZE - 1)*SCALAR_CHANNELS;
        for (int x = 0; x < outW; x++)
            for (int k = 0; k < SCALAR_CHANNELS; k++) few[k] += s[x*SCALAR_CHANNELS + k];
    }
    for (int k = 0; k < SCALAR_CHANNELS; k++) partial[biasOrigin + k] = few[k];
#endif
}

#define SUM8(v) (((v.s0 + v.s4) + (v.s1 + v.s5)) + ((v.s2 + v.s6) + (v.s3 + v.s7)))

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_backward_weight_small(__global const float* restrict in, int inOrigin, int inRow, int inImage,
                                  __global const float* restrict dOut, int dOutOrigin, int dOutRow, int dOutImage,
                                  __global float* restrict partial, int gradients, int weightOrigin, int biasOrigin,
                                  int P, int H, int W) {
    const int g = get_global_id(1), n = g/P, part = g%P;
    partial += g*gradients;
    in += inOrigin + n*inImage;
    dOut += dOutOrigin + n*dOutImage;
    for (int k = 0; k < SMALL_K; k++) {
        float8 sums[SIZE*SIZE*SMALL_C], bias = 0;
        for (int i = 0; i < SIZE*SIZE*SMALL_C; i++) sums[i] = 0;
        for (int y = H*part/P; y < H*(part + 1)/P; y++) {
            for (int x = 0; x < W; x += 8) {
                // Eight pixels of the output at once; past the edge there is nothing to add.
                float d[8];
                for (int i = 0; i < 8; i++) d[i] = x + i < W ? dOut[y*dOutRow + (x + i)*SMALL_K + k] : 0.0f;
                const float8 gradient = vload8(0, d);
                bias += gradient;
                for (int ky = 0; ky < SIZE; ky++) {
                    __global const float* row = in + (y + ky)*inRow + x*SMALL_C;
                    for (int kx = 0; kx < SIZE; kx++)
                        for (int c = 0; c < SMALL_C; c++) {
                            float8 value;
                            if (SMALL_C == 1 && x + 8 <= W) value = vload8(0, row + kx);
                            else {
                                float v[8];
                                for (int i = 0; i < 8; i++) v[i] = x + i < W ? row[(kx + i)*SMALL_C + c] : 0.0f;
                                value = vload8(0, v);
                            }
                            sums[(ky*SIZE + kx)*SMALL_C + c] = fma(gradient, value, sums[(ky*SIZE + kx)*SMALL_C + c]);
                        }
                }
            }
        }
        for (int i = 0; i < SIZE*SIZE*SMALL_C; i++) partial[weightOrigin + i*SMALL_K + k] = SUM8(sums[i]);
        partial[biasOrigin + k] = SUM8(bias);
    }
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv2d_backward_map(__global const float* restrict in, int inOrigin, int inRow, int inImage,
                         __global const float* restrict out, int outOrigin, int outRow, int outImage,
                         __global const float* restrict dOut2, int dOut2Origin, int dOut2Row, int dOut2Image,
                         __global const float* restrict turned2, int turned2Origin,
                         __global const int* restrict offset, __global const int* restrict offset2,
                         __global float* restrict partial, int gradients, int weightOrigin, int biasOrigin, int weight2Origin, int bias2Origin,
                         int turned2Image, int P, int H, int W) {
    const int g = get_global_id(1), n = g/P, share = g%P;
    turned2 += turned2Origin + n*turned2Image;
    float16 sums[VEC_BLOCKS*OFFSETS], bias[VEC_BLOCKS], sums2[MAP_BLOCKS*VEC_CHANNELS], bias2[MAP_BLOCKS];
    for (int i = 0; i < VEC_BLOCKS*OFFSETS; i++) sums[i] = 0;
    for (int i = 0; i < VEC_BLOCKS; i++) bias[i] = 0;
    for (int i = 0; i < MAP_BLOCKS*VEC_CHANNELS; i++) sums2[i] = 0;
    for (int i = 0; i < MAP_BLOCKS; i++) bias2[i] = 0;
    float dOut[VEC_BLOCKS*SEGMENT*16];      // [K/16][pixel][16]

    const int segments = (W + SEGMENT - 1)/SEGMENT;
    for (int part = H*segments*share/P; part < H*segments*(share + 1)/P; part++) {
        const int segment = part%segments, y = part/segments;
        const int xStart = W*segment/segments, pixels = W*(segment + 1)/segments - xStart;
        __global const float* i0 = in + inOrigin + n*inImage + y*inRow + xStart*SCALAR_CHANNELS;
        __global const float* o1 = out + outOrigin + n*outImage + y*outRow + xStart*VEC_CHANNELS;
        __global const float* d2 = dOut2 + dOut2Origin + n*dOut2Image + y*dOut2Row + xStart*MAP_K;

        for (int block = 0; block < VEC_BLOCKS; block++) {
            for (int tile = 0; tile < pixels; tile += 6) {
                const int x = min(tile, pixels - 6);
                __global const float* p = d2 + x*MAP_K;
                __global const float* weights = turned2 + block*16*MAP_K;
                float16 s[6];
                #pragma unroll
                for (int i = 0; i < 6; i++) s[i] = 0;
                for (int j = 0; j < MAP_K; j++, weights += 16) {
                    const float16 w = vload16(0, weights);
                    #pragma unroll
                    for (int i = 0; i < 6; i++) s[i] = fma((float16)(p[i*MAP_K + j]), w, s[i]);
                }
                #pragma unroll
                for (int i = 0; i < 6; i++) {
#ifdef GATE
                    s[i] = select((float16)(0.0f), s[i], vload16(0, o1 + (x + i)*VEC_CHANNELS + block*16) > 0.0f);
#endif
                    vstore16(s[i], block*SEGMENT + x + i, dOut);
                }
            }
        }
        for (int block = 0; block < MAP_BLOCKS; block++) {
            float16* to = sums2 + block*VEC_CHANNELS;
            __global const float* v = d2 + block*16;
            ADD_PRODUCTS(VEC_CHANNELS, to, v, MAP_K, o1, VEC_CHANNELS, offset2, pixels)
            ADD_PIXELS(bias2[block], v, MAP_K, pixels)
        }
        for (int block = 0; block < VEC_BLOCKS; block++) {
            float16* to = sums + block*OFFSETS;
            const float* v = dOut + block*SEGMENT*16;
            ADD_PRODUCTS(OFFSETS, to, v, 16, i0, SCALAR_CHANNELS, offset, pixels)
            ADD_PIXELS(bias[block], v, 16, pixels)
        }
    }

    partial += g*gradients;
    for (int i = 0; i < VEC_BLOCKS*OFFSETS; i++) vstore16(sums[i], i, partial + weightOrigin);
    for (int i = 0; i < VEC_BLOCKS; i++) vstore16(bias[i], i, partial + biasOrigin);
    for (int i = 0; i < MAP_BLOCKS*VEC_CHANNELS; i++) vstore16(sums2[i], i, partial + weight2Origin);
    for (int i = 0; i < MAP_BLOCKS; i++) vstore16(bias2[i], i, partial + bias2Origin);
}
