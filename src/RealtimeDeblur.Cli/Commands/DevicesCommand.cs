using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Compute;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur devices</c>: what --device can choose from.</summary>
internal static class DevicesCommand
{
    public static Command Create() => new CliCommand(
        "devices",
        "Lists the OpenCL devices of this machine. With --device it lists the one that would be taken.",
        "deblur devices --json",
        run => run.Result(List(run.Device), Print));

    private static DevicesResult List(string? selector)
    {
        IReadOnlyList<DeviceInfo> devices = ComputeDevice.List();
        if (selector is null && devices.Count > 0) return new([.. devices.Select(Describe)]);
        // Opening is what checks the selector, and says what to install where there is no device.
        using ComputeDevice chosen = ComputeDevice.Open(selector);
        return new([new(chosen.Info, chosen.Arithmetic)]);
    }

    private static DeviceRow Describe(DeviceInfo info)
    {
        try
        {
            using ComputeDevice device = ComputeDevice.Open(info.Index.ToString(CultureInfo.InvariantCulture));
            return new(info, device.Arithmetic);
        }
        catch (OpenClException)
        {
            // A device that cannot be opened must not hide the others.
            return new(info, null);
        }
    }

    private static void Print(DevicesResult result, TextWriter text)
    {
        foreach (DeviceRow device in result.Devices)
        {
            text.WriteLine($"{device.Index}: {device.Name}");
            text.WriteLine($"   type           {device.Type switch { ComputeDeviceType.Gpu => "GPU", ComputeDeviceType.Cpu => "CPU", var other => other.ToString() }}");
            text.WriteLine($"   platform       {device.Platform}");
            text.WriteLine($"   driver         {device.Driver}");
            text.WriteLine($"   compute units  {device.ComputeUnits}");
            text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"   memory         {device.MemoryBytes / (double)(1 << 30):0.0} GiB"));
            text.WriteLine($"   fp16           {(device.SupportsFp16 ? "announced" : "not announced")}, {device.HalfArithmetic switch { true => "works", false => "does not work", null => "not tried: the device does not open" }}");
            text.WriteLine($"   tensor cores   {(device.TensorCores == true ? "work" : "none")}");
        }
    }
}

/// <summary>Result of <c>deblur devices</c>.</summary>
internal sealed record DevicesResult(IReadOnlyList<DeviceRow> Devices);

/// <summary>A device, as <see cref="DeviceInfo"/> describes it, and what probe kernels found out about it.</summary>
internal sealed record DeviceRow(
    int Index, string Name, string Platform, ComputeDeviceType Type, string Driver, int ComputeUnits, long MemoryBytes, long MaxAllocationBytes, long LocalMemoryBytes, int MaxWorkGroupSize,
    bool SupportsFp16, bool SharesHostMemory, bool? HalfArithmetic, bool? TensorCores)
{
    /// <param name="info">Of the device.</param>
    /// <param name="arithmetic">Null where the device does not open.</param>
    public DeviceRow(DeviceInfo info, ProbedArithmetic? arithmetic)
        : this(info.Index, info.Name, info.Platform, info.Type, info.Driver, info.ComputeUnits, info.MemoryBytes, info.MaxAllocationBytes, info.LocalMemoryBytes, info.MaxWorkGroupSize,
            info.SupportsFp16, info.SharesHostMemory, arithmetic?.SupportsHalfArithmetic, arithmetic?.SupportsTensorCores)
    {
    }
}
