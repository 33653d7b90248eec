// Weights that depend on the blur, in training. A network holds B sets of parameters; image n of a batch is restored with a mixture of them:
//
//   weight[n][i] = sum over b of blend[n][b] * parameter[b][i]
//   dParameter[b][i] = sum over n of blend[n][b] * (sum over the image's P parts of partial[n*P + p][i])
//
// Without conditioning B = 1 and blend = 1. With knots of sigma, set 0 counts fully everywhere and set 1 + j with the height of a hat over knot j: 1 at the knot, falling
// linearly to 0 at its neighbours. The common set learns from every image, the others only how their knot differs; added up they are the weights at the knots.
//
// Buffers: parameter, dParameter float [B][count]; weight float [N][count]; partial float [N*P][count]; blend float [N][B]; sigma float [..], the batch starts at `first`;
//          knots float [B - 1], ascending. count is a multiple of 16.
// Work:    blend_weights: one work-item; expand: one per 16 floats of an image, global = { count/16, N }; collect: one per LANES floats, global = { count/LANES };
//          turn: one per element, global = { elements, N }; local = { LOCAL, 1, 1 }, rounded up.
// CPU reference: tests/RealtimeDeblur.Tests/Training/Layers/ReferenceTraining.cs

#ifndef SETS
#define SETS 1       // B
#endif
#ifndef LOCAL
#define LOCAL 1      // work-items of a work-group: 1 on a CPU, whose work-items compute 16 floats each
#endif
#ifndef LANES
#define LANES 16     // floats of a work-item: 16 on a CPU, 1 on a GPU
#endif
#if LANES == 16
#define FLOATS float16
#define LOAD(i, p) vload16(i, p)
#define STORE(v, i, p) vstore16(v, i, p)
#else
#define FLOATS float
#define LOAD(i, p) (p)[i]
#define STORE(v, i, p) (p)[i] = v
#endif

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void blend_weights(__global const float* restrict sigma, int first, __global const float* restrict knots, __global float* restrict blend, int N) {
    for (int n = 0; n < N; n++) {
        blend[n*SETS] = 1;
        const float s = SETS > 1 ? clamp(sigma[first + n], knots[0], knots[max(SETS - 2, 0)]) : 0.0f;
        for (int j = 0; j < SETS - 1; j++) {
            float height = 1;
            if (j > 0 && s < knots[j]) height = (s - knots[j - 1])/(knots[j] - knots[j - 1]);
            if (j < SETS - 2 && s > knots[j]) height = (knots[j + 1] - s)/(knots[j + 1] - knots[j]);
            blend[n*SETS + 1 + j] = fmax(height, 0.0f);
        }
    }
}

__kernel __attribute__((reqd_work_group_size(LOCAL, 1, 1)))
void expand(__global const float* restrict parameter, int count, __global const float* restrict blend, __global float* restrict weight) {
    const int i = get_global_id(0), n = get_global_id(1);
    if (i*LANES >= count) return;
    FLOATS sum = 0;
    for (int b = 0; b < SETS; b++) {
        const float share = blend[n*SETS + b];
        if (share != 0) sum += share*LOAD(i, parameter + b*count);
    }
    STORE(sum, i, weight + n*count);
}

__kernel __attribute__((reqd_work_group_size(LOCAL, 1, 1)))
void collect(__global const float* restrict partial, int count, __global const float* restrict blend, int N, int P, __global float* restrict gradient) {
    const int i = get_global_id(0);
    if (i*LANES >= count) return;
    FLOATS sums[SETS];
    for (int b = 0; b < SETS; b++) sums[b] = 0;
    for (int n = 0; n < N; n++) {
        FLOATS image = 0;
        for (int p = 0; p < P; p++) image += LOAD(i, partial + (n*P + p)*count);
        for (int b = 0; b < SETS; b++) sums[b] += blend[n*SETS + b]*image;
    }
    for (int b = 0; b < SETS; b++) STORE(sums[b], i, gradient + b*count);
}

// to[n][i] = from[n][index[i]], or 0 where index[i] < 0: lays each image's weights out for the backward pass.
__kernel __attribute__((reqd_work_group_size(16, 1, 1)))
void turn(__global const float* restrict from, int count, __global const int* restrict index, __global float* restrict to) {
    const int i = get_global_id(0), n = get_global_id(1);
    to[n*(int)get_global_size(0) + i] = index[i] < 0 ? 0.0f : from[n*count + index[i]];
}

// to[n][y][x][c] += from[n][y][x][c]: the gradient of a tensor that a skip connection read.  Work: global = { H, N }, local = { 1, 1, 1 }: one row each.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void add_maps(__global const float* restrict from, int fromOrigin, int fromRow, int fromImage, __global float* restrict to, int toOrigin, int toRow, int toImage, int floats) {
    const int y = get_global_id(0), n = get_global_id(1);
    from += fromOrigin + n*fromImage + y*fromRow;
    to += toOrigin + n*toImage + y*toRow;
    for (int i = 0; i < floats; i++) to[i] += from[i];
}

// maps[n][..] = 0, halo included.  Work: global = { N, 16 }, local = { 1, 16 }.
__kernel __attribute__((reqd_work_group_size(1, 16, 1)))
void clear(__global float* restrict maps, int image) {
    maps += (int)get_global_id(0)*image;
    for (int i = get_global_id(1); i < image; i += 16) maps[i] = 0;
}
