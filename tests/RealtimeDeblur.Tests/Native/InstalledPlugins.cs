using RealtimeDeblur.Tests.Scripts;
using Xunit;

namespace RealtimeDeblur.Tests.Native;

/// <summary>The frei0r plugin and the GStreamer element as 'cmake --install' leaves them, once for all tests.</summary>
internal static class InstalledPlugins
{
    private static readonly Lazy<string?> Failure = new(Install);

    public static string Checkout { get; } = ScriptTests.FindCheckout();

    private static string Prefix => Path.Combine(Checkout, "artifacts/hosts");

    /// <summary>Where frei0r hosts find the plugin.</summary>
    public static string Frei0rFolder => Path.Combine(Prefix, "lib/frei0r-1");

    /// <summary>Where GStreamer finds the element.</summary>
    public static string GstreamerFolder => Path.Combine(Prefix, "lib/gstreamer-1.0");

    /// <summary>Variables that let hosts find the plugins. GStreamer's list of plugins is one of our own.</summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["FREI0R_PATH"] = Frei0rFolder,
        ["GST_PLUGIN_PATH"] = GstreamerFolder,
        ["GST_REGISTRY"] = Path.Combine(Checkout, "artifacts/hosts/gstreamer-registry.bin"),
    };

    /// <summary>Builds and installs them. Skips the test without the tools for it, or without an OpenCL device.</summary>
    public static void Require()
    {
        TestDevice.SkipWithoutDevice();
        NativeBuild.FolderOrSkip();
        if (Failure.Value is { } failure) Assert.Fail(failure);
    }

    /// <summary>The same, and skips without GStreamer and the plugin <paramref name="plugin"/> of <paramref name="package"/>.</summary>
    public static void RequireGstreamer(string plugin, string package)
    {
        Require();
        HostProgram.Require("gst-launch-1.0", "gstreamer1.0-tools");
        if (HostProgram.Try("gst-inspect-1.0", plugin).ExitCode != 0) Assert.Skip($"GStreamer's plugin {plugin} is missing (Debian package {package}).");
    }

    private static string? Install()
    {
        (int exitCode, string output) = NativeBuild.Run("cmake", ["--install", NativeBuild.FolderOrSkip(), "--prefix", Prefix]);
        return exitCode == 0 ? null : output;
    }
}
