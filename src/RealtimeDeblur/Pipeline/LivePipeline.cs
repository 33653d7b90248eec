using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Pipeline;

/// <summary>
/// Restores a live picture with as little delay as possible: always the newest frame, late ones dropped and counted, whatever happens to the source or the device.
/// </summary>
/// <remarks>
/// <code>
/// input --> [capture thread] --> mailbox --> [GPU thread] --> mailbox --> TryTake, Presented: the caller's thread
///                                               ^
///                        [setup thread]: opens devices, builds kernels
/// </code>
/// The capture thread reads all the time, so that no frame grows old in a driver's queue, and opens the input again when it ends. The GPU thread works on one frame at a
/// time: a second one under way would add its whole time to the latency. Deblurrers are made on the setup thread and swapped between two frames: for another size, network, device or
/// kernel file. While there is none for the frames that come, they pass as they are. Nothing is allocated per frame.
/// Properties and methods may be used from any thread, except that pictures are taken and presented by one. The caller owns the input.
/// </remarks>
public sealed class LivePipeline : IDisposable
{
    /// <summary>Networks to choose from by itself, the best and dearest first, and the one it begins with.</summary>
    public static IReadOnlyList<string> AutomaticModels { get; } = ["quality-camera", "fast-camera", "tiny-camera"];

    private const int FirstAutomaticModel = 1;

    private static readonly TimeSpan ReopenInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan DeviceRetryInterval = TimeSpan.FromSeconds(2);

    private readonly ILiveInput _input;
    private readonly Mailbox<Frame> _captured = new();
    private readonly Mailbox<LivePicture> _restored = new();
    private readonly LivePicture.Pool _pictures = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Thread> _threads = [];
    private readonly RecentTimes _recent = new();
    private readonly object _setupLock = new();     // Monitor.Wait needs an object

    // Under _setupLock: what is wanted, what was made for it and not yet taken, and what could not be made.
    private string? _device;
    private string? _model;
    private string? _compared;
    private ModelLadder? _ladder;
    private readonly string? _kernelFolder;
    private int _generation;
    private FrameFormat? _format;
    private LiveRestorer? _made;
    private LiveSetup? _failedSetup;
    private string? _setupTrouble;
    private string? _comparedTrouble;

    private volatile string? _sourceTrouble;
    private volatile string? _deviceTrouble;
    private volatile string? _deviceName;
    private volatile DeblurOptions _options;
    private volatile bool _isPaused;
    private volatile Exception? _failure;
    private volatile IFrameSource? _source;
    private long _lastCaptureAt;
    private double _intervalMs;
    private long _capturedCount;
    private long _startedAt;
    private float _sigma = float.NaN;
    private volatile bool _isSharp;
    private long _firstShownAt;
    private bool _hasPresenter;
    private long _uncountedDrops;
    private bool _disposed;

    /// <param name="input">Where frames come from.</param>
    /// <param name="device">As for <see cref="ComputeDevice.Open"/>.</param>
    /// <param name="model">As for <see cref="RestorationMethod.Load(string)"/>; null lets the pipeline take the best shipped network that keeps up.</param>
    /// <param name="options">How frames are restored.</param>
    /// <param name="kernelFolder">As for <see cref="ComputeDevice.Open"/>.</param>
    /// <exception cref="IOException">A network cannot be read.</exception>
    public LivePipeline(ILiveInput input, string? device, string? model, DeblurOptions options, string? kernelFolder = null)
    {
        _input = input;
        _device = device;
        _model = model;
        _options = options;
        _kernelFolder = kernelFolder;
        if (model is null) _ = Ladder;      // what is not installed shows at once
    }

    /// <summary>Raised on the pipeline's threads when a picture can be taken, or when there is something to tell; has to return quickly.</summary>
    public event Action? Woken;

    /// <summary>What happened, as a finished sentence, for the user: the network was changed, the source is back. Raised on the pipeline's threads.</summary>
    public event Action<string>? Noticed;

    /// <summary>How frames are restored; takes effect with the next one.</summary>
    public DeblurOptions Options
    {
        get => _options;
        set => _options = value;
    }

    /// <summary>While paused frames are read and thrown away, and nothing is computed.</summary>
    public bool IsPaused
    {
        get => _isPaused;
        set => _isPaused = value;
    }

    /// <summary>The network; null lets the pipeline choose. A change takes effect when its kernels are built; until then the one before runs.</summary>
    public string? Model
    {
        get
        {
            lock (_setupLock) return _model;
        }
        set => Want(() => _model = value);
    }

    /// <summary>
    /// Another method, by the same names, that restores a copy of every frame to compare the result with; null compares it with the original. Its options are those of the first. A change takes effect as one of
    /// <see cref="Model"/> does; a method that cannot be made is no obstacle to the first, and <see cref="LiveStatus.Trouble"/> says why.
    /// </summary>
    public string? Compared
    {
        get
        {
            lock (_setupLock) return _compared;
        }
        set => Want(() => _compared = value);
    }

    /// <summary>The device, as for <see cref="ComputeDevice.Open"/>. A change takes effect when it is open.</summary>
    public string? Device
    {
        get
        {
            lock (_setupLock) return _device;
        }
        set => Want(() => _device = value);
    }

    /// <summary>Figures over the whole run. Complete after <see cref="Dispose"/>.</summary>
    public LiveReport Report { get; } = new();

    /// <summary>Starts the threads; pictures come as soon as the input gives any. Once.</summary>
    public void Start()
    {
        if (_threads.Count > 0) throw new InvalidOperationException("A live pipeline starts once; make another.");
        _startedAt = _lastCaptureAt = Stopwatch.GetTimestamp();
        StartThread("deblur capture", Capture);
        StartThread("deblur gpu", Restore);
        StartThread("deblur setup", SetUp);
    }

    /// <summary>Builds every kernel again from its file, and takes the result between two frames. If one does not build, the kernels before go on.</summary>
    public void ReloadKernels() => Want(() => _generation++);

    /// <summary>Takes the newest restored picture, waiting for one. The caller owns it.</summary>
    /// <returns>False when none came in time.</returns>
    /// <exception cref="IOException">The input will not come; the message says why.</exception>
    public bool TryTake(TimeSpan timeout, [NotNullWhen(true)] out LivePicture? picture)
    {
        if (!_hasPresenter)
        {
            // What gave way before there was anyone to show it to, while a window was being opened, is no loss.
            _uncountedDrops = Drops;
            _hasPresenter = true;
        }
        if (_restored.TryTake(timeout, out picture))
        {
            picture.FetchedAt = Stopwatch.GetTimestamp();
            return true;
        }
        if (_failure is { } failure) ExceptionDispatchInfo.Throw(failure);
        return false;
    }

    /// <summary>Tells that a picture is before the user's eyes, or wherever it went, now. It stays the caller's.</summary>
    public void Presented(LivePicture shown)
    {
        long now = Stopwatch.GetTimestamp();
        Report.Wait.Add(shown.TakenAt - shown.CapturedAt);
        Report.Restore.Add(shown.RestoredAt - shown.TakenAt);
        Report.HandOver.Add(shown.FetchedAt - shown.RestoredAt);
        Report.Present.Add(now - shown.FetchedAt);
        Report.Latency.Add(now - shown.CapturedAt);
        if (Report.Shown++ == 0) _firstShownAt = now;
        Report.Elapsed = Stopwatch.GetElapsedTime(_firstShownAt, now);
        if (shown.IsRestored) Report.FirstRestored ??= Stopwatch.GetElapsedTime(_startedAt, now);
        _recent.Add(new(shown.CapturedAt, shown.TakenAt, shown.RestoredAt, shown.FetchedAt, now));
    }

    /// <summary>What is going on now.</summary>
    public LiveStatus ReadStatus()
    {
        (int recent, double framesPerSecond) = _recent.Rate(Stopwatch.GetTimestamp());
        float sigma = Volatile.Read(ref _sigma);
        lock (_setupLock)
        {
            string?[] troubles = [_sourceTrouble ?? Silence(), _setupTrouble, _comparedTrouble, _deviceTrouble];
            string trouble = string.Join('\n', troubles.Where(text => text is not null));
            return new()
            {
                Format = _format,
                Model = _model ?? AutomaticModels[Ladder.Current],
                IsModelAutomatic = _model is null,
                Device = _deviceName,
                FramesPerSecond = framesPerSecond,
                Latency = _recent.Stage(recent, static at => at.Presented - at.Captured),
                Wait = _recent.Stage(recent, static at => at.Taken - at.Captured),
                Restore = _recent.Stage(recent, static at => at.Restored - at.Taken),
                HandOver = _recent.Stage(recent, static at => at.Fetched - at.Restored),
                Present = _recent.Stage(recent, static at => at.Presented - at.Fetched),
                Shown = Report.Shown,
                Dropped = Drops - _uncountedDrops,
                Sigma = float.IsNaN(sigma) ? null : sigma,
                IsSharp = _isSharp,
                IsPaused = _isPaused,
                Trouble = trouble.Length > 0 ? trouble : null,
            };
        }
    }

    /// <summary>Stops the threads and waits for them.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Stop();
        foreach (Thread thread in _threads) thread.Join();
        _captured.Close();
        _restored.Close();
        Report.Captured = _capturedCount - _uncountedDrops;
        Report.Dropped = Drops - _uncountedDrops;
        _stop.Dispose();
    }

    private void StartThread(string name, Action body)
    {
        var thread = new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception e)
            {
                _failure ??= e;
                Stop();
            }
        }) { Name = name };
        _threads.Add(thread);
        thread.Start();
    }

    private void Stop()
    {
        _stop.Cancel();
        _source?.StopReading();
        _captured.Close();
        lock (_setupLock) Monitor.PulseAll(_setupLock);
        Woken?.Invoke();
    }

    private void Want(Action change)
    {
        lock (_setupLock)
        {
            change();
            Monitor.PulseAll(_setupLock);
        }
    }

    /// <summary>Chooses among <see cref="AutomaticModels"/>; those need not be installed where the network is always named. Take it with the lock held.</summary>
    private ModelLadder Ladder => _ladder ??= new([.. AutomaticModels.Select(name => (double)ModelCatalog.Load(name).Description.MacPerPixel)], FirstAutomaticModel);

    private long Drops => _captured.Dropped + _restored.Dropped;

    private string? Silence() => !_isPaused && Stopwatch.GetElapsedTime(Interlocked.Read(ref _lastCaptureAt)) is var silence && silence > SilenceLimit
        ? $"No picture from {_input.Name} for {(int)silence.TotalSeconds} s." : null;

    private void Capture()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using IFrameSource source = _input.Open(_stop.Token);
                _source = source;
                if (_stop.IsCancellationRequested) return;      // too late for Stop to see the source
                Read(source);
                TellSourceTrouble($"{_input.Name} stopped; waiting for it.");
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is IOException and not FileNotFoundException or InvalidDataException)
            {
                TellSourceTrouble(e.Message);
            }
            finally
            {
                _source = null;
            }
            _stop.Token.WaitHandle.WaitOne(ReopenInterval);
        }
    }

    private void TellSourceTrouble(string trouble)
    {
        if (_stop.IsCancellationRequested || _sourceTrouble == trouble) return;
        // One sentence for one absence: what opening it says while it is away is about the same.
        bool isNew = _sourceTrouble is null;
        _sourceTrouble = trouble;
        if (isNew) Noticed?.Invoke(trouble);
        Woken?.Invoke();
    }

    private void Read(IFrameSource source)
    {
        long previous = 0;
        while (source.TryRead(out Frame? frame))
        {
            Interlocked.Exchange(ref _lastCaptureAt, frame.CapturedAt);
            if (_isPaused)
            {
                frame.Dispose();
                previous = 0;
                continue;
            }
            if (_sourceTrouble is not null)
            {
                _sourceTrouble = null;
                Noticed?.Invoke($"{_input.Name} is there, {frame.Format.Width}x{frame.Format.Height}.");
            }
            if (_format != frame.Format) Want(() => _format = frame.Format);
            if (previous != 0) FollowInterval((frame.CapturedAt - previous) * 1000.0 / Stopwatch.Frequency);
            previous = frame.CapturedAt;
            Interlocked.Increment(ref _capturedCount);
            if (!_captured.Put(frame)) return;
        }
    }

    private void FollowInterval(double milliseconds)
    {
        const double share = 0.05, longest = 1000;
        double interval = Volatile.Read(ref _intervalMs);
        // A pause is no interval.
        if (milliseconds < longest) Volatile.Write(ref _intervalMs, interval == 0 ? milliseconds : interval + share * (milliseconds - interval));
    }

    private void Restore()
    {
        LiveRestorer? restorer = null;
        FramePool? pool = null;
        try
        {
            while (_captured.TryTake(Timeout.InfiniteTimeSpan, out Frame? frame))
            {
                long takenAt = Stopwatch.GetTimestamp();
                if (pool?.Format != frame.Format)
                {
                    pool?.Dispose();
                    pool = new(frame.Format);
                }
                restorer = NewestRestorer(restorer);
                Frame original = CopyOf(frame, pool);
                bool isRestored = restorer?.Setup.Format == frame.Format && TryRestore(restorer.Deblurrer, ref frame, pool);
                if (isRestored) RememberBlur(restorer!.Deblurrer);
                else original.Data.CopyTo(frame.Data);      // over what a failing device left there
                // The network is chosen by its own time: what is compared with it comes after.
                double restoreMs = Stopwatch.GetElapsedTime(takenAt).TotalMilliseconds;
                bool isCompared = isRestored && TryCompare(restorer!, ref original, pool);
                LivePicture picture = _pictures.Rent(original, frame);
                (picture.IsRestored, picture.TakenAt, picture.RestoredAt) = (isRestored, takenAt, Stopwatch.GetTimestamp());
                picture.ComparedMethod = isCompared ? restorer!.Setup.Compared : null;
                _restored.Put(picture);
                Woken?.Invoke();
                // What passes unchanged tells nothing of what restoring takes.
                if (isRestored && !_isSharp) FollowLoad(restorer!, restoreMs);
            }
        }
        finally
        {
            pool?.Dispose();
            restorer?.Dispose();
        }
    }

    /// <summary>The deblurrer to use from here on: the one that the setup thread has just made, or else the present one.</summary>
    private LiveRestorer? NewestRestorer(LiveRestorer? present)
    {
        LiveRestorer? made;
        lock (_setupLock)
        {
            made = _made;
            _made = null;
        }
        if (made is null) return present;
        present?.Dispose();
        _deviceName = made.Device.Name;
        _deviceTrouble = null;
        return made;
    }

    private void RememberBlur(Deblurrer deblurrer)
    {
        Volatile.Write(ref _sigma, deblurrer.LastSigma ?? float.NaN);
        _isSharp = deblurrer.LastIsSharp;
    }

    private static Frame CopyOf(Frame frame, FramePool pool)
    {
        Frame copy = pool.Rent();
        frame.Data.CopyTo(copy.Data);
        (copy.CapturedAt, copy.Timestamp) = (frame.CapturedAt, frame.Timestamp);
        return copy;
    }

    /// <summary>Puts the picture that the other method makes of an original in its place.</summary>
    /// <returns>False where there is no other method, or the device failed: the original stays.</returns>
    private bool TryCompare(LiveRestorer restorer, ref Frame original, FramePool pool)
    {
        if (restorer.Compared is not { } compared) return false;
        Frame copy = CopyOf(original, pool);
        bool isRestored = TryRestore(compared, ref copy, pool);
        (isRestored ? original : copy).Dispose();
        if (isRestored) original = copy;
        return isRestored;
    }

    /// <param name="deblurrer">For frames of this format.</param>
    /// <param name="frame">Restored in place. After a failure it may be another one, with any contents.</param>
    /// <param name="pool">Where that one comes from.</param>
    /// <returns>False when the device failed.</returns>
    private bool TryRestore(Deblurrer deblurrer, ref Frame frame, FramePool pool)
    {
        if (_deviceTrouble is not null) return false;
        bool isSubmitted = false;
        try
        {
            if (deblurrer.Options != _options) deblurrer.Options = _options;
            deblurrer.Submit(frame);
            isSubmitted = true;
            frame = deblurrer.Collect();
            return true;
        }
        catch (OpenClException e)
        {
            if (isSubmitted) frame = pool.Rent();       // it went with the failure
            _deviceTrouble = $"{e.Message} The picture passes as it is until the device works again.";
            Noticed?.Invoke(_deviceTrouble);
            // Everything of the device is made anew, after a moment.
            _ = Task.Delay(DeviceRetryInterval, _stop.Token).ContinueWith(_ => ReloadKernels(), _stop.Token, TaskContinuationOptions.NotOnCanceled, TaskScheduler.Default);
            return false;
        }
    }

    private void FollowLoad(LiveRestorer restorer, double restoreMs)
    {
        int before, after;
        lock (_setupLock)
        {
            // Times of another network than the one chosen tell nothing.
            if (_model is not null || restorer.Setup.Model != AutomaticModels[before = Ladder.Current]) return;
            if (!Ladder.Update(restoreMs, Volatile.Read(ref _intervalMs), Stopwatch.GetElapsedTime(_startedAt).TotalSeconds)) return;
            after = Ladder.Current;
            Monitor.PulseAll(_setupLock);
        }
        Noticed?.Invoke(after > before
            ? $"{AutomaticModels[before]} is too slow here: {AutomaticModels[after]} takes over."
            : $"There is time for a better network: {AutomaticModels[after]} takes over.");
    }

    /// <summary>What is wanted now; null where no frame has come yet. Call it with the lock held.</summary>
    private LiveSetup? Wanted() => _format is { } format ? new(_device, _kernelFolder, _generation, _model ?? AutomaticModels[Ladder.Current], _compared, format) : null;

    private void SetUp()
    {
        // A device takes about as long to open as a camera to start: both at once.
        ComputeDevice? early = TryOpenEarly();
        LiveSetup? present = null;
        try
        {
            while (WaitForChange(present) is { } wanted)
            {
                try
                {
                    ComputeDevice device = early ?? ComputeDevice.Open(wanted.Device, wanted.KernelFolder);
                    early = null;
                    LiveRestorer made = LiveRestorer.Make(wanted, device, _options);
                    bool isAnew = present is not null && present.Generation != wanted.Generation;
                    present = wanted;
                    lock (_setupLock)
                    {
                        _made?.Dispose();
                        (_made, _setupTrouble, _comparedTrouble) = (made, null, made.ComparedTrouble);
                    }
                    if (made.ComparedTrouble is { } comparedTrouble) Noticed?.Invoke(comparedTrouble);
                    if (isAnew) Noticed?.Invoke(_kernelFolder is null ? $"{made.Device.Name} works again." : $"The kernels of {_kernelFolder} were built again.");
                }
                catch (Exception e) when (present is not null && e is OpenClException or IOException or InvalidDataException or ArgumentException)
                {
                    // What worked before goes on. Where nothing ever did, it is the end.
                    lock (_setupLock) (_failedSetup, _setupTrouble) = (wanted, e.Message);
                    Noticed?.Invoke(e.Message);
                }
                Woken?.Invoke();
            }
        }
        finally
        {
            early?.Dispose();
            lock (_setupLock) _made?.Dispose();
        }
    }

    private ComputeDevice? TryOpenEarly()
    {
        try
        {
            return ComputeDevice.Open(_device, _kernelFolder);
        }
        catch (OpenClException)
        {
            return null;        // comes out again where it is needed
        }
    }

    /// <summary>Waits until something else is wanted than what was made last; null at the end.</summary>
    private LiveSetup? WaitForChange(LiveSetup? present)
    {
        lock (_setupLock)
        {
            while (!_stop.IsCancellationRequested)
            {
                LiveSetup? wanted = Wanted();
                if (wanted is not null && wanted != present && wanted != _failedSetup) return wanted;
                if (wanted == present) _setupTrouble = null;
                Monitor.Wait(_setupLock);
            }
            return null;
        }
    }
}
