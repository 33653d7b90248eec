// Parameter updates. All parameters of a network lie in one buffer, their gradients, moments and learning-rate scales in buffers of the same layout.
//
// Adam (Kingma and Ba, arXiv 1412.6980):  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p -= rate * scale * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
// SGD with momentum:                      m = b1 m + g;  p -= rate * scale * m
// g is the gradient times clip[1], which limit_gradient sets on the device: no step waits for the host.
// average follows the parameters, average += averageRate*(p - average): a mean over the last 1/averageRate steps or so, which ships in their place.
//
// Buffers: float [count] each; clip float [2] = { running mean of the gradient's norm, factor for this step }; squares float [SQUARES]
// Work: adam, sgd: one work-item per parameter, local = { 16 }; the others as said beside them.

__kernel __attribute__((reqd_work_group_size(16, 1, 1)))
void adam(__global float* restrict parameter, __global const float* restrict gradient, __global float* restrict m, __global float* restrict v,
          __global const float* restrict scale, __global const float* restrict clip, __global float* restrict average,
          float rate, float averageRate, float b1, float b2, float correction1, float correction2, float epsilon) {
    const int i = get_global_id(0);
    const float g = gradient[i]*clip[1];
    const float mi = b1*m[i] + (1 - b1)*g;
    const float vi = b2*v[i] + (1 - b2)*g*g;
    m[i] = mi;
    v[i] = vi;
    const float p = parameter[i] - rate*scale[i]*(mi*correction1)/(sqrt(vi*correction2) + epsilon);
    parameter[i] = p;
    average[i] += averageRate*(p - average[i]);
}

__kernel __attribute__((reqd_work_group_size(16, 1, 1)))
void sgd(__global float* restrict parameter, __global const float* restrict gradient, __global float* restrict m,
         __global const float* restrict scale, __global const float* restrict clip, __global float* restrict average,
         float rate, float averageRate, float b1) {
    const int i = get_global_id(0);
    const float mi = b1*m[i] + gradient[i]*clip[1];
    m[i] = mi;
    const float p = parameter[i] - rate*scale[i]*mi;
    parameter[i] = p;
    average[i] += averageRate*(p - average[i]);
}

#define SQUARES 256

// Sums of the squares of every SQUARES-th gradient. Work: global = { SQUARES }, local = { 16 }.
__kernel __attribute__((reqd_work_group_size(16, 1, 1)))
void square_sums(__global const float* restrict gradient, int count, __global float* restrict squares) {
    const int first = get_global_id(0);
    float sum = 0;
    for (int i = first; i < count; i += SQUARES) sum = fma(gradient[i], gradient[i], sum);
    squares[first] = sum;
}

// Limits the gradient's Euclidean norm to `limit` times its running mean (none in the first `free` steps, or with limit 0), and updates the mean.
// A batch with one odd patch would otherwise throw the moments off for hundreds of steps. Work: one work-item.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void limit_gradient(__global const float* restrict squares, __global float* restrict clip, float limit, int step, int free) {
    float sum = 0;
    for (int i = 0; i < SQUARES; i++) sum += squares[i];
    float norm = sqrt(sum);
    const float mean = clip[0];
    float factor = 1;
    if (limit > 0 && step > free && norm > limit*mean) {
        factor = limit*mean/norm;
        norm = limit*mean;
    }
    clip[0] = step == 1 ? norm : 0.98f*mean + 0.02f*norm;
    clip[1] = factor;
}

// Subtracts from every filter of a layer its mean over the support, so that it answers to structure and not to brightness.
// weight [sets][K/16][taps][16], sets `count` floats apart, at origin. (The average of filters without mean has none.) Work: one work-item per 16 filters of a set; global = { K/16, sets }.
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void remove_mean(__global float* restrict parameter, int origin, int taps, int count) {
    __global float* w = parameter + get_global_id(1)*count + origin + get_global_id(0)*taps*16;
    float8 a = 0, b = 0;
    for (int i = 0; i < taps; i++) { a += vload8(2*i, w); b += vload8(2*i + 1, w); }
    a /= (float)taps;
    b /= (float)taps;
    for (int i = 0; i < taps; i++) { vstore8(vload8(2*i, w) - a, 2*i, w); vstore8(vload8(2*i + 1, w) - b, 2*i + 1, w); }
}
