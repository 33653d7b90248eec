// Whether the matrix products of common/fragments.cl work on a device's tensor cores: built with TENSOR_CORES, run, and its result compared by the host (ProbedArithmetic).
// A wrong result or a build that fails is the answer "no". Without TENSOR_CORES it tests the plain twin of those products.
//
//   first[pixel][filter]  = sum over channel of in[pixel][channel] * weight[filter][channel]
//   out[pixel][filter]    = sum over channel of first[pixel][channel] * weight[filter][channel],   first rounded to half in between
//
//   in       half [4][16][4]: channel 4q + j of a pixel at [q][pixel][j]
//   weight   half [16][16], rows in the order of common/fragments.cl
//   out      float [16][16]
// Work:   one warp; global = local = { 32 }.
// CPU reference: ProbedArithmetic computes the same in double precision.

#if defined(TENSOR_CORES) && !defined(__NV_CL_C_VERSION) && !defined(__NVPTX__)

// Inline PTX is for NVIDIA's compilers; others may pass it on and fail at the launch, where some end the process.
__kernel __attribute__((reqd_work_group_size(32, 1, 1)))
void probe_tensor_core(__global const uint2* restrict in, __global const uint2* restrict weight, __global float4* restrict out) {
    out[get_global_id(0)] = NAN;
    out[32 + get_global_id(0)] = NAN;
}

#else

#include "common/fragments.cl"

__kernel __attribute__((reqd_work_group_size(32, 1, 1)))
void probe_tensor_core(__global const uint2* restrict in, __global const uint2* restrict weight, __global float4* restrict out) {
    __local uint2 tile[64], scratch[SCRATCH_ITEMS];
    const int lane = get_local_id(0);
    tile[lane] = in[lane];
    tile[32 + lane] = in[32 + lane];
    barrier(CLK_LOCAL_MEM_FENCE);

    const weight_fragment filters = load_weight(weight, lane);
    float4 first_low = 0.0f, first_high = 0.0f, low = 0.0f, high = 0.0f;
    multiply_add(&first_low, &first_high, load_input(tile, 16, lane), filters);
    multiply_add(&low, &high, input_of_sums(first_low, first_high, scratch, lane), filters);
    out[lane / 4 * 4 + lane % 4] = low;
    out[(lane / 4 + 8) * 4 + lane % 4] = high;
}

#endif
