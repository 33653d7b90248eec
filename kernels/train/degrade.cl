// Makes training patches on the device: cuts them out of the sharp pictures, turns them, blurs them, and, for camera-like pairs, does to them what cameras and codecs do.
//
//   gaussian (the source paper's):  blurred = round8(psf * sharp)
//   camera (-DCAMERA):              blurred = codec(round8(sharpen(encode(noise(psf * decode(sharp))))))
//
//   psf       an isotropic Gaussian (separable), an anisotropic one, or a disc with an edge one pixel wide, as an FIR of (2*reach + 1)^2 taps
//   decode    code value to linear light by the sRGB curve; encode the way back
//   noise     variance read^2 + shot*light in linear light; in correlated patches the normal field is smoothed by (a, 1, a) along rows and columns, at the same deviation
//   sharpen   v + amount*(luma - G*luma), the halos that cameras draw; beyond the patch's border its outermost pixels repeat
//   codec     JPEG or H.264 without the bit stream: blocks of 8x8 transformed, quantised and transformed back; of H.264 without its prediction and deblocking
//
// Order: extract_patches, make_tables, blur_rows, blur_columns, blur_shape; with CAMERA draw_noise, develop, soften_columns, sharpen_rows, compress_blocks; then store_patches.
// Kernels leave patches alone that have nothing for them to do.
//
// Buffers:
//   pictures  uchar, planes of C per picture one after another, [C][height][width], gamma-encoded
//   patch     int [..][PATCH_INTS], the batch starts at `first`; float [..][LEVEL_FLOATS] likewise: see the two lists below
//   weight    float [N]: the patches' weights, for the loss
//   table     float [N][TABLE_FLOATS]: taps, sum 1: TAPS of a separable blur or TAPS x TAPS of another, from SOFT_TABLE on SOFT_TAPS of the sharpening's
//             Gaussian; from STEP_TABLE on the codec's steps for luma and chroma [2][8][8]
//   cut       float [N][C][CUT][CUT], CUT = IN + TAPS - 1: the patch with what the blur needs around it, in linear light or (gaussian) code values
//   rows      float [N][C][CUT][IN]: blurred along rows
//   light     float [N][C][IN][IN]: blurred; after develop code values, after sharpen_rows what goes into the codec
//   noise     float [N][C][IN + 2][NOISE_W]: normal numbers
//   soft      float [N][IN][IN + 2*SOFT_REACH]: luma blurred along columns, outermost pixels repeated left and right
//   chroma    float [N][2][IN/2][IN/2]: Cb and Cr at half resolution, out of the codec
//   blurred   float, 0 to 1: the network's input, IN x IN pixels per patch
//   sharp     float, 0 to 1: the middle of the patch, OUT x OUT pixels: what the network shall return
//   decode    float [256]: code value to linear light, 0 to 1; encode float [ENCODE_SIZE]: linear light i/(ENCODE_SIZE - 1) to code value
//   basis     float [2][8][8]: the DCT-II of 8 points as a matrix of orthonormal rows, and its transpose
// `blurred` and `sharp` are [N][IN/SCALE][IN/SCALE][C*SCALE*SCALE] (or OUT) with the steps *_ROW and *_IMAGE between rows and images: channel (dy*SCALE + dx)*C + c of
// cell (y, x) is channel c of pixel (y*SCALE + dy, x*SCALE + dx).
// Borders of a picture mirror without repeating the edge (reflect-101). Patches lie in pictures at least OUT pixels wide and high.
//
// Work: rows of pixels are cut into runs of RUN, one work-item each; global = { runs of a plane rounded up to LOCAL, planes, 1 }, local = { LOCAL, 1, 1 }.
//   CPU: VEC 8, RUN a whole row, LOCAL 1. GPU: VEC 1, RUN 1, LOCAL 64. make_tables has one work-group per patch, compress_blocks one per block; the LOCAL items share it.
// Reference: tests/RealtimeDeblur.Tests/Training/Patches/ReferenceDegradation.cs
//
// Agreement with Degradation.cs, which uses OpenCV's blur and JPEG and libx264's intra frames at the same QP; PSNR of luma against the sharp picture, device minus host in dB, and in
// parentheses PSNR of what comes out of the codec against what goes in; 256x256 pixels of each picture of Kodak24, sigma 1 / 2, no noise:
//              luma                              RGB
//   no codec   +0.04 / +0.04                      0.00 /  0.00
//   sharpened  +0.04 / +0.04 (+0.02 / +0.06)      0.00 /  0.00 ( 0.00 /  0.00)    radius 1.1, amount 0.4
//   JPEG 60    +0.02 / +0.03 (+0.07 / +0.18)     -0.01 /  0.00 ( 0.00 /  0.00)
//   JPEG 95    +0.03 / +0.04 (+1.00 / +1.94)     -0.01 /  0.00 (+0.03 / +0.07)    luma goes through RGB of 8 bits on the host
//   QP 18      -0.06 / +0.01 (+0.04 / +0.12)     -0.09 / -0.03 (-0.02 / +0.02)
//   QP 25      -0.09 / -0.01 (-0.57 / -0.93)     -0.12 / -0.04 (-0.59 / -0.97)
//   QP 32      -0.07 / -0.01 (-0.70 / -1.46)     -0.09 / -0.05 (-0.70 / -1.46)    x264 predicts from its neighbours and smooths across blocks

#ifndef C
#define C 1              // channels of the frame
#endif
#ifndef SCALE
#define SCALE 1          // side of the square of pixels that is one cell of the network
#endif
#ifndef IN
#define IN 104           // side of the network's input in pixels, a multiple of 8
#endif
#ifndef OUT
#define OUT 92           // side of the network's output in pixels
#endif
#ifndef TAPS
#define TAPS 25          // side of the widest blur, odd
#endif
#ifndef VEC
#define VEC 8            // pixels in one vector: 8 or 1
#endif
#ifndef RUN
#define RUN 4096         // pixels of a row per work-item, a multiple of VEC; more than a row for whole rows
#endif
#ifndef LOCAL
#define LOCAL 1          // work-items of a work-group
#endif
#ifndef BLURRED_ROW
#define BLURRED_ROW (IN*SCALE*C)                // floats from one row of cells to the next
#define BLURRED_IMAGE (IN/SCALE*BLURRED_ROW)    // floats from one image to the next
#define SHARP_ROW (OUT*SCALE*C)
#define SHARP_IMAGE (OUT/SCALE*SHARP_ROW)
#endif

#define CUT (IN + TAPS - 1)
#define NOISE_W (IN + 8)            // two more than IN, rounded up to VEC
#define SOFT_REACH 6                // 4 standard deviations of the widest sharpening, 1.5
#define SOFT_TAPS (2*SOFT_REACH + 1)
#define SOFT_W (IN + 2*SOFT_REACH)
#define SOFT_TABLE (TAPS*TAPS)
#define STEP_TABLE (SOFT_TABLE + SOFT_TAPS)
#define TABLE_FLOATS (STEP_TABLE + 2*64)
#define ENCODE_SIZE 4096
#define BLOCKS (IN/8)               // blocks along a side of a plane
#define HALF_BLOCKS ((IN + 15)/16)  // at half resolution; the last may hang over

// A patch's integers.
#define PATCH_INTS 13
#define OFFSET 0         // of the picture in `pictures`
#define WIDTH 1          // of the picture; HEIGHT likewise
#define HEIGHT 2
#define LEFT 3           // of the network's input in the picture; TOP likewise
#define TOP 4
#define ORIENTATION 5    // 0 to 7
#define SEED 6           // of the noise
#define SHAPE 7          // SEPARABLE, ELLIPSE or DISC
#define REACH 8          // taps of the blur beside its centre, at most TAPS/2
#define CODEC 9          // 0: none
#define QUALITY 10       // JPEG: quality 1 to 100; H.264: QP of luma
#define CHROMA_QP 11     // H.264: QP of chroma
#define HALF_CHROMA 12   // whether the codec holds chroma at half resolution
#define SEPARABLE 0
#define ELLIPSE 1
#define DISC 2
#define JPEG 1
#define H264 2
// A patch's levels.
#define LEVEL_FLOATS 9
#define WEIGHT 0         // in the loss
#define PSF_XX 1         // Gaussians: the inverse covariance; XX alone where separable, and 0 without blur
#define PSF_XY 2
#define PSF_YY 3
#define RADIUS 1         // discs
#define READ 4           // standard deviation of read noise
#define SHOT 5           // variance of shot noise per unit of light
#define CORRELATION 6    // side taps of the noise's smoothing, 0 to 0.5
#define SOFTNESS 7       // standard deviation of the sharpening's Gaussian
#define AMOUNT 8         // of sharpening

#if VEC == 8
typedef float8 vec;
typedef uint8 vecu;
#define LOAD(P) vload8(0, P)
#define STORE(V, P) vstore8(V, 0, P)
#define TO_VEC(V) convert_float8(V)
#define RAMP ((uint8)(0, 1, 2, 3, 4, 5, 6, 7))
#else
typedef float vec;
typedef uint vecu;
#define LOAD(P) (*(P))
#define STORE(V, P) (*(P) = (V))
#define TO_VEC(V) convert_float(V)
#define RAMP 0u
#endif

// The run of a work-item in rows of LENGTH pixels: row Y, pixels X0 up to END.
#define RUNS(LENGTH) (((LENGTH) + RUN - 1)/RUN)
#define TAKE_RUN(Y, X0, END, LENGTH) \
    const int Y = (int)get_global_id(0)/RUNS(LENGTH), X0 = (int)get_global_id(0)%RUNS(LENGTH)*RUN, END = min(X0 + RUN, LENGTH)

// Memory that the work-items of a work-group share: a lone one keeps it to itself.
#if LOCAL > 1
#define SHARED __local
#define SYNC barrier(CLK_LOCAL_MEM_FENCE);
#else
#define SHARED
#define SYNC
#endif

#define PER_RUN __kernel __attribute__((reqd_work_group_size(LOCAL, 1, 1)))

int mirror(int i, int size) {
    // Twice is enough for any margin below the picture's size; the clamp covers pictures smaller than the blur.
    if (i < 0) i = -i;
    if (i >= size) i = 2*size - 2 - i;
    return clamp(i, 0, size - 1);
}

int cell_index(int y, int x, int row) {
    return y/SCALE*row + x/SCALE*(SCALE*SCALE*C) + (y%SCALE*SCALE + x%SCALE)*C;
}

// Rows of CUT, one plane per patch.
PER_RUN
void extract_patches(__global const uchar* restrict pictures, __global const int* restrict patch, __global const float* restrict level,
                     __global const float* restrict decode, __global float* restrict cut, __global float* restrict sharp,
                     __global float* restrict weight, int first) {
    TAKE_RUN(y, x0, end, CUT);
    if (y >= CUT) return;
    const int n = get_global_id(1), sy = y - (CUT - OUT)/2;
    __global const int* p = patch + (first + n)*PATCH_INTS;
    const int width = p[WIDTH], height = p[HEIGHT], orientation = p[ORIENTATION];
    if (y == 0 && x0 == 0) weight[n] = level[(first + n)*LEVEL_FLOATS + WEIGHT];
    for (int x = x0; x < end; x++) {
        // Orientation: bit 0 flips left-right, bit 1 flips top-bottom, bit 2 transposes: the eight symmetries of the square.
        int u = (orientation & 4) ? y : x, v = (orientation & 4) ? x : y;
        if (orientation & 1) u = CUT - 1 - u;
        if (orientation & 2) v = CUT - 1 - v;
        const int from = p[OFFSET] + mirror(p[TOP] + v - TAPS/2, height)*width + mirror(p[LEFT] + u - TAPS/2, width);
        const int sx = x - (CUT - OUT)/2;
        for (int c = 0; c < C; c++) {
            const uchar value = pictures[from + c*width*height];
#ifdef CAMERA
            cut[((n*C + c)*CUT + y)*CUT + x] = decode[value];
#else
            cut[((n*C + c)*CUT + y)*CUT + x] = value;
#endif
            if (sx >= 0 && sx < OUT && sy >= 0 && sy < OUT) sharp[n*SHARP_IMAGE + cell_index(sy, sx, SHARP_ROW) + c] = value*(1.0f/255.0f);
        }
    }
}

float tap_of(int shape, __global const float* level, int reach, int x, int y) {
    if (max(abs(x), abs(y)) > reach) return 0;
    if (shape == DISC) return clamp(level[RADIUS] + 0.5f - sqrt((float)(x*x + y*y)), 0.0f, 1.0f);
    return exp(-0.5f*(level[PSF_XX]*(x*x) + 2*level[PSF_XY]*(x*y) + level[PSF_YY]*(y*y)));
}

#ifdef CAMERA
// ITU-T T.81, Annex K.
__constant uchar LUMA_TABLE[64] = {
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99 };
__constant uchar CHROMA_TABLE[64] = {
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99 };

// Step of a coefficient. JPEG: the tables scaled to a quality as libjpeg does. H.264: the same for all, doubling every 6 QP.
float step_of(__global const int* p, int is_chroma, int i) {
    if (p[CODEC] == H264) return exp2((p[is_chroma ? CHROMA_QP : QUALITY] - 4)*(1.0f/6.0f));
    const int scale = p[QUALITY] < 50 ? 5000/p[QUALITY] : 200 - 2*p[QUALITY];
    return clamp(((is_chroma ? CHROMA_TABLE[i] : LUMA_TABLE[i])*scale + 50)/100, 1, 255);
}
#endif

// One work-group per patch: global = { LOCAL, N, 1 }.
PER_RUN
void make_tables(__global const int* restrict patch, __global const float* restrict level, __global float* restrict table, int first) {
    const int n = get_global_id(1), lane = get_local_id(0);
    __global const int* p = patch + (first + n)*PATCH_INTS;
    level += (first + n)*LEVEL_FLOATS;
    table += n*TABLE_FLOATS;
    const int shape = p[SHAPE], reach = p[REACH], height = shape == SEPARABLE ? 1 : TAPS;
    SHARED float sums[LOCAL];
    float sum = 0;
    for (int i = lane; i < height*TAPS; i += LOCAL) sum += tap_of(shape, level, reach, i%TAPS - TAPS/2, i/TAPS - height/2);
    sums[lane] = sum;
    SYNC
    sum = 0;
    for (int i = 0; i < LOCAL; i++) sum += sums[i];
    for (int i = lane; i < height*TAPS; i += LOCAL) table[i] = tap_of(shape, level, reach, i%TAPS - TAPS/2, i/TAPS - height/2)/sum;
#ifdef CAMERA
    if (p[CODEC] != 0)
        for (int i = lane; i < 2*64; i += LOCAL) table[STEP_TABLE + i] = step_of(p, i/64, i%64);
    if (lane > 0 || level[AMOUNT] == 0) return;
    float soft = 0;
    for (int i = 0; i < SOFT_TAPS; i++) soft += table[SOFT_TABLE + i] = exp(-0.5f*(i - SOFT_REACH)*(i - SOFT_REACH)/(level[SOFTNESS]*level[SOFTNESS]));
    for (int i = 0; i < SOFT_TAPS; i++) table[SOFT_TABLE + i] /= soft;
#endif
}

// Rows of IN, CUT of them in each of N*C planes. Separable blurs.
PER_RUN
void blur_rows(__global const float* restrict cut, __global const int* restrict patch, __global const float* restrict table, __global float* restrict rows, int first) {
    TAKE_RUN(y, x0, end, IN);
    const int plane = get_global_id(1), n = plane/C, reach = patch[(first + n)*PATCH_INTS + REACH];
    if (y >= CUT || patch[(first + n)*PATCH_INTS + SHAPE] != SEPARABLE) return;
    __global const float* tap = table + n*TABLE_FLOATS;
    __global const float* from = cut + (plane*CUT + y)*CUT;
    for (int x = x0; x < end; x += VEC) {
        vec sum = 0;
        for (int t = TAPS/2 - reach; t <= TAPS/2 + reach; t++) sum = fma((vec)(tap[t]), LOAD(from + x + t), sum);
        STORE(sum, rows + (plane*CUT + y)*IN + x);
    }
}

// Rows of IN, IN of them in each of N*C planes. Separable blurs.
PER_RUN
void blur_columns(__global const float* restrict rows, __global const int* restrict patch, __global const float* restrict table, __global float* restrict light, int first) {
    TAKE_RUN(y, x0, end, IN);
    const int plane = get_global_id(1), n = plane/C, reach = patch[(first + n)*PATCH_INTS + REACH];
    if (y >= IN || patch[(first + n)*PATCH_INTS + SHAPE] != SEPARABLE) return;
    __global const float* tap = table + n*TABLE_FLOATS;
    __global const float* from = rows + (plane*CUT + y)*IN;
    for (int x = x0; x < end; x += VEC) {
        vec sum = 0;
        for (int t = TAPS/2 - reach; t <= TAPS/2 + reach; t++) sum = fma((vec)(tap[t]), LOAD(from + t*IN + x), sum);
        STORE(sum, light + (plane*IN + y)*IN + x);
    }
}

// Rows of IN, IN of them in each of N*C planes. All other blurs. The shapes are symmetric about their centre, so correlation is convolution.
PER_RUN
void blur_shape(__global const float* restrict cut, __global const int* restrict patch, __global const float* restrict table, __global float* restrict light, int first) {
    TAKE_RUN(y, x0, end, IN);
    const int plane = get_global_id(1), n = plane/C, reach = patch[(first + n)*PATCH_INTS + REACH];
    if (y >= IN || patch[(first + n)*PATCH_INTS + SHAPE] == SEPARABLE) return;
    __global const float* tap = table + n*TABLE_FLOATS;
    for (int x = x0; x < end; x += VEC) {
        vec sum = 0;
        for (int t = TAPS/2 - reach; t <= TAPS/2 + reach; t++)
            for (int s = TAPS/2 - reach; s <= TAPS/2 + reach; s++)
                sum = fma((vec)(tap[t*TAPS + s]), LOAD(cut + (plane*CUT + y + t)*CUT + x + s), sum);
        STORE(sum, light + (plane*IN + y)*IN + x);
    }
}

#ifdef CAMERA
// A hash of the pixel and the patch's seed (PCG output permutation on an LCG step: O'Neill 2014; Jarzynski and Olano, JCGT 9(3) 2020).
vecu pcg(vecu state) {
    state = state*747796405u + 2891336453u;
    const vecu word = ((state >> ((state >> 28) + 4)) ^ state)*277803737u;
    return (word >> 22) ^ word;
}

int is_noisy(__global const float* level) {
    return level[READ] > 0 || level[SHOT] > 0;
}

// Rows of NOISE_W, IN + 2 of them in each of N*C planes.
PER_RUN
void draw_noise(__global const int* restrict patch, __global const float* restrict level, __global float* restrict noise, int first) {
    TAKE_RUN(y, x0, end, NOISE_W);
    const int plane = get_global_id(1), n = plane/C, c = plane%C;
    if (y >= IN + 2 || !is_noisy(level + (first + n)*LEVEL_FLOATS)) return;
    for (int x = x0; x < end; x += VEC) {
        // Box and Muller (1958).
        const vecu a = pcg(pcg((uint)patch[(first + n)*PATCH_INTS + SEED] + (uint)((c*(IN + 2) + y)*NOISE_W + x) + RAMP)), b = pcg(a);
        const vec u = TO_VEC((a >> 8) + 1u)*(1.0f/16777217.0f), phase = TO_VEC(b >> 8)*(6.2831853f/16777216.0f);
        STORE(native_sqrt(-2*native_log(u))*native_cos(phase), noise + (plane*(IN + 2) + y)*NOISE_W + x);
    }
}

// Rows of IN, IN of them in each of N*C planes, in place.
PER_RUN
void develop(__global const float* restrict level, __global const float* restrict noise, __global const float* restrict encode, __global float* restrict light, int first) {
    TAKE_RUN(y, x0, end, IN);
    if (y >= IN) return;
    const int plane = get_global_id(1), n = plane/C;
    level += (first + n)*LEVEL_FLOATS;
    const float side = level[CORRELATION], scale = 1/(1 + 2*side*side);     // variance stays 1
    for (int x = x0; x < end; x += VEC) {
        __global float* at = light + (plane*IN + y)*IN + x;
        vec value = LOAD(at);
        if (is_noisy(level)) {
            __global const float* from = noise + (plane*(IN + 2) + y)*NOISE_W + x;
            vec normal = LOAD(from + NOISE_W + 1);
            if (side > 0) {
                normal = 0;
                for (int t = 0; t < 3; t++)
                    for (int s = 0; s < 3; s++) normal = fma((vec)((t == 1 ? 1 : side)*(s == 1 ? 1 : side)), LOAD(from + t*NOISE_W + s), normal);
                normal *= scale;
            }
            value += sqrt(level[READ]*level[READ] + level[SHOT]*fmax(value, 0.0f))*normal;
        }
        float code[VEC];
        STORE(clamp(value, 0.0f, 1.0f)*(ENCODE_SIZE - 1), code);
        for (int i = 0; i < VEC; i++) {
            const int index = min((int)code[i], ENCODE_SIZE - 2);
            at[i] = mix(encode[index], encode[index + 1], code[i] - index);
        }
    }
}

// Code values of black and white: luma lies in its limited range.
#define BLACK (C == 1 ? 16.0f : 0.0f)
#define WHITE (C == 1 ? 235.0f : 255.0f)

vec luma_at(__global const float* at) {
#if C == 3
    return 0.299f*LOAD(at) + 0.587f*LOAD(at + IN*IN) + 0.114f*LOAD(at + 2*IN*IN);
#else
    return LOAD(at);
#endif
}

// Rows of IN, IN of them per patch. Patches that are sharpened.
PER_RUN
void soften_columns(__global const float* restrict level, __global const float* restrict table, __global const float* restrict light, __global float* restrict soft, int first) {
    TAKE_RUN(y, x0, end, IN);
    const int n = get_global_id(1);
    if (y >= IN || level[(first + n)*LEVEL_FLOATS + AMOUNT] == 0) return;
    __global const float* tap = table + n*TABLE_FLOATS + SOFT_TABLE;
    __global float* to = soft + (n*IN + y)*SOFT_W;
    for (int x = x0; x < end; x += VEC) {
        vec sum = 0;
        for (int t = 0; t < SOFT_TAPS; t++) sum = fma((vec)(tap[t]), luma_at(light + (n*C*IN + clamp(y + t - SOFT_REACH, 0, IN - 1))*IN + x), sum);
        STORE(sum, to + SOFT_REACH + x);
        if (x == 0) for (int i = 0; i < SOFT_REACH; i++) to[i] = to[SOFT_REACH];
        if (x == IN - VEC) for (int i = SOFT_REACH + IN; i < SOFT_W; i++) to[i] = to[SOFT_REACH + IN - 1];
    }
}

// Rows of IN, IN of them per patch, in place. Sharpens, rounds to 8 bits, and turns R, G, B into what the codec takes: Y, Cb, Cr of full range (JPEG: JFIF) or limited range
// (H.264), by the matrix of ITU-R BT.601, rounded.
PER_RUN
void sharpen_rows(__global const int* restrict patch, __global const float* restrict level, __global const float* restrict table, __global const float* restrict soft,
                  __global float* restrict light, int first) {
    TAKE_RUN(y, x0, end, IN);
    if (y >= IN) return;
    const int n = get_global_id(1);
    const float amount = level[(first + n)*LEVEL_FLOATS + AMOUNT];
    __global const float* tap = table + n*TABLE_FLOATS + SOFT_TABLE;
    for (int x = x0; x < end; x += VEC) {
        __global float* at = light + (n*C*IN + y)*IN + x;
        vec detail = 0;
        if (amount > 0) {
            vec sum = 0;
            for (int t = 0; t < SOFT_TAPS; t++) sum = fma((vec)(tap[t]), LOAD(soft + (n*IN + y)*SOFT_W + x + t), sum);
            detail = amount*(luma_at(at) - sum);
        }
        for (int c = 0; c < C; c++) STORE(rint(clamp(LOAD(at + c*IN*IN) + detail, BLACK, WHITE)), at + c*IN*IN);
#if C == 3
        const int codec = patch[(first + n)*PATCH_INTS + CODEC];
        if (codec == 0) continue;
        const vec luma = luma_at(at), blue = LOAD(at + 2*IN*IN) - luma, red = LOAD(at) - luma;
        const int full = codec == JPEG;
        STORE(rint(full ? luma : 16 + luma*(219.0f/255.0f)), at);
        STORE(rint(128 + blue*((full ? 127.5f : 112.0f)/(255.0f*0.886f))), at + IN*IN);
        STORE(rint(128 + red*((full ? 127.5f : 112.0f)/(255.0f*0.701f))), at + 2*IN*IN);
#endif
    }
}

#define PRODUCT(TO, A, B) \
    for (int i = lane*VEC; i < 64; i += LOCAL*VEC) { \
        vec sum = 0; \
        for (int k = 0; k < 8; k++) sum = fma((vec)((A)[i/8*8 + k]), LOAD((B) + k*8 + i%8), sum); \
        STORE(sum, (TO) + i); \
    } \
    SYNC

// One work-group per block of 8x8: global = { LOCAL*C*BLOCKS*BLOCKS, N, 1 }. In place, but for chroma at half resolution, which goes to `chroma`. The patch's corner starts a
// block, which is as random as the patch's place in its picture.
PER_RUN
void compress_blocks(__global const int* restrict patch, __global const float* restrict table, __global const float* restrict basis, __global float* restrict light,
                     __global float* restrict chroma, int first) {
    const int n = get_global_id(1), lane = get_local_id(0), plane = (int)get_group_id(0)/(BLOCKS*BLOCKS);
    __global const int* p = patch + (first + n)*PATCH_INTS;
    const int half_size = plane > 0 && p[HALF_CHROMA], across = half_size ? HALF_BLOCKS : BLOCKS, at = (int)get_group_id(0)%(BLOCKS*BLOCKS);
    if (p[CODEC] == 0 || at >= across*across) return;
    const int top = at/across*8, left = at%across*8;
    __global float* from = light + (n*C + plane)*IN*IN;
    __global float* to = half_size ? chroma + (n*2 + plane - 1)*(IN/2)*(IN/2) : from;
    const int size = half_size ? IN/2 : IN;
    // JPEG holds luma in full range.
    const int stretch = C == 1 && p[CODEC] == JPEG;
    SHARED float block[64], turned[64];
    for (int i = lane; i < 64; i += LOCAL) {
        float value;
        if (half_size) {
            const int y = min(2*(top + i/8), IN - 2), x = min(2*(left + i%8), IN - 2);
            value = rint(0.25f*(from[y*IN + x] + from[y*IN + x + 1] + from[(y + 1)*IN + x] + from[(y + 1)*IN + x + 1]));
        } else {
            value = from[(top + i/8)*IN + left + i%8];
            if (stretch) value = rint((value - 16)*(255.0f/219.0f));
        }
        block[i] = value - 128;
    }
    SYNC
    __global const float* step = table + n*TABLE_FLOATS + STEP_TABLE + (plane > 0 ? 64 : 0);
    __global const float* transposed = basis + 64;
    PRODUCT(turned, basis, block)
    PRODUCT(block, turned, transposed)
    // H.264's dead zone: encoders round intra residuals up from 2/3 only.
    const float rounding = p[CODEC] == H264 ? 1.0f/3.0f : 0.5f;
    for (int i = lane*VEC; i < 64; i += LOCAL*VEC) {
        const vec coefficient = LOAD(block + i), by = LOAD(step + i);
        STORE(copysign(floor(fabs(coefficient)/by + rounding)*by, coefficient), block + i);
    }
    SYNC
    PRODUCT(turned, transposed, block)
    PRODUCT(block, turned, basis)
    for (int i = lane; i < 64; i += LOCAL) {
        if (top + i/8 >= size || left + i%8 >= size) continue;
        const float value = rint(clamp(block[i] + 128, 0.0f, 255.0f));
        to[(top + i/8)*size + left + i%8] = stretch ? 16 + value*(219.0f/255.0f) : value;
    }
}
#else
#define BLACK 0.0f
#define WHITE 255.0f
#endif

// Rows of IN, IN of them per patch. Turns Y, Cb, Cr out of the codec back into R, G, B, chroma of half resolution interpolated by (3, 1)/4 as libjpeg does, and rounds.
PER_RUN
void store_patches(__global const int* restrict patch, __global const float* restrict light, __global const float* restrict chroma, __global float* restrict blurred, int first) {
    TAKE_RUN(y, x0, end, IN);
    if (y >= IN) return;
    const int n = get_global_id(1);
    __global const int* p = patch + (first + n)*PATCH_INTS;
    for (int x = x0; x < end; x += VEC) {
        __global const float* at = light + (n*C*IN + y)*IN + x;
        vec value[C];
        for (int c = 0; c < C; c++) value[c] = LOAD(at + c*IN*IN);
#if C == 3
        if (p[CODEC] != 0) {
            if (p[HALF_CHROMA]) {
                const int near_row = y/2*(IN/2), far_row = clamp(y%2 ? y/2 + 1 : y/2 - 1, 0, IN/2 - 1)*(IN/2);
                for (int c = 1; c < C; c++) {
                    __global const float* from = chroma + (n*2 + c - 1)*(IN/2)*(IN/2);
                    float near[VEC], far[VEC];
                    for (int i = 0; i < VEC; i++) {
                        const int near_column = (x + i)/2, far_column = clamp((x + i)%2 ? near_column + 1 : near_column - 1, 0, IN/2 - 1);
                        near[i] = 0.75f*from[near_row + near_column] + 0.25f*from[far_row + near_column];
                        far[i] = 0.75f*from[near_row + far_column] + 0.25f*from[far_row + far_column];
                    }
                    value[c] = 0.75f*LOAD(near) + 0.25f*LOAD(far);
                }
            }
            const int full = p[CODEC] == JPEG;
            const vec luma = full ? value[0] : (value[0] - 16)*(255.0f/219.0f);
            const vec blue = (value[1] - 128)*(255.0f*0.886f/(full ? 127.5f : 112.0f)), red = (value[2] - 128)*(255.0f*0.701f/(full ? 127.5f : 112.0f));
            value[0] = luma + red;
            value[1] = luma - (0.299f*red + 0.114f*blue)/0.587f;
            value[2] = luma + blue;
        }
#endif
        float rounded[C*VEC];
        for (int c = 0; c < C; c++) STORE(rint(clamp(value[c], BLACK, WHITE))*(1.0f/255.0f), rounded + c*VEC);
        for (int i = 0; i < VEC; i++)
            for (int c = 0; c < C; c++) blurred[n*BLURRED_IMAGE + cell_index(y, x + i, BLURRED_ROW) + c] = rounded[c*VEC + i];
    }
}
