// The data's side of Winograd's convolution F(4x4, 3x3), of eight channels or eight tiles at once. Included by kernels that use it.
//
//   out = A^T [ sum over inputs of (G g G^T) .* (B^T d B) ] A      (Lavin and Gray, arXiv 1509.09308)
//
// d is a patch of 6x6 inputs, g a filter of 3x3 taps, out the 4x4 outputs that the filter has in the patch: 36 products instead of 144.
// B and A are applied to columns, then to rows; G g G^T is made once on the host (Winograd.cs). A bias belongs to product (1, 1) alone: A^T of it is 1 at every output.

// B^T of six inputs, to six places `stride` apart.
void transform_patch(float8* to, int stride, float8 d0, float8 d1, float8 d2, float8 d3, float8 d4, float8 d5) {
    const float8 even = fma(-4.0f, d2, d4), odd = fma(-4.0f, d1, d3);
    const float8 even2 = d4 - d2, odd2 = d3 - d1;
    to[0] = fma(4.0f, d0, fma(-5.0f, d2, d4));
    to[stride] = even + odd;
    to[2 * stride] = even - odd;
    to[3 * stride] = fma(2.0f, odd2, even2);
    to[4 * stride] = fma(-2.0f, odd2, even2);
    to[5 * stride] = fma(4.0f, d1, fma(-5.0f, d3, d5));
}

// A^T of six sums of products, to four places `stride` apart.
void transform_sums(float8* to, int stride, float8 m0, float8 m1, float8 m2, float8 m3, float8 m4, float8 m5) {
    const float8 sum = m1 + m2, difference = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;
    to[0] = m0 + sum + sum2;
    to[stride] = fma(2.0f, difference2, difference);
    to[2 * stride] = fma(4.0f, sum2, sum);
    to[3 * stride] = fma(8.0f, difference2, difference) + m5;
}
