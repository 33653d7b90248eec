using System.Security.Cryptography;
using RealtimeDeblur.Compute;
using Xunit;

namespace RealtimeDeblur.Tests.Compute;

public sealed class ProgramCacheTests : IDisposable
{
    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();
    private readonly string _folder = Directory.CreateTempSubdirectory("cache-").FullName;

    public void Dispose()
    {
        _device.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Build_SecondTime_ComesFromTheCacheAndComputesTheSame()
    {
        Assert.False(BuildAndRun("-DOFFSET=1.0f", expected: 3));
        Assert.True(BuildAndRun("-DOFFSET=1.0f", expected: 3));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Build_OtherOptionsOrSource_IsAnotherEntry()
    {
        Assert.False(BuildAndRun("", expected: 2));
        Assert.False(BuildAndRun("-DOFFSET=1.0f", expected: 3));
        Assert.False(BuildAndRun("", expected: 2, KernelProgramTests.Scale + "\n"));
        Assert.Equal(3, Directory.GetFiles(_folder).Length);
    }

    [Fact]
    public void Key_DependsOnDeviceDriverSourceAndOptions()
    {
        DeviceInfo info = _device.Info;
        string[] keys =
        [
            ProgramCache.Key(info, "source", "options"),
            ProgramCache.Key(info, "source2", "options"),
            ProgramCache.Key(info, "source", "options2"),
            ProgramCache.Key(info with { Name = "another" }, "source", "options"),
            ProgramCache.Key(info with { Platform = "another" }, "source", "options"),
            ProgramCache.Key(info with { Driver = "another" }, "source", "options"),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], ProgramCache.Key(info with { Index = 5 }, "source", "options"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(32)]
    [InlineData(200)]
    public void Build_CacheFileCutShort_IsBuiltAgain(int length) => SurvivesDamage(file => file[..length]);

    [Fact]
    public void Build_CacheFileDamaged_IsBuiltAgain() => SurvivesDamage(file =>
    {
        file[^100] ^= 1;
        return file;
    });

    [Fact]
    public void Build_CacheFileOfAnotherProgram_IsBuiltAgain()
    {
        BuildAndRun("-DOFFSET=1.0f", expected: 3);
        byte[] other = File.ReadAllBytes(Assert.Single(Directory.GetFiles(_folder)));
        File.Delete(Directory.GetFiles(_folder)[0]);
        SurvivesDamage(_ => other);
    }

    [Fact]
    public void Build_DriverRefusesTheBinary_IsBuiltAgain()
    {
        string key = ProgramCache.Key(_device.Info, KernelProgramTests.Scale, "");
        new ProgramCache(_folder).Write(key, RandomNumberGenerator.GetBytes(1000));
        Assert.False(BuildAndRun("", expected: 2));
        Assert.True(BuildAndRun("", expected: 2));
    }

    [Fact]
    public void Build_FolderCannotBeMade_BuildsWithoutCache()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "in the way");
        ProgramCache cache = new(Path.Combine(file, "cache"));
        Assert.False(BuildAndRun("", expected: 2, cache: cache));
        Assert.False(BuildAndRun("", expected: 2, cache: cache));
    }

    [Fact]
    public void Build_CacheFileIsAFolder_BuildsWithoutCache()
    {
        Directory.CreateDirectory(Path.Combine(_folder, ProgramCache.Key(_device.Info, KernelProgramTests.Scale, "") + ".bin"));
        Assert.False(BuildAndRun("", expected: 2));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    private void SurvivesDamage(Func<byte[], byte[]> damage)
    {
        BuildAndRun("", expected: 2);
        string file = Assert.Single(Directory.GetFiles(_folder));
        File.WriteAllBytes(file, damage(File.ReadAllBytes(file)));
        Assert.False(BuildAndRun("", expected: 2));
        Assert.True(BuildAndRun("", expected: 2));
    }

    /// <returns>Whether the program came from the cache.</returns>
    private bool BuildAndRun(string options, float expected, string source = KernelProgramTests.Scale, ProgramCache? cache = null)
    {
        using KernelProgram program = new(_device, "test.cl", source, options, cache ?? new(_folder));
        using Kernel kernel = program.CreateKernel("scale");
        using CommandQueue queue = _device.CreateQueue();
        using DeviceBuffer<float> input = _device.Allocate<float>([1]);
        using DeviceBuffer<float> output = _device.Allocate<float>(1);
        kernel.Bind(input, output, 2f).Enqueue(queue, WorkSize.Single, WorkSize.Single);
        Assert.Equal([expected], output.ToArray(queue));
        return program.CameFromCache;
    }
}
