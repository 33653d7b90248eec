using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Benchmarks;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;

// Our kernels against other programs on the same weights and the same frame, all with as many threads as the OpenCL device has units.
// kernels/README.md has the command line and how to read the figures.

Option<string[]> modelOption = new("--model")
{
    Description = $"Path of a .safetensors file, or a shape with random weights: {string.Join(", ", NetworkShapes.Names)}. Without it every shipped luma model for clean blur, and the shapes that do not ship.",
    AllowMultipleArgumentsPerToken = true,
};
Option<string[]> sizesOption = new("--size") { Description = "Frame sizes.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["640x480", "1280x720", "1920x1080", "3840x2160"] };
Option<string?> plotOption = new("--plot") { Description = "PNG file for a plot of time against pixels." };
Option<int> runsOption = new("--runs") { Description = "Runs of each program, in turns.", DefaultValueFactory = _ => 20 };
Option<string?> deviceOption = new("--device") { Description = "OpenCL device by index or part of the name; a CPU if not given." };
RootCommand command = new("Compares the speed of our kernels with ONNX Runtime and OpenCV DNN on the same weights, and a step of the trainer with inference.") { modelOption, sizesOption, runsOption, deviceOption, plotOption };
command.SetAction(parsed =>
{
    Network[] networks = LoadNetworks(parsed.GetValue(modelOption)!);
    string? selector = parsed.GetValue(deviceOption) ?? ComputeDevice.List().FirstOrDefault(info => info.Type == ComputeDeviceType.Cpu)?.Index.ToString(CultureInfo.InvariantCulture);
    using ComputeDevice device = ComputeDevice.Open(selector);
    int runs = Math.Max(1, parsed.GetValue(runsOption));
    Console.WriteLine($"{device.Info.Name} ({device.Info.Driver}), {device.Info.ComputeUnits} threads, float32, up to {runs} runs of each in turns after 2 to warm up");
    var timings = new List<Timing>();
    foreach (Network one in networks)
    {
        foreach (string size in parsed.GetValue(sizesOption)!.SelectMany(sizes => sizes.Split(',')))
        {
            int[] sides = [.. size.Split('x').Select(side => int.Parse(side, CultureInfo.InvariantCulture))];
            timings.AddRange(Comparison.Run(device, one, sides[0], sides[1], runs, Console.Out));
        }
    }
    if (parsed.GetValue(plotOption) is { } path) TimePlot.Write(timings, $"Time per frame, {device.Info.Name}, {device.Info.ComputeUnits} threads", path);
    // The trainer knows chains at full resolution.
    if (networks.FirstOrDefault(one => one.Description.Scale == 1 && one.Description.Layers.All(layer => layer.With is null && layer.Skip is null)) is { } chain) TrainerStep.Run(device, chain, 5 * runs, Console.Out);
    foreach (int maps in (int[])[16, 32]) TrainerStep.Run(device, UntrainedNetwork.Create(NarrowChain(maps), seed: 1), 5 * runs, Console.Out);
});
command.Subcommands.Add(ProcessCost.Create(deviceOption));
command.Subcommands.Add(LongRun.Create());
command.Subcommands.Add(MethodTimes.Create(deviceOption));
command.Subcommands.Add(SpectrumFitting.Create(deviceOption));
command.Subcommands.Add(PolyblurFit.Create(deviceOption));
return command.Parse(args).Invoke();

// 3x3 layers between few maps, as networks at half resolution are made of.
static NetworkDescription NarrowChain(int maps) =>
    new($"3x3 1-{maps}-{maps}-{maps}-1", [new("first", 1, maps, 3, true), new("second", maps, maps, 3, true), new("third", maps, maps, 3, true), new("last", maps, 1, 3, false)], globalSkip: true);

static Network[] LoadNetworks(string[] names)
{
    if (names.Length > 0) return [.. names.Select(name => File.Exists(name) ? WeightsFile.Read(name) : UntrainedNetwork.Create(name))];
    string? models = null;
    for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null && models is null; folder = folder.Parent)
    {
        string candidate = Path.Combine(folder.FullName, "models");
        if (Directory.Exists(candidate) && folder.EnumerateFiles("RealtimeDeblur.sln").Any()) models = candidate;
    }
    // Weights for cameras have the same shape and so the same time.
    return [.. NetworkShapes.Names.Select(name => Path.Combine(models ?? ".", name + WeightsFile.Extension) is var path && File.Exists(path) ? WeightsFile.Read(path) : UntrainedNetwork.Create(name))];
}
