// Weights of a network at one sigma, between those that it has at the knots below and above; done once when sigma changes, so that the layers' kernels see plain weights.
//
//   out[i] = knots[lower][i] + share * (knots[upper][i] - knots[lower][i])
//
// Packing for the layers' kernels is linear (WeightPacking, GpuWeightPacking), Winograd's transform included: what is packed once at every knot can be interpolated as it is, in any order of its values.
//
//   knots   float [knots][count]
//   out     [count], overwritten: float, or half with TO_HALF, or with ROUND_TO_HALF floats that halves can hold; count is a multiple of 8
// CPU reference: Network.At

#ifndef ITEM_VECTORS
#define ITEM_VECTORS 1      // vectors of 8 values per work-item: one lets neighbours on a GPU read side by side, many keep a CPU from counting work-items
#endif
#define LOCAL_ITEMS 32

#ifdef TO_HALF
#define OUT half
#define STORE8(values, i) vstore_half8_rte(values, i, out)
#else
#define OUT float
#ifdef ROUND_TO_HALF
#define STORE8(values, i) vstore8(round8(values), i, out)
#else
#define STORE8(values, i) vstore8(values, i, out)
#endif
#endif

float8 round8(float8 values) {
    ushort bits[8];
    vstore_half8_rte(values, 0, (half*)bits);
    return vload_half8(0, (const half*)bits);
}

// Work: one work-item per ITEM_VECTORS vectors; vectors = count/8; global = roundUp(ceil(vectors/ITEM_VECTORS), LOCAL_ITEMS).
__kernel __attribute__((reqd_work_group_size(LOCAL_ITEMS, 1, 1)))
void sigma_weights(__global const float* restrict knots, __global OUT* restrict out, int vectors, int lower, int upper, float share) {
    __global const float* from = knots + (size_t)lower * vectors * 8;
    __global const float* to = knots + (size_t)upper * vectors * 8;
    const int first = get_global_id(0) * ITEM_VECTORS;
    for (int i = first; i < min(first + ITEM_VECTORS, vectors); i++) {
        const float8 a = vload8(i, from);
        STORE8(a + share * (vload8(i, to) - a), i);
    }
}

#if defined(TO_HALF) || defined(ROUND_TO_HALF)
// The same for filters that have to keep their sum, as those of a first layer that reads a frame in halves: what a weight loses to rounding is handed on to the next (GpuWeightPacking.ForHalfFrames).
//
//   knots      float [knots][K][taps], taps from the largest to the smallest
//   positions  int [K][taps]: where in out each of them lies; other places are not touched
//   out        as above, but of any size
// Work: one work-item per filter, local = { 1 }.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void sigma_filters(__global const float* restrict knots, __global const int* restrict positions, __global OUT* restrict out, int K, int taps, int lower, int upper, float share) {
    const size_t k = get_global_id(0);
    __global const float* from = knots + ((size_t)lower * K + k) * taps;
    __global const float* to = knots + ((size_t)upper * K + k) * taps;
    float lost = 0;
    for (int tap = 0; tap < taps; tap++) {
        const float wanted = from[tap] + share * (to[tap] - from[tap]) + lost;
        ushort bits;
        vstore_half_rte(wanted, 0, (half*)&bits);
        const float rounded = vload_half(0, (const half*)&bits);
        lost = wanted - rounded;
#ifdef TO_HALF
        vstore_half_rte(rounded, positions[k * taps + tap], out);
#else
        out[positions[k * taps + tap]] = rounded;
#endif
    }
}
#endif
