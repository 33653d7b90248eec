// Products of 16x16 matrices by the 32 work-items of a warp: on tensor cores with TENSOR_CORES, in plain loops without, so that all around them can be tested anywhere.
//
//   sum[pixel][filter] += sum over channel of in[pixel][channel] * weight[filter][channel],   16 of each; in and weight are half, sums are float
//
// Work-item `lane` (0..31, neighbours along x of the work-group) has g = lane / 4, t = lane % 4, and holds
//   of in       channels 4t..4t+3 of the pixels g and g + 8
//   of sum      filters  4t..4t+3 of the pixels g (low) and g + 8 (high)
// so that the sums of one product, rounded to half, are the input of the next one as they stand.
//
//   in       local, half [4][stride][4]: channel 4q + j of a pixel is at [q][pixel][j]; `from` points to [0][first of the 16 pixels]
//   weight   half [16][16], a block of 512 bytes: row (k / 2) % 2 * 8 + k / 4 * 2 + k % 2 holds the 16 channels of filter k
//
// Tensor cores: two mma.sync.m16n8k16 (PTX ISA, "Matrix Fragments for mma.m16n8k16"; from compute capability 8.0). Its operands, with that document's names, are
//   A[row][column]   a0 a1: [g][2t, 2t+1]   a2 a3: [g+8][2t, 2t+1]   a4 a5: [g][2t+8, 2t+9]   a6 a7: [g+8][2t+8, 2t+9]
//   B[row][column]   b0 b1: [2t, 2t+1][g]   b2 b3: [2t+8, 2t+9][g]
//   C[row][column]   c0 c1: [g][2t, 2t+1]   c2 c3: [g+8][2t, 2t+1]
// Rows of A are pixels. Columns of A and rows of B may be in any order, if it is the same one: channels 4t, 4t+1, 4t+2, 4t+3 stand at 2t, 2t+1, 2t+8, 2t+9, so that
// a work-item's four channels lie side by side in memory. Columns of B likewise: the first product has filters 4t, 4t+1 at its columns 2t, 2t+1, the second 4t+2, 4t+3;
// hence the order of the rows of weight.
// The work-items of a warp must be 32 neighbours of a work-group and arrive together, which NVIDIA's work-groups of 32 along x do.
// Use: scratch is local, half [16 * 16] per warp, needed without TENSOR_CORES only.

#ifdef TENSOR_CORES

typedef uint4 input_fragment;

input_fragment load_input(__local const uint2* from, int stride, int lane) {
    const uint2 low = from[lane % 4 * stride + lane / 4], high = from[lane % 4 * stride + lane / 4 + 8];
    return (input_fragment)(low.x, high.x, low.y, high.y);
}

uint pack_halves(float low, float high) {
    uint packed;
    __asm__("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));     // the first source is the upper half
    return packed;
}

#define SCRATCH_ITEMS 1
// Every work-item of the work-group must get here.
input_fragment input_of_sums(float4 low, float4 high, __local uint2* scratch, int lane) {
    return (input_fragment)(pack_halves(low.x, low.y), pack_halves(high.x, high.y), pack_halves(low.z, low.w), pack_halves(high.z, high.w));
}

typedef uint4 weight_fragment;

weight_fragment load_weight(__global const uint2* block, int lane) {
    const uint2 first = block[lane], second = block[32 + lane];
    return (weight_fragment)(first, second);
}

void multiply_add(float4* low, float4* high, input_fragment in, weight_fragment weight) {
    float a = low->x, b = low->y, c = high->x, d = high->y;
    __asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                     : "+f"(a), "+f"(b), "+f"(c), "+f"(d) : "r"(in.x), "r"(in.y), "r"(in.z), "r"(in.w), "r"(weight.x), "r"(weight.y));
    low->x = a; low->y = b; high->x = c; high->y = d;
    a = low->z; b = low->w; c = high->z; d = high->w;
    __asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                     : "+f"(a), "+f"(b), "+f"(c), "+f"(d) : "r"(in.x), "r"(in.y), "r"(in.z), "r"(in.w), "r"(weight.z), "r"(weight.w));
    low->z = a; low->w = b; high->z = c; high->w = d;
}

#else

// Where the matrices lie; the product reads what it needs of them.
typedef struct { __local const uint2* from; int stride, lane; } input_fragment;
typedef __global const uint2* weight_fragment;

input_fragment load_input(__local const uint2* from, int stride, int lane) {
    input_fragment in = { from, stride, lane };
    return in;
}

#define SCRATCH_ITEMS 64
input_fragment input_of_sums(float4 low, float4 high, __local uint2* scratch, int lane) {
    barrier(CLK_LOCAL_MEM_FENCE);      // the product before this one has read the scratch
    vstorea_half4(low, lane % 4 * 16 + lane / 4, (__local half*)scratch);
    vstorea_half4(high, lane % 4 * 16 + lane / 4 + 8, (__local half*)scratch);
    barrier(CLK_LOCAL_MEM_FENCE);
    return load_input(scratch, 16, lane);
}

weight_fragment load_weight(__global const uint2* block, int lane) {
    return block;
}

// Kernels unroll what calls it; inlined it would take a CPU's compiler a minute.
__attribute__((noinline)) float4 product(input_fragment in, weight_fragment weight, int pixel) {
    const int t = in.lane % 4;
    float4 sum = 0.0f;
    for (int q = 0; q < 4; q++) {
        const float4 v = vloada_half4(q * in.stride + pixel, (__local const half*)in.from);
        sum.x += dot(v, vloada_half4((2 * t) * 4 + q, (__global const half*)weight));
        sum.y += dot(v, vloada_half4((2 * t + 1) * 4 + q, (__global const half*)weight));
        sum.z += dot(v, vloada_half4((2 * t + 8) * 4 + q, (__global const half*)weight));
        sum.w += dot(v, vloada_half4((2 * t + 9) * 4 + q, (__global const half*)weight));
    }
    return sum;
}

void multiply_add(float4* low, float4* high, input_fragment in, weight_fragment weight) {
    *low += product(in, weight, in.lane / 4);
    *high += product(in, weight, in.lane / 4 + 8);
}

#endif
