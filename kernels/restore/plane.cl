// Between a frame's samples and a float plane of working values, for methods that go over the picture several times.
//
//   plane_from_frame:  plane[y][x] = working_at(y, x)                   (color/samples.cl)
//   plane_to_frame:    restored = sample + the change from working_at(y, x) to plane[y][x], times the strength; see restore_at in color/samples.cl
//
// Tensors, row-major, no gap between rows:
//   plane  float [H][W]   gamma-encoded luma, 0 to 1
// Work:   one work-item per RUN pixels of a row; global = { roundUp(ceil(W/RUN), local x), roundUp(H, local y) }, any local.
// Tests: tests/RealtimeDeblur.Tests/Restoration/Methods/FilterTests.cs

#ifndef RUN
#define RUN 128     // pixels of a row per work-item: a vector's worth of rows on CPUs, 1 on GPUs
#endif

#include "color/samples.cl"

__kernel void plane_from_frame(FRAME_ARGUMENTS, __global float* restrict plane) {
    const int from = get_global_id(0) * RUN, y = get_global_id(1);
    if (from >= frameW || y >= frameH) return;
    const int to = min(from + RUN, frameW);
    for (int x = from; x < to; x++) plane[(size_t)y * frameW + x] = working_inside(FRAME, 0, y, x);
}

__kernel void plane_to_frame(FRAME_ARGUMENTS, RESTORED_ARGUMENTS, __global const float* restrict plane) {
    const int from = get_global_id(0) * RUN, y = get_global_id(1);
    if (from >= frameW || y >= frameH) return;
    const int to = min(from + RUN, frameW);
    for (int x = from; x < to; x++) restore_at(FRAME, RESTORED, 0, y, x, plane[(size_t)y * frameW + x]);
}
