namespace RealtimeDeblur.Networks;

/// <summary>Which kernels compute a network. All give the same result to within rounding.</summary>
public enum InferencePlan
{
    /// <summary>One launch of <c>conv/conv2d.cl</c> per layer: any network, any size, any device.</summary>
    General,
}
