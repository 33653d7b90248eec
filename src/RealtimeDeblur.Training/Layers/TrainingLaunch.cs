using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Training.Layers;

/// <summary>One launch of a training step and what it is for.</summary>
/// <param name="Name">Layer and pass.</param>
/// <param name="Launch">The kernel with its arguments bound.</param>
/// <param name="Mac">Multiply-accumulates that a direct convolution needs for what this launch computes; 0 for all else.</param>
internal readonly record struct TrainingLaunch(string Name, Launch Launch, long Mac)
{
    public void Enqueue(CommandQueue queue) => Launch.Enqueue(queue);

    /// <summary>For measuring: the caller disposes the event.</summary>
    public ComputeEvent EnqueueWithEvent(CommandQueue queue) => Launch.Kernel.EnqueueWithEvent(queue, Launch.Global, Launch.Local);
}
