// Copies between a whole tensor and the tile on which the layers of a network run.
//
//   tensor  float [C][H][W], row-major, no gap between rows
//   tile    float [C][tileRows][tileStride]; load fills all of it, store reads from an unpadded one
//
//   tile_load:   tile[c][y][x] = tensor[c][clamp(originY + y, 0, H-1)][clamp(originX + x, 0, W-1)]
//                (originX, originY) is the tensor position of the tile's first sample, halo included: negative at the top and left edge.
//   tile_store:  tensor[c][originY + y][originX + x] = tile[c][y][x] for y in skipY.., x in skipX..
//                (skipX, skipY) leaves out the overlap, whose samples a neighbouring tile gets right.
// Work:   one work-item per RUN samples of a row; load: global = { >= ceil(tileStride/RUN), tileRows, C }, store: global = { >= ceil(columns/RUN), rows, C } of the region kept.
//         Any local that divides it.

#ifndef RUN
#define RUN 1        // samples per work-item: 1 on a GPU, a whole row on a CPU, whose driver pays for every work-item
#endif

__kernel void tile_load(__global const float* restrict tensor, __global float* restrict tile, int W, int H, int tileStride, int originX, int originY) {
    const int begin = get_global_id(0) * RUN, end = min(begin + RUN, tileStride), y = get_global_id(1), c = get_global_id(2);
    if (begin >= end) return;
    __global const float* from = tensor + ((size_t)c * H + clamp(originY + y, 0, H - 1)) * W;
    __global float* to = tile + (c * get_global_size(1) + y) * (size_t)tileStride;
    // Left of the tensor, inside, right of it: the middle, nearly all of it, is a plain copy.
    const int inside = clamp(-originX, begin, end), outside = clamp(W - originX, inside, end);
    for (int x = begin; x < inside; x++) to[x] = from[0];
    for (int x = inside; x < outside; x++) to[x] = from[originX + x];
    for (int x = outside; x < end; x++) to[x] = from[W - 1];
}

__kernel void tile_store(__global const float* restrict tile, __global float* restrict tensor, int W, int H, int tileW, int tileH,
                         int originX, int originY, int skipX, int skipY, int columns) {
    const int begin = get_global_id(0) * RUN + skipX, end = min(begin + RUN, columns + skipX), y = get_global_id(1) + skipY, c = get_global_id(2);
    __global const float* from = tile + ((size_t)c * tileH + y) * tileW;
    __global float* to = tensor + ((size_t)c * H + originY + y) * W + originX;
    for (int x = begin; x < end; x++) to[x] = from[x];
}
