// Makes training patches on the device: cuts them out of the sharp pictures, turns them, blurs them, and, for camera-like pairs, adds noise and compression.
//
//   gaussian (the source paper's):  blurred = round8(G * sharp)
//   camera (-DCAMERA):              blurred = jpeg(round8(encode(noise(G * decode(sharp)))))  with the sRGB curve, noise of variance read^2 + shot*signal in linear light
//
// Order: extract_patches, blur_rows, blur_columns, and with CAMERA compress_patches.
// Buffers:
//   pictures  uchar, planes of C per picture one after another, [C][height][width], gamma-encoded
//   patch     int [..][8], the batch starts at `first`: offset of the picture, its width, height, left, top (of the network's input), orientation 0-7, JPEG quality (0: none), noise seed
//   blur      float [..][3 + TAPS], likewise: read noise (deviation), shot noise (variance per unit of light), weight in the loss, and the Gaussian's taps, sum 1
//   weight    float [N]: the patches' weights, for the loss
//   cut       float [N][C][CUT][CUT], CUT = IN + TAPS - 1: the patch with what the blur needs around it
//   rows      float [N][C][CUT][IN]
//   blurred   float [N][IN][IN][C], 0 to 1: the network's input
//   sharp     float [N][OUT][OUT][C], 0 to 1: the middle of the patch, what the network shall return
//   decode    float [256]: code value to linear light, 0 to 1; encode float [ENCODE_SIZE]: linear light i/(ENCODE_SIZE - 1) to code value
// Borders of a picture mirror without repeating the edge (reflect-101). Patches lie in pictures at least OUT pixels wide and high.
// Reference: tests/RealtimeDeblur.Tests/Training/PatchDegraderTests.cs

#ifndef C
#define C 1              // channels of the frame
#endif
#ifndef IN
#define IN 104           // side of the network's input
#endif
#ifndef OUT
#define OUT 92           // side of the network's output
#endif
#ifndef TAPS
#define TAPS 25          // taps of the longest Gaussian, odd
#endif
#define CUT (IN + TAPS - 1)
#define ENCODE_SIZE 4096
#define PATCH_INTS 8
#define BLUR_FLOATS (3 + TAPS)

int mirror(int i, int size) {
    // Twice is enough for any margin below the picture's size; the clamp covers pictures smaller than the blur.
    if (i < 0) i = -i;
    if (i >= size) i = 2*size - 2 - i;
    return clamp(i, 0, size - 1);
}

// Work: global = { CUT, N, 1 }, local = { 1, 1, 1 }: one row of the cut each.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void extract_patches(__global const uchar* restrict pictures, __global const int* restrict patch, __global const float* restrict blur,
                     __global const float* restrict decode, __global float* restrict cut, __global float* restrict sharp,
                     __global float* restrict weight, int first) {
    const int y = get_global_id(0), n = get_global_id(1), sy = y - (CUT - OUT)/2;
    __global const int* p = patch + (first + n)*PATCH_INTS;
    const int width = p[1], height = p[2], orientation = p[5];
    if (y == 0) weight[n] = blur[(first + n)*BLUR_FLOATS + 2];
    for (int x = 0; x < CUT; x++) {
        // Orientation: bit 0 flips left-right, bit 1 flips top-bottom, bit 2 transposes: the eight symmetries of the square.
        int u = (orientation & 4) ? y : x, v = (orientation & 4) ? x : y;
        if (orientation & 1) u = CUT - 1 - u;
        if (orientation & 2) v = CUT - 1 - v;
        const int from = p[0] + mirror(p[4] + v - TAPS/2, height)*width + mirror(p[3] + u - TAPS/2, width);
        const int sx = x - (CUT - OUT)/2;
        for (int c = 0; c < C; c++) {
            const uchar value = pictures[from + c*width*height];
#ifdef CAMERA
            cut[((n*C + c)*CUT + y)*CUT + x] = decode[value];
#else
            cut[((n*C + c)*CUT + y)*CUT + x] = value;
#endif
            if (sx >= 0 && sx < OUT && sy >= 0 && sy < OUT) sharp[((n*OUT + sy)*OUT + sx)*C + c] = value*(1.0f/255.0f);
        }
    }
}

// Work: global = { CUT, N*C, 1 }, local = { 1, 1, 1 }: one row each, eight columns at a time; IN a multiple of 8.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void blur_rows(__global const float* restrict cut, __global const float* restrict blur, __global float* restrict rows, int first) {
    const int y = get_global_id(0), plane = get_global_id(1);
    __global const float* tap = blur + (first + plane/C)*BLUR_FLOATS + 3;
    __global const float* from = cut + (plane*CUT + y)*CUT;
    __global float* to = rows + (plane*CUT + y)*IN;
    for (int x = 0; x < IN; x += 8) {
        float8 sum = 0;
        for (int t = 0; t < TAPS; t++) sum = fma((float8)(tap[t]), vload8(0, from + x + t), sum);
        vstore8(sum, 0, to + x);
    }
}

// A hash of the pixel and the patch's seed (PCG output permutation on an LCG step: O'Neill 2014; Jarzynski and Olano, JCGT 9(3) 2020).
uint pcg(uint state) {
    state = state*747796405u + 2891336453u;
    const uint word = ((state >> ((state >> 28) + 4)) ^ state)*277803737u;
    return (word >> 22) ^ word;
}

float normal(uint seed) {
    // Box and Muller (1958).
    const uint a = pcg(seed), b = pcg(a);
    const float u = ((a >> 8) + 1)*(1.0f/16777217.0f), phase = (b >> 8)*(6.2831853f/16777216.0f);
    return native_sqrt(-2*native_log(u))*native_cos(phase);
}

// Work: global = { IN/8, IN, N*C }, local = { 1, 1, 1 }: eight columns each.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void blur_columns(__global const float* restrict rows, __global const int* restrict patch, __global const float* restrict blur,
                  __global const float* restrict encode, __global float* restrict blurred, int first) {
    const int x = get_global_id(0)*8, y = get_global_id(1), plane = get_global_id(2), n = plane/C, c = plane%C;
    __global const float* settings = blur + (first + n)*BLUR_FLOATS;
    __global const float* from = rows + (plane*CUT + y)*IN + x;
    float8 sum = 0;
    for (int t = 0; t < TAPS; t++, from += IN) sum = fma((float8)(settings[3 + t]), vload8(0, from), sum);
    float value[8];
    vstore8(sum, 0, value);
    for (int i = 0; i < 8; i++) {
#ifdef CAMERA
        const uint seed = pcg((uint)patch[(first + n)*PATCH_INTS + 7] + (uint)((y*IN + x + i)*C + c));
        const float deviation = sqrt(settings[0]*settings[0] + settings[1]*fmax(value[i], 0.0f));
        const float linear = clamp(value[i] + deviation*normal(seed), 0.0f, 1.0f)*(ENCODE_SIZE - 1);
        const int index = min((int)linear, ENCODE_SIZE - 2);
        const float code = mix(encode[index], encode[index + 1], linear - index);
#else
        const float code = value[i];
#endif
        blurred[((n*IN + y)*IN + x + i)*C + c] = rint(clamp(code, 0.0f, 255.0f))*(1.0f/255.0f);
    }
}

#ifdef CAMERA
// JPEG's loss without its bit stream: DCT of 8x8 blocks, quantisation with the tables of ITU-T T.81 Annex K scaled to a quality as libjpeg does, and back.
// RGB goes through YCbCr without chroma subsampling. In place; the patch's corner starts a block, which is as random as the patch's place in its picture.
__constant uchar LUMA_TABLE[64] = {
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99 };
__constant uchar CHROMA_TABLE[64] = {
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99 };
// DCT-II basis, orthonormal: COSINE[u][x] = a(u) cos((2x + 1) u pi/16), a(0) = sqrt(1/8), else 1/2.
__constant float COSINE[64] = {
    0.35355339f, 0.35355339f, 0.35355339f, 0.35355339f, 0.35355339f, 0.35355339f, 0.35355339f, 0.35355339f,
    0.49039264f, 0.41573481f, 0.27778512f, 0.09754516f, -0.09754516f, -0.27778512f, -0.41573481f, -0.49039264f,
    0.46193977f, 0.19134172f, -0.19134172f, -0.46193977f, -0.46193977f, -0.19134172f, 0.19134172f, 0.46193977f,
    0.41573481f, -0.09754516f, -0.49039264f, -0.27778512f, 0.27778512f, 0.49039264f, 0.09754516f, -0.41573481f,
    0.35355339f, -0.35355339f, -0.35355339f, 0.35355339f, 0.35355339f, -0.35355339f, -0.35355339f, 0.35355339f,
    0.27778512f, -0.49039264f, 0.09754516f, 0.41573481f, -0.41573481f, -0.09754516f, 0.49039264f, -0.27778512f,
    0.19134172f, -0.46193977f, 0.46193977f, -0.19134172f, -0.19134172f, 0.46193977f, -0.46193977f, 0.19134172f,
    0.09754516f, -0.27778512f, 0.41573481f, -0.49039264f, 0.49039264f, -0.41573481f, 0.27778512f, -0.09754516f };

void compress_block(float* block, __constant uchar* table, int quality) {
    const int scale = quality < 50 ? 5000/quality : 200 - 2*quality;
    float half_way[64];
    for (int u = 0; u < 8; u++)
        for (int x = 0; x < 8; x++) {
            float sum = 0;
            for (int i = 0; i < 8; i++) sum += COSINE[u*8 + i]*block[i*8 + x];
            half_way[u*8 + x] = sum;
        }
    for (int u = 0; u < 8; u++)
        for (int v = 0; v < 8; v++) {
            float sum = 0;
            for (int i = 0; i < 8; i++) sum += half_way[u*8 + i]*COSINE[v*8 + i];
            const float step = clamp((table[u*8 + v]*scale + 50)/100, 1, 255);
            block[u*8 + v] = rint(sum/step)*step;
        }
    for (int y = 0; y < 8; y++)
        for (int v = 0; v < 8; v++) {
            float sum = 0;
            for (int i = 0; i < 8; i++) sum += COSINE[i*8 + y]*block[i*8 + v];
            half_way[y*8 + v] = sum;
        }
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            float sum = 0;
            for (int i = 0; i < 8; i++) sum += half_way[y*8 + i]*COSINE[i*8 + x];
            block[y*8 + x] = sum;
        }
}

// Work: global = { IN/8, IN/8, N }, local = { 1, 1, 1 }: one block each.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void compress_patches(__global const int* restrict patch, __global float* restrict blurred, int first) {
    const int n = get_global_id(2), quality = patch[(first + n)*PATCH_INTS + 6];
    if (quality == 0) return;
    __global float* corner = blurred + ((n*IN + (int)get_global_id(1)*8)*IN + (int)get_global_id(0)*8)*C;
    float block[C][64];
    for (int i = 0; i < 64; i++)
        for (int c = 0; c < C; c++) block[c][i] = corner[((i/8)*IN + i%8)*C + c]*255.0f - 128.0f;
#if C == 3
    for (int i = 0; i < 64; i++) {
        const float r = block[0][i], g = block[1][i], b = block[2][i];
        block[0][i] = 0.299f*r + 0.587f*g + 0.114f*b;
        block[1][i] = 0.564f*(b - block[0][i]);
        block[2][i] = 0.713f*(r - block[0][i]);
    }
#endif
    for (int c = 0; c < C; c++) compress_block(block[c], c == 0 ? LUMA_TABLE : CHROMA_TABLE, quality);
#if C == 3
    for (int i = 0; i < 64; i++) {
        const float y = block[0][i], cb = block[1][i], cr = block[2][i];
        block[0][i] = y + 1.403f*cr;
        block[1][i] = y - 0.344f*cb - 0.714f*cr;
        block[2][i] = y + 1.773f*cb;
    }
#endif
    for (int i = 0; i < 64; i++)
        for (int c = 0; c < C; c++) corner[((i/8)*IN + i%8)*C + c] = rint(clamp(block[c][i] + 128.0f, 0.0f, 255.0f))*(1.0f/255.0f);
}
#endif
