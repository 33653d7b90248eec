// Copies between a whole tensor and the tile on which the layers of a network run.
//
//   tensor  float [C][H][W], row-major, no gap between rows
//   tile    float [C][tileRows][tileStride]; load fills all of it, store reads from an unpadded one
//
//   tile_load:   tile[c][y][x] = tensor[c][clamp(originY + y, 0, H-1)][clamp(originX + x, 0, W-1)]
//                (originX, originY) is the tensor position of the tile's first sample, halo included: negative at the top and left edge.
//   tile_store:  tensor[c][originY + y][originX + x] = tile[c][y][x] for y in skipY.., x in skipX..
//                (skipX, skipY) leaves out the overlap, whose samples a neighbouring tile gets right.
// Work:   one work-item per sample; load: global = { tileStride, tileRows, C }, store: global = { columns, rows, C } of the region kept. Any local that divides it.

__kernel void tile_load(__global const float* restrict tensor, __global float* restrict tile, int W, int H, int originX, int originY) {
    const int x = get_global_id(0), y = get_global_id(1), c = get_global_id(2);
    const size_t tileStride = get_global_size(0), tileRows = get_global_size(1);
    tile[(c * tileRows + y) * tileStride + x] = tensor[((size_t)c * H + clamp(originY + y, 0, H - 1)) * W + clamp(originX + x, 0, W - 1)];
}

__kernel void tile_store(__global const float* restrict tile, __global float* restrict tensor, int W, int H, int tileW, int tileH,
                         int originX, int originY, int skipX, int skipY) {
    const int x = get_global_id(0) + skipX, y = get_global_id(1) + skipY, c = get_global_id(2);
    tensor[((size_t)c * H + originY + y) * W + originX + x] = tile[((size_t)c * tileH + y) * tileW + x];
}
