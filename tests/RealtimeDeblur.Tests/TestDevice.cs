using RealtimeDeblur.Compute;
using Xunit;

namespace RealtimeDeblur.Tests;

/// <summary>The OpenCL device that tests run on: the first, or the one that the environment variable DEBLUR_TEST_DEVICE selects by index or part of the name.</summary>
internal static class TestDevice
{
    /// <summary>Opens the device; the caller disposes it. Without an OpenCL device the test is skipped and says so; a device that fails is a failure.</summary>
    public static ComputeDevice OpenOrSkip()
    {
        SkipWithoutDevice();
        return ComputeDevice.Open(Environment.GetEnvironmentVariable("DEBLUR_TEST_DEVICE"));
    }

    /// <summary>Skips the test where there is no OpenCL device.</summary>
    public static void SkipWithoutDevice()
    {
        try
        {
            if (ComputeDevice.List().Count == 0) Assert.Skip("There is no OpenCL device on this machine.");
        }
        catch (OpenClException e) when (e.Status == 0)
        {
            Assert.Skip(e.Message);     // no loader: no call was made
        }
    }
}
