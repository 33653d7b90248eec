using System.Text.RegularExpressions;
using Xunit;

namespace RealtimeDeblur.Tests.Native;

/// <summary>The programs of <c>tests/native</c>, each as the CTest test that its CMakeLists.txt makes of it.</summary>
public sealed partial class NativeProgramTests
{
    public static TheoryData<string> Programs =>
    [
        "exports", "functions", "wrong_arguments", "without_device", "fuzz", "fuzz_threads", "lifetimes", "reload", "process_state", "package", "samples", "sample_python",
        "sanitized_functions", "sanitized_wrong_arguments", "sanitized_fuzz", "sanitized_reload", "valgrind_without_device",
    ];

    [Theory]
    [MemberData(nameof(Programs))]
    public void Program_Runs_AllItsChecksHold(string name)
    {
        (int exitCode, string output) = CTest("-R", $"^{name}$", "--output-on-failure", "--no-tests=error");
        if (SkippedLine().IsMatch(output)) Assert.Skip($"{name} found no OpenCL device, or lacks a tool: see ctest -V -R {name}.");
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public void CTest_ShortTests_AreAllInTheListAbove()
    {
        (_, string output) = CTest("-N", "-LE", "long");
        IEnumerable<string> names = TestLine().Matches(output).Select(line => line.Groups[1].Value).Where(name => name is not ("managed" or GstreamerElementTests.Program));
        Assert.Empty(names.Except(Programs.Select(program => program.Data)));
    }

    private static (int ExitCode, string Output) CTest(params string[] arguments) => NativeBuild.Run("ctest", ["--test-dir", NativeBuild.FolderOrSkip(), .. arguments]);

    [GeneratedRegex(@"\*+Skipped")]
    private static partial Regex SkippedLine();

    [GeneratedRegex(@"Test +#\d+: (\S+)")]
    private static partial Regex TestLine();
}
