// What kernels that look at small tiles of a frame have in common: where tiles lie, their pixels, and their power spectra by matrix products.
//
//   p[y][x], TILE x TILE   luma of a tile in units of 1/255 of the working space (samples.cl). Frames smaller than a tile are mirrored without repeating their border, as blur mirrors them.
//   w[i] = (1 - cos(2 pi i / TILE)) / 2                                       Hann's window
//   S[v][u] = |sum over y, x of w[y] w[x] (p[y][x] - mean) exp(-2 pi i (v y + u x)/TILE)|^2 / 144      power; white noise of deviation s gives s^2
//   power at (v, u) below is the mean of S at (v, u) and (v, -u), for v, u = 0..15
//
// Tiles:    columns x rows of them; the left end of column i is (i*(frameW - TILE)/(columns - 1)) rounded down to a multiple of 8, so that blocks of JPEG lie alike in all; a single one is in the middle
// Work:     one work-group of LANES work-items per tile. On a CPU LANES is 1 and a vector holds 8 columns, on a GPU a lane holds one. SHARED memory is private to the one, local for the others.
// The transform folds the tile in both directions (cosines see x and TILE - x alike, sines with opposite sign), so that four products of 16x16 matrices remain: 33 k multiply-accumulates per
// tile of 1024 pixels. First transform_columns for every group of columns, SYNC, fold_columns, SYNC, then power.

#ifndef LANES
#define LANES 1          // work-items per tile: 1, or 32 on GPUs
#endif
#define TILE 32          // its side in pixels
#define HALF_TILE 16     // frequencies per direction
#define POWER_SCALE (1.0f / 144.0f)    // 1 / (sum of w^2)^2

#include "color/samples.cl"

#if LANES == 1
typedef float8 vec;
typedef int8 mask;
#define VEC 8            // columns per vector
#define LOAD(p) vload8(0, p)
#define STORE(v, p) vstore8(v, 0, p)
#define TABLE(p) vload8(0, p)
// One element per column.
#define SCATTER(v, p) { float8 a = v; (p)[0] = a.s0; (p)[HALF_TILE] = a.s1; (p)[2 * HALF_TILE] = a.s2; (p)[3 * HALF_TILE] = a.s3; \
                        (p)[4 * HALF_TILE] = a.s4; (p)[5 * HALF_TILE] = a.s5; (p)[6 * HALF_TILE] = a.s6; (p)[7 * HALF_TILE] = a.s7; }
#define SHARED
#define SYNC
#define SUM(v) ((v).s0 + (v).s1 + (v).s2 + (v).s3 + (v).s4 + (v).s5 + (v).s6 + (v).s7)
#define LARGEST(v) fmax(fmax(fmax((v).s0, (v).s1), fmax((v).s2, (v).s3)), fmax(fmax((v).s4, (v).s5), fmax((v).s6, (v).s7)))
#else
typedef float vec;
typedef int mask;
#define VEC 1
#define LOAD(p) (*(p))
#define STORE(v, p) (*(p) = (v))
#define TABLE(p) (*(p))
#define SCATTER(v, p) (*(p) = (v))
#define SHARED __local
#define SYNC barrier(CLK_LOCAL_MEM_FENCE)
#define SUM(v) (v)
#define LARGEST(v) (v)
#endif

// COSINES[v][k - 1] = cos(2 pi v k / TILE) for k = 1..15, SINES likewise; the cosine of k = 16 is 1 or -1.
#define TERMS 15
__constant float COSINES[HALF_TILE * TERMS] = {
    1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f, 1.00000000f,
    0.98078528f, 0.92387953f, 0.83146961f, 0.70710678f, 0.55557023f, 0.38268343f, 0.19509032f, 0.0f, -0.19509032f, -0.38268343f, -0.55557023f, -0.70710678f, -0.83146961f, -0.92387953f, -0.98078528f,
    0.92387953f, 0.70710678f, 0.38268343f, 0.0f, -0.38268343f, -0.70710678f, -0.92387953f, -1.00000000f, -0.92387953f, -0.70710678f, -0.38268343f, 0.0f, 0.38268343f, 0.70710678f, 0.92387953f,
    0.83146961f, 0.38268343f, -0.19509032f, -0.70710678f, -0.98078528f, -0.92387953f, -0.55557023f, 0.0f, 0.55557023f, 0.92387953f, 0.98078528f, 0.70710678f, 0.19509032f, -0.38268343f, -0.83146961f,
    0.70710678f, 0.0f, -0.70710678f, -1.00000000f, -0.70710678f, 0.0f, 0.70710678f, 1.00000000f, 0.70710678f, 0.0f, -0.70710678f, -1.00000000f, -0.70710678f, 0.0f, 0.70710678f,
    0.55557023f, -0.38268343f, -0.98078528f, -0.70710678f, 0.19509032f, 0.92387953f, 0.83146961f, 0.0f, -0.83146961f, -0.92387953f, -0.19509032f, 0.70710678f, 0.98078528f, 0.38268343f, -0.55557023f,
    0.38268343f, -0.70710678f, -0.92387953f, 0.0f, 0.92387953f, 0.70710678f, -0.38268343f, -1.00000000f, -0.38268343f, 0.70710678f, 0.92387953f, 0.0f, -0.92387953f, -0.70710678f, 0.38268343f,
    0.19509032f, -0.92387953f, -0.55557023f, 0.70710678f, 0.83146961f, -0.38268343f, -0.98078528f, 0.0f, 0.98078528f, 0.38268343f, -0.83146961f, -0.70710678f, 0.55557023f, 0.92387953f, -0.19509032f,
    0.0f, -1.00000000f, 0.0f, 1.00000000f, 0.0f, -1.00000000f, 0.0f, 1.00000000f, 0.0f, -1.00000000f, 0.0f, 1.00000000f, 0.0f, -1.00000000f, 0.0f,
    -0.19509032f, -0.92387953f, 0.55557023f, 0.70710678f, -0.83146961f, -0.38268343f, 0.98078528f, 0.0f, -0.98078528f, 0.38268343f, 0.83146961f, -0.70710678f, -0.55557023f, 0.92387953f, 0.19509032f,
    -0.38268343f, -0.70710678f, 0.92387953f, 0.0f, -0.92387953f, 0.70710678f, 0.38268343f, -1.00000000f, 0.38268343f, 0.70710678f, -0.92387953f, 0.0f, 0.92387953f, -0.70710678f, -0.38268343f,
    -0.55557023f, -0.38268343f, 0.98078528f, -0.70710678f, -0.19509032f, 0.92387953f, -0.83146961f, 0.0f, 0.83146961f, -0.92387953f, 0.19509032f, 0.70710678f, -0.98078528f, 0.38268343f, 0.55557023f,
    -0.70710678f, 0.0f, 0.70710678f, -1.00000000f, 0.70710678f, 0.0f, -0.70710678f, 1.00000000f, -0.70710678f, 0.0f, 0.70710678f, -1.00000000f, 0.70710678f, 0.0f, -0.70710678f,
    -0.83146961f, 0.38268343f, 0.19509032f, -0.70710678f, 0.98078528f, -0.92387953f, 0.55557023f, 0.0f, -0.55557023f, 0.92387953f, -0.98078528f, 0.70710678f, -0.19509032f, -0.38268343f, 0.83146961f,
    -0.92387953f, 0.70710678f, -0.38268343f, 0.0f, 0.38268343f, -0.70710678f, 0.92387953f, -1.00000000f, 0.92387953f, -0.70710678f, 0.38268343f, 0.0f, -0.38268343f, 0.70710678f, -0.92387953f,
    -0.98078528f, 0.92387953f, -0.83146961f, 0.70710678f, -0.55557023f, 0.38268343f, -0.19509032f, 0.0f, 0.19509032f, -0.38268343f, 0.55557023f, -0.70710678f, 0.83146961f, -0.92387953f, 0.98078528f,
};
__constant float SINES[HALF_TILE * TERMS] = {
    0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f,
    0.19509032f, 0.38268343f, 0.55557023f, 0.70710678f, 0.83146961f, 0.92387953f, 0.98078528f, 1.00000000f, 0.98078528f, 0.92387953f, 0.83146961f, 0.70710678f, 0.55557023f, 0.38268343f, 0.19509032f,
    0.38268343f, 0.70710678f, 0.92387953f, 1.00000000f, 0.92387953f, 0.70710678f, 0.38268343f, 0.0f, -0.38268343f, -0.70710678f, -0.92387953f, -1.00000000f, -0.92387953f, -0.70710678f, -0.38268343f,
    0.55557023f, 0.92387953f, 0.98078528f, 0.70710678f, 0.19509032f, -0.38268343f, -0.83146961f, -1.00000000f, -0.83146961f, -0.38268343f, 0.19509032f, 0.70710678f, 0.98078528f, 0.92387953f, 0.55557023f,
    0.70710678f, 1.00000000f, 0.70710678f, 0.0f, -0.70710678f, -1.00000000f, -0.70710678f, 0.0f, 0.70710678f, 1.00000000f, 0.70710678f, 0.0f, -0.70710678f, -1.00000000f, -0.70710678f,
    0.83146961f, 0.92387953f, 0.19509032f, -0.70710678f, -0.98078528f, -0.38268343f, 0.55557023f, 1.00000000f, 0.55557023f, -0.38268343f, -0.98078528f, -0.70710678f, 0.19509032f, 0.92387953f, 0.83146961f,
    0.92387953f, 0.70710678f, -0.38268343f, -1.00000000f, -0.38268343f, 0.70710678f, 0.92387953f, 0.0f, -0.92387953f, -0.70710678f, 0.38268343f, 1.00000000f, 0.38268343f, -0.70710678f, -0.92387953f,
    0.98078528f, 0.38268343f, -0.83146961f, -0.70710678f, 0.55557023f, 0.92387953f, -0.19509032f, -1.00000000f, -0.19509032f, 0.92387953f, 0.55557023f, -0.70710678f, -0.83146961f, 0.38268343f, 0.98078528f,
    1.00000000f, 0.0f, -1.00000000f, 0.0f, 1.00000000f, 0.0f, -1.00000000f, 0.0f, 1.00000000f, 0.0f, -1.00000000f, 0.0f, 1.00000000f, 0.0f, -1.00000000f,
    0.98078528f, -0.38268343f, -0.83146961f, 0.70710678f, 0.55557023f, -0.92387953f, -0.19509032f, 1.00000000f, -0.19509032f, -0.92387953f, 0.55557023f, 0.70710678f, -0.83146961f, -0.38268343f, 0.98078528f,
    0.92387953f, -0.70710678f, -0.38268343f, 1.00000000f, -0.38268343f, -0.70710678f, 0.92387953f, 0.0f, -0.92387953f, 0.70710678f, 0.38268343f, -1.00000000f, 0.38268343f, 0.70710678f, -0.92387953f,
    0.83146961f, -0.92387953f, 0.19509032f, 0.70710678f, -0.98078528f, 0.38268343f, 0.55557023f, -1.00000000f, 0.55557023f, 0.38268343f, -0.98078528f, 0.70710678f, 0.19509032f, -0.92387953f, 0.83146961f,
    0.70710678f, -1.00000000f, 0.70710678f, 0.0f, -0.70710678f, 1.00000000f, -0.70710678f, 0.0f, 0.70710678f, -1.00000000f, 0.70710678f, 0.0f, -0.70710678f, 1.00000000f, -0.70710678f,
    0.55557023f, -0.92387953f, 0.98078528f, -0.70710678f, 0.19509032f, 0.38268343f, -0.83146961f, 1.00000000f, -0.83146961f, 0.38268343f, 0.19509032f, -0.70710678f, 0.98078528f, -0.92387953f, 0.55557023f,
    0.38268343f, -0.70710678f, 0.92387953f, -1.00000000f, 0.92387953f, -0.70710678f, 0.38268343f, 0.0f, -0.38268343f, 0.70710678f, -0.92387953f, 1.00000000f, -0.92387953f, 0.70710678f, -0.38268343f,
    0.19509032f, -0.38268343f, 0.55557023f, -0.70710678f, 0.83146961f, -0.92387953f, 0.98078528f, -1.00000000f, 0.98078528f, -0.92387953f, 0.83146961f, -0.70710678f, 0.55557023f, -0.38268343f, 0.19509032f,
};
__constant float HANN[TILE] = {
    0.00000000f, 0.00960736f, 0.03806023f, 0.08426519f, 0.14644661f, 0.22221488f, 0.30865828f, 0.40245484f, 0.50000000f, 0.59754516f, 0.69134172f, 0.77778512f, 0.85355339f, 0.91573481f, 0.96193977f, 0.99039264f,
    1.00000000f, 0.99039264f, 0.96193977f, 0.91573481f, 0.85355339f, 0.77778512f, 0.69134172f, 0.59754516f, 0.50000000f, 0.40245484f, 0.30865828f, 0.22221488f, 0.14644661f, 0.08426519f, 0.03806023f, 0.00960736f };

int mirrored(int i, int size) {
    const int period = 2 * (size - 1);
    i %= period;
    return i < size ? i : period - i;
}

int tile_start(int index, int count, int size) {
    const int room = size - TILE;
    if (room <= 0) return 0;
    return (count > 1 ? (int)((long)index * room / (count - 1)) : room / 2) & ~7;
}

vec windowed(SHARED const float* p, float mean, vec window, int k) { return (LOAD(p + k * TILE) - mean) * window; }

// A column group's windowed transform down the tile, written with the frequency last: cosines [x][v], then sines. Four frequencies at once share what they read.
void transform_columns(SHARED const float* p, float mean, SHARED float* restrict to, int x) {
    const vec window = TABLE(HANN + x);
    vec even[TERMS], odd[TERMS];
    const vec middle = windowed(p + x, mean, window, HALF_TILE);
    for (int k = 0; k < TERMS; k++) {
        const vec upper = windowed(p + x, mean, window, k + 1), lower = windowed(p + x, mean, window, TILE - 1 - k);
        even[k] = HANN[k + 1] * (upper + lower);
        odd[k] = HANN[k + 1] * (upper - lower);
    }
    for (int v = 0; v < HALF_TILE; v += 4) {
        vec cosines[4] = { middle, -middle, middle, -middle }, sines[4] = { 0, 0, 0, 0 };
        __constant const float* c = COSINES + v * TERMS;
        __constant const float* s = SINES + v * TERMS;
        for (int k = 0; k < TERMS; k++) {
            #pragma unroll
            for (int i = 0; i < 4; i++) {
                cosines[i] = fma((vec)(c[i * TERMS + k]), even[k], cosines[i]);
                sines[i] = fma((vec)(s[i * TERMS + k]), odd[k], sines[i]);
            }
        }
        #pragma unroll
        for (int i = 0; i < 4; i++) {
            SCATTER(cosines[i], to + x * HALF_TILE + v + i);
            SCATTER(sines[i], to + (TILE + x) * HALF_TILE + v + i);
        }
    }
}

// Power at frequency u across and a vector of frequencies down, from folded columns: sums of x and TILE - x in x = 1..16, differences in 17..31.
vec power(SHARED const float* folded, int u) {
    __constant const float* c = COSINES + u * TERMS;
    __constant const float* s = SINES + u * TERMS;
    vec cosines[2], sines[2] = { 0, 0 };
    for (int part = 0; part < 2; part++) {
        const vec middle = LOAD(folded + (part * TILE + HALF_TILE) * HALF_TILE);
        cosines[part] = u % 2 ? -middle : middle;
    }
    for (int x = 1; x < HALF_TILE; x++) {
        #pragma unroll
        for (int part = 0; part < 2; part++) {
            cosines[part] = fma((vec)(c[x - 1]), LOAD(folded + (part * TILE + x) * HALF_TILE), cosines[part]);
            sines[part] = fma((vec)(s[x - 1]), LOAD(folded + (part * TILE + TILE - x) * HALF_TILE), sines[part]);
        }
    }
    return POWER_SCALE * (cosines[0] * cosines[0] + sines[0] * sines[0] + cosines[1] * cosines[1] + sines[1] * sines[1]);
}

// The lanes' shares of a tile's pixels.
void load_tile(__global const SAMPLE* restrict frame, int frameStride, int frameW, int frameH, float scale, float offset, int left, int top, int lane, SHARED float* restrict p) {
    if (frameW >= TILE && frameH >= TILE) {
        for (int y = 0; y < TILE; y++) {
            for (int x = lane; x < TILE; x += LANES) p[y * TILE + x] = 255.0f * working_inside(FRAME, 0, top + y, left + x);
        }
    } else {
        for (int y = 0; y < TILE; y++) {
            for (int x = lane; x < TILE; x += LANES) p[y * TILE + x] = 255.0f * working_inside(FRAME, 0, mirrored(top + y, frameH), mirrored(left + x, frameW));
        }
    }
}

// The lanes' shares of the columns: sums of x and TILE - x take the place of the one, differences that of the other.
void fold_columns(SHARED float* restrict spectrum, int lane) {
    for (int i = lane * VEC; i < 2 * (HALF_TILE - 1) * HALF_TILE; i += LANES * VEC) {
        const int part = i / ((HALF_TILE - 1) * HALF_TILE), x = 1 + i / HALF_TILE % (HALF_TILE - 1), v = i % HALF_TILE;
        SHARED float* one = spectrum + (part * TILE + x) * HALF_TILE + v;
        SHARED float* other = spectrum + (part * TILE + TILE - x) * HALF_TILE + v;
        const vec l = LOAD(one), r = LOAD(other);
        STORE(l + r, one);
        STORE(l - r, other);
    }
}
