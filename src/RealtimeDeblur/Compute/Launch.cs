namespace RealtimeDeblur.Compute;

/// <summary>A kernel with its arguments bound and its sizes chosen.</summary>
internal readonly record struct Launch(Kernel Kernel, WorkSize Global, WorkSize Local)
{
    public void Enqueue(CommandQueue queue, params ReadOnlySpan<ComputeEvent> waitFor) => Kernel.Enqueue(queue, Global, Local, waitFor);

    /// <summary>As <see cref="Enqueue"/>; the caller disposes the event.</summary>
    public ComputeEvent EnqueueWithEvent(CommandQueue queue, params ReadOnlySpan<ComputeEvent> waitFor) => Kernel.EnqueueWithEvent(queue, Global, Local, waitFor);
}
