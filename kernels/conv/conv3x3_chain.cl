// A whole network of 3x3 layers on a CPU in one kernel: samples, space to depth, every layer, depth to space, restored samples. No map reaches memory.
// Borders replicate at every layer, exactly as in conv2d.cl; results differ from it in the last bits.
//
//   maps[0][k][y][x] = frame[c][SCALE*y + dy][SCALE*x + dx] in working values, k = (dy*SCALE + dx)*C + c: space to depth, IN = C*SCALE*SCALE maps
//   maps[l + 1]      = max(0, bias[l] + conv3x3(weight[l], maps[l])): LAYERS of them, MAPS maps inside, IN maps and no max at the last, which depth to space
//                      turns into the value that restore_at takes. A frame with odd sides is first extended by its last row and column.
//
// Tensors, row-major, last index fastest:
//   frame, restored   see color/samples.cl; originX, originY, skipX, skipY, columns and rows count pixels of the frame
//   weight   float [LAYERS][K/(8*V)][PRODUCTS][C][8*V]     transformed filters (with DIRECT taps), one layer behind the other; C, K, V are
//                                                          IN, MAPS, VECTORS for the first layer, MAPS, MAPS, VECTORS inside, MAPS, IN8, IN8/8 for the last
//   bias     float [LAYERS][K]
//            Maps are filled up to MAPS (inside) and IN8 (the last layer) with maps whose weights and biases are zero.
//
// Work:   one work-item computes `strip` columns of `segment` rows; both, W and H count pixels of the maps; strip and segment are multiples of 4 and
//         4*TILES <= strip <= MAX_STRIP; W, H >= 1. global = { ceil(W/strip), ceil(H/segment) }, local = { 1, 1 }.
// Private memory: 32*WIDTH * ((HIDDEN + 1)*MAPS + IN8) bytes of maps, 148*TILES*MAPS of frequencies, 16*C*SCALE*SCALE*MAX_STRIP of results.
//
// Convolutions are Winograd's, see winograd.cl; frequency 6*row + column. With DIRECT they are sums over taps: for devices on which the transform should not pay.
//
// How a work-item walks. A step down the strip makes four rows of every layer, each from the six rows of the layer before that it needs; a ring of eight rows holds
// them, so the maps stay in the second cache, where a launch per layer would wait for memory. Layer l has `margin` = LAYERS - 1 - l layers after it and begins that many
// columns to the left of the strip and rows above the segment, so that pixel i of a layer needs the pixels i, i + 1, i + 2 of the layer before.
// Neighbouring strips and segments compute their margins again; each pixel is stored once.
// Beyond the frame, rows repeat as they are read, columns when they were written. Patches lie at the same places for every strip and segment that is a
// multiple of four, so results do not depend on how the frame is cut.
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferenceConvolution.cs

#include "color/samples.cl"
#include "conv/winograd.cl"

#ifndef SCALE
#define SCALE 2          // side of the square of pixels that becomes one pixel of SCALE*SCALE times the channels; 1 leaves them as they are
#endif
#ifndef MAPS
#define MAPS 16          // maps of every layer but the last, a multiple of 8 (of 16 or 24 where IN8 is 16), at least IN8
#define HIDDEN 3         // layers from MAPS to MAPS; with the first and the last one LAYERS
#endif
#ifndef MAX_STRIP
#define MAX_STRIP 240    // a multiple of 4
#endif

#define IN (C * SCALE * SCALE)
#define IN8 ((IN + 7) / 8 * 8)
#define LAYERS (HIDDEN + 2)
#define GROUPS (MAPS / 8)
// Of the 16 registers of AVX2 twelve are accumulators: VECTORS groups of eight maps for TILES patches. More of them in the 32 of AVX-512 are no faster.
#define VECTORS (GROUPS % 3 == 0 ? 3 : GROUPS % 2 == 0 ? 2 : 1)
#define TILES (12 / VECTORS)
#if MAPS % 8 != 0 || MAPS < IN8 || VECTORS < IN8 / 8
#error "MAPS must be a multiple of 8, at least IN8, and of 16 or 24 where IN8 is 16."
#endif
#define STEP 4           // outputs of a patch on each axis
#define PATCH 6          // its inputs: STEP + 2
#define FREQUENCIES (PATCH * PATCH)
#ifdef DIRECT
#define PRODUCTS 9
#else
#define PRODUCTS FREQUENCIES
#endif
#define RING 8           // rows of a ring: PATCH, rounded up to whole steps
#define WIDTH (MAX_STRIP + STEP * LAYERS + 1)    // columns of a ring; odd, because rows a multiple of 4096 bytes apart would evict each other
#define RING_SIZE (RING * WIDTH * GROUPS)

// Where a ring of rowSize vectors per row holds the six rows that a block of four rows needs; first: row of the frame that the ring began with.
void find_rows(int* offsets, int block, int first, int H, int rowSize) {
    #pragma unroll
    for (int i = 0; i < PATCH; i++) offsets[i] = (clamp(first + block * STEP + i, 0, H - 1) - first) % RING * rowSize;
}

#ifdef DIRECT
// Sums over the taps and maps of TILES pixels of a row, for `vectors` groups of eight maps; sums [TILES][VECTORS]. in: the ring's column where the supports begin; offsets: of three rows.
// Inlined by force, like sum_frequencies.
inline __attribute__((always_inline))
void sum_taps(float8* sums, const float8* in, const int* offsets, int groups, int mapsIn, __global const float8* weight, __global const float8* bias, int vectors) {
    #pragma unroll
    for (int i = 0; i < TILES * VECTORS; i++) {
        if (i % VECTORS < vectors) sums[i] = bias[i % VECTORS];
    }
    for (int ky = 0; ky < 3; ky++) {
        const float* values = (const float*)(in + offsets[ky]);
        for (int kx = 0; kx < 3; kx++, values += groups * 8) {
            for (int k = 0; k < mapsIn; k++, weight += vectors) {
                #pragma unroll
                for (int t = 0; t < TILES; t++) {
                    #pragma unroll
                    for (int j = 0; j < VECTORS; j++) {
                        if (j < vectors) sums[t * VECTORS + j] = fma((float8)values[t * groups * 8 + k], weight[j], sums[t * VECTORS + j]);
                    }
                }
            }
        }
    }
}
#else
// in: the ring's column where the patch begins, `groups` vectors per column; frequencies [FREQUENCIES][TILES][GROUPS]: of this patch.
void patch_to_frequencies(const float8* in, const int* offsets, int groups, float8* frequencies) {
    for (int group = 0; group < groups; group++) {
        float8 d[FREQUENCIES];
        #pragma unroll
        for (int y = 0; y < PATCH; y++) {
            const float8* p = in + offsets[y] + group;
            transform_patch(d + y * PATCH, 1, p[0], p[groups], p[2 * groups], p[3 * groups], p[4 * groups], p[5 * groups]);
        }
        #pragma unroll
        for (int x = 0; x < PATCH; x++)
            transform_patch(frequencies + x * TILES * GROUPS + group, PATCH * TILES * GROUPS, d[x], d[PATCH + x], d[2 * PATCH + x], d[3 * PATCH + x], d[4 * PATCH + x], d[5 * PATCH + x]);
    }
}

// Sums over the maps of a layer's input, frequency by frequency: frequencies [1 + FREQUENCIES][TILES][GROUPS]; input f lies at f + 1, sums go to f, which is free by then.
// vectors: groups of eight maps that are summed side by side. Where that is fewer than VECTORS, the sum is split into parts that keep the other accumulators busy.
// Inlined by force: only with its arguments known does everything unroll, and the sums stay in registers; a quarter of the speed otherwise.
inline __attribute__((always_inline))
void sum_frequencies(float8* frequencies, __global const float8* weight, int mapsIn, int groupsOut, int vectors) {
    const int parts = VECTORS / vectors;
    for (int f = 0; f < FREQUENCIES; f++) {
        const float* values = (const float*)(frequencies + (f + 1) * TILES * GROUPS);
        for (int group = 0; group < groupsOut; group += vectors) {
            float8 sums[TILES * VECTORS];
            #pragma unroll
            for (int i = 0; i < TILES * VECTORS; i++) sums[i] = 0.0f;
            __global const float8* w = weight + (group / vectors * FREQUENCIES + f) * mapsIn * vectors;
            for (int k = 0; k < mapsIn; k += parts, w += parts * vectors) {
                #pragma unroll
                for (int t = 0; t < TILES; t++) {
                    #pragma unroll
                    for (int j = 0; j < VECTORS; j++) {
                        if (j < parts * vectors) sums[t * VECTORS + j] = fma((float8)values[t * MAPS + k + j / vectors], w[j], sums[t * VECTORS + j]);
                    }
                }
            }
            float8* to = frequencies + f * TILES * GROUPS + group;
            #pragma unroll
            for (int t = 0; t < TILES; t++) {
                #pragma unroll
                for (int j = VECTORS - 1; j >= 0; j--) {
                    if (j >= parts * vectors) continue;
                    if (j >= vectors) sums[t * VECTORS + j - vectors] += sums[t * VECTORS + j];
                    else to[t * GROUPS + j] = sums[t * VECTORS + j];
                }
            }
        }
    }
}

// out [STEP][STEP]: a group of eight maps of one patch.
void sums_to_outputs(const float8* sums, float8 bias, float8* out) {
    float8 d[STEP * PATCH];
    #pragma unroll
    for (int x = 0; x < PATCH; x++) {
        const float8* m = sums + x * TILES * GROUPS;
        // A constant at frequency (1, 1) is the same constant at every output.
        transform_sums(d + x, PATCH, m[0], x == 1 ? m[PATCH * TILES * GROUPS] + bias : m[PATCH * TILES * GROUPS],
                       m[2 * PATCH * TILES * GROUPS], m[3 * PATCH * TILES * GROUPS], m[4 * PATCH * TILES * GROUPS], m[5 * PATCH * TILES * GROUPS]);
    }
    #pragma unroll
    for (int y = 0; y < STEP; y++) {
        const float8* m = d + y * PATCH;
        transform_sums(out + y * STEP, 1, m[0], m[1], m[2], m[3], m[4], m[5]);
    }
}

#endif

// The samples of four rows of a strip as maps; ring [RING][WIDTH][IN8]. x, y: where the ring began.
void load_rows(FRAME_ARGUMENTS, float* ring, int block, int x, int y, int strip, int W, int H) {
    for (int row = block * STEP; row < (block + 1) * STEP; row++) {
        if (y + row < 0 || y + row >= H) continue;
        float* to = ring + row % RING * WIDTH * IN8;
        for (int column = 0; column < strip + STEP * LAYERS; column++, to += IN8) {
            const int fromX = originX + clamp(x + column, 0, W - 1) * SCALE, fromY = originY + (y + row) * SCALE;
            #pragma unroll
            for (int k = 0; k < IN8; k++) to[k] = k < IN ? working_at(FRAME, k % C, fromY + k / C / SCALE, fromX + k / C % SCALE) : 0.0f;
        }
    }
}

// Four rows of a layer with MAPS maps; in: ring of `groups` vectors per column, out: ring. x0, y0: where the strip and the segment begin.
void layer_forward(const float8* in, int groups, int mapsIn, __global const float8* weight, __global const float8* bias, float8* out,
                   int block, int margin, int x0, int y0, int strip, int W, int H) {
    int offsets[PATCH];
    find_rows(offsets, block, y0 - margin - 1, H, WIDTH * groups);
    float8* to = out + block * STEP % RING * WIDTH * GROUPS;
    const int tiles = strip / STEP + margin;
#ifdef DIRECT
    for (int y = 0; y < STEP; y++) {
        for (int x = 0; x < tiles * STEP; x += TILES) {
            const int first = min(x, tiles * STEP - TILES);
            for (int group = 0; group < GROUPS; group += VECTORS) {
                float8 sums[TILES * VECTORS];
                sum_taps(sums, in + first * groups, offsets + y, groups, mapsIn, weight + group * PRODUCTS * mapsIn, bias + group, VECTORS);
                #pragma unroll
                for (int i = 0; i < TILES * VECTORS; i++) to[(y * WIDTH + first + i / VECTORS) * GROUPS + group + i % VECTORS] = fmax(sums[i], 0.0f);
            }
        }
    }
#else
    float8 frequencies[(1 + FREQUENCIES) * TILES * GROUPS];
    for (int tile = 0; tile < tiles; tile += TILES) {
        const int first = min(tile, tiles - TILES);
        for (int t = 0; t < TILES; t++)
            patch_to_frequencies(in + (first + t) * STEP * groups, offsets, groups, frequencies + (TILES + t) * GROUPS);
        sum_frequencies(frequencies, weight, mapsIn, GROUPS, VECTORS);
        for (int t = 0; t < TILES; t++) {
            for (int group = 0; group < GROUPS; group++) {
                float8 outputs[STEP * STEP];
                sums_to_outputs(frequencies + t * GROUPS + group, bias[group], outputs);
                #pragma unroll
                for (int i = 0; i < STEP * STEP; i++) to[(i / STEP * WIDTH + (first + t) * STEP + i % STEP) * GROUPS + group] = fmax(outputs[i], 0.0f);
            }
        }
    }
#endif
    const int left = margin - x0, right = W - 1 + margin - x0;    // the frame's first and last column
    for (int y = 0; y < STEP; y++, to += WIDTH * GROUPS) {
        for (int i = 0; i < left * GROUPS; i++) to[i] = to[left * GROUPS + i % GROUPS];
        for (int i = (right + 1) * GROUPS; i < tiles * STEP * GROUPS; i++) to[i] = to[right * GROUPS + i % GROUPS];
    }
}

// One pixel of the last layer to the SCALE x SCALE values of the frame that it stands for; its groups of eight maps lie `stride` vectors apart.
void put_pixel(const float8* maps, int stride, float* values, int y, int x) {
    #pragma unroll
    for (int k = 0; k < IN; k++)
        values[(k % C * STEP * SCALE + y * SCALE + k / C / SCALE) * SCALE * MAX_STRIP + x * SCALE + k / C % SCALE] = ((const float*)(maps + k / 8 * stride))[k % 8];
}

// Four rows of the last layer, at the frame's resolution: values [C][STEP*SCALE][SCALE*MAX_STRIP].
void last_layer_forward(const float8* in, __global const float8* weight, __global const float8* bias, float* values, int block, int y0, int strip, int H) {
    int offsets[PATCH];
    find_rows(offsets, block, y0 - 1, H, WIDTH * GROUPS);
#ifdef DIRECT
    for (int y = 0; y < STEP; y++) {
        for (int x = 0; x < strip; x += TILES) {
            const int first = min(x, strip - TILES);
            float8 sums[TILES * VECTORS];
            sum_taps(sums, in + first * GROUPS, offsets + y, GROUPS, MAPS, weight, bias, IN8 / 8);
            #pragma unroll
            for (int t = 0; t < TILES; t++) put_pixel(sums + t * VECTORS, 1, values, y, first + t);
        }
    }
#else
    float8 frequencies[(1 + FREQUENCIES) * TILES * GROUPS];
    for (int tile = 0; tile < strip / STEP; tile += TILES) {
        const int first = min(tile, strip / STEP - TILES);
        for (int t = 0; t < TILES; t++)
            patch_to_frequencies(in + (first + t) * STEP * GROUPS, offsets, GROUPS, frequencies + (TILES + t) * GROUPS);
        sum_frequencies(frequencies, weight, MAPS, IN8 / 8, IN8 / 8);
        for (int t = 0; t < TILES; t++) {
            float8 outputs[IN8 / 8 * STEP * STEP];
            #pragma unroll
            for (int group = 0; group < IN8 / 8; group++) sums_to_outputs(frequencies + t * GROUPS + group, bias[group], outputs + group * STEP * STEP);
            #pragma unroll
            for (int i = 0; i < STEP * STEP; i++) put_pixel(outputs + i, STEP * STEP, values, i / STEP, (first + t) * STEP + i % STEP);
        }
    }
#endif
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void conv3x3_chain_forward(FRAME_ARGUMENTS, RESTORED_ARGUMENTS, __global const float8* restrict weight, __global const float8* restrict bias, int W, int H, int strip, int segment) {
    const int x0 = get_global_id(0) * strip, y0 = get_global_id(1) * segment;
    const int blocks = (min(segment, H - y0) + STEP - 1) / STEP;
    float8 input[RING * WIDTH * IN8 / 8];
    float8 maps[(HIDDEN + 1) * RING_SIZE];
    float values[C * STEP * SCALE * SCALE * MAX_STRIP];

    // Each layer is one block of rows behind the one before.
    for (int step = 0; step < blocks + LAYERS; step++) {
        load_rows(FRAME, originX, originY, (float*)input, step, x0 - LAYERS, y0 - LAYERS, strip, W, H);

        __global const float8* w = weight;
        for (int layer = 0; layer < LAYERS; layer++) {
            const int block = step - 1 - layer, margin = LAYERS - 1 - layer, y = y0 - margin + block * STEP;
            __global const float8* b = bias + layer * GROUPS;
            const bool isInFrame = block >= 0 && y + STEP > 0 && y < H;
            if (layer == 0) {
                if (isInFrame) layer_forward(input, IN8 / 8, IN, w, b, maps, block, margin, x0, y0, strip, W, H);
                w += PRODUCTS * IN * GROUPS;
            } else if (layer < LAYERS - 1) {
                if (isInFrame) layer_forward(maps + (layer - 1) * RING_SIZE, GROUPS, MAPS, w, b, maps + layer * RING_SIZE, block, margin, x0, y0, strip, W, H);
                w += PRODUCTS * MAPS * GROUPS;
            } else if (isInFrame) {
                last_layer_forward(maps + HIDDEN * RING_SIZE, w, b, values, block, y0, strip, H);
                const int left = max(skipX, x0 * SCALE), right = min(skipX + columns, (x0 + strip) * SCALE);
                for (int c = 0; c < C; c++) {
                    for (int i = 0; i < STEP * SCALE; i++) {
                        const int fullY = y * SCALE + i;
                        if (fullY < skipY || fullY >= skipY + rows) continue;
                        const float* row = values + (c * STEP * SCALE + i) * SCALE * MAX_STRIP - x0 * SCALE;
                        if (left < right) restore_row(FRAME, RESTORED, c, originY + fullY, originX + left, right - left, row + left);
                    }
                }
            }
        }
    }
}
