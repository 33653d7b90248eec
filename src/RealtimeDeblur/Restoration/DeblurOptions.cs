namespace RealtimeDeblur.Restoration;

/// <summary>How frames are restored. Immutable: swap the whole value between frames.</summary>
public sealed record DeblurOptions
{
    /// <summary>Full strength, blur estimated, guarded.</summary>
    public static DeblurOptions Default { get; } = new();

    /// <summary>Share of the restored detail mixed into the frame: 0 leaves it unchanged, 1 is full.</summary>
    public float Strength { get; init; } = 1f;

    /// <summary>How the blur's sigma is found, for methods that depend on it (<see cref="RestorationMethod.TakesSigma"/>); others ignore it.</summary>
    public SigmaSetting Sigma { get; init; } = SigmaSetting.Auto;

    /// <summary>What estimates sigma, where it is estimated.</summary>
    public SigmaSource SigmaFrom { get; init; }

    /// <summary>
    /// Whether the change is taken back where the frame was not blurred by sigma: captions, whatever else is sharp already, clipped highlights, noise. For networks that are conditioned on sigma; others ignore it.
    /// </summary>
    public bool Guard { get; init; } = true;

    /// <summary>What the frame shows afterwards. For the same networks; others show what they restored.</summary>
    public DeblurView View { get; init; }
}
