using System.CommandLine;
using System.Globalization;
using RealtimeDeblur.Networks;

namespace RealtimeDeblur.Cli.Commands;

/// <summary><c>deblur export</c>: a network as an ONNX model.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        Argument<string> model = new("MODEL") { Description = "Name of a shipped model, or path of a .safetensors file." };
        Option<string> output = new("--output", "-o") { Description = "ONNX file to write; an existing one is replaced.", HelpName = "FILE.onnx", Required = true };
        return new CliCommand(
            "export",
            "Writes a model as ONNX, for ONNX Runtime, OpenCV and other programs: input 'blurred' and output 'restored', float [1, C, H, W], 0 to 1, any size.",
            "deblur export dbcnn -o dbcnn.onnx",
            run => run.Result(Export(run.Get(model), run.Get(output)), Print))
        {
            model,
            output,
        };
    }

    private static ExportResult Export(string nameOrPath, string output)
    {
        Network network = ModelCatalog.Load(nameOrPath);
        OnnxExport.Write(network, output);
        return new(network.Name, output, new FileInfo(output).Length, network.Description.C, network.Description.MacPerPixel);
    }

    private static void Print(ExportResult result, TextWriter text) => text.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{result.Output}: {result.Model}, {result.Channels} {(result.Channels == 1 ? "channel" : "channels")}, {result.MacPerPixel:N0} MAC per pixel, {result.SizeBytes:N0} bytes"));
}

/// <summary>Result of <c>deblur export</c>.</summary>
internal sealed record ExportResult(string Model, string Output, long SizeBytes, int Channels, int MacPerPixel);
