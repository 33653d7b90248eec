// Between the samples of a frame and the working space of networks.
//
// Working space: gamma-encoded, 0 to 1. One channel (C 1): the limited-range luma code value / MAX_CODE (black 16/255 = 0.0627 at 8 bit); full-range luma is
// mapped affinely into it, and R, G, B give Y = (16 + (65.481 R + 128.553 G + 24.966 B) / 255) / 255 with R, G, B scaled to 0..255. Three channels (C 3): R, G, B / MAX_CODE.
//
//   frame   SAMPLE [H][frameStride]; a row holds W pixels of SAMPLES interleaved samples each; strides count samples
//   tile    float [C][tileRows][tileStride], the padded input of the layers
//   result  float [C][tileH][tileW], their output
//
//   frame_load:   tile[c][y][x] = offset + scale * code at frame position (clamp(originX + x), clamp(originY + y)), weighted for luma of R, G, B;
//                 (originX, originY) is the frame position of the tile's first sample, halo included.
//   frame_store:  restored = sample + round(gain * (result - tile)), clamped to 0..MAX_CODE, where gain = strength * code values per unit of the working space and
//                 halves round to even. With SAMPLES 3 and C 1 the same change is added to R, G and B, which leaves Cb and Cr as they were.
//                 An unchanged working value leaves the sample unchanged, bit by bit.
// Work:   one work-item per RUN pixels of a row. load: global = { >= ceil(tileStride/RUN), tileRows }, store: global = { >= ceil(columns/RUN), rows } of the region kept. Any local that divides it.

#ifndef SAMPLE
#define SAMPLE uchar     // uchar or ushort
#define MAX_CODE 255     // largest code value
#define SAMPLES 1        // interleaved samples per pixel: 1 or 3
#define RED 0            // position of R in a pixel: 0 (RGB) or 2 (BGR)
#define C 1              // channels of the network
#define RUN 1            // pixels per work-item: 1 on a GPU, hundreds on a CPU
#endif
#define BLUE (2 - RED)

#if SAMPLES == 3 && C == 1
#define WORKING(p, c) (65.481f * (p)[RED] + 128.553f * (p)[1] + 24.966f * (p)[BLUE])
#elif SAMPLES == 3
#define WORKING(p, c) ((float)(p)[(c) == 0 ? RED : (c) == 1 ? 1 : BLUE])
#else
#define WORKING(p, c) ((float)(p)[0])
#endif

// Codes and changes are small integers, which floats hold exactly.
#define ADD(sample, change) ((SAMPLE)clamp((float)(sample) + (change), 0.0f, (float)MAX_CODE))

__kernel void frame_load(__global const SAMPLE* restrict frame, __global float* restrict tile, int frameStride, int W, int H,
                         int tileStride, int originX, int originY, float scale, float offset) {
    const int y = get_global_id(1), begin = get_global_id(0) * RUN, end = min(begin + RUN, tileStride);
    if (begin >= end) return;
    const size_t tilePlane = (size_t)get_global_size(1) * tileStride;
    __global const SAMPLE* row = frame + (size_t)clamp(originY + y, 0, H - 1) * frameStride;
    for (int c = 0; c < C; c++) {
        __global float* to = tile + c * tilePlane + (size_t)y * tileStride;
        // Left of the frame, inside, right of it: the middle, nearly all of it, needs no clamping.
        const int inside = clamp(-originX, begin, end), outside = clamp(W - originX, inside, end);
        for (int x = begin; x < inside; x++) to[x] = offset + scale * WORKING(row, c);
        for (int x = inside; x < outside; x++) to[x] = offset + scale * WORKING(row + (originX + x) * SAMPLES, c);
        for (int x = outside; x < end; x++) to[x] = offset + scale * WORKING(row + (W - 1) * SAMPLES, c);
    }
}

__kernel void frame_store(__global const SAMPLE* restrict frame, __global const float* restrict tile, __global const float* restrict result, __global SAMPLE* restrict restored,
                          int frameStride, int tileStride, int tileRows, int pad, int tileW, int tileH,
                          int originX, int originY, int skipX, int skipY, int columns, float gain) {
    const int y = get_global_id(1) + skipY, begin = get_global_id(0) * RUN + skipX, end = min(begin + RUN, columns + skipX);
    __global const SAMPLE* from = frame + (size_t)(originY + y) * frameStride + originX * SAMPLES;
    __global SAMPLE* to = restored + (size_t)(originY + y) * frameStride + originX * SAMPLES;
    for (int c = 0; c < C; c++) {
        __global const float* before = tile + ((size_t)c * tileRows + y + pad) * tileStride + pad;
        __global const float* after = result + ((size_t)c * tileH + y) * tileW;
        for (int x = begin; x < end; x++) {
            const float change = rint(gain * (after[x] - before[x]));
#if SAMPLES == 3 && C == 1
            for (int s = 0; s < 3; s++) to[x * 3 + s] = ADD(from[x * 3 + s], change);
#elif SAMPLES == 3
            const int at = x * 3 + (c == 0 ? RED : c == 1 ? 1 : BLUE);
            to[at] = ADD(from[at], change);
#else
            to[x] = ADD(from[x], change);
#endif
        }
    }
}
