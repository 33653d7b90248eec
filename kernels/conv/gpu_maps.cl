// How the GPU kernels of hidden layers read and write tensors, and what follows the sum of a convolution. Included by gpu_*.cl.
//
//   maps     MAPS [M/4][H][W] of four values, half with HALF_MAPS, float without: the four maps 4m..4m+3 of a pixel lie side by side. M is a multiple of 4; the maps
//            that fill it up are zero, because their weights and biases are.
//   finish:  act(sum), or skip + act(sum) with SKIP_TENSOR, or skip - act(sum) with SUBTRACT as well; act(sum) = max(0, sum) with RELU, sum without.
//
// Why this layout: neighbouring work-items take neighbouring pixels, so a row of them reads one run of memory, in words of 16 (float) or 8 bytes (half), as GPUs like best.
// Half maps need no half arithmetic: vloada_half and vstorea_half belong to every OpenCL 1.2.

// A frame's value as first layers keep it that compute with halves: (code - 128) / 256 of an 8-bit code, which a half holds exactly. The host makes up for it in weights and
// biases (GpuWeightPacking.ForHalfFrames). First layers sharpen: their filters sum up to nearly 0, but their sizes to 160, so an error of the value as it is, 2^-12, showed.
#define HALF_SAMPLE(v) (((v) - 128.0f / 255.0f) * (255.0f / 256.0f))

#ifdef HALF_MAPS
#define MAPS half
#define LOAD_MAPS(i, maps) vloada_half4(i, maps)
#define STORE_MAPS(v, i, maps) vstorea_half4(v, i, maps)
#else
#define MAPS float4
#define LOAD_MAPS(i, maps) ((maps)[i])
#define STORE_MAPS(v, i, maps) ((maps)[i] = (v))
#endif

#ifdef RELU
#define ACTIVATE(v) fmax(v, 0.0f)
#else
#define ACTIVATE(v) (v)
#endif

// skip may be out itself: a work-item reads an element before it writes it.
#if defined(SUBTRACT)
#define FINISH(sum, at) (LOAD_MAPS(at, skip) - ACTIVATE(sum))
#elif defined(SKIP_TENSOR)
#define FINISH(sum, at) (LOAD_MAPS(at, skip) + ACTIVATE(sum))
#else
#define FINISH(sum, at) ACTIVATE(sum)
#endif
