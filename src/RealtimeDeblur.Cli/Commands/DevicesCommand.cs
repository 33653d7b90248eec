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
        if (selector is not null || devices.Count == 0)
        {
            // Opening is what checks the selector, and says what to install where there is no device.
            using ComputeDevice chosen = ComputeDevice.Open(selector);
            devices = [chosen.Info];
        }
        return new(devices);
    }

    private static void Print(DevicesResult result, TextWriter text)
    {
        foreach (DeviceInfo device in result.Devices)
        {
            text.WriteLine($"{device.Index}: {device.Name}");
            text.WriteLine($"   type           {device.Type switch { ComputeDeviceType.Gpu => "GPU", ComputeDeviceType.Cpu => "CPU", var other => other.ToString() }}");
            text.WriteLine($"   platform       {device.Platform}");
            text.WriteLine($"   driver         {device.Driver}");
            text.WriteLine($"   compute units  {device.ComputeUnits}");
            text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"   memory         {device.MemoryBytes / (double)(1 << 30):0.0} GiB"));
            text.WriteLine($"   fp16           {(device.SupportsFp16 ? "yes" : "no")}");
        }
    }
}

/// <summary>Result of <c>deblur devices</c>.</summary>
internal sealed record DevicesResult(IReadOnlyList<DeviceInfo> Devices);
