using System.Diagnostics;
using System.Globalization;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Preview;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Video.Live;

namespace RealtimeDeblur.Cli.Live;

/// <summary>Live pictures in a window, on the thread that calls <see cref="Run"/>; other outputs get copies of what is restored. The window's requests are carried out here.</summary>
internal sealed class WindowSession : IDisposable
{
    /// <summary>How long a notice stays on screen.</summary>
    private static readonly TimeSpan NoticeTime = TimeSpan.FromSeconds(4);

    /// <summary>Figures on screen change no faster than one can read them.</summary>
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(0.5);

    private readonly Invocation _run;
    private readonly LivePipeline _pipeline;
    private readonly PreviewWindow _window;
    private readonly List<LiveOutput> _outputs;
    private readonly string _source;
    private readonly string _folder;
    private readonly string[] _models;
    private readonly string[] _comparisons;
    private readonly Lock _noticeLock = new();
    private LiveOutput? _recording;
    private LivePicture? _shown;
    private readonly List<Thread> _background = [];
    private string? _notice;
    private long _noticedAt;
    private string? _device;
    private PreviewStatus _shownStatus = new();
    private long _statusAt;
    private volatile bool _isStatusOld = true;

    /// <param name="run">The invocation.</param>
    /// <param name="pipeline">Started. What it notices is shown here; on stderr the caller says it.</param>
    /// <param name="window">Stays the caller's.</param>
    /// <param name="outputs">Started here, and taken over.</param>
    /// <param name="source">Name of the source.</param>
    /// <param name="folder">For snapshots and recordings.</param>
    public WindowSession(Invocation run, LivePipeline pipeline, PreviewWindow window, OutputList outputs, string source, string folder)
    {
        _run = run;
        _pipeline = pipeline;
        _window = window;
        _outputs = outputs.StartAll();
        _source = source;
        _folder = Path.GetFullPath(folder);
        _models = [.. LivePipeline.AutomaticModels.Union(ModelCatalog.Names.Where(name => name.EndsWith("-camera", StringComparison.Ordinal)))];
        if (pipeline.Model is { } model && !_models.Contains(model)) _models = [.. _models, model];
        _comparisons = [.. RestorationMethod.Filters.Select(filter => filter.Name), .. _models];
        if (pipeline.Compared is { } compared && !_comparisons.Contains(compared)) _comparisons = [.. _comparisons, compared];
        pipeline.Noticed += ShowNotice;
        pipeline.Woken += window.Wake;
    }

    /// <summary>Runs until the window is closed or it is cancelled, then finishes the outputs.</summary>
    /// <exception cref="IOException">The source will not come, or an output could not be finished.</exception>
    public void Run(CancellationToken end)
    {
        TimeSpan idle = TimeSpan.FromMilliseconds(100);
        using CancellationTokenRegistration waking = end.UnsafeRegister(static window => ((PreviewWindow)window!).Wake(), _window);
        while (!end.IsCancellationRequested && !_window.IsClosing)
        {
            _window.WaitEvents(idle);
            FollowView();
            while (_window.TryTakeRequest(out PreviewRequest request)) CarryOut(request);
            LivePicture? picture = TakePicture();
            _window.Draw(Status());
            if (picture is not null) _pipeline.Presented(picture);
            DropFailedOutputs();
        }
        foreach (LiveOutput output in _outputs) output.Complete();
        _outputs.ForEach(output => output.Dispose());
        _outputs.Clear();
        EndRecording();
        foreach (Thread thread in _background) thread.Join();
    }

    public void Dispose()
    {
        _pipeline.Noticed -= ShowNotice;
        _pipeline.Woken -= _window.Wake;
        foreach (LiveOutput output in _outputs) output.Dispose();
        _recording?.Dispose();
        foreach (Thread thread in _background) thread.Join();
        _shown?.Dispose();
    }

    /// <summary>Says something in the window, and on stderr. For any thread.</summary>
    private void Notice(string text)
    {
        _run.Note(text);
        ShowNotice(text);
    }

    private void ShowNotice(string text)
    {
        lock (_noticeLock) (_notice, _noticedAt) = (text, Stopwatch.GetTimestamp());
        _isStatusOld = true;
        _window.Wake();
    }

    private void FollowView()
    {
        var strength = (float)_window.View.Strength;
        if (_pipeline.Options.Strength == strength) return;
        _pipeline.Options = _pipeline.Options with { Strength = strength };
        _run.Detail(string.Create(CultureInfo.InvariantCulture, $"strength {strength:0.00}"));
    }

    /// <returns>The picture that the next drawing shows for the first time; null if there is none.</returns>
    private LivePicture? TakePicture()
    {
        if (!_pipeline.TryTake(TimeSpan.Zero, out LivePicture? picture)) return null;
        foreach (LiveOutput output in _outputs) output.Send(picture.Restored);
        _recording?.Send(picture.Restored);
        if (_window.View.IsFrozen && _shown is not null)
        {
            picture.Dispose();
            return null;
        }
        _window.Show(picture.Compared, picture.Restored);
        _shown?.Dispose();
        return _shown = picture;
    }

    /// <summary>What the window writes: made anew now and then, and at once when something else than figures has changed.</summary>
    private PreviewStatus Status()
    {
        bool isRestored = _shown?.IsRestored ?? true;
        if (_isStatusOld || isRestored != _shownStatus.IsRestored || _shown?.ComparedMethod != _shownStatus.Compared || Stopwatch.GetElapsedTime(_statusAt) > StatusInterval) RefreshStatus(isRestored);
        return _shownStatus;
    }

    private void RefreshStatus(bool isRestored)
    {
        _isStatusOld = false;
        _statusAt = Stopwatch.GetTimestamp();
        LiveStatus status = _pipeline.ReadStatus();
        string? notice;
        lock (_noticeLock) notice = Stopwatch.GetElapsedTime(_noticedAt) < NoticeTime ? _notice : null;
        _device = status.Device;
        _shownStatus = new()
        {
            Source = _source,
            Width = status.Format?.Width ?? 0,
            Height = status.Format?.Height ?? 0,
            Model = status.Model,
            IsModelAutomatic = status.IsModelAutomatic,
            Compared = _shown?.ComparedMethod,
            Device = status.Device ?? "",
            FramesPerSecond = status.Shown > 0 ? status.FramesPerSecond : null,
            Latency = Recent(status.Latency),
            Wait = Recent(status.Wait),
            Restore = Recent(status.Restore),
            HandOver = Recent(status.HandOver),
            Present = Recent(status.Present),
            Dropped = status.Dropped,
            Sigma = status.Sigma,
            IsSharp = status.IsSharp,
            IsRestored = isRestored,
            IsRecording = _recording is not null,
            IsPaused = status.IsPaused,
            Message = status.Trouble ?? notice,
        };

        // Nothing where no picture came lately.
        RecentDuration? Recent(RecentDuration stage) => status.FramesPerSecond > 0 ? stage : null;
    }

    private void CarryOut(PreviewRequest request)
    {
        switch (request)
        {
            case PreviewRequest.NextModel: StepModel(1); break;
            case PreviewRequest.PreviousModel: StepModel(-1); break;
            case PreviewRequest.NextCompared: StepCompared(1); break;
            case PreviewRequest.PreviousCompared: StepCompared(-1); break;
            case PreviewRequest.NextDevice: StepDevice(); break;
            case PreviewRequest.Snapshot: SaveSnapshot(); break;
            case PreviewRequest.ToggleRecording: ToggleRecording(); break;
            case PreviewRequest.TogglePause:
                _pipeline.IsPaused = !_pipeline.IsPaused;
                _run.Detail(_pipeline.IsPaused ? "paused" : "running");
                break;
        }
        _isStatusOld = true;
    }

    /// <summary>The choice goes round: automatic, then every network.</summary>
    private void StepModel(int step)
    {
        int choices = _models.Length + 1;
        int present = _pipeline.Model is { } model ? Array.IndexOf(_models, model) + 1 : 0;
        int next = (present + step + choices) % choices;
        _pipeline.Model = next == 0 ? null : _models[next - 1];
        Notice(next == 0 ? "The network is chosen automatically." : $"Network: {_models[next - 1]}");
    }

    /// <summary>What is at the left goes round: original, every filter, every network.</summary>
    private void StepCompared(int step)
    {
        int choices = _comparisons.Length + 1;
        int present = _pipeline.Compared is { } compared ? Array.IndexOf(_comparisons, compared) + 1 : 0;
        int next = (present + step + choices) % choices;
        _pipeline.Compared = next == 0 ? null : _comparisons[next - 1];
        Notice($"At the left: {_pipeline.Compared ?? "original"}");
    }

    private void StepDevice()
    {
        IReadOnlyList<DeviceInfo> devices = ComputeDevice.List();
        if (devices.Count < 2)
        {
            Notice($"There is one OpenCL device here: {devices[0].Name}.");
            return;
        }
        int present = devices.Select((device, i) => (device, i)).FirstOrDefault(entry => entry.device.Name == _device).i;
        DeviceInfo next = devices[(present + 1) % devices.Count];
        _pipeline.Device = next.Index.ToString(CultureInfo.InvariantCulture);
        Notice($"Device: {next.Name}");
    }

    /// <summary>Saves the pair that is on screen.</summary>
    private void SaveSnapshot()
    {
        if (_shown is not { } shown) return;
        Frame left = new(shown.Compared.Format), restored = new(shown.Restored.Format);
        string leftName = shown.ComparedMethod is null ? "original" : "compared";
        shown.Compared.Data.CopyTo(left.Data);
        shown.Restored.Data.CopyTo(restored.Data);
        InBackground(() =>
        {
            using (left)
            using (restored)
            {
                string stem = Snapshot.NewStem(_folder);
                Snapshot.Write(left, $"{stem}-{leftName}.png");
                Snapshot.Write(restored, $"{stem}-restored.png");
                Notice($"Saved {stem}-{leftName}.png and {Path.GetFileName(stem)}-restored.png");
            }
        });
    }

    /// <summary>Writes files one after another, away from the thread that draws. A failure becomes a notice.</summary>
    private void InBackground(Action work)
    {
        Thread? before = _background.LastOrDefault();
        _background.RemoveAll(thread => !thread.IsAlive);
        var thread = new Thread(() =>
        {
            before?.Join();
            try
            {
                work();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Notice($"It could not be saved: {e.Message}");
            }
        }) { Name = "deblur save" };
        _background.Add(thread);
        thread.Start();
    }

    private void ToggleRecording()
    {
        if (_recording is not null)
        {
            EndRecording();
            return;
        }
        try
        {
            string path = $"{Snapshot.NewStem(_folder)}.mp4";
            _recording = new LiveOutput(path, new RecordingSink(path), LiveOutput.RecordingCapacity);
            Notice($"Recording to {path}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Notice($"The recording could not be started: {e.Message}");
        }
    }

    private void EndRecording()
    {
        if (_recording is not { } recording) return;
        _recording = null;
        InBackground(() =>
        {
            using (recording)
            {
                recording.Complete();
                Notice($"Saved {recording.Name}{(recording.Dropped > 0 ? $"; {recording.Dropped} pictures came too fast for the encoder" : "")}");
            }
        });
    }

    private void DropFailedOutputs()
    {
        foreach (LiveOutput output in _outputs.Where(output => output.Failure is not null).ToArray())
        {
            Notice(output.Failure!.Message);
            _outputs.Remove(output);
            output.Dispose();
        }
        if (_recording?.Failure is not null) EndRecording();
    }
}
