// Mixes restorations for several sigmas into one for a sigma that changes over the frame: each pixel takes the two whose sigmas enclose its own.
//
//   step(y, x)   = steps interpolated between the centres of the four parts around the pixel, bilinearly; beyond the outermost centres as there
//   weight       = max(0, 1 - |step(y, x) - level|)
//   plane[y][x] += weight * (working_at(restored, y, x) - working_at(frame, y, x))          for the pixels of a tile
//
// Levels are numbered 0, 1, ... ; level 0 changes nothing and is never run, so that a part that is sharp stays as it is. What steps stand for is the host's: SigmaLevels.
//
// Tensors, row-major, no gap between rows:
//   frame, restored  frames of one layout (color/samples.cl)
//   steps   float [partRows][partColumns]; part (0, 0) has its centre at (firstX, firstY), its neighbours are spacingX and spacingY pixels away
//   plane   float [H][W], accumulated
// Work:   one work-item per RUN pixels of a row of the tile; global = { roundUp(ceil(columns/RUN), local x), rows }, any local.
// CPU reference: tests/RealtimeDeblur.Tests/Restoration/SigmaTilesRestorationTests.cs

#ifndef RUN
#define RUN 64      // pixels of a row per work-item
#endif

#include "color/samples.cl"

__kernel void sigma_blend(FRAME_ARGUMENTS, __global const SAMPLE* restrict restored, __global const float* restrict steps, int partColumns, int partRows,
                          float firstX, float firstY, float spacingX, float spacingY, float level, __global float* restrict plane, int columns, int rows) {
    const int from = get_global_id(0) * RUN, row = get_global_id(1);
    if (from >= columns || row >= rows) return;
    const int y = originY + row;
    const float partY = clamp((y - firstY) / spacingY, 0.0f, (float)(partRows - 1));
    const int top = min((int)partY, max(partRows - 2, 0)), bottom = min(top + 1, partRows - 1);
    const float shareY = partY - top;
    const int to = min(from + RUN, columns);
    for (int column = from; column < to; column++) {
        const int x = originX + column;
        const float partX = clamp((x - firstX) / spacingX, 0.0f, (float)(partColumns - 1));
        const int left = min((int)partX, max(partColumns - 2, 0)), right = min(left + 1, partColumns - 1);
        const float shareX = partX - left;
        const float above = mix(steps[top * partColumns + left], steps[top * partColumns + right], shareX);
        const float below = mix(steps[bottom * partColumns + left], steps[bottom * partColumns + right], shareX);
        const float weight = 1.0f - fabs(mix(above, below, shareY) - level);
        if (weight <= 0) continue;
        plane[(size_t)y * frameW + x] += weight * (working_inside(restored, frameStride, frameW, frameH, scale, offset, 0, y, x) - working_inside(FRAME, 0, y, x));
    }
}
