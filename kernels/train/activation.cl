// What becomes of a convolution's sum before it is stored, in the trainer's forward pass and its backward pass to the input, for CPUs and GPUs; included by both.
//
//   RELU        max(0, sum)
//   ADD         other + sum, a skip connection
//   GATE        sum where other > 0, else 0: a gradient on its way back through a ReLU
//   ACCUMULATE  what the output held before counts as part of the sum
// ACT1 and BEFORE1 are for one value; conv2d_valid.cl has the same for vectors.

#if defined(GATE)
#define ACT1(sum, other) ((other) > 0.0f ? (sum) : 0.0f)
#elif defined(ADD)
#define ACT1(sum, other) ((other) + (sum))
#elif defined(RELU)
#define ACT1(sum, other) fmax(sum, 0.0f)
#else
#define ACT1(sum, other) (sum)
#endif
#ifdef ACCUMULATE
#define BEFORE1(o) (o)
#else
#define BEFORE1(o) 0.0f
#endif
