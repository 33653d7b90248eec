using Silk.NET.OpenCL;

namespace RealtimeDeblur.Compute;

/// <summary>The process-wide binding to the OpenCL loader.</summary>
internal static class OpenClApi
{
    private static readonly Lazy<CL> Api = new(Load);

    /// <summary>
    /// Held while contexts, programs and kernels are made or released: PoCL 3.1 crashes when two threads do so at once, and no driver gains from it.
    /// </summary>
    public static Lock SetUp { get; } = new();

    /// <exception cref="OpenClException">There is no OpenCL loader on this machine.</exception>
    public static CL Instance => Api.Value;

    private static unsafe CL Load()
    {
        try
        {
            CL cl = CL.GetApi();
            uint count;
            cl.GetPlatformIDs(0, null, &count); // binds the library: a missing one shows here
            return cl;
        }
        catch (Exception e) when (e is DllNotFoundException or FileNotFoundException or Silk.NET.Core.Loader.SymbolLoadingException)
        {
            throw new OpenClException($"No OpenCL library was found on this machine. {OpenClException.NoDriver}", e);
        }
    }
}
