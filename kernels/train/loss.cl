// Loss of a batch and its gradient with respect to the network's output.
//
//   restored = network output (+ blurred with a global skip),  e = restored - sharp,  M = N*H*W*K,  w = the patch's weight
//   MSE: loss = sum w e^2 / M, dOut = 2 w e / M        L1 (-DL1): loss = sum w |e| / M, dOut = w sign(e) / M
//
// Tensors, channels fastest, each with origin, row stride and image stride in floats:
//   output [N][H][W][K]; blurred [N][H][W][K] (the middle of the network's input); sharp [N][H][W][K]; dOut [N][H][W][K], overwritten
//   weight float [N]
//   rowSum float [N*H], overwritten: the loss per row
// Work: one work-item per row; global = { H, N, 1 }, local = { 1, 1, 1 }
// CPU reference: tests/RealtimeDeblur.Tests/Training/LossTests.cs

#ifndef K
#define K 1          // channels of the frame
#endif

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void loss_gradient(__global const float* restrict output, int outputRow, int outputImage,
                   __global const float* restrict blurred, int blurredOrigin, int blurredRow, int blurredImage,
                   __global const float* restrict sharp, int sharpRow, int sharpImage, __global const float* restrict weight,
                   __global float* restrict dOut, int dOutOrigin, int dOutRow, int dOutImage,
                   __global float* restrict rowSum, int W, float inverseM) {
    const int y = get_global_id(0), H = get_global_size(0), n = get_global_id(1);
    output += n*outputImage + y*outputRow;
    blurred += blurredOrigin + n*blurredImage + y*blurredRow;
    sharp += n*sharpImage + y*sharpRow;
    dOut += dOutOrigin + n*dOutImage + y*dOutRow;
    const float scale = weight[n]*inverseM;
    float loss = 0;
    for (int x = 0; x < W; x++) {
        for (int k = 0; k < K; k++) {
            const int i = x*K + k;
#ifdef SKIP
            const float e = output[i] + blurred[i] - sharp[i];
#else
            const float e = output[i] - sharp[i];
#endif
#ifdef L1
            const float gradient = (e > 0 ? 1.0f : e < 0 ? -1.0f : 0.0f)*scale;
            loss += fabs(e);
#else
            const float gradient = 2*e*scale;
            loss += e*e;
#endif
            dOut[i] = gradient;
        }
    }
    rowSum[n*H + y] = loss*scale;
}

// Adds the rows in a fixed order: the loss goes to history[slot]. Work: one work-group of SUMMED work-items.
#define SUMMED 16
__kernel __attribute__((reqd_work_group_size(SUMMED, 1, 1)))
void reduce_loss(__global const float* restrict rowSum, int rows, __global float* restrict history, int slot) {
    __local float sums[SUMMED];
    const int item = get_local_id(0);
    float sum = 0;
    for (int row = item; row < rows; row += SUMMED) sum += rowSum[row];
    sums[item] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item > 0) return;
    sum = 0;
    for (int i = 0; i < SUMMED; i++) sum += sums[i];
    history[slot] = sum;
}
