using System.Collections.Immutable;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Networks;

/// <summary>Any network, one launch of <c>conv/conv2d.cl</c> per layer. Tensors that are no longer needed hand their buffer on.</summary>
internal sealed class GeneralFamily : IKernelFamily
{
    public static InferencePlan Plan { get; } = new("general");

    public string Name => Plan.Kernels;

    public IEnumerable<InferencePlan> Plans(NetworkDescription description, DeviceInfo device, ProbedArithmetic arithmetic, int W, int H) => [Plan];

    public string? Refusal(InferencePlan plan, NetworkDescription description, int W, int H) => plan == Plan ? null : "these kernels have no macros";

    public TileMemory Memory(InferencePlan plan, NetworkDescription description, int W, int H) =>
        TileMemory.Of([.. TensorBuffers.Assign(description).Channels.Select(C => (long)C * W * H)]);

    public ITileLayers Create(LayerSetUp setUp) => new Layers(setUp);

    private static int FilterStep(int K) => K >= 5 ? 8 : K >= 3 ? 4 : K;

    private sealed class Layers : ITileLayers
    {
        private readonly Owned _owned = new();

        public Layers(LayerSetUp setUp)
        {
            (ComputeDevice device, NetworkDescription description, int W, int H) = (setUp.Device, setUp.Description, setUp.TileW, setUp.TileH);
            // A CPU driver runs a work-group as a loop: groups of one keep it simple. GPUs want neighbouring pixels together.
            WorkSize local = device.Info.Type == ComputeDeviceType.Cpu ? WorkSize.Single : new(32, 4);
            var launches = new Launch[description.Layers.Count];
            try
            {
                var tensors = new TensorBuffers(device, description, first: 0, K => (long)K * W * H, _owned);
                for (int i = 0; i < launches.Length; i++)
                {
                    ConvolutionLayer layer = description.Layers[i];
                    bool last = i == launches.Length - 1;
                    int step = FilterStep(layer.K);
                    int index = i;
                    KernelArgument weight = setUp.Weights.Add(weights => WeightPacking.FiltersLast(weights[index].Weight, layer.K, layer.C * layer.Size * layer.Size, step));
                    KernelArgument bias = setUp.Weights.Add(weights => WeightPacking.PadTo(weights[index].Bias, step));
                    Kernel kernel = _owned.Add(device.Build("conv/conv2d.cl", $"{LayerMacros.Of(setUp, i)} -DK_STEP={step}").CreateKernel("conv2d_forward"));
                    setUp.Samples.Bind(kernel);
                    kernel.BindFrom(last ? SampleLayout.AfterRestored : SampleLayout.AfterFrame,
                        i == 0 ? weight : tensors.OutputOf(i - 1), tensors.Named(layer.With, other: weight), tensors.Named(layer.Skip, other: weight), weight, bias, last ? weight : tensors.OutputOf(i), W, H);
                    launches[i] = new(kernel, new(WorkSize.Tiles(W, local.X) * local.X, WorkSize.Tiles(H, local.Y) * local.Y, WorkSize.Tiles(layer.K, step)), local);
                }
            }
            catch
            {
                Dispose();
                throw;
            }
            Launches = [.. launches];
            FrameKernels = [.. launches.Select(launch => launch.Kernel)];
        }

        public ImmutableArray<Launch> Launches { get; }

        public ImmutableArray<Kernel> FrameKernels { get; }

        public void Dispose() => _owned.Dispose();
    }
}
