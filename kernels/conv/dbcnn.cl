// DBCNN on a CPU: patch extraction, 1x1 mapping and reconstruction in one kernel, from the samples of a frame to its restored samples. No map ever reaches memory.
// Borders replicate at every layer, as in conv2d.cl; results differ from it in the last bits, because the sums run in another order.
//
//   maps1[i][y][x]   = max(0, bias1[i] + sum over c, ky, kx of weight1[i][c][ky][kx] * in[c][y + ky - PAD1][x + kx - PAD1])
//   maps2[j][y][x]   = max(0, bias2[j] + sum over i of weight2[j][i] * maps1[i][y][x])
//   result[c][y][x]  = bias3[c] + sum over j, ky, kx of weight3[c][j][ky][kx] * maps2[j][y + ky - PAD3][x + kx - PAD3]
//   (max only with RELU1, RELU2; RELU3 puts one around the last sum; in = working_at, result goes to restore_at: samples.cl;
//   with TO_TENSOR, where more layers follow, to estimate float [C][H][W], with ADD_FRAME after in has been added)
//
// Work: global = { strips, segments }, local = 1. A work-item walks down a strip of the frame, STRIP_W columns wide and `segment` rows high: it computes BAND_H rows of maps2 into
// a private ring of rows, then the output rows that the ring has the maps for. The halo is computed again only at the sides of a strip and the top of a segment.
//         The last strip and the last band are moved inwards and compute some pixels again. W >= MAPS_W and H >= BAND_H; smaller frames take conv2d.cl.
//
//      MAPS_W columns of maps2                     ring: row y of maps2 lies in slot y % RING
//   +--+----------------+--+
//   |  |    STRIP_W     |  | PAD3 beside it
//   +--+----------------+--+
//
// Extraction, direct: BAND_H pixels of one column meet sixteen maps: 12 accumulators with 6 pixels, which with two weights and a broadcast fill the 16 registers of AVX2.
// Extraction with WINOGRAD, for SIZE1 a multiple of 3: a 9x9 filter is nine 3x3 filters side by side (c, gy, gx), whose products (winograd.cl) are summed before the one transform back:
//   maps1 = A^T [ sum over c, gy, gx of (G g G^T) .* (B^T d B) ] A, d = 6x6 inputs at (3 gy, 3 gx).
//   8 tiles of 4x4 lie side by side; lanes are tiles in B^T d B and maps from there on.
//   `step` is 1. It is a run-time value because of a constant the compiler would merge the reads of adjacent tiles into vector loads and permutes, which are slower than broadcasts.
//
// Weights, filled with zeros up to N1 and N2 (multiples of 16):
//   weight1  float [N1/16][C][SIZE1][SIZE1][16], with WINOGRAD [N1/16][36][C][SIZE1/3][SIZE1/3][16]
//   weight2  float [N2/16][N1][16]
//   weight3  float [C][SIZE3][N2/8][SIZE3][8]
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#ifndef C
#define C 1          // channels of the frame
#define SIZE1 9      // side of patch extraction's support, odd
#define N1 64        // maps of patch extraction
#define N2 32        // maps of the mapping
#define SIZE3 5      // side of reconstruction's support, odd
#define WINOGRAD
#endif
#ifndef MAPS_W
#define MAPS_W 128   // columns of maps that a strip computes, a multiple of 32; tuned
#endif
#ifndef PIXELS
#define PIXELS 4     // pixels that meet 16 maps at once in the mapping: 8 accumulators keep both multipliers busy; tuned
#endif
#ifndef TILES
#define TILES 4      // Winograd tiles that meet 16 maps at once, 4 or 8; tuned
#endif

#include "color/samples.cl"
#ifdef WINOGRAD
#include "conv/winograd.cl"
#endif

// Floats from the maps of one pixel to those of the next: at a multiple of 256 bytes the reads of neighbouring pixels fall on the same bank of the first cache.
#define MAPS1_STRIDE (N1 + 16)
#define PAD1 (SIZE1 / 2)
#define PAD3 (SIZE3 / 2)
#define STRIP_W (MAPS_W - 2 * PAD3)
#define RING_W (MAPS_W + 2 * PAD3)   // with the columns that replicate the frame's edge
#define OUT_W 8                      // pixels of a row that reconstruction computes at once
#ifdef WINOGRAD
#define BAND_H 4
#define BATCH_W 32                   // columns that extraction and mapping compute at once: 8 tiles
#define GROUPS (SIZE1 / 3)           // 3x3 filters per axis
#define DEPTH (C * GROUPS * GROUPS)
#define PHASE_W (MAPS_W / 4 + (SIZE1 + 2) / 4)
#else
#define BAND_H 6
#define BATCH_W 1
#endif
#define BATCH (BATCH_W * BAND_H)     // pixels
#define BATCH_ROOM ((BATCH + PIXELS - 1) / PIXELS * PIXELS)
#define PATCH_W (MAPS_W + SIZE1 - 1)
#define PATCH_H (BAND_H + SIZE1 - 1)
// Rows of the ring: those of a band, and those above it that reconstruction still needs. A power of two, because rows are found by y % RING.
#if BAND_H + 2 * PAD3 <= 8
#define RING 8
#else
#define RING 16
#endif

// A float16 is sixteen maps: one register of AVX-512, where compilers have to be told, or two of AVX2.
#define WIDE
#ifdef __has_attribute
#if __has_attribute(min_vector_width)
#undef WIDE
#define WIDE __attribute__((min_vector_width(512)))
#endif
#endif

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

// Inputs of a band: frame rows from `top`, columns from `left`, replicated past the edges of the frame.
#ifdef WINOGRAD
// Column x of the patch lies at [x % 4][x / 4], so that 8 tiles, four columns apart, are one vector.
typedef float patch_row[4][PHASE_W];
#define PATCH_AT(row, x) (row)[(x) & 3][(x) >> 2]
#else
typedef float patch_row[PATCH_W];
#define PATCH_AT(row, x) (row)[x]
#endif

void load_patch(__global const SAMPLE* restrict frame, int frameStride, int frameW, int frameH, float scale, float offset, int top, int left, patch_row patch[C][PATCH_H]) {
    const int inside = left >= 0 && left + PATCH_W <= frameW;
    for (int c = 0; c < C; c++) {
        for (int row = 0; row < PATCH_H; row++) {
            const int y = clamp(top + row, 0, frameH - 1);
            if (inside) for (int x = 0; x < PATCH_W; x++) PATCH_AT(patch[c][row], x) = working_inside(FRAME, c, y, left + x);
            else for (int x = 0; x < PATCH_W; x++) PATCH_AT(patch[c][row], x) = working_inside(FRAME, c, y, clamp(left + x, 0, frameW - 1));
        }
    }
}

#ifdef WINOGRAD
// maps1 float [BATCH][MAPS1_STRIDE] of 8 tiles that begin at patch column `column`, a multiple of 4; pixel of row r and column x at r * 32 + x.
WIDE void extract(patch_row patch[C][PATCH_H], int column, __global const float16* restrict weight1, __global const float16* restrict bias1, float* maps1, int step) {
    float8 inputs[36][DEPTH];
    for (int c = 0; c < C; c++) {
        for (int gx = 0; gx < GROUPS; gx++) {
            float8 rows[PATCH_H][6];
            for (int r = 0; r < PATCH_H; r++) {
                float8 d[6];
                #pragma unroll
                for (int k = 0; k < 6; k++) d[k] = vload8(0, &patch[c][r][(3 * gx + k) & 3][(column >> 2) + ((3 * gx + k) >> 2)]);
                transform_patch(rows[r], 1, d[0], d[1], d[2], d[3], d[4], d[5]);
            }
            for (int gy = 0; gy < GROUPS; gy++) {
                for (int k = 0; k < 6; k++) {
                    float8 (*from)[6] = rows + 3 * gy;
                    transform_patch(inputs[k] + (c * GROUPS + gy) * GROUPS + gx, 6 * DEPTH, from[0][k], from[1][k], from[2][k], from[3][k], from[4][k], from[5][k]);
                }
            }
        }
    }
    for (int block = 0; block < N1 / 16; block++) {
        float8 products[36][8][2];
        for (int f = 0; f < 36; f++) {
            for (int tile = 0; tile < 8; tile += TILES) {
                float16 sums[TILES];
                #pragma unroll
                for (int i = 0; i < TILES; i++) sums[i] = f == 7 ? bias1[block] : (float16)0.0f;      // product (1, 1)
                const float* p = (const float*)inputs[f] + tile;
                // Not unrolled: the reads would become one long chain of address additions.
                #pragma unroll 1
                for (int k = 0; k < DEPTH; k++, p += 8) {
                    #pragma unroll
                    for (int i = 0; i < TILES; i++) sums[i] = fma((float16)(p[i * step]), weight1[k], sums[i]);
                }
                #pragma unroll
                for (int i = 0; i < TILES; i++) vstore16(sums[i], tile + i, (float*)products[f]);
            }
            weight1 += DEPTH;
        }
        for (int tile = 0; tile < 8; tile++) {
            for (int half_ = 0; half_ < 2; half_++) {
                float8 rows[4][6];
                #pragma unroll
                for (int k = 0; k < 6; k++)
                    transform_sums(rows[0] + k, 6, products[k][tile][half_], products[6 + k][tile][half_], products[12 + k][tile][half_],
                                   products[18 + k][tile][half_], products[24 + k][tile][half_], products[30 + k][tile][half_]);
                #pragma unroll
                for (int r = 0; r < 4; r++) {
                    float8 y[4];
                    transform_sums(y, 1, rows[r][0], rows[r][1], rows[r][2], rows[r][3], rows[r][4], rows[r][5]);
                    float* to = maps1 + (r * BATCH_W + tile * 4) * MAPS1_STRIDE + block * 16 + half_ * 8;
                    vstore8(ACT1(y[0]), 0, to);
                    vstore8(ACT1(y[1]), 0, to + MAPS1_STRIDE);
                    vstore8(ACT1(y[2]), 0, to + 2 * MAPS1_STRIDE);
                    vstore8(ACT1(y[3]), 0, to + 3 * MAPS1_STRIDE);
                }
            }
        }
    }
}
#else
// maps1 float [BATCH][MAPS1_STRIDE] of one column.
WIDE void extract(patch_row patch[C][PATCH_H], int column, __global const float16* restrict weight1, __global const float16* restrict bias1, float* maps1, int step) {
    for (int block = 0; block < N1 / 16; block++) {
        float16 sums[BAND_H];
        #pragma unroll
        for (int i = 0; i < BAND_H; i++) sums[i] = bias1[block];
        for (int c = 0; c < C; c++) {
            for (int ky = 0; ky < SIZE1; ky++) {
                const float* p = patch[c][ky] + column;
                for (int kx = 0; kx < SIZE1; kx++, weight1++) {
                    #pragma unroll
                    for (int i = 0; i < BAND_H; i++) sums[i] = fma((float16)(p[kx + i * PATCH_W]), *weight1, sums[i]);
                }
            }
        }
        #pragma unroll
        for (int i = 0; i < BAND_H; i++) vstore16(ACT1(sums[i]), block, maps1 + i * MAPS1_STRIDE);
    }
}
#endif

// maps1 of a batch to the ring: pixel p of the batch is row p / BATCH_W, column p % BATCH_W.
WIDE void map_batch(const float* maps1, __global const float16* restrict weight2, __global const float16* restrict bias2, float* ring, int top, int column) {
    for (int block = 0; block < N2 / 16; block++) {
        for (int first = 0; first < BATCH; first += PIXELS) {
            float16 sums[PIXELS];
            #pragma unroll
            for (int i = 0; i < PIXELS; i++) sums[i] = bias2[block];
            for (int k = 0; k < N1; k++) {
                #pragma unroll
                for (int i = 0; i < PIXELS; i++) sums[i] = fma((float16)(maps1[(first + i) * MAPS1_STRIDE + k]), weight2[k], sums[i]);
            }
            #pragma unroll
            for (int i = 0; i < PIXELS; i++) {
                const int pixel = first + i;
                if (BATCH % PIXELS != 0 && pixel >= BATCH) break;
                float* to = ring + (((top + pixel / BATCH_W) & (RING - 1)) * RING_W + PAD3 + column + pixel % BATCH_W) * N2;
                vstore16(ACT2(sums[i]), block, to);
            }
        }
        weight2 += N1;
    }
}

float sum_of(float8 v) {
    const float4 half_ = v.lo + v.hi;
    const float2 quarter = half_.lo + half_.hi;
    return quarter.x + quarter.y;
}

// OUT_W pixels of row y, the first at ring column `column`.
float8 reconstruct(const float* ring, int y, int column, int H, __global const float8* restrict weight3) {
    // Each lane sums every eighth map; the lanes are added up at the end.
    float8 sums[OUT_W];
    #pragma unroll
    for (int i = 0; i < OUT_W; i++) sums[i] = 0.0f;
    for (int ky = 0; ky < SIZE3; ky++) {
        const float* row = ring + ((clamp(y + ky - PAD3, 0, H - 1) & (RING - 1)) * RING_W + column) * N2;
        for (int group = 0; group < N2 / 8; group++, weight3 += SIZE3) {
            // Every map vector is loaded once and meets all the pixels whose support it is in.
            #pragma unroll
            for (int i = 0; i < OUT_W + SIZE3 - 1; i++) {
                const float8 v = vload8(group, row + i * N2);
                #pragma unroll
                for (int kx = 0; kx < SIZE3; kx++) {
                    if (i - kx >= 0 && i - kx < OUT_W) sums[i - kx] = fma(v, weight3[kx], sums[i - kx]);
                }
            }
        }
    }
    return (float8)(sum_of(sums[0]), sum_of(sums[1]), sum_of(sums[2]), sum_of(sums[3]), sum_of(sums[4]), sum_of(sums[5]), sum_of(sums[6]), sum_of(sums[7]));
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void dbcnn_forward(FRAME_ARGUMENTS,
#ifdef TO_TENSOR
                   __global float* restrict estimate,
#else
                   RESTORED_ARGUMENTS,
#endif
                   __global const float16* restrict weight1, __global const float16* restrict bias1, __global const float16* restrict weight2, __global const float16* restrict bias2,
                   __global const float8* restrict weight3, __global const float* restrict bias3, int W, int H, int segment, int step) {
    // The last strip leaves what it shares with the one before to that: the tiles of Winograd's transform lie elsewhere in it, which changes last bits.
    const int firstOwn = get_global_id(0) * STRIP_W;
    const int left = min(firstOwn, W - STRIP_W);      // of the output
    const int mapsLeft = clamp(left - PAD3, 0, W - MAPS_W);
    const int begin = get_global_id(1) * segment, end = min(begin + segment, H);
    const int lastMaps = min(end + PAD3, H);
    float ring[RING * RING_W * N2];
    float maps1[BATCH_ROOM * MAPS1_STRIDE];
    patch_row patch[C][PATCH_H];

    int done = begin;   // output rows before it are written
    for (int next = max(begin - PAD3, 0); next < lastMaps; ) {
        const int top = min(next, H - BAND_H);
        load_patch(FRAME, originY + top - PAD1, originX + mapsLeft - PAD1, patch);
        for (int column = 0; column < MAPS_W; column += BATCH_W) {
            extract(patch, column, weight1, bias1, maps1, step);
            map_batch(maps1, weight2, bias2, ring, top, column);
        }
        next = top + BAND_H;
        // The frame's first and last column also stand for those beyond them.
        for (int row = top; row < next; row++) {
            float* slot = ring + (row & (RING - 1)) * RING_W * N2;
            for (int i = 0; i < PAD3 * N2; i++) {
                slot[i] = slot[PAD3 * N2 + i % N2];
                slot[(PAD3 + MAPS_W) * N2 + i] = slot[(PAD3 + MAPS_W - 1) * N2 + i % N2];
            }
        }
        const int ready = next == H ? end : min(next - PAD3, end);
        for (; done < ready; done++) {
            for (int x = 0; x < STRIP_W; x += OUT_W) {
                const int column = min(x, STRIP_W - OUT_W);
                for (int c = 0; c < C; c++) {
                    float8 result = reconstruct(ring, done, left - mapsLeft + column, H, weight3 + c * SIZE3 * SIZE3 * N2 / 8) + bias3[c];
                    result = ACT3(result);
                    float values[OUT_W];
                    vstore8(result, 0, values);
                    for (int i = 0; i < OUT_W; i++) {
                        const int at = left + column + i;
#ifdef TO_TENSOR
#ifdef ADD_FRAME
                        values[i] += working_at(FRAME, c, originY + done, originX + at);
#endif
                        if (at >= firstOwn) estimate[((size_t)c * H + done) * W + at] = values[i];
#else
                        if (at >= firstOwn && IS_KEPT(done, at)) restore_at(FRAME, RESTORED, c, originY + done, originX + at, values[i]);
#endif
                    }
                }
            }
        }
    }
}
