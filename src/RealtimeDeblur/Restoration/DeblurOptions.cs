namespace RealtimeDeblur.Restoration;

/// <summary>How frames are restored. Immutable: swap the whole value between frames.</summary>
public sealed record DeblurOptions
{
    public static DeblurOptions Default { get; } = new();

    /// <summary>Share of the restored detail mixed into the frame: 0 leaves it unchanged, 1 is full.</summary>
    public float Strength { get; init; } = 1f;

    /// <summary>How the blur's sigma is found, for networks that are conditioned on it; others ignore it.</summary>
    public SigmaSetting Sigma { get; init; } = SigmaSetting.Auto;
}
