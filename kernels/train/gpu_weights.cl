// Where a layer's weights lie, for the trainer's kernels for GPUs, which include this file. The host's side of it is ConvolutionShape.IndexOf.
//
//   ORDER 0  [K/16][SIZE][SIZE][C][16]  many filters, 16 of them together
//         1  [C/16][SIZE][SIZE][K][16]  few filters over many channels, 16 channels together
//         2  [SIZE][SIZE][C][K]         few of both

#ifndef C
#define C 16          // input channels
#endif
#ifndef K
#define K 16          // output channels
#endif
#ifndef SIZE
#define SIZE 3        // side of the support in taps
#endif
#ifndef ORDER
#define ORDER 0       // of the weights
#endif

// Weight of filter k for channel c under tap ky*SIZE + kx.
#if ORDER == 0
#define WEIGHT_AT(k, c, tap) ((((k)/16*SIZE*SIZE + (tap))*C + (c))*16 + (k)%16)
#elif ORDER == 1
#define WEIGHT_AT(k, c, tap) ((((c)/16*SIZE*SIZE + (tap))*K + (k))*16 + (c)%16)
#else
#define WEIGHT_AT(k, c, tap) (((tap)*C + (c))*K + (k))
#endif
