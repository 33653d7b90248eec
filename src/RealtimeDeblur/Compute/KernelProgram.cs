using System.Text;
using Silk.NET.OpenCL;

namespace RealtimeDeblur.Compute;

/// <summary>A kernel file built for one device. Owned by its <see cref="ComputeDevice"/>.</summary>
internal sealed unsafe class KernelProgram : IDisposable
{
    private readonly ClHandle _program;

    internal KernelProgram(ComputeDevice device, string file, string source, string options, ProgramCache cache)
    {
        Device = device;
        File = file;
        string key = ProgramCache.Key(device.Info, source, options);
        lock (OpenClApi.SetUp)
        {
            byte[]? binary = cache.Read(key);
            ClHandle? fromCache = binary is null ? null : TryBuildBinary(device, binary, options);
            CameFromCache = fromCache is not null;
            if (fromCache is not null)
            {
                _program = fromCache;
                return;
            }
            _program = BuildSource(device, file, source, options);
            cache.Write(key, Binary());
        }
    }

    public ComputeDevice Device { get; }

    /// <summary>Path below <c>kernels/</c>.</summary>
    public string File { get; }

    /// <summary>Whether the compiled program was found on disk.</summary>
    public bool CameFromCache { get; }

    private static CL Cl => OpenClApi.Instance;

    /// <summary>Makes a kernel object. The caller disposes it; its arguments belong to one thread at a time.</summary>
    /// <exception cref="OpenClException">The file has no such kernel.</exception>
    public Kernel CreateKernel(string name) => new(this, _program, name);

    public void Dispose() => _program.Dispose();

    private static ClHandle BuildSource(ComputeDevice device, string file, string source, string options)
    {
        byte[] text = Encoding.UTF8.GetBytes(source);
        nuint length = (nuint)text.Length;
        nint value;
        int status;
        using (ClHandle.Borrowed context = device.Context.Use())
        {
            fixed (byte* p = text)
            {
                byte* line = p;
                value = Cl.CreateProgramWithSource(context.Value, 1, &line, &length, &status);
            }
        }
        OpenClException.ThrowIfFailed(status, $"create a program from kernels/{file} on {device.Info.Name}");
        var program = new ClHandle(value, Cl.ReleaseProgram);
        int result = Build(device, value, options);
        if (result == (int)ErrorCodes.Success) return program;

        string log = BuildLog(device, value);
        program.Dispose();
        throw new OpenClException(result,
            $"kernels/{file} does not build on {device.Info.Name} ({(ErrorCodes)result}, {result}) with options '{options}'. The compiler says:\n{log}");
    }

    /// <returns>Null when the driver does not take the binary, as after an update that left its version string alone.</returns>
    private static ClHandle? TryBuildBinary(ComputeDevice device, byte[] binary, string options)
    {
        nint id = device.Device;
        nuint length = (nuint)binary.Length;
        int status, binaryStatus;
        nint value;
        using (ClHandle.Borrowed context = device.Context.Use())
        {
            fixed (byte* p = binary)
            {
                byte* bytes = p;
                value = Cl.CreateProgramWithBinary(context.Value, 1, &id, &length, &bytes, &binaryStatus, &status);
            }
        }
        if (value == 0) return null;
        var program = new ClHandle(value, Cl.ReleaseProgram);
        if (status == (int)ErrorCodes.Success && binaryStatus == (int)ErrorCodes.Success && Build(device, value, options) == (int)ErrorCodes.Success) return program;
        program.Dispose();
        return null;
    }

    private static int Build(ComputeDevice device, nint program, string options)
    {
        nint id = device.Device;
        byte[] text = Encoding.UTF8.GetBytes(options + '\0');
        fixed (byte* p = text) return Cl.BuildProgram(program, 1, &id, p, null, null);
    }

    private static string BuildLog(ComputeDevice device, nint program)
    {
        nuint size;
        if (Cl.GetProgramBuildInfo(program, device.Device, ProgramBuildInfo.BuildLog, 0, null, &size) != (int)ErrorCodes.Success) return "(no log)";
        byte[] text = new byte[size];
        fixed (byte* p = text)
        {
            if (Cl.GetProgramBuildInfo(program, device.Device, ProgramBuildInfo.BuildLog, size, p, null) != (int)ErrorCodes.Success) return "(no log)";
        }
        return Encoding.UTF8.GetString(text).TrimEnd('\0', '\n', ' ');
    }

    private byte[] Binary()
    {
        using ClHandle.Borrowed program = _program.Use();
        nuint size;
        OpenClException.ThrowIfFailed(Cl.GetProgramInfo(program.Value, ProgramInfo.BinarySizes, (nuint)sizeof(nuint), &size, null), $"read the size of the compiled {File}");
        byte[] binary = new byte[size];
        fixed (byte* p = binary)
        {
            byte* bytes = p;
            OpenClException.ThrowIfFailed(Cl.GetProgramInfo(program.Value, ProgramInfo.Binaries, (nuint)sizeof(byte*), &bytes, null), $"read the compiled {File}");
        }
        return binary;
    }
}
