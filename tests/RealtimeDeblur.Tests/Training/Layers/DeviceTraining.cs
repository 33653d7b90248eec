using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Reference;
using RealtimeDeblur.Training.Layers;

namespace RealtimeDeblur.Tests.Training.Layers;

/// <summary>A training graph with its buffers, filled from and read into plain tensors.</summary>
internal sealed class DeviceTraining : IDisposable
{
    private readonly CommandQueue _queue;
    private readonly ParameterLayout _layout;
    private readonly DeviceBuffer<float> _history;

    public DeviceTraining(CommandQueue queue, Network network, int N, int size, LossKind loss, bool withInputGradient = false, GpuTile? gpu = null)
    {
        _queue = queue;
        _layout = new(network.Description);
        Parameters = queue.Device.Allocate<float>((ReadOnlySpan<float>)_layout.Pack(network.Weights));
        Gradient = queue.Device.Allocate<float>((ReadOnlySpan<float>)new float[_layout.TotalCount]);
        _history = queue.Device.Allocate<float>(4);
        Graph = new(queue, network.Description, _layout, Parameters, N, size, batches: 1, gpu);
        Graph.PrepareBackward(Gradient, _history, loss, withInputGradient);
    }

    public TrainingGraph Graph { get; }

    public DeviceBuffer<float> Parameters { get; }

    public DeviceBuffer<float> Gradient { get; }

    public ParameterLayout Layout => _layout;

    public void Load(Tensor blurred, Tensor sharp, double[] patchWeights, double[]? sigmas = null)
    {
        Write(ReferenceConvolution.SpaceToDepth(blurred, Graph.Description.Scale), Graph.Blurred);
        Write(ReferenceConvolution.SpaceToDepth(sharp, Graph.Description.Scale), Graph.Sharp);
        if (sigmas is not null) Graph.UploadSigmas(Array.ConvertAll(sigmas, sigma => (float)sigma));
        Graph.PatchWeights.Write(_queue, Array.ConvertAll(patchWeights, weight => (float)weight));
    }

    public float[] Losses() => _history.ToArray(_queue);

    /// <summary>Gradients of a set of parameters.</summary>
    public IReadOnlyList<LayerWeights> Gradients(int set = 0) => _layout.UnpackSets([Gradient.ToArray(_queue)[(set * _layout.Count)..((set + 1) * _layout.Count)]]);

    /// <summary>The first C channels of the maps, without halo.</summary>
    public static Tensor Read(CommandQueue queue, MapTensor maps, int C)
    {
        float[] values = maps.Buffer.ToArray(queue);
        Tensor tensor = new(maps.N, C, maps.H, maps.W);
        for (int n = 0; n < maps.N; n++)
        for (int c = 0; c < C; c++)
        for (int y = 0; y < maps.H; y++)
        for (int x = 0; x < maps.W; x++)
            tensor[n, c, y, x] = values[maps.Origin + n * maps.Image + y * maps.Row + x * maps.C + c];
        return tensor;
    }

    public void Dispose()
    {
        Graph.Dispose();
        _history.Dispose();
        Gradient.Dispose();
        Parameters.Dispose();
    }

    private void Write(Tensor tensor, MapTensor maps)
    {
        float[] values = new float[maps.Buffer.Count];
        for (int n = 0; n < maps.N; n++)
        for (int c = 0; c < tensor.C; c++)
        for (int y = 0; y < maps.H; y++)
        for (int x = 0; x < maps.W; x++)
            values[maps.Origin + n * maps.Image + y * maps.Row + x * maps.C + c] = (float)tensor[n, c, y, x];
        maps.Buffer.Write(_queue, values);
    }
}
