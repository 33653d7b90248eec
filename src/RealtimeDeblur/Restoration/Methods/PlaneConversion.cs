using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration.Methods;

/// <summary>Frames to float planes of working values and back (<c>restore/plane.cl</c>), for methods that go over a picture several times. The caller disposes it, after the queue it ran on has finished.</summary>
internal sealed class PlaneConversion : IDisposable
{
    /// <summary>Pixels of a row that a work-item takes: enough for whole vectors on a CPU, neighbours of neighbours elsewhere.</summary>
    private const int CpuRun = 128;

    private readonly SampleLayout _samples;
    private readonly Owned _owned = new();
    private readonly Launch _fromFrame;
    private readonly Launch _toFrame;

    /// <param name="device">Stays the caller's and must outlive the conversion.</param>
    /// <param name="samples">How frames lie in memory; of one channel.</param>
    public PlaneConversion(ComputeDevice device, SampleLayout samples)
    {
        _samples = samples;
        bool isCpu = device.Info.Type == ComputeDeviceType.Cpu;
        int run = isCpu ? CpuRun : 1, localX = isCpu ? 1 : 32;
        try
        {
            KernelProgram program = device.Build("restore/plane.cl", $"{samples.Options} -DRUN={run}");
            WorkSize global = new(WorkSize.Tiles(WorkSize.Tiles(samples.W, run), localX) * localX, samples.H);
            _fromFrame = new(Kernel("plane_from_frame"), global, new(localX));
            _toFrame = new(Kernel("plane_to_frame"), global, new(localX));
            SampleLayout.BindKept(_toFrame.Kernel, 0, 0, samples.W, samples.H);

            Kernel Kernel(string name)
            {
                Kernel kernel = _owned.Add(program.CreateKernel(name));
                samples.Bind(kernel);
                SampleLayout.BindOrigin(kernel, 0, 0);
                return kernel;
            }
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    /// <summary>Enqueues the working values of a frame.</summary>
    /// <param name="queue">In-order.</param>
    /// <param name="frame">Begins with plane 0 of the frame; not modified.</param>
    /// <param name="plane">float [H][W], overwritten.</param>
    /// <param name="waitFor">Events that must have happened before the frame is read.</param>
    public void FromFrame(CommandQueue queue, KernelArgument frame, DeviceBuffer<float> plane, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        SampleLayout.BindFrame(_fromFrame.Kernel, frame);
        _fromFrame.Kernel.Bind(SampleLayout.AfterFrame, plane);
        _fromFrame.Enqueue(queue, waitFor);
    }

    /// <summary>Enqueues the frame with its working values changed to a plane's.</summary>
    /// <param name="queue">In-order.</param>
    /// <param name="frame">As it was; not modified.</param>
    /// <param name="plane">float [H][W], not modified.</param>
    /// <param name="restored">Another buffer of the frame's layout, overwritten.</param>
    /// <param name="strength">Share of the change that is written, 0 to 1.</param>
    /// <returns>The event of the launch; the caller disposes it.</returns>
    public ComputeEvent ToFrame(CommandQueue queue, KernelArgument frame, DeviceBuffer<float> plane, KernelArgument restored, float strength)
    {
        SampleLayout.BindFrame(_toFrame.Kernel, frame);
        _samples.BindRestored(_toFrame.Kernel, restored, strength);
        _toFrame.Kernel.Bind(SampleLayout.AfterRestored, plane);
        return _toFrame.EnqueueWithEvent(queue);
    }

    public void Dispose() => _owned.Dispose();
}
