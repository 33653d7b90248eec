using RealtimeDeblur.Restoration;
using Xunit;

namespace RealtimeDeblur.Tests.Restoration;

public sealed class SigmaSettingTests
{
    [Theory]
    [InlineData("auto", null)]
    [InlineData("tiles", null)]
    [InlineData("off", 1f)]
    [InlineData("1.6", 1.6f)]
    [InlineData("0", 0f)]
    [InlineData("4", 4f)]
    public void Parse_WhatToStringWrites_GivesTheSame(string text, float? value)
    {
        SigmaSetting setting = SigmaSetting.Parse(text);
        Assert.Equal(value, setting.Value);
        Assert.Equal(value is null, setting.IsAuto);
        Assert.Equal(text, setting.ToString());
        Assert.Equal(setting, SigmaSetting.Parse(text.ToUpperInvariant()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("blind")]
    [InlineData("-0.1")]
    [InlineData("4.01")]
    [InlineData("NaN")]
    [InlineData("1,6")]
    public void Parse_AnythingElse_SaysWhatIsPossible(string text)
    {
        Assert.False(SigmaSetting.TryParse(text, out _));
        Assert.Equal($"'{text}' is no sigma: it is auto, tiles, off, or 0 to 4 pixels, e.g. 1.6.", Assert.Throws<FormatException>(() => SigmaSetting.Parse(text)).Message);
    }

    [Fact]
    public void Default_Setting_IsAuto()
    {
        Assert.Equal(SigmaSetting.Auto, default);
        Assert.Equal(SigmaSetting.Auto, DeblurOptions.Default.Sigma);
    }

    [Fact]
    public void Tiles_Setting_IsAutoForEveryPart()
    {
        Assert.True(SigmaSetting.Tiles.IsPerTile);
        Assert.False(SigmaSetting.Auto.IsPerTile);
        Assert.NotEqual(SigmaSetting.Auto, SigmaSetting.Tiles);
    }

    [Fact]
    public void Off_RestoresTheMiddleButIsNotThatNumber()
    {
        Assert.Equal(SigmaSetting.MiddleSigma, SigmaSetting.Off.Value);
        Assert.NotEqual(SigmaSetting.Of(SigmaSetting.MiddleSigma), SigmaSetting.Off);
    }

    [Theory]
    [InlineData(-1f)]
    [InlineData(4.5f)]
    [InlineData(float.NaN)]
    public void Of_OutOfRange_IsRefused(float sigma) => Assert.Throws<ArgumentOutOfRangeException>(() => SigmaSetting.Of(sigma));
}
