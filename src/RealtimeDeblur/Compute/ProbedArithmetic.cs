namespace RealtimeDeblur.Compute;

/// <summary>
/// What arithmetic besides <c>float</c> works on a device, found out by building small kernels, running them and comparing what they compute.
/// Extension strings do not tell: NVIDIA's driver announces neither, and has both on most devices.
/// </summary>
/// <param name="SupportsHalfArithmetic">Whether kernels may compute in <c>half</c> (macro HALF_ARITHMETIC of the kernels). Half storage needs no support.</param>
/// <param name="SupportsTensorCores">Whether the matrix products of <c>common/fragments.cl</c> run on tensor cores (macro TENSOR_CORES of the kernels).</param>
internal sealed record ProbedArithmetic(bool SupportsHalfArithmetic, bool SupportsTensorCores)
{
    /// <summary>Nothing but <c>float</c>.</summary>
    internal static ProbedArithmetic FloatOnly { get; } = new(SupportsHalfArithmetic: false, SupportsTensorCores: false);

    /// <summary>Side of the matrices in <c>common/fragments.cl</c>.</summary>
    private const int Side = 16;

    private const int TensorCoreItems = 32;

    /// <summary>Relative to the sum of the sizes of the terms: four roundings to half, each by up to 2^-11.</summary>
    private const double Tolerance = 4.0 / (1 << 11);

    /// <summary>Builds and runs the probes and waits for them.</summary>
    internal static ProbedArithmetic Of(ComputeDevice device) => new(Answer(() => ComputesInHalf(device)), Answer(() => MultipliesMatrices(device, "-DTENSOR_CORES")));

    /// <summary>Whether the products of <c>common/fragments.cl</c>, built with some options, come out right.</summary>
    /// <exception cref="OpenClException">The compiler refuses, or the launch fails.</exception>
    internal static bool MultipliesMatrices(ComputeDevice device, string options)
    {
        Half[,] pixels = Values(Side, Side, seed: 1), weights = Values(Side, Side, seed: 2);
        Half[] input = new Half[Side * Side], packed = new Half[Side * Side];
        for (int i = 0; i < Side; i++)
        {
            for (int c = 0; c < Side; c++)
            {
                input[(c / 4 * Side + i) * 4 + c % 4] = pixels[i, c];
                packed[FragmentRow(i) * Side + c] = weights[i, c];
            }
        }
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<Half> from = device.Allocate<Half>(input), filters = device.Allocate<Half>(packed);
        using DeviceBuffer<float> to = device.Allocate<float>(Side * Side);
        using Kernel kernel = device.Build("common/probe_tensor_core.cl", options).CreateKernel("probe_tensor_core");
        kernel.Bind(from, filters, to).Enqueue(queue, new(TensorCoreItems), new(TensorCoreItems));
        float[] actual = to.ToArray(queue);

        for (int i = 0; i < Side; i++)
        {
            double[] first = new double[Side];
            for (int k = 0; k < Side; k++)
            {
                for (int c = 0; c < Side; c++) first[k] += (double)pixels[i, c] * (double)weights[k, c];
            }
            for (int k = 0; k < Side; k++)
            {
                (double expected, double size) = (0, 0);
                for (int c = 0; c < Side; c++)
                {
                    double term = first[c] * (double)weights[k, c];
                    expected += term;
                    size += Math.Abs(term);
                }
                if (!(Math.Abs(actual[i * Side + k] - expected) <= Tolerance * size)) return false;     // NaN is not right either
            }
        }
        return true;
    }

    /// <summary>The row of a 16x16 block in which the kernels expect a filter; the order is explained in <c>common/fragments.cl</c>.</summary>
    internal static int FragmentRow(int k) => k / 2 % 2 * 8 + k / 4 * 2 + k % 2;

    private static bool ComputesInHalf(ComputeDevice device)
    {
        const int Taps = 16, Count = 64;    // TAPS of the kernel; a few work-groups
        Half[,] values = Values(Count, 4, seed: 3), weights = Values(Taps, 4, seed: 4);
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<float> input = device.Allocate<float>([.. values.Cast<Half>().Select(value => (float)value)]);
        using DeviceBuffer<Half> weight = device.Allocate<Half>([.. weights.Cast<Half>()]);
        using DeviceBuffer<float> output = device.Allocate<float>(Count);
        using Kernel kernel = device.Build("common/probe_fp16.cl", device.Info.SupportsFp16 ? "-DANNOUNCED" : "").CreateKernel("probe_fp16");
        kernel.Bind(input, weight, output).Enqueue(queue, new(Count), new(Taps));
        float[] actual = output.ToArray(queue);

        for (int i = 0; i < Count; i++)
        {
            (double expected, double size) = (0, 0);
            for (int j = 0; j < 4; j++)
            {
                double term = (double)values[i, j] * (double)weights[i % Taps, j];
                expected += term;
                size += Math.Abs(term);
            }
            if (!(Math.Abs(actual[i] - expected) <= Tolerance * size)) return false;
        }
        return true;
    }

    /// <summary>A compiler that refuses and a launch that fails are answers, not errors.</summary>
    private static bool Answer(Func<bool> probe)
    {
        try
        {
            return probe();
        }
        catch (OpenClException)
        {
            return false;
        }
    }

    private static Half[,] Values(int rows, int columns, int seed)
    {
        Random random = new(seed);
        Half[,] values = new Half[rows, columns];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) values[i, j] = (Half)(random.NextDouble() - 0.5);
        }
        return values;
    }
}
