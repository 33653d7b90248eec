using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

public sealed class TuningFileTests : IDisposable
{
    private static readonly NetworkDescription Dbcnn = NetworkDescription.Dbcnn(), Half = NetworkDescription.HalfResolution(maps: 16, hidden: 3);
    private static readonly DeviceInfo Device = new(0, "one", "platform", ComputeDeviceType.Cpu, "driver 1", 2, 1 << 30, 1 << 30, 1 << 15, 256, false, true);

    private readonly string _folder = Directory.CreateTempSubdirectory("tuning-").FullName;
    private readonly TuningFile _tuning;

    public TuningFileTests() => _tuning = new(_folder);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Find_NothingWritten_GivesNothing() => Assert.Null(_tuning.Find(Device, Dbcnn, 640, 480));

    [Fact]
    public void Find_SeveralSizes_GivesTheSameOrTheNearest()
    {
        InferencePlan small = new("dbcnn", ("A", 1)), large = new("dbcnn", ("A", 2));
        _tuning.Write(Device, Dbcnn, 640, 480, new("dbcnn", ("A", 0)), 2);
        _tuning.Write(Device, Dbcnn, 640, 480, small, 1);
        _tuning.Write(Device, Dbcnn, 1920, 1080, large, 3);
        Assert.Equal(small, _tuning.Find(Device, Dbcnn, 640, 480));
        Assert.Equal(small, _tuning.Find(Device, Dbcnn, 720, 576));
        Assert.Equal(large, _tuning.Find(Device, Dbcnn, 3840, 2160));
    }

    [Fact]
    public void Find_SameLayersConditionedOnSigma_GivesTheSame()
    {
        _tuning.Write(Device, Dbcnn, 640, 480, new("dbcnn", ("A", 1)), 1);
        Assert.Equal(new("dbcnn", ("A", 1)), _tuning.Find(Device, Dbcnn.WithSigmaKnots(NetworkDescription.DefaultSigmaKnots), 640, 480));
    }

    [Fact]
    public void Find_OtherNetworkDeviceOrDriver_GivesNothing()
    {
        _tuning.Write(Device, Dbcnn, 640, 480, new("dbcnn"), 1);
        Assert.Null(_tuning.Find(Device, Half, 640, 480));
        Assert.Null(_tuning.Find(Device with { Name = "two" }, Dbcnn, 640, 480));
        Assert.Null(_tuning.Find(Device with { Driver = "driver 2" }, Dbcnn, 640, 480));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"plans\":[{\"network\":1}]}")]
    [InlineData("{\"plans\":7}")]
    public void Find_DamagedFile_GivesNothing(string damaged)
    {
        File.WriteAllText(_tuning.Write(Device, Dbcnn, 640, 480, new("dbcnn"), 1)!, damaged);
        Assert.Null(_tuning.Find(Device, Dbcnn, 640, 480));
    }

    [Theory]
    [InlineData("nosuch A=1")]
    [InlineData("dbcnn WINOGRAD=7")]
    public void Choose_StoredPlanThatNoKernelsTake_FallsBackToTheDefault(string plan)
    {
        _tuning.Write(Device, Dbcnn, 640, 480, InferencePlan.Parse(plan), 1);
        Assert.Equal(KernelFamilies.Plans(Dbcnn, Device, ProbedArithmetic.FloatOnly, 640, 480)[0], KernelFamilies.Choose(Dbcnn, Device, 640, 480, _tuning));
    }

    [Fact]
    public void Choose_StoredPlan_TakesIt()
    {
        _tuning.Write(Device, Dbcnn, 640, 480, new("general"), 1);
        Assert.Equal(new("general"), KernelFamilies.Choose(Dbcnn, Device, 640, 480, _tuning));
    }

    [Fact]
    public void Parse_WhatToStringWrote_GivesThePlan()
    {
        InferencePlan plan = new("dbcnn", ("WINOGRAD", 1), ("MAPS_W", 128));
        Assert.Equal("dbcnn WINOGRAD=1 MAPS_W=128", plan.ToString());
        Assert.Equal(plan, InferencePlan.Parse(plan.ToString()));
        Assert.Equal(" -DWINOGRAD=1 -DMAPS_W=128", plan.Options);
        Assert.NotEqual(plan, new("dbcnn", ("WINOGRAD", 1)));
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("dbcnn TILES")]
    [InlineData("dbcnn TILES=x")]
    [InlineData("dbcnn =1")]
    [InlineData("dbcnn A;B=1")]
    public void Parse_NoPlan_Throws(string text) => Assert.Throws<FormatException>(() => InferencePlan.Parse(text));
}
