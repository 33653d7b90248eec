using RealtimeDeblur.Cli;
using Xunit;

namespace RealtimeDeblur.Tests.Cli;

public sealed class ErrorLineTests
{
    [Fact]
    public void Describe_UserError_IsItsMessage() => Assert.Equal("clip.mp4: is empty.", ErrorLine.Describe(new InvalidDataException("clip.mp4: is empty.")));

    [Fact]
    public void Describe_ArgumentException_LosesTheParameterName() =>
        Assert.Equal("The sigma must be above 0.", ErrorLine.Describe(new ArgumentException("The sigma must be above 0.", "sigma")));

    [Fact]
    public void Describe_LongMessage_IsItsFirstLine() => Assert.Equal("conv.cl did not build.", ErrorLine.Describe(new InvalidOperationException("\n conv.cl did not build.\r\nline 2: error")));

    [Fact]
    public void Describe_WrappedError_IsTheInnerOne() => Assert.Equal("inner", ErrorLine.Describe(new AggregateException(new TypeInitializationException("T", new IOException("inner")))));

    [Fact]
    public void Describe_SystemsRefusal_SaysWhatToDo()
    {
        Assert.Contains("permissions", ErrorLine.Describe(new UnauthorizedAccessException("Access to the path '/x' is denied.")));
        Assert.Equal("No space left on device : '/x'. Free some space, or choose another place.", ErrorLine.Describe(new IOException("No space left on device : '/x'")));
    }

    [Fact]
    public void Describe_OwnMistake_SaysSo() => Assert.Contains("mistake in deblur (KeyNotFoundException", ErrorLine.Describe(new KeyNotFoundException()));

    [Fact]
    public void Describe_MissingOpenCvLibrary_NamesThePackage() => Assert.Contains("libgtk-3-0", ErrorLine.Describe(new DllNotFoundException("Unable to load shared library 'OpenCvSharpExtern'")));
}
