using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Benchmarks;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

// Our kernels against other programs on the same weights and the same frame, all with as many threads as the OpenCL device has units.
// kernels/README.md has the command line and how to read the figures.

Option<string?> modelOption = new("--model") { Description = "Path of a .safetensors file. Without it models/dbcnn.safetensors of the repository, or the paper's DBCNN with random weights." };
Option<string[]> sizesOption = new("--size") { Description = "Frame sizes.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["640x480", "1280x720"] };
Option<int> runsOption = new("--runs") { Description = "Runs of each program, in turns.", DefaultValueFactory = _ => 20 };
Option<string?> deviceOption = new("--device") { Description = "OpenCL device by index or part of the name; a CPU if not given." };
RootCommand command = new("Compares the speed of our kernels with ONNX Runtime and OpenCV DNN on the same weights, and a step of the trainer with inference.") { modelOption, sizesOption, runsOption, deviceOption };
command.SetAction(parsed =>
{
    Network network = LoadNetwork(parsed.GetValue(modelOption));
    string? selector = parsed.GetValue(deviceOption) ?? ComputeDevice.List().FirstOrDefault(info => info.Type == ComputeDeviceType.Cpu)?.Index.ToString(CultureInfo.InvariantCulture);
    using ComputeDevice device = ComputeDevice.Open(selector);
    int runs = Math.Max(1, parsed.GetValue(runsOption));
    Console.WriteLine($"{network.Name}, {network.Description.C} channel(s), {network.Description.MacPerPixel} MAC per pixel, float32");
    Console.WriteLine($"{device.Info.Name} ({device.Info.Driver}), {device.Info.ComputeUnits} threads, {runs} runs of each in turns after 2 to warm up");
    foreach (string size in parsed.GetValue(sizesOption)!.SelectMany(sizes => sizes.Split(',')))
    {
        int[] sides = [.. size.Split('x').Select(side => int.Parse(side, CultureInfo.InvariantCulture))];
        Comparison.Run(device, network, sides[0], sides[1], runs, Console.Out);
    }
    TrainerStep.Run(device, network, 5 * runs, Console.Out);
});
return command.Parse(args).Invoke();

static Network LoadNetwork(string? path)
{
    if (path is not null) return WeightsFile.Read(path);
    for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
    {
        string shipped = Path.Combine(folder.FullName, "models", "dbcnn.safetensors");
        if (File.Exists(shipped)) return WeightsFile.Read(shipped);
    }
    return UntrainedNetwork.Create(NetworkDescription.Dbcnn(), seed: 1);
}
