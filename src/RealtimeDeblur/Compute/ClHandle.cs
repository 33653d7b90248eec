using System.Runtime.InteropServices;
using Silk.NET.OpenCL;

namespace RealtimeDeblur.Compute;

/// <summary>One reference to an OpenCL object, released exactly once, never under a running call. OpenCL itself keeps what others still need alive.</summary>
internal sealed class ClHandle : SafeHandle
{
    private readonly Func<nint, int> _release;

    public ClHandle(nint value, Func<nint, int> release) : base(0, ownsHandle: true)
    {
        _release = release;
        SetHandle(value);
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        lock (OpenClApi.SetUp) return _release(handle) == (int)ErrorCodes.Success;
    }

    /// <summary>Keeps the object alive for the duration of a native call: <c>using var use = handle.Use(); … use.Value …</c></summary>
    /// <exception cref="ObjectDisposedException">The object has been disposed.</exception>
    public Borrowed Use() => new(this);

    public readonly ref struct Borrowed
    {
        private readonly ClHandle _owner;

        public Borrowed(ClHandle owner)
        {
            bool added = false;
            owner.DangerousAddRef(ref added);
            _owner = owner;
        }

        public nint Value => _owner.handle;

        public void Dispose() => _owner.DangerousRelease();
    }
}
