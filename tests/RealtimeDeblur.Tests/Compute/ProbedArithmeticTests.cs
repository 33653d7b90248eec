using RealtimeDeblur.Compute;
using Xunit;

namespace RealtimeDeblur.Tests.Compute;

public sealed class ProbedArithmeticTests : IDisposable
{
    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();

    public void Dispose() => _device.Dispose();

    [Fact]
    public void Arithmetic_AnyDevice_AnswersOnceAndDoesNotThrow() => Assert.Same(_device.Arithmetic, _device.Arithmetic);

    /// <summary>The probes may find more than a driver announces (NVIDIA's announces nothing), never less, and no tensor cores on a CPU.</summary>
    [Fact]
    public void Arithmetic_AnyDevice_AgreesWithWhatItIs()
    {
        Assert.True(_device.Arithmetic.SupportsHalfArithmetic || !_device.Info.SupportsFp16);
        Assert.False(_device.Arithmetic.SupportsTensorCores && _device.Info.Type == ComputeDeviceType.Cpu);
    }

    [Fact]
    public void MultipliesMatrices_PlainTwin_IsRight() => Assert.True(ProbedArithmetic.MultipliesMatrices(_device, ""));
}
