namespace RealtimeDeblur.Pipeline;

/// <summary>
/// Chooses the best network that keeps up with a live picture: a step down when restoring takes longer than the frames are apart, a step up when there is room for the
/// better one. A plain computation on the times it is told; one thread.
/// </summary>
/// <remarks>
/// Times go through an exponential mean. What a better network would take follows from its multiplications per pixel. One that failed soon after it was tried is tried again after
/// twice as long.
/// </remarks>
internal sealed class ModelLadder
{
    /// <summary>Time constant of the mean, in frames: long enough that a single stall is none, short enough to react within half a second.</summary>
    private const int MeanFrames = 15;

    /// <summary>Seconds of overload before a step down.</summary>
    internal const double PatienceDown = 1.5;

    /// <summary>Seconds of room before a step up; doubles with every try that fails.</summary>
    internal const double PatienceUp = 3;

    private const double LongestPatienceUp = 300;

    /// <summary>A step up has failed when it is taken back within this many seconds.</summary>
    private const double Probation = 15;

    /// <summary>Share of the frame interval that a better network may be expected to take: capture and window need the rest.</summary>
    private const double Room = 0.7;

    private readonly double[] _costs;
    private readonly double[] _patienceUp;
    private double _meanMs;
    private int _frames;
    private double _overloadedSince = double.NaN;
    private double _roomSince = double.NaN;
    private double _steppedUpAt = double.NegativeInfinity;

    /// <param name="costs">Multiplications per pixel of each network, the best and dearest first.</param>
    /// <param name="start">Index of the first to run.</param>
    public ModelLadder(IReadOnlyList<double> costs, int start)
    {
        _costs = [.. costs];
        _patienceUp = [.. costs.Select(_ => PatienceUp)];
        Current = start;
    }

    /// <summary>Index of the network to run.</summary>
    public int Current { get; private set; }

    /// <summary>Takes the time of one frame.</summary>
    /// <param name="restoreMs">What restoring it with the network <see cref="Current"/> took.</param>
    /// <param name="intervalMs">Time between two captured frames; 0 where it is not known yet, which changes nothing.</param>
    /// <param name="seconds">Any clock.</param>
    /// <returns>Whether <see cref="Current"/> changed.</returns>
    public bool Update(double restoreMs, double intervalMs, double seconds)
    {
        if (intervalMs <= 0) return false;
        _frames++;
        _meanMs += (restoreMs - _meanMs) / Math.Min(_frames, MeanFrames);
        if (_frames < MeanFrames) return false;

        bool isOverloaded = _meanMs > intervalMs && Current < _costs.Length - 1;
        bool hasRoom = Current > 0 && _meanMs * _costs[Current - 1] / _costs[Current] < Room * intervalMs;
        _overloadedSince = Since(_overloadedSince, isOverloaded, seconds);
        _roomSince = Since(_roomSince, hasRoom, seconds);
        if (isOverloaded && seconds - _overloadedSince >= PatienceDown)
        {
            bool hasFailed = seconds - _steppedUpAt < Probation;
            _patienceUp[Current] = hasFailed ? Math.Min(2 * _patienceUp[Current], LongestPatienceUp) : PatienceUp;
            return StepTo(Current + 1);
        }
        if (hasRoom && seconds - _roomSince >= _patienceUp[Current - 1])
        {
            _steppedUpAt = seconds;
            return StepTo(Current - 1);
        }
        return false;
    }

    private static double Since(double since, bool isSo, double now) => !isSo ? double.NaN : double.IsNaN(since) ? now : since;

    private bool StepTo(int index)
    {
        Current = index;
        (_frames, _meanMs, _overloadedSince, _roomSince) = (0, 0, double.NaN, double.NaN);
        return true;
    }
}
