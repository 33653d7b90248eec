using RealtimeDeblur.Compute;
using Xunit;

namespace RealtimeDeblur.Tests.Compute;

public sealed class DeviceBufferTests : IDisposable
{
    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();
    private readonly CommandQueue _queue;

    public DeviceBufferTests() => _queue = _device.CreateQueue();

    public void Dispose()
    {
        _queue.Dispose();
        _device.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100_003)]
    public void Read_AfterWrite_GivesWhatWasWritten(int count)
    {
        int[] values = [.. Enumerable.Range(5, count)];
        using DeviceBuffer<int> buffer = _device.Allocate<int>(count);
        Assert.Equal(count, buffer.Count);
        Assert.Equal(4L * count, buffer.SizeBytes);
        buffer.Write(_queue, values);
        Assert.Equal(values, buffer.ToArray(_queue));
    }

    [Fact]
    public void ReadAndWrite_AtAnOffset_TouchOnlyThatPart()
    {
        using DeviceBuffer<short> buffer = _device.Allocate<short>([0, 1, 2, 3, 4]);
        buffer.Write(_queue, [10, 11], offset: 2);
        short[] part = new short[3];
        buffer.Read(_queue, part, offset: 1);
        Assert.Equal([1, 10, 11], part);
        Assert.Equal([0, 1, 10, 11, 4], buffer.ToArray(_queue));
        buffer.Write(_queue, [], offset: 5);
    }

    [Fact]
    public void FillAndCopyTo_SetEveryElement()
    {
        using DeviceBuffer<float> from = _device.Allocate<float>(5);
        using DeviceBuffer<float> to = _device.Allocate<float>([1, 2, 3, 4, 5, 6]);
        from.Fill(_queue, 0.5f);
        from.CopyTo(_queue, to);
        Assert.Equal([0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 6], to.ToArray(_queue));
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(4, 1)]
    [InlineData(5, 0)]
    [InlineData(-1, 1)]
    [InlineData(long.MaxValue, 1)]
    public void Write_OutOfRange_IsRefusedBeforeTheDeviceSeesIt(long offset, int count)
    {
        using DeviceBuffer<byte> buffer = _device.Allocate<byte>(4);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Write(_queue, new byte[count], offset));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Read(_queue, new byte[count], offset));
    }

    [Fact]
    public void CopyTo_SmallerBuffer_IsRefused()
    {
        using DeviceBuffer<byte> from = _device.Allocate<byte>(4);
        using DeviceBuffer<byte> to = _device.Allocate<byte>(3);
        Assert.Throws<ArgumentOutOfRangeException>(() => from.CopyTo(_queue, to));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Allocate_NoElements_IsRefused(long count) => Assert.Throws<ArgumentOutOfRangeException>(() => _device.Allocate<float>(count));

    [Fact]
    public void Allocate_MoreThanTheDeviceHas_NamesSizeDeviceAndRemedy()
    {
        long count = 1L << 50;
        OpenClException e = Assert.Throws<OpenClException>(() => _device.Allocate<double>(count));
        Assert.StartsWith($"Could not allocate {8 * count:N0} bytes on {_device.Info.Name} (", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("lower the resolution, choose a smaller network, or pick another device with --device.", e.Message, StringComparison.Ordinal);
        Assert.NotEqual(0, e.Status);
    }

    [Fact]
    public void Dispose_Twice_IsHarmlessAndLaterUseSaysDisposed()
    {
        DeviceBuffer<float> buffer = _device.Allocate<float>(4);
        buffer.Dispose();
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.Write(_queue, [1]));
        Assert.Throws<ObjectDisposedException>(() => buffer.ToArray(_queue));
        Assert.Throws<ObjectDisposedException>(() => buffer.Fill(_queue, 1));
    }

    [Fact]
    public void Write_QueueDisposed_SaysDisposed()
    {
        using DeviceBuffer<float> buffer = _device.Allocate<float>(4);
        CommandQueue queue = _device.CreateQueue();
        queue.Dispose();
        queue.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.Write(queue, [1]));
        Assert.Throws<ObjectDisposedException>(queue.Finish);
    }

    [Fact]
    public void Write_QueueOfAnotherDevice_NamesBoth()
    {
        using ComputeDevice other = TestDevice.OpenOrSkip();
        using CommandQueue foreign = other.CreateQueue();
        using DeviceBuffer<float> buffer = _device.Allocate<float>(4);
        OpenClException e = Assert.Throws<OpenClException>(() => buffer.Write(foreign, [1]));
        Assert.Equal($"A queue of {other.Info.Name} cannot be used with a buffer of {_device.Info.Name}: every object must come from the same opened device.", e.Message);
    }
}
