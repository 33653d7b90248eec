using RealtimeDeblur.Compute;
using Xunit;

namespace RealtimeDeblur.Tests.Compute;

public sealed class KernelSourceTests
{
    [Fact]
    public void Read_FileThatIncludesAnother_HoldsItsText()
    {
        Assert.All(KernelSource.Files, file => Assert.DoesNotContain("\n#include", '\n' + KernelSource.Read(file), StringComparison.Ordinal));
    }
}
