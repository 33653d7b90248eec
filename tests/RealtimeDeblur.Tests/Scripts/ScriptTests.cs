using System.Diagnostics;
using Xunit;

namespace RealtimeDeblur.Tests.Scripts;

/// <summary>The start scripts: they build exactly when they have to, find their way, and say what is wrong.</summary>
public sealed class ScriptTests : IDisposable
{
    private static readonly string Checkout = FindCheckout();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("deblur scripts ");

    public static TheoryData<string> AllScripts => [
        "deblur", "test", ".ci/run", "scripts/setup.sh", "samples/train-all", "samples/own-weights", "samples/reproduce-figures/reproduce", "tests/native/package.sh", "tests/native/samples.sh", "tests/native/exports.sh",
        "samples/slurm/restore.sbatch", "samples/ffmpeg-frei0r", "samples/gstreamer-frei0r", "samples/gstreamer-element", "samples/melt-frei0r",
    ];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(AllScripts))]
    public void Script_IsValidBash(string script) => Assert.Equal("", Bash($"bash -n '{script}'", Checkout).Stderr);

    [Theory]
    [InlineData("deblur")]
    [InlineData("test")]
    [InlineData(".ci/run")]
    public void Script_IsExecutable(string script) => Assert.Equal(0, Bash($"test -x '{script}'", Checkout).ExitCode);

    [Fact]
    public void Deblur_ThroughSymlinkInFolderWithSpaces_RunsFromAnywhere()
    {
        File.CreateSymbolicLink(Path.Combine(_folder.FullName, "link to deblur"), Path.Combine(Checkout, "deblur"));
        Bash("'./link to deblur' --version", _folder.FullName);
        Stopwatch watch = Stopwatch.StartNew();
        BashResult second = Bash("'./link to deblur' --version", _folder.FullName);
        TestContext.Current.TestOutputHelper!.WriteLine($"Second start of ./deblur --version: {watch.ElapsedMilliseconds} ms, the program itself included.");
        Assert.True(second.ExitCode == 0, second.ToString());
        Assert.Matches(@"^\d+\.\d+\.\d+", second.Stdout);
        Assert.Equal("", second.Stderr);
    }

    [Fact]
    public void Build_FirstStart_BuildsAndSecondDoesNot()
    {
        MakeSmallCheckout();
        Assert.Equal("built\nran\n", Start().Stdout);
        Assert.Equal("ran\n", Start().Stdout);
    }

    [Theory]
    [InlineData("touch -d '+1 minute' src/Some.cs")]
    [InlineData("rm src/Some.cs; touch -d '+1 minute' src")]    // deleting sets the folder's time; the minute makes the test independent of the clock's grain
    [InlineData("touch -d '+1 minute' Directory.Packages.props")]
    [InlineData("rm program")]
    [InlineData("rm -r artifacts")]
    public void Build_AfterChange_BuildsAgain(string change)
    {
        MakeSmallCheckout();
        Start();
        Bash(change, _folder.FullName);
        Assert.Equal("built\nran\n", Start().Stdout);
    }

    [Fact]
    public void Build_OutputOfTheBuildItself_IsNoSource()
    {
        MakeSmallCheckout();
        Start();
        Bash("mkdir -p src/bin src/obj; touch -d '+1 minute' src/bin/a.cs src/obj/b.cs", _folder.FullName);
        Bash("touch -r artifacts/project.stamp src", _folder.FullName);
        Assert.Equal("ran\n", Start().Stdout);
    }

    [Fact]
    public void Build_TwoStartsAtOnce_BuildOnce()
    {
        MakeSmallCheckout();
        BashResult both = Bash("./start & ./start & wait", _folder.FullName);
        Assert.Equal("built\nran\nran\n", both.Stdout);
    }

    [Fact]
    public void Build_StandardInput_IsLeftToTheProgram()
    {
        MakeSmallCheckout(buildCommand: "cat > /dev/null; printf '#!/bin/sh\\ncat\\n' > \"$root/program\"; chmod +x \"$root/program\"");
        Assert.Equal("frames\n", Bash("echo frames | ./start", _folder.FullName).Stdout);
    }

    [Fact]
    public void Build_Fails_ShowsTheCompilersLinesAndStops()
    {
        MakeSmallCheckout(buildCommand: "echo 'Some.cs(1,1): error CS1002: ; expected'; exit 1");
        BashResult result = Start();
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("error CS1002", result.Stderr);
        Assert.Contains("build.log", result.Stderr);
        Assert.Equal("", result.Stdout);
    }

    [Fact]
    public void Build_CheckoutThatCannotBeWritten_SaysSo()
    {
        MakeSmallCheckout();
        File.WriteAllText(Path.Combine(_folder.FullName, "artifacts"), "a file where the folder has to be");
        BashResult result = Start();
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("cannot be written to", Assert.Single(result.Stderr.TrimEnd('\n').Split('\n')));
    }

    [Fact]
    public void FindDotnet_NoSdkAnywhere_SaysHowToGetIt()
    {
        BashResult result = Setup("dotnet_places=('' /nonexistent /bin/sh); find_dotnet");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(".NET 10 SDK is missing", result.Stderr);
        Assert.Contains("dotnet-install.sh", result.Stderr);
    }

    [Theory]
    [InlineData("", 1)]                                           // a folder without drivers
    [InlineData("libdoes-not-exist.so.1", 1)]                     // registered, but its library is gone
    [InlineData("libc.so.6.0.1", 0)]                              // found by the linker, under a shorter version
    [InlineData("/bin/sh", 0)]                                    // an absolute path
    public void HasOpenClDriver_RegisteredLibrary_MustExist(string library, int expectedStatus)
    {
        if (library.Length > 0) File.WriteAllText(Path.Combine(_folder.FullName, "driver.icd"), library);
        Assert.Equal(expectedStatus, Setup($"OCL_ICD_VENDORS='{_folder.FullName}'; libraries=$(/sbin/ldconfig -p); has_opencl_driver").ExitCode);
    }

    [Theory]
    [InlineData("HOME=/nonexistent", "/pocl-")]
    [InlineData("unset HOME", "/pocl-")]
    [InlineData("HOME=/tmp", "none")]
    [InlineData("HOME=/nonexistent; POCL_CACHE_DIR=/var/cache/own", "/var/cache/own")]
    public void KeepPoclWorking_HomeThatCannotBeWritten_GetsAnotherFolder(string environment, string expected) =>
        Assert.Contains(expected, Setup($"unset POCL_CACHE_DIR XDG_CACHE_HOME; {environment}; keep_pocl_working; echo ${{POCL_CACHE_DIR:-none}}").Stdout);

    [Fact]
    public void InstallPackages_AptForbidden_NamesWhatIsMissingAndGoesOn()
    {
        BashResult result = Setup("DEBLUR_NO_APT=1; install_packages no-such-command:no-such-package:'a reason'; echo went on");
        Assert.Equal("went on\n", result.Stdout);
        Assert.Contains("no-such-package", result.Stderr);
    }

    [Fact]
    public void InstallPackages_AptFails_SaysWhatToTryAndGoesOn()
    {
        BashResult result = Setup("apt-get() { echo 'E: Unable to locate package' >&2; return 100; }; export -f apt-get; unset DEBLUR_NO_APT; env() { shift; \"$@\"; }; sudo() { shift; \"$@\"; }; "
            + "install_packages no-such-command:no-such-package:'a reason'; echo went on");
        Assert.Equal("went on\n", result.Stdout);
        Assert.Contains("no-such-package: a reason", result.Stderr);
        Assert.Contains("E: Unable to locate package", result.Stderr);
        Assert.Contains("apt-get install", result.Stderr);
    }

    /// <summary>A checkout in which "dotnet build" takes a moment, reports itself, and makes a program that prints "ran".</summary>
    private void MakeSmallCheckout(string buildCommand = "sleep 0.3; echo built > /dev/fd/3; printf '#!/bin/sh\\necho ran\\n' > \"$root/program\"; chmod +x \"$root/program\"")
    {
        string root = _folder.FullName;
        Directory.CreateDirectory(Path.Combine(root, "src"));
        Directory.CreateDirectory(Path.Combine(root, "sdk"));
        foreach (string file in (string[])["src/Some.cs", "Directory.Build.props", "Directory.Packages.props", "global.json"]) File.WriteAllText(Path.Combine(root, file), "");
        WriteScript("sdk/dotnet", buildCommand);
        WriteScript("start", $"""
            set -euo pipefail
            source '{Checkout}/scripts/setup.sh'
            DOTNET_ROOT=$root/sdk
            build project program src
            exec "$root/program"
            """);
    }

    /// <summary>Stream 3 lets the small checkout's build report past the log that its output goes to.</summary>
    private void WriteScript(string name, string body)
    {
        string path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, $"#!/usr/bin/env bash\nexport root='{_folder.FullName}'\n[[ -e /dev/fd/3 ]] || exec 3>&1\n{body}\n");
        Bash($"chmod +x '{path}'", _folder.FullName);
    }

    private BashResult Start() => Bash("./start", _folder.FullName);

    /// <summary>Runs a line in a shell that has read scripts/setup.sh.</summary>
    private BashResult Setup(string line) => Bash($"set -euo pipefail; root='{_folder.FullName}'; source '{Checkout}/scripts/setup.sh'; {line}", _folder.FullName);

    private static BashResult Bash(string script, string workingDirectory)
    {
        using Process process = new()
        {
            StartInfo = new ProcessStartInfo("bash", ["-c", script]) { WorkingDirectory = workingDirectory, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true },
        };
        process.Start();
        process.StandardInput.Close();
        Task<string> stderr = process.StandardError.ReadToEndAsync();
        string stdout = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, stdout, stderr.GetAwaiter().GetResult());
    }

    /// <summary>The top folder of the checkout that the tests run in.</summary>
    internal static string FindCheckout()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RealtimeDeblur.sln"))) return folder.FullName;
        }
        throw new DirectoryNotFoundException("The tests have to run from inside the checkout: they start its scripts.");
    }

    private sealed record BashResult(int ExitCode, string Stdout, string Stderr);
}
