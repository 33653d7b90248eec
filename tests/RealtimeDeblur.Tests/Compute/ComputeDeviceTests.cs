using RealtimeDeblur.Compute;
using Xunit;

namespace RealtimeDeblur.Tests.Compute;

public sealed class ComputeDeviceTests
{
    public ComputeDeviceTests() => TestDevice.SkipWithoutDevice();

    [Fact]
    public void List_EveryDevice_IsDescribedAndGpusComeFirst()
    {
        IReadOnlyList<DeviceInfo> devices = ComputeDevice.List();
        Assert.Equal(Enumerable.Range(0, devices.Count), devices.Select(device => device.Index));
        Assert.Equal(devices.Select(device => device.Type).Order(), devices.Select(device => device.Type));
        Assert.All(devices, device =>
        {
            Assert.NotEmpty(device.Name);
            Assert.NotEmpty(device.Platform);
            Assert.Contains("OpenCL", device.Driver, StringComparison.Ordinal);
            Assert.True(device.ComputeUnits > 0 && device.MemoryBytes > 0 && device.LocalMemoryBytes > 0 && device.MaxWorkGroupSize > 0, device.ToString());
            Assert.InRange(device.MaxAllocationBytes, 1, device.MemoryBytes);
        });
    }

    [Fact]
    public void Open_Index_OpensThatDevice()
    {
        foreach (DeviceInfo info in ComputeDevice.List())
        {
            using ComputeDevice device = ComputeDevice.Open($"{info.Index}");
            Assert.Equal(info, device.Info);
        }
    }

    [Fact]
    public void Open_PartOfTheNameInAnyCase_OpensADeviceOfThatName()
    {
        string name = ComputeDevice.List()[0].Name;
        string part = name[(name.Length / 3)..];
        foreach (string selector in (string[])[name, part.ToUpperInvariant(), part.ToLowerInvariant()])
        {
            using ComputeDevice device = ComputeDevice.Open(selector);
            Assert.Contains(part, device.Info.Name, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("no such device")]
    [InlineData("9999")]
    [InlineData("-1")]
    [InlineData("99999999999999999999")]
    public void Open_NoMatch_ListsWhatThereIs(string selector)
    {
        OpenClException e = Assert.Throws<OpenClException>(() => ComputeDevice.Open(selector));
        Assert.StartsWith($"No OpenCL device matches '{selector}'. Choose by index or part of the name from: 0: ", e.Message, StringComparison.Ordinal);
        Assert.All(ComputeDevice.List(), device => Assert.Contains($"{device.Index}: {device.Name}", e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Open_Number_MeansAPartOfTheNameWhereNoIndexMatches()
    {
        DeviceInfo[] devices = [Named("Radeon RX 6600"), Named("GeForce RTX 4090")];
        Assert.Equal(1, ComputeDevice.Find(devices, "4090"));
        Assert.Equal(1, ComputeDevice.Find(devices, "1"));
        Assert.Equal(0, ComputeDevice.Find(devices, "radeon"));
        Assert.Equal(-1, ComputeDevice.Find(devices, "3080"));

        DeviceInfo Named(string name) => ComputeDevice.List()[0] with { Name = name, Index = name.StartsWith('G') ? 1 : 0 };
    }

    [Fact]
    public void Open_Twice_GivesDevicesOfTheirOwn()
    {
        using ComputeDevice first = ComputeDevice.Open();
        using ComputeDevice second = ComputeDevice.Open();
        using (CommandQueue queue = first.CreateQueue())
        using (DeviceBuffer<int> buffer = first.Allocate<int>([1, 2, 3])) Assert.Equal([1, 2, 3], buffer.ToArray(queue));
        first.Dispose();
        using CommandQueue other = second.CreateQueue();
        using DeviceBuffer<int> survivor = second.Allocate<int>([4, 5]);
        Assert.Equal([4, 5], survivor.ToArray(other));
    }

    [Fact]
    public void Dispose_Twice_IsHarmlessAndLaterUseSaysDisposed()
    {
        ComputeDevice device = ComputeDevice.Open();
        device.Dispose();
        device.Dispose();
        Assert.Throws<ObjectDisposedException>(() => device.CreateQueue());
        Assert.Throws<ObjectDisposedException>(() => device.Allocate<float>(1));
        Assert.Throws<ObjectDisposedException>(() => device.Build("common/fma_peak.cl", "-DROUNDS=1"));
    }

    [Fact]
    public void Dispose_BeforeItsObjects_LeavesThemUsable()
    {
        ComputeDevice device = ComputeDevice.Open();
        using CommandQueue queue = device.CreateQueue();
        using DeviceBuffer<int> buffer = device.Allocate<int>([7, 8]);
        device.Dispose();
        Assert.Equal([7, 8], buffer.ToArray(queue));
    }
}
