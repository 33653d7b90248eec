using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Tests.Scripts;
using Xunit;

namespace RealtimeDeblur.Tests.Packaging;

/// <summary>The NuGet package, used as somebody uses it who has nothing else: a new console project and the five lines of its README.</summary>
public sealed class PackageTests : IDisposable
{
    // A version of its own, so that no other is taken from NuGet's cache; removed from there at the end.
    private readonly string _version = $"0.0.1-test{Environment.ProcessId}x{DateTime.UtcNow.Ticks:x}";
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _folder.Dispose();
        string cache = Path.Combine(Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages"), "realtimedeblur", _version);
        if (Directory.Exists(cache)) Directory.Delete(cache, recursive: true);
    }

    [Fact]
    public void Pack_ThenUseInANewProject_RestoresAPicture()
    {
        TestDevice.SkipWithoutDevice();
        string checkout = ScriptTests.FindCheckout();
        Dotnet(checkout, "pack", "src/RealtimeDeblur", "-c", "Release", "--no-build", "--nologo", "-v", "quiet", $"-p:PackageVersion={_version}", "-o", _folder.Path);
        CheckContents();

        string program = Directory.CreateDirectory(_folder["first"]).FullName;
        File.WriteAllText(Path.Combine(program, "first.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><Nullable>enable</Nullable></PropertyGroup>
              <ItemGroup><PackageReference Include="RealtimeDeblur" Version="{_version}" /></ItemGroup>
            </Project>
            """);
        // What the package needs is in NuGet's cache already: the engine was built here.
        File.WriteAllText(Path.Combine(program, "nuget.config"), $"""<configuration><packageSources><add key="here" value="{_folder.Path}" /></packageSources></configuration>""");
        const string before = """
            int width = 64, height = 48, strideBytes = 4 * width + 8;
            byte[] pixels = new byte[strideBytes * height];
            for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)(i % strideBytes < 128 ? 60 + i % 4 : 180 + i % 4);
            byte[] before = [.. pixels];

            """;
        const string after = """

            Console.WriteLine(before.AsSpan().SequenceEqual(pixels) ? "unchanged" : "restored");
            Console.WriteLine(string.Join(' ', ModelCatalog.Names));
            """;
        string example = ReadmeExample(checkout);
        int statements = example.IndexOf("\n\n", StringComparison.Ordinal);     // after the usings, which come first
        File.WriteAllText(Path.Combine(program, "Program.cs"), example[..statements] + "\n" + before + example[statements..] + after);

        string[] output = Dotnet(program, "run", "--project", program).Trim().Split('\n');

        Assert.Equal(["restored", string.Join(' ', ModelCatalog.Names)], output);
    }

    /// <summary>The C# of the package's README, with the blur given: the little picture here tells nothing of it.</summary>
    private static string ReadmeExample(string checkout)
    {
        Match code = Regex.Match(File.ReadAllText(Path.Combine(checkout, "src/RealtimeDeblur/PACKAGE.md")), "```csharp\n(.*?)```", RegexOptions.Singleline);
        Assert.True(code.Success);
        return code.Groups[1].Value.Replace("PixelFormat.Rgba32, width, height))", "PixelFormat.Rgba32, width, height), new() { Sigma = SigmaSetting.Of(1.5f), Guard = false })", StringComparison.Ordinal);
    }

    private void CheckContents()
    {
        using ZipArchive package = ZipFile.OpenRead(_folder[$"RealtimeDeblur.{_version}.nupkg"]), symbols = ZipFile.OpenRead(_folder[$"RealtimeDeblur.{_version}.snupkg"]);
        foreach (string file in (string[])["lib/net10.0/RealtimeDeblur.dll", "lib/net10.0/RealtimeDeblur.xml", "README.md", "models/README.md"]) Assert.NotNull(package.GetEntry(file));
        Assert.NotNull(symbols.GetEntry("lib/net10.0/RealtimeDeblur.pdb"));
        using StreamReader specification = new(package.GetEntry("RealtimeDeblur.nuspec")!.Open());
        string text = specification.ReadToEnd();
        Assert.Contains("<license type=\"expression\">MIT</license>", text, StringComparison.Ordinal);
        Assert.DoesNotContain("OpenCvSharp", text, StringComparison.Ordinal);
    }

    private static string Dotnet(string folder, params string[] arguments)
    {
        ProcessStartInfo start = new(Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet")), arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in (IEnumerable<(string, string)>)[("DOTNET_NOLOGO", "1"), ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"), ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1"), ("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_USE_MSBUILD_SERVER", "0")])
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> stderr = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string stdout = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}: {stdout}{stderr.GetAwaiter().GetResult()}");
        return stdout;
    }
}
