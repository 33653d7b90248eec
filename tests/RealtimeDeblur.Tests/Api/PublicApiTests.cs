using System.Reflection;
using PublicApiGenerator;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Scripts;
using Xunit;

namespace RealtimeDeblur.Tests.Api;

/// <summary>
/// What programs that embed the engine may rely on. A change shows in review as a change of the approved text; the test leaves what it found beside it, as NAME.received.txt in the test's output folder.
/// </summary>
public sealed class PublicApiTests
{
    [Fact]
    public void Engine_PublicMembers_AreTheApprovedOnes() => AssertApproved(typeof(Deblurrer).Assembly, "RealtimeDeblur.txt");

    private static void AssertApproved(Assembly assembly, string file)
    {
        string found = assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n") + "\n";
        string received = Path.Combine(AppContext.BaseDirectory, Path.ChangeExtension(file, ".received.txt"));
        File.WriteAllText(received, found);
        string approvedFile = Path.Combine(ScriptTests.FindCheckout(), "tests/RealtimeDeblur.Tests/Api", file);
        string approved = File.Exists(approvedFile) ? File.ReadAllText(approvedFile) : "";
        Assert.True(found == approved, $"The public members of {assembly.GetName().Name} changed. If that is meant: cp {received} {approvedFile}\n{Difference(approved, found)}");
    }

    /// <summary>Lines that only one of them has.</summary>
    private static string Difference(string approved, string found)
    {
        string[] before = approved.Split('\n'), after = found.Split('\n');
        return string.Join('\n', before.Except(after).Select(line => "- " + line.Trim()).Concat(after.Except(before).Select(line => "+ " + line.Trim())));
    }
}
