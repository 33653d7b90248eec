using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// Frame in, sharper frame out. Up to <see cref="MaxInFlight"/> frames are on their way at once: while one is computed the next is uploaded and the one before downloaded.
/// Luma (or R, G, B) is restored in place, chroma is not touched. Networks of one channel take every format: in RGB frames the change in luma is added to R, G and B alike.
/// Networks of three channels take the RGB formats only.
/// </summary>
/// <remarks>
/// Nothing is allocated per frame, neither here nor on the device. One thread at a time may call; that thread may change between calls. Several deblurrers, on one device
/// or on several, may run on different threads. The caller disposes it, which waits for the frames still in flight and disposes them.
/// Where device and host share memory the network writes into the frame itself, and nothing is copied back. Its input is a copy of plane 0 (0.1 ms for
/// 1280x720 on two CPU cores): networks read a neighbourhood of every pixel, which has to be there still when its neighbours are restored.
/// </remarks>
public sealed unsafe class Deblurrer : IDisposable
{
    /// <summary>Frames that may be submitted before the first is collected.</summary>
    public const int MaxInFlight = 3;

    private readonly ComputeDevice _device;
    private readonly CommandQueue _upload;
    private readonly CommandQueue _compute;
    private readonly CommandQueue _download;
    private readonly InferenceSession _session;
    private readonly Slot[] _slots = new Slot[MaxInFlight];
    private readonly List<IDisposable> _owned = [];
    private readonly int _planeBytes;
    private int _oldest;
    private bool _disposed;

    /// <summary>Builds the kernels and allocates everything that frames of this format need.</summary>
    /// <param name="device">Stays the caller's and must outlive the deblurrer.</param>
    /// <param name="network">How to restore.</param>
    /// <param name="format">Of every frame that will be submitted.</param>
    /// <param name="options">Null takes <see cref="DeblurOptions.Default"/>.</param>
    /// <param name="plan">Which kernels; null as for <see cref="InferenceSession"/>.</param>
    /// <exception cref="ArgumentException">The network takes RGB and the format is not RGB, or the plan does not fit.</exception>
    /// <exception cref="OpenClException">The device has too little memory, or its compiler failed.</exception>
    public Deblurrer(ComputeDevice device, Network network, FrameFormat format, DeblurOptions? options = null, InferencePlan? plan = null)
        : this(device, network, format, options, plan, memoryLimitBytes: null, isApart: !device.Info.SharesHostMemory)
    {
    }

    /// <param name="device"/><param name="network"/><param name="format"/><param name="options"/><param name="plan"/>
    /// <param name="memoryLimitBytes">What the layers may take in all; null decides by the device.</param>
    /// <param name="isApart">Whether frames are copied to and from memory of the device's own. Needed where it does not share the host's, possible everywhere.</param>
    internal Deblurrer(ComputeDevice device, Network network, FrameFormat format, DeblurOptions? options, InferencePlan? plan, long? memoryLimitBytes, bool isApart)
    {
        if (network.Description.C == 3 && !format.IsRgb)
            throw new ArgumentException($"{network.Name} restores RGB and cannot take {format.Pixels} frames: choose a luma network, or convert the frames to Rgb24.", nameof(network));
        Format = format;
        Options = options ?? DeblurOptions.Default;
        PlaneLayout plane = format.Plane(0);
        _planeBytes = plane.StrideBytes * plane.Height;
        _device = device;

        _session = Own(new InferenceSession(device, network, SampleLayout.Of(format, network.Description.C), plan, memoryLimitBytes));
        try
        {
            _compute = Own(device.CreateQueue());
            // Copies to and from memory of its own overlap with the device's work. Where memory is shared, whoever copies would work on the next frame otherwise.
            _upload = isApart ? Own(device.CreateQueue()) : _compute;
            _download = isApart ? Own(device.CreateQueue()) : _compute;
            for (int i = 0; i < MaxInFlight; i++)
            {
                _slots[i] = new(Own(device.Allocate<byte>(_planeBytes)), isApart ? Own(device.Allocate<byte>(_planeBytes)) : null);
            }
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>The only format that <see cref="Submit"/> takes.</summary>
    public FrameFormat Format { get; }

    /// <summary>Takes effect with the next <see cref="Submit"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The strength is not 0 to 1.</exception>
    [field: MaybeNull]
    public DeblurOptions Options
    {
        get => field!;
        set
        {
            if (value.Strength is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(value), value.Strength, "The strength must be 0 (unchanged) to 1 (full).");
            field = value;
        }
    }

    /// <summary>Frames submitted and not yet collected.</summary>
    public int InFlight { get; private set; }

    /// <summary>Which kernels run.</summary>
    public InferencePlan Plan => _session.Plan;

    /// <summary>Takes ownership of the frame and enqueues upload, network and download; does not wait. The frame comes back from <see cref="Collect"/>.</summary>
    /// <exception cref="ArgumentException">The frame has another format; the caller keeps it.</exception>
    /// <exception cref="InvalidOperationException"><see cref="MaxInFlight"/> frames are in flight; the caller keeps the frame.</exception>
    /// <exception cref="OpenClException">The device failed; the caller keeps the frame.</exception>
    public void Submit(Frame frame)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (frame.Format != Format) throw new ArgumentException($"The frame is {Describe(frame.Format)}, this deblurrer was made for {Describe(Format)}: make another one for it.", nameof(frame));
        if (InFlight == MaxInFlight) throw new InvalidOperationException($"{MaxInFlight} frames are in flight: collect one before submitting the next.");

        Slot slot = _slots[(_oldest + InFlight) % MaxInFlight];
        try
        {
            slot.Done = Enqueue(slot, frame);
        }
        catch
        {
            Drain();
            throw;
        }
        slot.Frame = frame;
        InFlight++;
    }

    /// <summary>Waits for the oldest frame in flight and hands it back, restored. The caller owns it again.</summary>
    /// <exception cref="InvalidOperationException">No frame is in flight.</exception>
    /// <exception cref="OpenClException">The device failed; the frame is disposed.</exception>
    public Frame Collect()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (InFlight == 0) throw new InvalidOperationException("No frame is in flight: submit one first.");
        Slot slot = _slots[_oldest];
        _oldest = (_oldest + 1) % MaxInFlight;
        InFlight--;
        return slot.TakeFrame();
    }

    /// <summary>Restores one frame and waits for it. The caller keeps ownership throughout.</summary>
    /// <exception cref="ArgumentException">The frame has another format.</exception>
    /// <exception cref="InvalidOperationException">Other frames are in flight.</exception>
    public void Process(Frame frame)
    {
        if (InFlight > 0) throw new InvalidOperationException($"{InFlight} frames are in flight: collect them before processing a single one.");
        Submit(frame);
        Collect();
    }

    public void Dispose()
    {
        if (_disposed) return;
        while (InFlight > 0)
        {
            try
            {
                Collect().Dispose();
            }
            catch (OpenClException)
            {
                // The device is gone; what is left to do is to let go of its objects.
            }
        }
        _disposed = true;
        Release();
    }

    private T Own<T>(T resource) where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    private void Release()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
        _owned.Clear();
    }

    /// <summary>Enqueues the way of one frame; gives the event of its end.</summary>
    private ComputeEvent Enqueue(Slot slot, Frame frame)
    {
        var samples = (byte*)frame.Address;
        using ComputeEvent uploaded = slot.Samples.WriteAsync(_upload, samples, _planeBytes);
        _upload.Flush();
        ComputeEvent done;
        if (slot.Restored is { } copy)
        {
            using ComputeEvent restored = _session.Enqueue(_compute, slot.Samples, copy, Options.Strength, uploaded);
            _compute.Flush();
            done = copy.ReadAsync(_download, samples, _planeBytes, 0, restored);
            _download.Flush();
        }
        else
        {
            SharedMemory shared = frame.SharedWith(_device);
            _session.Enqueue(_compute, slot.Samples, shared.Lend(_compute, uploaded), Options.Strength, uploaded).Dispose();
            done = shared.TakeBack(_compute);
            _compute.Flush();
        }
        return done;
    }

    /// <summary>After a failure half-way: waits until the device no longer uses the frame's memory.</summary>
    private void Drain()
    {
        foreach (CommandQueue queue in (ReadOnlySpan<CommandQueue>)[_upload, _compute, _download])
        {
            try
            {
                queue.Finish();
            }
            catch (OpenClException)
            {
                // A device that does not even finish uses nothing any more; the first failure is the one to report.
            }
        }
    }

    private static string Describe(FrameFormat format) => $"{format.Width}x{format.Height} {format.Pixels} ({format.Range.ToString().ToLowerInvariant()} range)";

    /// <summary>Device memory of one frame in flight.</summary>
    /// <param name="samples">What the network reads.</param>
    /// <param name="restored">What it writes; null where it writes into the frame.</param>
    private sealed class Slot(DeviceBuffer<byte> samples, DeviceBuffer<byte>? restored)
    {
        public DeviceBuffer<byte> Samples { get; } = samples;

        public DeviceBuffer<byte>? Restored { get; } = restored;

        public Frame? Frame { get; set; }

        public ComputeEvent Done { get; set; }

        public Frame TakeFrame()
        {
            Frame frame = Frame!;
            Frame = null;
            using ComputeEvent done = Done;
            try
            {
                done.Wait();
            }
            catch
            {
                frame.Dispose();
                throw;
            }
            return frame;
        }
    }
}
