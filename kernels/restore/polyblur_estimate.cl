// Blur of a frame, and of its parts, from its steepest gradients: the estimator of Polyblur.
//
// Delbracio, Garcia-Dorado, Choi, Kelly, Milanfar, "Polyblur: removing mild blur by polynomial reblurring", IEEE Transactions on Computational Imaging 7 (2021). An edge of full contrast that a Gaussian of
// deviation s blurred has the slope 1 / (sqrt(2 pi) s) at its steepest, so the steepest slope in every direction tells the blur in that direction:
//   u      = clamp((v - Q(q)) / (Q(1 - q) - Q(q)), 0, 1)          Q quantiles of the frame's levels from a histogram, q = QUANTILE
//   m_k    = largest |cos(k pi/6) g_x + sin(k pi/6) g_y|           k = 0..5, over the pixels of a tile or of the frame; g the gradient of u
//   m      of 30 directions by Keys' cubic (a = -1/2), around the circle
//   s(m)^2 = clamp(SLOPE^2 / m^2 - OWN^2, MIN_SIGMA^2, MAX_SIGMA^2)
//   theta  = direction of the smallest m;  sigma = s(m(theta)), rho = s(m(theta + pi/2));  covariance = sigma^2 a a' + rho^2 b b', a along theta, b across
// Where we differ:
//   - g is a derivative that smooths, (1 2 0 -2 -1)/8 by (1 4 6 4 1)/16, not a spectral one: it sees less noise and needs no periodic frame. SLOPE and OWN were fitted for it (RealtimeDeblur.Benchmarks -- polyblur-fit).
//   - BORDER pixels at each side of the frame do not count, nor does a pixel with a saturated one in reach of the operator.
//   - Slopes count over the contrast of their cell, which is nearer to that of the edge than the frame's is: on photographs, half of the errors at sigma 1.8 to 2.5 are within 13 instead of 16 %. A cell of little contrast must not speak for the frame by its noise.
//   - A tile is four cells, normalised alike. One that has little contrast says little, and leans to the frame.
//   - A video remembers maxima: m = max(m now, keep * m before), cell by cell. The blur of a lens stays while what it shows changes, and one frame with a good edge tells it for those after.
//
// Tensors, row-major, no gap between rows:
//   plane      float [H][W] + PLANE_PADDING    gamma-encoded luma, 0 to 1; black and white as in color/samples.cl
//   histogram  uint  [BINS]                    all 0 between frames
//   range      float [2]                       Q(q) and 1 / (Q(1 - q) - Q(q)); 0 where the frame has no contrast
//   maxima     float [cellsH][cellsW][CELL_FLOATS]    m_0..m_5, 1 - lowest u, highest u of a cell of CELL x CELL pixels; updated
//   estimates  float [1 + (cellsH+1)*(cellsW+1)][ESTIMATE_FLOATS]    xx, xy, yy of the covariance, geometric mean of sigma and rho (0 for nothing known), m(theta), m(theta + pi/2), theta, trust;
//              first the frame, then tiles, whose centres are the corners of cells; overwritten
// Work, in this order:
//   polyblur_histogram   one work-item per HISTOGRAM_ROWS rows of HISTOGRAM_COLUMNS columns
//   polyblur_range       one work-item
//   polyblur_forget      one work-item per float of maxima
//   polyblur_maxima      one work-item per COLUMNS columns of a cell, COLUMNS a multiple of LANES: global = { CELL/COLUMNS * cellsW, cellsH }
//   polyblur_frame       one work-item
//   polyblur_tiles       one work-item per tile: global = { cellsW + 1, cellsH + 1 }
// CPU reference: tests/RealtimeDeblur.Tests/Reference/ReferencePolyblur.cs

#ifndef LANES
#define LANES 16               // pixels of a vector: 16 on CPUs, 1 on GPUs
#define COLUMNS 64             // of a cell per work-item: CELL on CPUs, 1 on GPUs
#define HISTOGRAM_COLUMNS 1024 // long runs on CPUs, 1 column on GPUs
#define HISTOGRAM_ROWS 32
#define HISTOGRAM_PRIVATE 1    // whether a work-item counts for itself first: on CPUs
#endif
#ifndef SLOPE
#define SLOPE 0.4183f          // see PolyblurEdges.cs, as is OWN
#define OWN 1.0024f
#endif
#ifndef CELL
#define CELL 64                // pixels; a multiple of 16
#endif

#define BINS 1024              // of levels 0 to 1; four to a code of 8 bits
#define QUANTILE 1e-4f         // as published
#define LEAST_CONTRAST 0.02f   // of the frame, 5 codes of 8 bits: with less, rounding makes the slopes
#define BLACK (16 / 255.0f)
#define WHITE (235 / 255.0f)
#define SATURATED (BLACK + 0.99f * (WHITE - BLACK))    // as published
#define BORDER 8               // frames often end in a dark line, or in what a codec or another filter made up
#define REACH 2                // of the operator
#define DIRECTIONS 6
#define FINE 30                // directions after interpolation
#define MIN_SIGMA 0.3f         // as published, as is MAX_SIGMA
#define MAX_SIGMA 4.0f
#define CELL_FLOATS 8
#define CELL_LOW 6
#define CELL_HIGH 7
#define ESTIMATE_FLOATS 8
#define LEAST_CELL_CONTRAST 0.3f    // cells with less are taken to have as much
#define LOW_CONTRAST 0.15f     // of a tile, as a share of the frame's: it is not trusted below the one and fully above the other
#define HIGH_CONTRAST 0.4f

#if LANES == 16
#define REAL float16
#define MASK int16
#define LOAD(p) vload16(0, p)
#define STORE(value, p) vstore16(value, 0, p)
#define INDEX ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
float largest(float16 v) {
    const float8 a = fmax(v.lo, v.hi);
    const float4 b = fmax(a.lo, a.hi);
    const float2 c = fmax(b.lo, b.hi);
    return fmax(c.x, c.y);
}
#else
#define REAL float
#define MASK int
#define LOAD(p) (*(p))
#define STORE(value, p) (*(p) = (value))
#define INDEX 0
#define largest(v) (v)
#endif

__kernel void polyblur_histogram(__global const float* restrict plane, int W, int H, __global uint* restrict histogram) {
    const int x0 = get_global_id(0) * HISTOGRAM_COLUMNS, y0 = get_global_id(1) * HISTOGRAM_ROWS;
    const int x1 = min(x0 + HISTOGRAM_COLUMNS, W), y1 = min(y0 + HISTOGRAM_ROWS, H);
#if HISTOGRAM_PRIVATE
    uint bins[BINS];
    for (int i = 0; i < BINS; i++) bins[i] = 0;
#endif
    for (int y = y0; y < y1; y++)
    for (int x = x0; x < x1; x++) {
        const int bin = clamp((int)(plane[(size_t)y * W + x] * BINS), 0, BINS - 1);
#if HISTOGRAM_PRIVATE
        bins[bin]++;
#else
        atomic_inc(&histogram[bin]);
#endif
    }
#if HISTOGRAM_PRIVATE
    for (int i = 0; i < BINS; i++) if (bins[i] > 0) atomic_add(&histogram[i], bins[i]);
#endif
}

__kernel void polyblur_range(__global uint* restrict histogram, int W, int H, __global float* restrict range) {
    const float outside = QUANTILE * (float)W * (float)H;
    uint below = 0, above = 0;
    int low = 0, high = BINS - 1;
    while (low < BINS - 1 && (float)(below += histogram[low]) <= outside) low++;
    while (high > 0 && (float)(above += histogram[high]) <= outside) high--;
    const float contrast = (float)(high - low) / BINS;
    range[0] = (low + 0.5f) / BINS;
    range[1] = contrast >= LEAST_CONTRAST ? 1 / contrast : 0;
    for (int i = 0; i < BINS; i++) histogram[i] = 0;
}

__kernel void polyblur_forget(__global float* restrict maxima, float keep, int count) {
    const int i = get_global_id(0);
    if (i < count) maxima[i] *= keep;
}

// Floats that are not negative are ordered as their bits are.
void raise(__global float* maximum, float value) { atomic_max((__global volatile uint*)maximum, as_uint(value)); }

#define SPAN ((COLUMNS + 2 * REACH + LANES - 1) / LANES * LANES)

__kernel void polyblur_maxima(__global const float* restrict plane, int W, int H, __global const float* restrict range, __global float* restrict maxima, int cellsW) {
    const int x0 = get_global_id(0) * COLUMNS, cellY = get_global_id(1);
    const int left = max(x0, BORDER), right = min(x0 + COLUMNS, W - BORDER);
    const int top = max(cellY * CELL, BORDER), bottom = min((cellY + 1) * CELL, H - BORDER);
    if (left >= right || range[1] == 0) return;
    const float low = range[0], scale = range[1];

    // Column sums of a row: smoothed, differences, highest level.
    float smooth[SPAN], slope[SPAN], peak[SPAN];
    REAL most[DIRECTIONS], highest = 0, lowest = 0;
    for (int k = 0; k < DIRECTIONS; k++) most[k] = 0;
    for (int y = top; y < bottom; y++) {
        // Pixels beyond the row's ends are read as well, and masked below.
        __global const float* row = plane + (size_t)y * W + x0 - REACH;
        for (int x = 0; x < SPAN; x += LANES) {
            REAL v[2 * REACH + 1], brightest = 0;
            for (int i = 0; i <= 2 * REACH; i++) {
                const REAL raw = LOAD(row + x + (i - REACH) * W);
                brightest = fmax(brightest, raw);
                v[i] = clamp((raw - low) * scale, (REAL)0.0f, (REAL)1.0f);
            }
            STORE((v[0] + v[4] + 4 * (v[1] + v[3]) + 6 * v[2]) * (1 / 16.0f), smooth + x);
            STORE((v[4] - v[0] + 2 * (v[3] - v[1])) * (1 / 8.0f), slope + x);
            STORE(brightest, peak + x);
        }
        for (int x = 0; x < COLUMNS; x += LANES) {
            const REAL gx = (LOAD(smooth + x + 4) - LOAD(smooth + x) + 2 * (LOAD(smooth + x + 3) - LOAD(smooth + x + 1))) * (1 / 8.0f);
            const REAL gy = (LOAD(slope + x) + LOAD(slope + x + 4) + 4 * (LOAD(slope + x + 1) + LOAD(slope + x + 3)) + 6 * LOAD(slope + x + 2)) * (1 / 16.0f);
            const REAL brightest = fmax(fmax(fmax(LOAD(peak + x), LOAD(peak + x + 1)), fmax(LOAD(peak + x + 3), LOAD(peak + x + 4))), LOAD(peak + x + 2));
            const MASK column = x0 + x + INDEX;
            const REAL counts = select((REAL)0.0f, (REAL)1.0f, (column >= left) & (column < right) & (brightest <= SATURATED));
            const REAL dx = gx * counts, dy = gy * counts, level = LOAD(smooth + x + REACH);
            most[0] = fmax(most[0], fabs(dx));
            most[1] = fmax(most[1], fabs(0.8660254f * dx + 0.5f * dy));
            most[2] = fmax(most[2], fabs(0.5f * dx + 0.8660254f * dy));
            most[3] = fmax(most[3], fabs(dy));
            most[4] = fmax(most[4], fabs(0.8660254f * dy - 0.5f * dx));
            most[5] = fmax(most[5], fabs(0.5f * dy - 0.8660254f * dx));
            lowest = fmax(lowest, (1 - level) * counts);
            highest = fmax(highest, level * counts);
        }
    }
    __global float* cell = maxima + ((size_t)cellY * cellsW + x0 / CELL) * CELL_FLOATS;
    for (int k = 0; k < DIRECTIONS; k++) raise(cell + k, largest(most[k]));
    raise(cell + CELL_LOW, largest(lowest));
    raise(cell + CELL_HIGH, largest(highest));
}

// Maxima of FINE directions.
void interpolate(const float* m, float* fine) {
    for (int j = 0; j < FINE; j++) {
        const int i = j * DIRECTIONS / FINE;
        const float t = (float)(j * DIRECTIONS - i * FINE) / FINE;
        const float p0 = m[(i + DIRECTIONS - 1) % DIRECTIONS], p1 = m[i], p2 = m[(i + 1) % DIRECTIONS], p3 = m[(i + 2) % DIRECTIONS];
        fine[j] = p1 + 0.5f * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
    }
}

float variance_of(float m) {
    return clamp(SLOPE * SLOPE / fmax(m * m, 1e-8f) - OWN * OWN, MIN_SIGMA * MIN_SIGMA, MAX_SIGMA * MAX_SIGMA);
}

// The first seven floats of an estimate. No slopes at all: nothing is known.
void estimate_from(const float* m, __global float* estimate) {
    float fine[FINE];
    interpolate(m, fine);
    int least = 0;
    for (int j = 1; j < FINE; j++) if (fine[j] < fine[least]) least = j;
    const int across = (least + FINE / 2) % FINE;
    const float theta = least * (M_PI_F / FINE), c = cos(theta), s = sin(theta);
    const float along2 = variance_of(fine[least]), across2 = variance_of(fine[across]);
    estimate[0] = c * c * along2 + s * s * across2;
    estimate[1] = c * s * (along2 - across2);
    estimate[2] = s * s * along2 + c * c * across2;
    estimate[3] = fine[across] > 0 ? sqrt(sqrt(along2 * across2)) : 0;
    estimate[4] = fine[least];
    estimate[5] = fine[across];
    estimate[6] = theta;
}

__kernel void polyblur_frame(__global const float* restrict maxima, int cells, __global float* restrict estimates) {
    float m[DIRECTIONS];
    for (int k = 0; k < DIRECTIONS; k++) m[k] = 0;
    for (int i = 0; i < cells; i++) {
        __global const float* cell = maxima + i * CELL_FLOATS;
        const float contrast = cell[CELL_LOW] + cell[CELL_HIGH] - 1;
        for (int k = 0; k < DIRECTIONS; k++) m[k] = fmax(m[k], cell[k] / fmax(contrast, LEAST_CELL_CONTRAST));
    }
    estimate_from(m, estimates);
    estimates[7] = 1;
}

__kernel void polyblur_tiles(__global const float* restrict maxima, int cellsW, int cellsH, __global float* restrict estimates) {
    const int x = get_global_id(0), y = get_global_id(1);
    if (x > cellsW || y > cellsH) return;
    float m[DIRECTIONS], low = 0, high = 0;
    for (int k = 0; k < DIRECTIONS; k++) m[k] = 0;
    for (int cy = max(y - 1, 0); cy <= min(y, cellsH - 1); cy++)
    for (int cx = max(x - 1, 0); cx <= min(x, cellsW - 1); cx++) {
        __global const float* cell = maxima + ((size_t)cy * cellsW + cx) * CELL_FLOATS;
        for (int k = 0; k < DIRECTIONS; k++) m[k] = fmax(m[k], cell[k]);
        low = fmax(low, cell[CELL_LOW]);
        high = fmax(high, cell[CELL_HIGH]);
    }
    const float contrast = low + high - 1, trust = smoothstep(LOW_CONTRAST, HIGH_CONTRAST, contrast);
    for (int k = 0; k < DIRECTIONS; k++) m[k] /= fmax(contrast, LOW_CONTRAST);
    __global float* estimate = estimates + (1 + (size_t)y * (cellsW + 1) + x) * ESTIMATE_FLOATS;
    estimate_from(m, estimate);
    for (int i = 0; i < 4; i++) estimate[i] = mix(estimates[i], estimate[i], trust);
    estimate[7] = trust;
}
