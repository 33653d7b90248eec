using System.Text.Json;
using RealtimeDeblur.Preview;
using Xunit;

namespace RealtimeDeblur.Tests.Preview;

public sealed class PreviewViewTests
{
    [Fact]
    public void Json_RoundTrip_KeepsWhatSuitsTheNextRun()
    {
        PreviewView view = new() { Split = 0.25, Strength = 0.6, IsSideBySide = true, IsFullscreen = true, ShowsStatus = false, WindowWidth = 800, WindowHeight = 600 };
        PreviewView read = JsonSerializer.Deserialize<PreviewView>(JsonSerializer.Serialize(view))!;
        Assert.Equal((0.25, 0.6, true, true, false, 800, 600), (read.Split, read.Strength, read.IsSideBySide, read.IsFullscreen, read.ShowsStatus, read.WindowWidth, read.WindowHeight));
    }

    [Fact]
    public void Json_RoundTrip_ForgetsWhatBelongsToTheMoment()
    {
        PreviewView view = new() { Zoom = 8, CenterX = 0.9, CenterY = 0.1, IsFrozen = true, ShowsLeftOnly = true, ShowsHelp = true };
        PreviewView read = JsonSerializer.Deserialize<PreviewView>(JsonSerializer.Serialize(view))!;
        Assert.Equal((1, 0.5, 0.5, false, false, false), (read.Zoom, read.CenterX, read.CenterY, read.IsFrozen, read.ShowsLeftOnly, read.ShowsHelp));
    }

    [Fact]
    public void Json_ValuesOutOfRange_AreMovedIntoIt()
    {
        PreviewView read = JsonSerializer.Deserialize<PreviewView>("""{"Split":7,"Strength":-2,"WindowWidth":-5,"WindowHeight":0}""")!;
        Assert.Equal((1, 0, 0, 0), (read.Split, read.Strength, read.WindowWidth, read.WindowHeight));
        Assert.Equal(0.5, new PreviewView { Split = double.NaN }.Split);
    }
}
