// The three layers of DBCNN on a CPU: patch extraction and the 1x1 mapping in one kernel, so that the N1 maps in between never reach memory, then reconstruction.
// Borders replicate at every layer, exactly as in conv2d.cl; results differ from it in the last bits, because the sums run in another order.
//
//   maps1[i][y][x]   = max(0, bias1[i] + sum over c, ky, kx of weight1[i][c][ky][kx] * in[c][y + ky - PAD1][x + kx - PAD1])
//   maps2[j][y][x]   = max(0, bias2[j] + sum over i of weight2[j][i] * maps1[i][y][x])
//   out[c][y][x]     = bias3[c] + sum over j, ky, kx of weight3[c][j][ky][kx] * maps2[j][y + ky - PAD3][x + kx - PAD3] + skip
//   (max only with RELU1, RELU2; RELU3 puts one around the last sum, before the skip; skip = in[c][y][x] with SKIP)
//
// Tensors, row-major, last index fastest:
//   in       float [C][rows][stride]                      padded: pixel (x, y) lies at (x + PAD1, y + PAD1), the halo is filled
//   weight1  float [N1/16][C][SIZE1][SIZE1][16]           N1 and N2 are rounded up to 16; maps past the network's have zero weights and stay zero
//   weight2  float [N2/16][N1][16]
//   weight3  float [C][SIZE3][N2/8][SIZE3][8]
//   maps2    float [H][W + 2*PAD3][N2]                    channels last; columns replicated by the first kernel, rows clamped by the second
//   out      float [C][H][W]                              overwritten
//
// Work:   one work-item computes a whole tile; tiles at the right and bottom edge are moved inwards and compute some pixels again, to the same values.
//         extract_map: global = { W, ceil(H/TILE_H) }, local = { 1, 1 }: TILE_H pixels of one column
//         reconstruct: global = { ceil(W/TILE_W), H }, local = { 1, 1 }: TILE_W pixels of one row
//         W >= TILE_W and H >= TILE_H; smaller frames take conv2d.cl.
//
// Why this shape. A driver for CPUs vectorises scalar work-items badly, so vectors are explicit: a float8 holds eight output maps. A step of the inner loops loads two
// weight vectors, broadcasts six inputs and does twelve FMAs into twelve accumulators, which with the weights and a broadcast fill the 16 registers of AVX2.
// The six pixels are vertical neighbours, a run-time stride apart: of six adjacent ones compilers make vector loads and permutes, which took 1.6 times as long.
// Private arrays whose indices are all known after unrolling stay in registers.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef C
#define C 1          // channels of the frame
#define SIZE1 9      // side of patch extraction's support, odd
#define N1 64        // maps of patch extraction, a multiple of 16
#define N2 32        // maps of the mapping, a multiple of 16
#define SIZE3 5      // side of reconstruction's support, odd
#endif
#define PAD1 (SIZE1 / 2)
#define PAD3 (SIZE3 / 2)
#define TILE_H 6     // with two float8 of maps each: 12 accumulators
#define TILE_W 8

#ifdef RELU1
#define ACT1(v) fmax(v, 0.0f)
#else
#define ACT1(v) (v)
#endif
#ifdef RELU2
#define ACT2(v) fmax(v, 0.0f)
#else
#define ACT2(v) (v)
#endif
#ifdef RELU3
#define ACT3(v) fmax(v, 0.0f)
#else
#define ACT3(v) (v)
#endif

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void extract_map_forward(__global const float* restrict in, __global const float8* restrict weight1, __global const float8* restrict bias1,
                         __global const float8* restrict weight2, __global const float8* restrict bias2, __global float* restrict maps2,
                         int W, int H, int stride, int rows) {
    const int x = get_global_id(0), y = min((int)get_global_id(1) * TILE_H, H - TILE_H);
    float maps1[TILE_H * N1];

    for (int block = 0; block < N1 / 16; block++) {
        float8 low[TILE_H], high[TILE_H];
        #pragma unroll
        for (int i = 0; i < TILE_H; i++) { low[i] = bias1[2 * block]; high[i] = bias1[2 * block + 1]; }
        for (int c = 0; c < C; c++) {
            __global const float* p = in + ((size_t)c * rows + y) * stride + x;
            for (int ky = 0; ky < SIZE1; ky++, p += stride) {
                for (int kx = 0; kx < SIZE1; kx++, weight1 += 2) {
                    const float8 w_low = weight1[0], w_high = weight1[1];
                    #pragma unroll
                    for (int i = 0; i < TILE_H; i++) {
                        const float8 v = p[kx + i * stride];
                        low[i] = fma(v, w_low, low[i]);
                        high[i] = fma(v, w_high, high[i]);
                    }
                }
            }
        }
        #pragma unroll
        for (int i = 0; i < TILE_H; i++) {
            vstore8(ACT1(low[i]), 2 * block, maps1 + i * N1);
            vstore8(ACT1(high[i]), 2 * block + 1, maps1 + i * N1);
        }
    }

    const int mapsStride = (W + 2 * PAD3) * N2;
    // The first and the last column also fill the halo beside them.
    const int first = x == 0 ? 0 : x + PAD3, last = x == W - 1 ? x + 2 * PAD3 : x + PAD3;
    for (int block = 0; block < N2 / 16; block++) {
        float8 low[TILE_H], high[TILE_H];
        #pragma unroll
        for (int i = 0; i < TILE_H; i++) { low[i] = bias2[2 * block]; high[i] = bias2[2 * block + 1]; }
        for (int k = 0; k < N1; k++, weight2 += 2) {
            const float8 w_low = weight2[0], w_high = weight2[1];
            #pragma unroll
            for (int i = 0; i < TILE_H; i++) {
                const float8 v = maps1[i * N1 + k];
                low[i] = fma(v, w_low, low[i]);
                high[i] = fma(v, w_high, high[i]);
            }
        }
        for (int column = first; column <= last; column++) {
            __global float* to = maps2 + (size_t)y * mapsStride + column * N2 + block * 16;
            #pragma unroll
            for (int i = 0; i < TILE_H; i++) {
                vstore8(ACT2(low[i]), 0, to + i * mapsStride);
                vstore8(ACT2(high[i]), 1, to + i * mapsStride);
            }
        }
    }
}

float sum_of(float8 v) {
    const float4 half_ = v.lo + v.hi;
    const float2 quarter = half_.lo + half_.hi;
    return quarter.x + quarter.y;
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void reconstruct_forward(__global const float* restrict maps2, __global const float8* restrict weight3, __global const float* restrict bias3,
                         __global const float* restrict in, __global float* restrict out, int W, int H, int stride, int rows) {
    const int x = min((int)get_global_id(0) * TILE_W, W - TILE_W), y = get_global_id(1);

    for (int c = 0; c < C; c++) {
        // Each lane sums every eighth map; the lanes are added up at the end.
        float8 sums[TILE_W];
        #pragma unroll
        for (int i = 0; i < TILE_W; i++) sums[i] = 0.0f;
        for (int ky = 0; ky < SIZE3; ky++) {
            __global const float* row = maps2 + ((size_t)clamp(y + ky - PAD3, 0, H - 1) * (W + 2 * PAD3) + x) * N2;
            for (int group = 0; group < N2 / 8; group++, weight3 += SIZE3) {
                // Every map vector is loaded once and meets all the pixels whose support it is in.
                #pragma unroll
                for (int column = 0; column < TILE_W + SIZE3 - 1; column++) {
                    const float8 v = vload8(group, row + column * N2);
                    #pragma unroll
                    for (int kx = 0; kx < SIZE3; kx++) {
                        if (column - kx >= 0 && column - kx < TILE_W) sums[column - kx] = fma(v, weight3[kx], sums[column - kx]);
                    }
                }
            }
        }
        float8 result = (float8)(sum_of(sums[0]), sum_of(sums[1]), sum_of(sums[2]), sum_of(sums[3]),
                                 sum_of(sums[4]), sum_of(sums[5]), sum_of(sums[6]), sum_of(sums[7])) + bias3[c];
        result = ACT3(result);
#ifdef SKIP
        result += vload8(0, in + ((size_t)c * rows + y + PAD1) * stride + x + PAD1);
#endif
        vstore8(result, 0, out + ((size_t)c * H + y) * W + x);
    }
}
