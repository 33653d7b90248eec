// Between the samples of a frame and the working space of networks. Included by the kernels of first layers, which read a frame, and of last layers, which write one.
//
// Working space: gamma-encoded, 0 to 1. One channel (C 1): the limited-range luma code value / MAX_CODE (black 16/255 = 0.0627 at 8 bit); full-range luma is
// mapped affinely into it, and R, G, B give Y = (16 + (65.481 R + 128.553 G + 24.966 B) / 255) / 255 with R, G, B scaled to 0..255. Three channels (C 3): R, G, B / MAX_CODE.
//
//   frame      SAMPLE [frameH][frameStride]; a row holds frameW pixels of SAMPLES interleaved samples each; strides count samples.
//              With PLANAR instead float [C][frameH][frameStride], working values as they are.
//   restored   of the same layout; another buffer than frame
//   working_at:  offset + scale * sample at frame position (x, y), clamped into the frame; weighted for luma of R, G, B.
//   restore_at:  restored = sample + CODE_STEP * round(gain * change), clamped to 0..MAX_CODE, where gain = strength * code values per unit of the working space and halves round to even.
//                change is what the network found: its sum with SKIP (a network whose last step adds the frame), else its result - the working value.
//                With SAMPLES 3 or 4 and C 1 the same change is added to R, G and B, which leaves Cb and Cr as they were. No change leaves the sample as it was, bit by bit.
//                PLANAR: restored = frame + gain * change with SKIP, else the result.
//
// A launch computes one tile of the frame: tile position (0, 0) is frame position (originX, originY), and of the tile's W x H pixels
// columns x rows from (skipX, skipY) are kept; a neighbouring tile has the others right.

#ifndef SAMPLE
#define SAMPLE uchar     // uchar, ushort, or float with PLANAR
#define MAX_CODE 255     // largest sample
#define CODE_STEP 1      // from one sample value to the next: 1, or 64 where 10 bits lie in the high bits of a word
#define SAMPLES 1        // interleaved samples per pixel: 1, 3, or 4 of which the last is copied
#define RED 0            // position of R in a pixel: 0 (RGB) or 2 (BGR)
#endif
#ifndef C
#define C 1              // channels of the network
#endif
#define BLUE (2 - RED)

// Arguments that the host binds the same way for every first and last layer (FrameBinding.cs).
#define FRAME_ARGUMENTS __global const SAMPLE* restrict frame, int frameStride, int frameW, int frameH, float scale, float offset, int originX, int originY
#define RESTORED_ARGUMENTS __global SAMPLE* restrict restored, float gain, int skipX, int skipY, int columns, int rows
// The same as they are handed on to the functions below.
#define FRAME frame, frameStride, frameW, frameH, scale, offset
#define RESTORED restored, gain
// Whether a pixel of the tile is kept.
#define IS_KEPT(y, x) ((x) >= skipX && (x) < skipX + columns && (y) >= skipY && (y) < skipY + rows)

#ifdef PLANAR
#define SAMPLE_AT(c, y, x) (((size_t)(c) * frameH + (y)) * frameStride + (x))
#else
#define SAMPLE_AT(c, y, x) ((size_t)(y) * frameStride + (size_t)(x) * SAMPLES + (SAMPLES == 1 ? 0 : (c) == 0 ? RED : (c) == 1 ? 1 : BLUE))
#endif

// x and y lie inside the frame.
float working_inside(__global const SAMPLE* restrict frame, int frameStride, int frameW, int frameH, float scale, float offset, int c, int y, int x) {
#if defined(PLANAR)
    return frame[SAMPLE_AT(c, y, x)];
#elif SAMPLES >= 3 && C == 1
    __global const SAMPLE* p = frame + (size_t)y * frameStride + (size_t)x * SAMPLES;
    return offset + scale * (65.481f * p[RED] + 128.553f * p[1] + 24.966f * p[BLUE]);
#else
    return offset + scale * (float)frame[SAMPLE_AT(c, y, x)];
#endif
}

float working_at(__global const SAMPLE* restrict frame, int frameStride, int frameW, int frameH, float scale, float offset, int c, int y, int x) {
    return working_inside(FRAME, c, clamp(y, 0, frameH - 1), clamp(x, 0, frameW - 1));
}

// Eight whole numbers as samples, clamped to 0..MAX_CODE; of formats with several samples per pixel, which fill their type.
#if MAX_CODE > 255
#define TO_SAMPLES convert_ushort8_sat
#else
#define TO_SAMPLES convert_uchar8_sat
#endif

// Codes and changes are small integers, which floats hold exactly.
#define ADD_CHANGE(sample, change) ((SAMPLE)clamp((float)(sample) + (change), 0.0f, (float)MAX_CODE))

// x and y lie inside the frame; value is the network's sum (SKIP) or result for channel c.
void restore_at(__global const SAMPLE* restrict frame, int frameStride, int frameW, int frameH, float scale, float offset,
                       __global SAMPLE* restrict restored, float gain, int c, int y, int x, float value) {
    const size_t at = SAMPLE_AT(c, y, x);
#if defined(PLANAR) && defined(SKIP)
    restored[at] = frame[at] + gain * value;
#elif defined(PLANAR)
    restored[at] = value;
#else
#ifdef SKIP
    const float change = CODE_STEP * rint(gain * value);
#else
    const float change = CODE_STEP * rint(gain * (value - working_inside(FRAME, c, y, x)));
#endif
#if SAMPLES >= 3
    const size_t pixel = (size_t)y * frameStride + (size_t)x * SAMPLES;
#endif
#if SAMPLES == 4
    restored[pixel + 3] = frame[pixel + 3];
#endif
#if SAMPLES >= 3 && C == 1
    for (int s = 0; s < 3; s++) restored[pixel + s] = ADD_CHANGE(frame[pixel + s], change);
#else
    restored[at] = ADD_CHANGE(frame[at], change);
#endif
#endif
}

// restore_at for `count` pixels of row y from column x on; value[i] belongs to column x + i.
void restore_row(__global const SAMPLE* restrict frame, int frameStride, int frameW, int frameH, float scale, float offset,
                 __global SAMPLE* restrict restored, float gain, int c, int y, int x, int count, const float* value) {
    int i = 0;
#if defined(SKIP) && !defined(PLANAR) && SAMPLES >= 3 && C == 1
    // Eight pixels are as many vectors of eight samples as a pixel has samples; each change is repeated for R, G and B. Sums beyond the range end at it.
    for (; i + 8 <= count; i += 8) {
        const int8 change = convert_int8_sat_rte(gain * vload8(0, value + i));
        const size_t at = (size_t)y * frameStride + (size_t)(x + i) * SAMPLES;
#if SAMPLES == 3
        const int8 changes[SAMPLES] = { change.s00011122, change.s23334445, change.s55666777 };
#else
        const int8 alpha = (int8)(-1, -1, -1, 0, -1, -1, -1, 0);
        const int8 changes[SAMPLES] = { change.s00001111 & alpha, change.s22223333 & alpha, change.s44445555 & alpha, change.s66667777 & alpha };
#endif
        for (int v = 0; v < SAMPLES; v++) vstore8(TO_SAMPLES(convert_int8(vload8(v, frame + at)) + changes[v]), v, restored + at);
    }
#endif
    for (; i < count; i++) restore_at(FRAME, RESTORED, c, y, x + i, value[i]);
}
