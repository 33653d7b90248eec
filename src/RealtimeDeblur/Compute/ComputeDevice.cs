using System.Globalization;
using System.Text;
using Silk.NET.OpenCL;
using ClDeviceInfo = Silk.NET.OpenCL.DeviceInfo;

namespace RealtimeDeblur.Compute;

/// <summary>
/// An OpenCL device with a context of its own. Several may be open in one process, also of the same device; objects of one do not work with another.
/// Safe for use from several threads. The caller disposes it; buffers, queues and programs made from it stay valid until they are disposed themselves.
/// </summary>
public sealed unsafe class ComputeDevice : IDisposable
{
    private readonly ClHandle _context;
    private readonly Dictionary<(string File, string Options), KernelProgram> _programs = [];
    private readonly Lazy<ProbedArithmetic> _arithmetic;
    private readonly string? _kernelFolder;

    private ComputeDevice(DeviceInfo info, nint device, string? kernelFolder)
    {
        Info = info;
        Device = device;
        _kernelFolder = kernelFolder;
        _arithmetic = new(() => ProbedArithmetic.Of(this));
        lock (OpenClApi.SetUp)
        {
            nint context = Cl.CreateContext(null, 1, &device, null, null, out int status);
            OpenClException.ThrowIfFailed(status, $"create a context on {info.Name}");
            _context = new(context, Cl.ReleaseContext);
        }
    }

    /// <summary>What the device is and can do.</summary>
    public DeviceInfo Info { get; }

    /// <summary>What arithmetic works besides <c>float</c>. The first call builds and runs probe kernels; those after it cost nothing.</summary>
    internal ProbedArithmetic Arithmetic => _arithmetic.Value;

    /// <summary>Buffers made on the device so far, so that a test can tell that a running pipeline makes none.</summary>
    internal long BuffersCreated { get; set; }

    internal nint Device { get; }

    internal ClHandle Context => _context;

    private static CL Cl => OpenClApi.Instance;

    /// <summary>All OpenCL devices of this machine: GPUs first, then accelerators, then CPUs. Empty when no driver is installed.</summary>
    /// <exception cref="OpenClException">There is no OpenCL loader, or a driver failed.</exception>
    public static IReadOnlyList<DeviceInfo> List() => [.. Enumerate().Select(entry => entry.Info)];

    /// <summary>Opens a device.</summary>
    /// <param name="selector">Index in <see cref="List"/> or part of the name, any case; null takes the first: a GPU where there is one.</param>
    /// <param name="kernelFolder">Folder of kernel files that are built instead of those in the assembly, as they are at that moment, where a path is in both; for work on kernels. Null builds the assembly's.</param>
    /// <exception cref="OpenClException">No device matches, or it could not be opened.</exception>
    public static ComputeDevice Open(string? selector = null, string? kernelFolder = null)
    {
        List<(DeviceInfo Info, nint Device)> devices = Enumerate();
        if (devices.Count == 0) throw new OpenClException(OpenClException.PlatformNotFound, $"No OpenCL device was found on this machine. {OpenClException.NoDriver}");

        int index = selector is null ? 0 : Find([.. devices.Select(entry => entry.Info)], selector);
        if (index < 0)
        {
            string known = string.Join(", ", devices.Select(entry => $"{entry.Info.Index}: {entry.Info.Name}"));
            throw new OpenClException($"No OpenCL device matches '{selector}'. Choose by index or part of the name from: {known}.");
        }
        return new(devices[index].Info, devices[index].Device, kernelFolder);
    }

    /// <summary>Makes an in-order queue. The caller disposes it.</summary>
    /// <param name="profiling">Whether events carry device times; costs a little on every command.</param>
    internal CommandQueue CreateQueue(bool profiling = false) => new(this, profiling);

    /// <summary>Allocates <paramref name="count"/> elements with undefined contents. The caller disposes the buffer.</summary>
    /// <exception cref="OpenClException">The device has too little memory.</exception>
    internal DeviceBuffer<T> Allocate<T>(long count) where T : unmanaged => new(this, count);

    /// <summary>Allocates and fills a buffer; waits for the copy.</summary>
    internal DeviceBuffer<T> Allocate<T>(ReadOnlySpan<T> contents) where T : unmanaged => new(this, contents);

    /// <summary>Builds a kernel file, or takes it from the cache in memory or on disk. The device owns the program.</summary>
    /// <param name="file">Path below <c>kernels/</c>, e.g. <c>conv/conv2d.cl</c>.</param>
    /// <param name="options">Compiler options, e.g. <c>-DTILE_W=16</c>.</param>
    /// <exception cref="OpenClException">The compiler refused; the message holds its log.</exception>
    internal KernelProgram Build(string file, string options = "")
    {
        lock (_programs)
        {
            if (!_programs.TryGetValue((file, options), out KernelProgram? program))
            {
                program = new(this, file, KernelSource.Read(file, _kernelFolder), options, ProgramCache.Default);
                _programs.Add((file, options), program);
            }
            return program;
        }
    }

    /// <summary>Releases the context and the programs. What was made from the device works on until it is disposed itself.</summary>
    public void Dispose()
    {
        lock (_programs)
        {
            foreach (KernelProgram program in _programs.Values) program.Dispose();
            _programs.Clear();
        }
        _context.Dispose();
    }

    /// <summary>Position of the device with that index, else of the first with that text in its name ("4090" is one); -1 where there is none.</summary>
    internal static int Find(DeviceInfo[] devices, string selector)
    {
        int byIndex = int.TryParse(selector, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? Array.FindIndex(devices, device => device.Index == number) : -1;
        return byIndex >= 0 ? byIndex : Array.FindIndex(devices, device => device.Name.Contains(selector, StringComparison.OrdinalIgnoreCase));
    }

    private static List<(DeviceInfo Info, nint Device)> Enumerate()
    {
        CL cl = Cl;
        var found = new List<(DeviceInfo Info, nint Device)>();
        lock (OpenClApi.SetUp)
        {
            uint count = 0;
            int status = cl.GetPlatformIDs(0, null, &count);
            if (status == OpenClException.PlatformNotFound || count == 0) return found;
            OpenClException.ThrowIfFailed(status, "list the OpenCL platforms");
            nint[] platforms = new nint[count];
            fixed (nint* p = platforms) OpenClException.ThrowIfFailed(cl.GetPlatformIDs(count, p, null), "list the OpenCL platforms");

            foreach (nint platform in platforms)
            {
                uint deviceCount = 0;
                // A platform without devices answers DeviceNotFound; a broken driver must not hide the others.
                if (cl.GetDeviceIDs(platform, DeviceType.All, 0, null, &deviceCount) != (int)ErrorCodes.Success || deviceCount == 0) continue;
                nint[] devices = new nint[deviceCount];
                fixed (nint* d = devices) OpenClException.ThrowIfFailed(cl.GetDeviceIDs(platform, DeviceType.All, deviceCount, d, null), "list the OpenCL devices");
                string platformName = PlatformText(platform, PlatformInfo.Name);
                string platformVersion = PlatformText(platform, PlatformInfo.Version);
                foreach (nint device in devices) found.Add((Describe(device, platformName, platformVersion), device));
            }
        }
        // Stable sort: devices of one type keep the driver's order.
        found = [.. found.OrderBy(entry => entry.Info.Type)];
        return [.. found.Select((entry, index) => (entry.Info with { Index = index }, entry.Device))];
    }

    private static DeviceInfo Describe(nint device, string platformName, string platformVersion)
    {
        ulong type = Value<ulong>(device, ClDeviceInfo.Type);
        string extensions = Text(device, ClDeviceInfo.Extensions);
#pragma warning disable CS0618 // Deprecated in OpenCL 2.0; our floor is 1.2, which has nothing else.
        bool sharesHostMemory = Value<uint>(device, ClDeviceInfo.HostUnifiedMemory) != 0;
#pragma warning restore CS0618
        return new(
            Index: 0,
            Name: Text(device, ClDeviceInfo.Name),
            Platform: platformName,
            Type: (type & (ulong)DeviceType.Gpu) != 0 ? ComputeDeviceType.Gpu
                : (type & (ulong)DeviceType.Accelerator) != 0 ? ComputeDeviceType.Accelerator
                : (type & (ulong)DeviceType.Cpu) != 0 ? ComputeDeviceType.Cpu
                : ComputeDeviceType.Other,
            Driver: $"{platformVersion}, driver {Text(device, ClDeviceInfo.DriverVersion)}",
            ComputeUnits: (int)Value<uint>(device, ClDeviceInfo.MaxComputeUnits),
            MemoryBytes: (long)Value<ulong>(device, ClDeviceInfo.GlobalMemSize),
            MaxAllocationBytes: (long)Value<ulong>(device, ClDeviceInfo.MaxMemAllocSize),
            LocalMemoryBytes: (long)Value<ulong>(device, ClDeviceInfo.LocalMemSize),
            MaxWorkGroupSize: (int)Value<nuint>(device, ClDeviceInfo.MaxWorkGroupSize),
            SupportsFp16: extensions.Split(' ').Contains("cl_khr_fp16"),
            SharesHostMemory: sharesHostMemory);
    }

    private static T Value<T>(nint device, ClDeviceInfo what) where T : unmanaged
    {
        T value;
        OpenClException.ThrowIfFailed(Cl.GetDeviceInfo(device, what, (nuint)sizeof(T), &value, null), $"read {what} of an OpenCL device");
        return value;
    }

    private static string Text(nint device, ClDeviceInfo what)
    {
        nuint size;
        OpenClException.ThrowIfFailed(Cl.GetDeviceInfo(device, what, 0, null, &size), $"read {what} of an OpenCL device");
        byte[] text = new byte[size + 1];
        fixed (byte* p = text) OpenClException.ThrowIfFailed(Cl.GetDeviceInfo(device, what, size, p, null), $"read {what} of an OpenCL device");
        return Decode(text);
    }

    private static string PlatformText(nint platform, PlatformInfo what)
    {
        nuint size;
        OpenClException.ThrowIfFailed(Cl.GetPlatformInfo(platform, what, 0, null, &size), $"read {what} of an OpenCL platform");
        byte[] text = new byte[size + 1];
        fixed (byte* p = text) OpenClException.ThrowIfFailed(Cl.GetPlatformInfo(platform, what, size, p, null), $"read {what} of an OpenCL platform");
        return Decode(text);
    }

    private static string Decode(byte[] zeroTerminated) => Encoding.UTF8.GetString(zeroTerminated.AsSpan(0, Array.IndexOf<byte>(zeroTerminated, 0))).Trim();
}
