using RealtimeDeblur.Cli;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

/// <summary>What the words on the command line stand for, and how long a batch will take.</summary>
public sealed class FileBatchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Plan_OneFile_GoesBesideItOrWhereTheOutputSays()
    {
        Make("a.mp4");
        Assert.Equal(["a.mp4 > a-restored.mp4"], Plan(null, "a.mp4"));
        Assert.Equal(["a.mp4 > b.mkv"], Plan("b.mkv", "a.mp4"));
        Assert.Equal(["a.mp4 > out/a.mp4"], Plan("out/", "a.mp4"));
    }

    [Fact]
    public void Plan_Folder_IsSearchedThroughAndMirrored()
    {
        Make("in/b.mp4", "in/sub/c.AVI", "in/notes.txt", "in/.hidden.mp4");
        Assert.Equal(["in/b.mp4 > out/b.mp4", "in/sub/c.AVI > out/sub/c.mkv"], Plan("out", "in"));
        Assert.Equal(["in/b.mp4 > in/b-restored.mp4", "in/sub/c.AVI > in/sub/c-restored.mkv"], Plan(null, "in"));
    }

    [Fact]
    public void Plan_NamesThatDifferInTheirEndingsOnly_KeepThem()
    {
        Make("in/a.avi", "in/a.AVI", "in/b.avi");
        Assert.Equal(["in/a.AVI > out/a.AVI.mkv", "in/a.avi > out/a.avi.mkv", "in/b.avi > out/b.mkv"], Plan("out", "in"));
    }

    [Theory]
    [InlineData("in/*.mp4", "in/a.mp4 in/b1.mp4")]
    [InlineData("in/*", "in/a.mp4 in/b1.mp4")]                     // of all endings, those that folders are searched for
    [InlineData("in/*.txt", "in/notes.txt")]                       // unless it names one
    [InlineData("in/**/*.mp4", "in/a.mp4 in/b1.mp4 in/x/c.mp4 in/x/y/d.mp4")]
    [InlineData("in/**", "in/a.mp4 in/b1.mp4 in/x/c.mp4 in/x/y/d.mp4")]
    [InlineData("in/*/c.mp4", "in/x/c.mp4")]
    [InlineData("i?/?.mp4", "in/a.mp4")]
    [InlineData("in/[ab]*.mp4", "in/a.mp4 in/b1.mp4")]
    [InlineData("in/[!a]*.mp4", "in/b1.mp4")]
    public void Plan_Pattern_StandsForWhatAShellWouldMakeOfIt(string pattern, string expected)
    {
        Make("in/a.mp4", "in/b1.mp4", "in/notes.txt", "in/x/c.mp4", "in/x/y/d.mp4");
        Assert.Equal(expected.Split(' '), Plan(null, pattern).Select(task => task.Split(' ')[0]));
    }

    [Fact]
    public void Plan_PatternIntoAFolder_MirrorsTheTreeBelowItsFixedPart()
    {
        Make("in/x/c.mp4", "in/x/y/d.mp4");
        Assert.Equal(["in/x/c.mp4 > out/x/c.mp4", "in/x/y/d.mp4 > out/x/y/d.mp4"], Plan("out", "in/**/*.mp4"));
        Assert.Equal(["in/x/c.mp4 > out/c.mp4"], Plan("out", "in/x/*.mp4"));
    }

    [Fact]
    public void Plan_FileNamedLikeAPattern_WinsOverIt()
    {
        Make("clip[1].mp4", "clip1.mp4");
        Assert.Equal(["clip[1].mp4 > clip[1]-restored.mp4"], Plan(null, "clip[1].mp4"));
        Assert.Equal(["clip[1].mp4 > out.mp4"], Plan("out.mp4", "clip[1].mp4"));
    }

    [Fact]
    public void Plan_NothingFound_SaysWhatWasLookedFor()
    {
        Make("in/notes.txt");
        Assert.Equal($"The folder {_folder["in"]} holds no videos (mp4, avi).", Assert.Throws<FileNotFoundException>(() => Plan(null, "in")).Message);
        Assert.Equal($"The pattern {_folder["in/*.mp4"]} matches no videos: * stands for any part of a name, ** for folders of any depth.", Assert.Throws<FileNotFoundException>(() => Plan(null, "in/*.mp4")).Message);
        Assert.Throws<FileNotFoundException>(() => Plan(null, "nowhere/*.mp4"));
    }

    [Fact]
    public void Plan_FileNamedTwice_IsDoneOnce()
    {
        Make("in/a.mp4", "in/b.mp4");
        Assert.Equal(["in/b.mp4 > out/b.mp4", "in/a.mp4 > out/a.mp4"], Plan("out", "in/b.mp4", "in", "in/*.mp4"));
    }

    [Fact]
    public void Plan_ResultsOfAFirstRun_AreNoInputs()
    {
        Make("in/a.mp4", "in/a-restored.mp4", "in/gone-restored.mp4", "in/gone-restored.partial.mp4", "in/a-restored.mp4.deblur-work/1.mp4");
        Assert.Equal(["in/a.mp4 > in/a-restored.mp4"], Plan(null, "in"));
        Assert.Equal(["in/a.mp4 > in/a-restored.mp4"], Plan(null, "in/**"));
        Assert.Equal(["in/a.mp4 > in/a-restored.mp4"], Plan(null, "in/a.mp4", "in/a-restored.mp4"));       // as a shell expands in/a*
        Make("tree/a.mp4", "tree/out/a.mp4", "tree/out/a.partial.mp4");
        Assert.Equal(["tree/a.mp4 > tree/out/a.mp4"], Plan("tree/out", "tree"));
    }

    [Fact]
    public void Plan_OutputThatCannotBeMeant_IsWrongUsage()
    {
        Make("a.mp4", "b.mp4", "x/a.mp4");
        Assert.Contains("name a folder", Assert.Throws<UsageException>(() => Plan("b.mp4", "a.mp4", "x")).Message);
        Assert.Contains("would both be written to", Assert.Throws<UsageException>(() => Plan("out", "a.mp4", "x")).Message);
    }

    [Fact]
    public void HasResult_OutputIsTheInputOrTheInputIsGone_IsFalse()
    {
        Make("a.mp4", "b.mp4");
        Assert.True(new FileTask(_folder["a.mp4"], _folder["b.mp4"]).HasResult);
        Assert.False(new FileTask(_folder["a.mp4"], _folder["a.mp4"]).HasResult);
        Assert.False(new FileTask(_folder["c.mp4"], _folder["b.mp4"]).HasResult);
        Assert.False(new FileTask(_folder["a.mp4"], _folder["c.mp4"]).HasResult);
    }

    [Fact]
    public void Share_FilesOfDifferentLength_CountByTheirWork()
    {
        var progress = new BatchProgress(4, display: null);
        progress.Report(0, 0.5);
        Assert.Equal(0.5 / 4, progress.Share, 9);
        progress.Expect(0, 300);
        progress.Expect(1, 100);
        Assert.Equal(150 / 800.0, progress.Share, 9);      // the two unknown count as 200 each
        progress.End(2, isComplete: false);
        progress.Expect(2, 900);                           // too late: it is skipped
        Assert.Equal(150 / 600.0, progress.Share, 9);
        progress.End(0, isComplete: true);
        progress.Report(1, 0.5);
        progress.End(1, isComplete: false);                // failed half way
        Assert.Equal(350 / (350 + 175.0), progress.Share, 9);
        progress.End(3, isComplete: true);
        Assert.Equal(1, progress.Share, 9);
    }

    private void Make(params string[] names)
    {
        foreach (string name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            File.WriteAllText(_folder[name], "");
        }
    }

    /// <summary>The tasks as "input > output", below the test's folder.</summary>
    private string[] Plan(string? output, params string[] inputs) =>
        [.. FileBatch.Plan([.. inputs.Select(input => _folder[input])], output is null ? null : _folder[output], "videos", [".mp4", ".avi"], extension => extension == ".mp4" ? extension : ".mkv")
            .Select(task => $"{Path.GetRelativePath(_folder.Path, task.Input)} > {Path.GetRelativePath(_folder.Path, task.Output)}")];
}
