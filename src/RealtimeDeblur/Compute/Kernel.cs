using System.Text;
using Silk.NET.OpenCL;

namespace RealtimeDeblur.Compute;

/// <summary>How many work-items a launch has, per dimension.</summary>
internal readonly record struct WorkSize(long X, long Y = 1, long Z = 1)
{
    /// <summary>One work-item per work-group: the shape of the CPU kernels, which compute a whole tile each.</summary>
    public static WorkSize Single { get; } = new(1);

    /// <summary>How many tiles of <paramref name="tile"/> cover <paramref name="size"/>.</summary>
    public static long Tiles(long size, long tile) => (size + tile - 1) / tile;
}

/// <summary>One kernel argument: a buffer or a scalar. Made implicitly at the call.</summary>
internal readonly struct KernelArgument
{
    private KernelArgument(ClHandle? memory, ulong bits, int sizeBytes)
    {
        Memory = memory;
        Bits = bits;
        SizeBytes = sizeBytes;
    }

    internal ClHandle? Memory { get; }

    internal ulong Bits { get; }

    internal int SizeBytes { get; }

    internal static KernelArgument Buffer(ClHandle memory) => new(memory, 0, 0);

    public static implicit operator KernelArgument(int value) => new(null, unchecked((uint)value), sizeof(int));

    public static implicit operator KernelArgument(uint value) => new(null, value, sizeof(uint));

    public static implicit operator KernelArgument(float value) => new(null, BitConverter.SingleToUInt32Bits(value), sizeof(float));
}

/// <summary>
/// A kernel and its arguments. Arguments are kept between launches: bind once, enqueue often. One thread at a time.
/// Classes that know a kernel wrap it in a typed method, so that no call site counts positions.
/// </summary>
internal sealed unsafe class Kernel : IDisposable
{
    private readonly ClHandle _kernel;
    private readonly KernelProgram _program;

    internal Kernel(KernelProgram program, ClHandle programHandle, string name)
    {
        _program = program;
        Name = name;
        byte[] text = Encoding.UTF8.GetBytes(name + '\0');
        lock (OpenClApi.SetUp)
        {
            using ClHandle.Borrowed handle = programHandle.Use();
            int status;
            nint kernel;
            fixed (byte* p = text) kernel = Cl.CreateKernel(handle.Value, p, &status);
            OpenClException.ThrowIfFailed(status, $"find kernel '{name}' in kernels/{program.File} on {program.Device.Info.Name}");
            _kernel = new(kernel, Cl.ReleaseKernel);
        }
    }

    public string Name { get; }

    private static CL Cl => OpenClApi.Instance;

    /// <summary>Sets every argument, in the order of the kernel's parameters. Buffers must outlive the launches.</summary>
    public Kernel Bind(params ReadOnlySpan<KernelArgument> arguments) => BindFrom(0, arguments);

    /// <summary>Sets the arguments from position <paramref name="first"/> on.</summary>
    public Kernel BindFrom(int first, params ReadOnlySpan<KernelArgument> arguments)
    {
        for (int i = 0; i < arguments.Length; i++) Bind(first + i, arguments[i]);
        return this;
    }

    /// <summary>Sets one argument, e.g. a value that changes from launch to launch.</summary>
    public void Bind(int index, KernelArgument argument)
    {
        using ClHandle.Borrowed kernel = _kernel.Use();
        ulong bits = argument.Bits;
        int status;
        if (argument.Memory is not null)
        {
            using ClHandle.Borrowed memory = argument.Memory.Use();
            nint value = memory.Value;
            status = Cl.SetKernelArg(kernel.Value, (uint)index, (nuint)sizeof(nint), &value);
        }
        else
        {
            status = Cl.SetKernelArg(kernel.Value, (uint)index, (nuint)argument.SizeBytes, &bits);
        }
        if (status != 0) OpenClException.ThrowIfFailed(status, $"set argument {index} of kernel '{Name}' in kernels/{_program.File}");
    }

    /// <summary>Launches the kernel and returns at once.</summary>
    /// <param name="queue">In-order queue of the same device.</param>
    /// <param name="global">Work-items; must be a multiple of <paramref name="local"/>.</param>
    /// <param name="local">Work-group.</param>
    /// <param name="waitFor">Events of other queues that must have happened before.</param>
    public void Enqueue(CommandQueue queue, WorkSize global, WorkSize local, params ReadOnlySpan<ComputeEvent> waitFor) => Launch(queue, global, local, waitFor, null);

    /// <summary>As <see cref="Enqueue"/>, and gives an event to wait for or to read the device time from. The caller disposes it.</summary>
    public ComputeEvent EnqueueWithEvent(CommandQueue queue, WorkSize global, WorkSize local, params ReadOnlySpan<ComputeEvent> waitFor)
    {
        nint signal;
        Launch(queue, global, local, waitFor, &signal);
        return new(signal);
    }

    public void Dispose() => _kernel.Dispose();

    private void Launch(CommandQueue queue, WorkSize global, WorkSize local, ReadOnlySpan<ComputeEvent> waitFor, nint* signal)
    {
        if (queue.Device != _program.Device) throw queue.Mismatch($"kernel '{Name}'", _program.Device);
        nuint* globalSize = stackalloc nuint[3] { (nuint)global.X, (nuint)global.Y, (nuint)global.Z };
        nuint* localSize = stackalloc nuint[3] { (nuint)local.X, (nuint)local.Y, (nuint)local.Z };
        using ClHandle.Borrowed kernel = _kernel.Use();
        using ClHandle.Borrowed handle = queue.Handle.Use();
        int status;
        fixed (ComputeEvent* events = waitFor)
        {
            status = Cl.EnqueueNdrangeKernel(handle.Value, kernel.Value, 3, null, globalSize, localSize, (uint)waitFor.Length, (nint*)events, signal);
        }
        if (status != 0)
            OpenClException.ThrowIfFailed(status, $"launch kernel '{Name}' of kernels/{_program.File} with {global.X}x{global.Y}x{global.Z} work-items on {_program.Device.Info.Name}");
    }
}
