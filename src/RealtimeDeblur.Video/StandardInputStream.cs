using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RealtimeDeblur.Video;

/// <summary>
/// Standard input, unbuffered, with a large pipe where it is one. Disposal, from any thread, wakes a <see cref="Read(Span{byte})"/> that waits, which then gives the end of the stream:
/// a program that sends nothing does not hold our end.
/// </summary>
internal sealed unsafe partial class StandardInputStream : Stream
{
    private const int StandardInputFile = 0;
    private const short Readable = 1;       // POLLIN, poll.h
    private const int Interrupted = 4;      // EINTR, errno.h

    private readonly FileStream _file = new(new SafeFileHandle(StandardInputFile, ownsHandle: false), FileAccess.Read, bufferSize: 0);

    // Nothing is ever written; its writing end goes away with the first disposal, which wakes poll.
    private readonly AnonymousPipeServerStream _closed = new(PipeDirection.Out);
    private readonly SafePipeHandle _closedEnd;
    private byte? _peeked;

    public StandardInputStream()
    {
        PipeSize.Enlarge(_file);
        _closedEnd = _closed.ClientSafePipeHandle;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Waits for the first byte, which stays to be read; null if there is none.</summary>
    public byte? Peek()
    {
        Span<byte> first = stackalloc byte[1];
        if (_peeked is null && Read(first) == 1) _peeked = first[0];
        return _peeked;
    }

    public override int Read(Span<byte> buffer)
    {
        if (_peeked is not { } first || buffer.IsEmpty) return WaitForData() ? _file.Read(buffer) : 0;
        _peeked = null;
        buffer[0] = first;
        return 1;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _closed.Dispose();
            _closedEnd.Dispose();       // Closed in truth when no Read waits on it any more.
        }
        base.Dispose(disposing);
    }

    /// <returns>False once the stream is closed.</returns>
    private bool WaitForData()
    {
        bool isHeld = false;
        try
        {
            _closedEnd.DangerousAddRef(ref isHeld);
            PollEntry* entries = stackalloc PollEntry[] { new() { File = StandardInputFile, Wanted = Readable }, new() { File = (int)_closedEnd.DangerousGetHandle(), Wanted = Readable } };
            const int forever = -1;
            while (Poll(entries, 2, forever) < 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error != Interrupted) throw new IOException($"Cannot wait for standard input: {Marshal.GetPInvokeErrorMessage(error)}.");
            }
            return entries[1].Ready == 0;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            if (isHeld) _closedEnd.DangerousRelease();
        }
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Poll(PollEntry* entries, nuint count, int timeoutMs);

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int File;
        public short Wanted;
        public short Ready;
    }
}
