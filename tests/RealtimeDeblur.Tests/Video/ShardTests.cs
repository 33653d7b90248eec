using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

public sealed class ShardTests
{
    [Theory]
    [InlineData("1/1", 1, 1)]
    [InlineData("3/16", 3, 16)]
    [InlineData("16/16", 16, 16)]
    public void TryParse_Share_IsRead(string text, int number, int count)
    {
        Assert.True(Shard.TryParse(text, out Shard shard));
        Assert.Equal(new(number, count), shard);
        Assert.Equal(text, shard.ToString());
    }

    [Theory]
    [InlineData("0/4")]
    [InlineData("5/4")]
    [InlineData("4")]
    [InlineData("-1/4")]
    [InlineData("a/b")]
    [InlineData("1/2/3")]
    [InlineData(null)]
    public void TryParse_Nonsense_IsRefused(string? text) => Assert.False(Shard.TryParse(text, out _));

    [Fact]
    public void Has_AllShares_DoEveryBlockOnceAndSpreadShortFiles()
    {
        for (int block = 0; block < 50; block++) Assert.Single(Enumerable.Range(1, 7), number => new Shard(number, 7).Has("holiday.mp4", block));
        int[] shortFiles = [.. Enumerable.Range(1, 4).Select(number => Enumerable.Range(0, 400).Count(file => new Shard(number, 4).Has($"clip{file}.mp4", 0)))];
        Assert.All(shortFiles, files => Assert.InRange(files, 70, 130));
    }

    [Fact]
    public void FromScheduler_SlurmArray_CountsFromItsFirstTask()
    {
        Assert.Equal(new(3, 8), FromScheduler(("SLURM_ARRAY_TASK_ID", "2"), ("SLURM_ARRAY_TASK_MIN", "0"), ("SLURM_ARRAY_TASK_COUNT", "8")));
        Assert.Equal(new(2, 3), FromScheduler(("SLURM_ARRAY_TASK_ID", "14"), ("SLURM_ARRAY_TASK_MIN", "10"), ("SLURM_ARRAY_TASK_COUNT", "3"), ("SLURM_ARRAY_TASK_STEP", "4")));
    }

    [Fact]
    public void FromScheduler_KubernetesIndexedJob_CountsFromZero() =>
        Assert.Equal(new(8, 8), FromScheduler(("JOB_COMPLETION_INDEX", "7"), ("JOB_COMPLETIONS", "8")));

    [Fact]
    public void FromScheduler_NoSchedulerOrIncomplete_SaysWhatIsMissing()
    {
        Assert.Contains("--shard 3/16", Assert.Throws<InvalidOperationException>(() => FromScheduler()).Message);
        Assert.Contains("JOB_COMPLETIONS", Assert.Throws<InvalidOperationException>(() => FromScheduler(("JOB_COMPLETION_INDEX", "7"))).Message);
        Assert.Contains("without gaps", Assert.Throws<InvalidOperationException>(() => FromScheduler(("SLURM_ARRAY_TASK_ID", "9"), ("SLURM_ARRAY_TASK_MIN", "1"), ("SLURM_ARRAY_TASK_COUNT", "2"))).Message);
    }

    private static Shard FromScheduler(params (string Name, string Value)[] variables) =>
        Shard.FromScheduler(name => variables.Where(variable => variable.Name == name).Select(variable => variable.Value).FirstOrDefault());
}
