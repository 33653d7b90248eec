using System.Diagnostics.CodeAnalysis;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Restoration;

/// <summary>
/// Frame in, sharper frame out. Up to <see cref="MaxInFlight"/> frames are on their way at once: while one is computed the next is uploaded and the one before downloaded.
/// Luma (or R, G, B) is restored in place, chroma is not touched. Networks of one channel take every format: in RGB frames the change in luma is added to R, G and B alike.
/// Networks of three channels take the RGB formats only; filters restore luma. For methods that depend on the blur's sigma <see cref="DeblurOptions.Sigma"/> says how that is found.
/// </summary>
/// <remarks>
/// With <see cref="SigmaSetting.Auto"/> a frame that was submitted is restored with the blur of the frames before it, smoothed (<see cref="SigmaTracker"/>): those whose buffers on the device have come free,
/// the third before it and earlier; the first frame waits for its own. <see cref="Process(Frame)"/> takes every frame for a picture of its own and waits for its estimate.
/// Frames found to be sharp pass unchanged, bit by bit. A method that finds the blur by itself (<see cref="IBlindRestorer"/>) restores every frame with what it tells together with those before it, and nobody waits.
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
    private readonly RestorationMethod _method;
    private readonly IRestorer _restorer;
    private readonly IBlindRestorer? _blind;
    private readonly EstimatorWeights? _learned;
    private readonly Slot[] _slots = new Slot[MaxInFlight];
    private readonly List<IDisposable> _owned = [];
    private readonly int _planeBytes;
    private readonly bool _isApart;
    private SigmaFinder? _finder;
    private SigmaSource _finderSource;
    private FramePool? _frames;
    private int _oldest;
    private bool _disposed;

    /// <summary>Builds the kernels and allocates everything that frames of this format need.</summary>
    /// <param name="device">Stays the caller's and must outlive the deblurrer.</param>
    /// <param name="method">How to restore: a network, or one of <see cref="RestorationMethod.Filters"/>.</param>
    /// <param name="format">Of every frame that will be submitted.</param>
    /// <param name="options">Null takes <see cref="DeblurOptions.Default"/>.</param>
    /// <exception cref="ArgumentException">The network takes RGB and the format is not RGB, or the strength is not 0 to 1.</exception>
    /// <exception cref="OpenClException">The device has too little memory, or its compiler failed.</exception>
    /// <exception cref="IOException">Sigma is to be estimated, and the estimator for the method's blur is not installed or cannot be read.</exception>
    /// <exception cref="InvalidDataException">Sigma is to be estimated, and the network does not say for which blur, or the estimator's file is damaged.</exception>
    public Deblurrer(ComputeDevice device, RestorationMethod method, FrameFormat format, DeblurOptions? options = null)
        : this(device, method, format, options, plan: null, memoryLimitBytes: null, isApart: !device.Info.SharesHostMemory)
    {
    }

    /// <param name="device"/><param name="method"/><param name="format"/><param name="options"/>
    /// <param name="plan">Which kernels of a network; null as for <see cref="InferenceSession"/>.</param>
    /// <param name="memoryLimitBytes">What the layers of a network may take in all; null decides by the device.</param>
    /// <param name="isApart">Whether frames are copied to and from memory of the device's own. Needed where it does not share the host's, possible everywhere.</param>
    /// <param name="estimator">Our learned estimator; null takes what is installed for the method's blur, if it is needed.</param>
    internal Deblurrer(ComputeDevice device, RestorationMethod method, FrameFormat format, DeblurOptions? options, InferencePlan? plan, long? memoryLimitBytes, bool isApart, EstimatorWeights? estimator = null)
    {
        if (method.C == 3 && !format.IsRgb)
            throw new ArgumentException($"{method.Name} restores RGB and cannot take {format.Pixels} frames: choose a luma network, or convert the frames to Rgb24.", nameof(method));
        Format = format;
        PlaneLayout plane = format.Plane(0);
        _planeBytes = plane.StrideBytes * plane.Height;
        _device = device;
        _method = method;
        _learned = estimator;
        _isApart = isApart;

        try
        {
            _restorer = Own(method.Network is { } network ? new NetworkRestorer(device, network, format, plan, memoryLimitBytes, estimator) : method.Filter!.Create(new(device, SampleLayout.Of(format, C: 1), method.Parameters)));
            _blind = _restorer as IBlindRestorer;
            Options = options ?? DeblurOptions.Default;
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

    /// <summary>The only format that <see cref="Submit(Frame)"/> takes.</summary>
    public FrameFormat Format { get; }

    /// <summary>Takes effect with the next <see cref="Submit(Frame)"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The strength is not 0 to 1.</exception>
    /// <exception cref="IOException">As for the constructor.</exception>
    /// <exception cref="InvalidDataException">As for the constructor.</exception>
    [field: MaybeNull]
    public DeblurOptions Options
    {
        get => field!;
        set
        {
            if (value.Strength is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(value), value.Strength, "The strength must be 0 (unchanged) to 1 (full).");
            if (IsBlind(value))
            {
                if (field is null || !IsBlind(field)) _blind!.Restart();
            }
            else if (_method.TakesSigma && value.Sigma.IsAuto)
            {
                SigmaSource source = SigmaEstimators.Resolve(value.SigmaFrom, _method);
                if (_finder is null || source != _finderSource)
                {
                    SigmaFinder finder = new(SigmaEstimators.Create(source, _device, Format, _method, _learned));
                    _finder?.Dispose();
                    (_finder, _finderSource) = (finder, source);
                    foreach (Slot? slot in _slots) slot?.ForgetEstimate();
                }
                else if (!field!.Sigma.IsAuto || IsBlind(field))
                {
                    _finder.Restart();
                }
            }
            field = value;
        }
    }

    /// <summary>Frames submitted and not yet collected.</summary>
    public int InFlight { get; private set; }

    /// <summary>Sigma with which the frame that <see cref="Collect()"/> or <see cref="Process(Frame)"/> gave last was restored, or that was estimated where it passed unchanged: pixels, in steps of 1/64. Null where the network is not conditioned on sigma, and before the first frame.</summary>
    public float? LastSigma { get; private set; }

    /// <summary>Whether that frame was found to be sharp and passed unchanged.</summary>
    public bool LastIsSharp { get; private set; }

    /// <summary>
    /// What is known of the blur of the video so far, as numbers for another deblurrer that goes on with it; null where nothing is estimated. Set to null it begins a video: the first frame waits for its own estimate.
    /// Getting it waits for the estimates that are under way, so that whoever goes on finds what this one would.
    /// </summary>
    /// <exception cref="InvalidOperationException">Frames are in flight.</exception>
    /// <exception cref="ArgumentException">These are not such numbers.</exception>
    internal float[]? BlurMemory
    {
        get
        {
            ThrowIfBusy();
            return IsBlind(Options) ? _blind!.Save(_compute) : Options.Sigma.IsAuto ? _finder?.Save() : null;
        }
        set
        {
            ThrowIfBusy();
            if (value is null)
            {
                _finder?.Restart();
                if (IsBlind(Options)) _blind!.Restart();
            }
            else if (IsBlind(Options))
            {
                _blind!.Load(_compute, value);
            }
            else
            {
                _finder?.Load(value);
            }
        }
    }

    /// <summary>Which kernels of a network run; null for a filter.</summary>
    internal InferencePlan? Plan => (_restorer as NetworkRestorer)?.Session.Plan;

    /// <summary>Takes ownership of the frame and enqueues upload, network and download; does not wait. The frame comes back from <see cref="Collect()"/>.</summary>
    /// <exception cref="ArgumentException">The frame has another format; the caller keeps it.</exception>
    /// <exception cref="InvalidOperationException"><see cref="MaxInFlight"/> frames are in flight; the caller keeps the frame.</exception>
    /// <exception cref="OpenClException">The device failed; the caller keeps the frame.</exception>
    public void Submit(Frame frame) => Start(frame, isAlone: false);

    private void Start(Frame frame, bool isAlone)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (frame.Format != Format) throw new ArgumentException($"The frame is {Describe(frame.Format)}, this deblurrer was made for {Describe(Format)}: make another one for it.", nameof(frame));
        ThrowIfFull();

        Slot slot = _slots[(_oldest + InFlight) % MaxInFlight];
        try
        {
            slot.Done = Enqueue(slot, frame, isAlone);
        }
        catch
        {
            Drain();
            throw;
        }
        slot.Frame = frame;
        InFlight++;
    }

    /// <summary>Copies a picture and submits the copy; the caller's memory may be changed at once. Does not wait.</summary>
    /// <param name="picture">Of <see cref="Format"/>.</param>
    /// <exception cref="ArgumentException">A plane is missing, a stride is shorter than a row, or rows are not all there.</exception>
    /// <exception cref="InvalidOperationException"><see cref="MaxInFlight"/> frames are in flight.</exception>
    /// <exception cref="OpenClException">The device failed.</exception>
    public void Submit(ReadOnlyFrameView picture)
    {
        ThrowIfFull();
        Frame frame = RentFrame();
        try
        {
            frame.CopyFrom(picture);
            Submit(frame);
        }
        catch
        {
            frame.Dispose();
            throw;
        }
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
        Frame frame = slot.TakeFrame();
        (LastSigma, LastIsSharp) = (slot.Sigma, slot.IsSharp);
        if (slot.Found is { } found)
        {
            SigmaEstimate blur = _blind!.Found(found);
            (LastSigma, LastIsSharp) = (InferenceSession.RoundSigma(blur.Sigma), blur.IsSharp || !blur.IsKnown);
        }
        return frame;
    }

    /// <summary>Waits for the oldest frame in flight and copies it into a picture. A frame that was submitted as such is disposed.</summary>
    /// <param name="picture">Of <see cref="Format"/>. Bytes between its rows are left alone.</param>
    /// <exception cref="ArgumentException">A plane is missing, a stride is shorter than a row, or rows are not all there; the frame is still in flight.</exception>
    /// <exception cref="InvalidOperationException">No frame is in flight.</exception>
    /// <exception cref="OpenClException">The device failed; the frame is lost.</exception>
    public void Collect(FrameView picture)
    {
        Format.Check(picture);
        using Frame frame = Collect();
        frame.CopyTo(picture);
    }

    /// <summary>Restores one frame and waits for it. The caller keeps ownership throughout.</summary>
    /// <exception cref="ArgumentException">The frame has another format.</exception>
    /// <exception cref="InvalidOperationException">Other frames are in flight.</exception>
    public void Process(Frame frame)
    {
        ThrowIfBusy();
        Start(frame, isAlone: true);
        Collect();
    }

    /// <summary>Restores one picture and waits for it.</summary>
    /// <param name="input">Of <see cref="Format"/>. Not modified, unless it is the output.</param>
    /// <param name="output">Of the same format: the input itself, or memory that does not overlap with it. Bytes between its rows are left alone.</param>
    /// <exception cref="ArgumentException">A plane is missing, a stride is shorter than a row, or rows are not all there.</exception>
    /// <exception cref="InvalidOperationException">Other frames are in flight.</exception>
    /// <exception cref="OpenClException">The device failed; the output is as it was.</exception>
    public void Process(ReadOnlyFrameView input, FrameView output)
    {
        Format.Check(input);
        Format.Check(output);
        using Frame frame = RentFrame();
        frame.CopyPlaneFrom(0, input);
        Process(frame);
        frame.CopyPlaneTo(0, output);
        // What the network does not touch needs no way through the frame.
        for (int i = 1; i < Format.PlaneCount; i++) Format.CopyRows(i, input.Rows(i), input.StrideBytes(i), output.Rows(i), output.StrideBytes(i));
    }

    /// <summary>Waits for the frames in flight, disposes them, and releases everything on the device.</summary>
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
        if (_finder is not null) Drain();       // estimates that nobody waited for
        Release();
    }

    private void ThrowIfBusy()
    {
        if (InFlight > 0) throw new InvalidOperationException($"{InFlight} frames are in flight: collect them first.");
    }

    private void ThrowIfFull()
    {
        if (InFlight == MaxInFlight) throw new InvalidOperationException($"{MaxInFlight} frames are in flight: collect one before submitting the next.");
    }

    /// <summary>A frame for a picture of the caller's.</summary>
    private Frame RentFrame()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return (_frames ??= Own(new FramePool(Format, _isApart ? _device : null))).Rent();
    }

    private T Own<T>(T resource) where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    private void Release()
    {
        _finder?.Dispose();
        foreach (IDisposable owned in _owned) owned.Dispose();
        _owned.Clear();
    }

    /// <summary>Enqueues the way of one frame; gives the event of its end.</summary>
    private ComputeEvent Enqueue(Slot slot, Frame frame, bool isAlone)
    {
        _finder?.Await(slot.Estimate);
        (slot.Sigma, slot.Found, slot.IsSharp, slot.IsBlank, slot.IsAlone) = (null, null, false, false, isAlone);
        var samples = (byte*)frame.Address;
        ComputeEvent uploaded = slot.Samples.WriteAsync(_upload, samples, _planeBytes);
        try
        {
            _upload.Flush();
            FindSigma(slot, uploaded);
            slot.IsBlank = slot.IsSharp && Options.View == DeblurView.Confidence;
            // The frame is as it should be once it is not read any more.
            return slot.IsSharp ? uploaded : Restore(slot, frame, uploaded);
        }
        finally
        {
            if (!slot.IsSharp) uploaded.Dispose();
        }
    }

    /// <summary>Sets what the slot's frame is restored with.</summary>
    private void FindSigma(Slot slot, ComputeEvent uploaded)
    {
        if (!_method.TakesSigma || IsBlind(Options)) return;
        if (Options.Sigma.Value is { } sigma)
        {
            slot.Sigma = _restorer.NearestSigma(sigma);
            return;
        }
        SigmaEstimate blur = slot.IsAlone ? _finder!.Estimate(_compute, slot.Samples, uploaded) : _finder!.Follow(_compute, slot.Samples, uploaded);
        slot.Estimate = _finder.Enqueued;
        // A frame that tells nothing, a black one for instance, has nothing to restore.
        slot.IsSharp = blur.IsSharp || !blur.IsKnown;
        slot.Sigma = slot.IsSharp ? InferenceSession.RoundSigma(blur.Sigma) : _restorer.NearestSigma(blur.Sigma);
    }

    /// <summary>Whether the restorer finds the blur by itself.</summary>
    private bool IsBlind(DeblurOptions options) => _blind is not null && options.Sigma.IsAuto && _blind.FindsBlur(options);

    private ComputeEvent Restore(Slot slot, Frame frame, ComputeEvent uploaded)
    {
        FrameBlur blur = new(slot.Sigma, slot.IsAlone);
        ComputeEvent done;
        if (slot.Restored is { } copy)
        {
            using ComputeEvent restored = _restorer.Enqueue(_compute, slot.Samples, copy, blur, Options, uploaded);
            _compute.Flush();
            done = copy.ReadAsync(_download, (byte*)frame.Address, _planeBytes, 0, restored);
            _download.Flush();
        }
        else
        {
            SharedMemory shared = frame.SharedWith(_device);
            _restorer.Enqueue(_compute, slot.Samples, shared.Lend(_compute, uploaded), blur, Options, uploaded).Dispose();
            done = shared.TakeBack(_compute);
            _compute.Flush();
        }
        if (IsBlind(Options)) slot.Found = _blind!.Enqueued;
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

        /// <summary>Whether the frame is a picture of its own, not one of a video.</summary>
        public bool IsAlone { get; set; }

        /// <summary>What the frame is restored with; null where the method does not depend on it.</summary>
        public float? Sigma { get; set; }

        /// <summary>Number of the frame as a restorer counts that found the blur by itself; null where it was told.</summary>
        public long? Found { get; set; }

        /// <summary>Whether the frame passes unchanged.</summary>
        public bool IsSharp { get; set; }

        /// <summary>Whether what passes unchanged shows where corrections were trusted, which is nowhere.</summary>
        public bool IsBlank { get; set; }

        /// <summary>Number of the estimate that reads <see cref="Samples"/>, as the finder counts; 0 for none.</summary>
        public long Estimate { get; set; }

        /// <summary>Another finder counts anew.</summary>
        public void ForgetEstimate() => Estimate = 0;

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
            if (IsBlank) Blacken(frame);
            return frame;
        }

        private static void Blacken(Frame frame)
        {
            Span<byte> samples = frame.PlaneData(0);
            if (frame.Format.SamplesPerPixel < 4)
            {
                samples.Clear();
                return;
            }
            for (int pixel = 0; pixel < samples.Length; pixel += 4) samples.Slice(pixel, 3).Clear();
        }
    }
}
