namespace RealtimeDeblur.Compute;

/// <summary>A kernel with its arguments bound and its sizes chosen.</summary>
internal readonly record struct Launch(Kernel Kernel, WorkSize Global, WorkSize Local)
{
    public void Enqueue(CommandQueue queue) => Kernel.Enqueue(queue, Global, Local);
}
