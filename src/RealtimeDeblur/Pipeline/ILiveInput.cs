namespace RealtimeDeblur.Pipeline;

/// <summary>
/// Something live that frames come from: a camera, a stream, a screen. Unlike a <see cref="IFrameSource"/> it may vanish and return, in another size as well, so it is opened again and again.
/// One thread at a time calls <see cref="Open"/>, and disposes what it gave before it calls again.
/// </summary>
public interface ILiveInput
{
    /// <summary>What messages call it: <c>camera 0</c>, <c>http://...</c>.</summary>
    string Name { get; }

    /// <summary>Connects, waiting until the frames' format is known. The caller disposes the source, which ends when the connection does, or when size or sample layout change.</summary>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="FileNotFoundException">It will not come: a program is not installed, a file does not exist.</exception>
    /// <exception cref="IOException">It is not there now, or another program has it; worth another try. The message names it and the cause.</exception>
    /// <exception cref="InvalidDataException">What it sends is no picture; worth another try.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    IFrameSource Open(CancellationToken cancellation);
}
