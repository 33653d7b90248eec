// Measures the device's peak rate of fused multiply-adds, against which `deblur bench` gives its share of peak.
//
// Each work-item runs ROUNDS rounds of 12 independent float8 FMAs held in registers: 12*8*ROUNDS multiply-accumulates, no memory traffic.
// Work:   global = { work-items }, local = { 1 } on a CPU.
// out     float [work-items], written so that the compiler keeps the sums.

#ifndef ROUNDS
#define ROUNDS 100000    // long enough to hide the launch
#endif

__kernel void fma_peak(__global float* restrict out, float factor, float addend) {
    float8 a = factor, b = addend;
    float8 s0 = 0, s1 = 1, s2 = 2, s3 = 3, s4 = 4, s5 = 5, s6 = 6, s7 = 7, s8 = 8, s9 = 9, s10 = 10, s11 = 11;
    for (int i = 0; i < ROUNDS; i++) {
        s0 = fma(s0, a, b); s1 = fma(s1, a, b); s2 = fma(s2, a, b); s3 = fma(s3, a, b);
        s4 = fma(s4, a, b); s5 = fma(s5, a, b); s6 = fma(s6, a, b); s7 = fma(s7, a, b);
        s8 = fma(s8, a, b); s9 = fma(s9, a, b); s10 = fma(s10, a, b); s11 = fma(s11, a, b);
    }
    float8 s = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11;
    out[get_global_id(0)] = s.s0 + s.s1 + s.s2 + s.s3 + s.s4 + s.s5 + s.s6 + s.s7;
}
