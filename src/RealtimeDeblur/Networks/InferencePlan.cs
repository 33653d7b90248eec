namespace RealtimeDeblur.Networks;

/// <summary>Which kernels compute a network. All give the same result to within rounding.</summary>
public enum InferencePlan
{
    /// <summary>One launch of <c>conv/conv2d.cl</c> per layer: any network, any size, any device.</summary>
    General,

    /// <summary>The first two layers in one launch, for three-layer networks with a 1x1 in the middle on a CPU: <c>conv/conv_fused.cl</c>.</summary>
    Fused,
}
