// Whether a device computes in half: built, run and its result compared by the host (ProbedArithmetic). A wrong result or a build that fails is the answer "no".
//
//   out[i] = sum over j < 4 of in[i].sj * weights[i % TAPS].sj
//
//   in       float4 [n]
//   weights  half4 [TAPS]
//   out      float [n]
// Work:   one work-item per element; global = { n }, local = { TAPS }.
// ANNOUNCED: the device has cl_khr_fp16. (The compiler's macro of that name is no proof: Oclgrind's has it, and the simulator fails.)
// It uses what gpu_conv2d.cl uses with HALF_ARITHMETIC, because drivers that do not announce cl_khr_fp16 may support parts of it (NVIDIA's the operators, not the functions).
// CPU reference: ProbedArithmetic computes the same in double precision.

#define TAPS 16          // work-items per work-group

__kernel __attribute__((reqd_work_group_size(TAPS, 1, 1)))
void probe_fp16(__global const float4* restrict in, __global const half* restrict weights, __global float* restrict out) {
#if defined(ANNOUNCED) || defined(__NV_CL_C_VERSION)
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
    __local half tile[4 * TAPS];
    __global const half4* restrict weight = (__global const half4*)weights;
    const int i = get_global_id(0), item = get_local_id(0);
    const float4 v = in[i];
    tile[item] = v.x; tile[TAPS + item] = v.y; tile[2 * TAPS + item] = v.z; tile[3 * TAPS + item] = v.w;
    barrier(CLK_LOCAL_MEM_FENCE);
    const half4 products = (half4)(tile[item], tile[TAPS + item], tile[2 * TAPS + item], tile[3 * TAPS + item]) * weight[item];
    const float4 sums = convert_float4(products);
    out[i] = sums.x + sums.y + sums.z + sums.w;
#else
    // Not tried where it cannot work: some drivers print what their compiler or simulator then says.
    out[get_global_id(0)] = NAN;
#endif
}
