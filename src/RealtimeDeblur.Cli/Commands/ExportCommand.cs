using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur export</c>: a network as an ONNX model.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        Argument<string> model = new("MODEL") { Description = "Name of a shipped model, or path of a .safetensors file." };
        Option<string> output = new("--output", "-o") { Description = "ONNX file to write; an existing one is replaced.", HelpName = "FILE.onnx", Required = true };
        Option<float?> sigma = new("--sigma")
        {
            Description = string.Create(CultureInfo.InvariantCulture, $"Blur to restore, for networks that can be told: the model gets the weights of this one. Standard deviation in pixels, 0 to {SigmaSetting.MaxSigma}."),
            HelpName = "PIXELS",
        };
        sigma.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<float?>() is { } value && value is not (>= 0 and <= SigmaSetting.MaxSigma)) result.AddError(string.Create(CultureInfo.InvariantCulture, $"--sigma must be 0 to {SigmaSetting.MaxSigma} pixels, e.g. 1.6."));
        });
        return new CliCommand(
            "export",
            "Writes a model as ONNX, for ONNX Runtime, OpenCV and other programs: input 'blurred' and output 'restored', float [1, C, H, W], 0 to 1, any size.",
            "deblur export dbcnn -o dbcnn.onnx",
            run => run.Result(Export(run.Get(model), run.Get(output), run.Get(sigma)), Print))
        {
            model,
            output,
            sigma,
        };
    }

    private static ExportResult Export(string nameOrPath, string output, float? sigma)
    {
        Network network = ModelCatalog.Load(nameOrPath);
        if (network.IsConditioned && sigma is null)
            throw new UsageException($"{network.Name} depends on the blur's sigma, and an ONNX model has the weights of a single one: choose it, e.g. --sigma 1.6.");
        if (!network.IsConditioned && sigma is not null) throw new UsageException($"{network.Name} restores every blur alike: leave --sigma out.");
        OnnxExport.Write(network.At(sigma ?? 0), output);
        return new(network.Name, output, sigma, new FileInfo(output).Length, network.Description.C, network.Description.MacPerPixel);
    }

    private static void Print(ExportResult result, TextWriter text) => text.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{result.Output}: {result.Model}{(result.Sigma is { } sigma ? $" at sigma {sigma}" : "")}, {result.Channels} {(result.Channels == 1 ? "channel" : "channels")}, {result.MacPerPixel:N0} MAC per pixel, {result.SizeBytes:N0} bytes"));
}

/// <summary>Result of <c>deblur export</c>.</summary>
internal sealed record ExportResult(string Model, string Output, float? Sigma, long SizeBytes, int Channels, int MacPerPixel);
