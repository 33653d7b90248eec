namespace RealtimeDeblur.Restoration;

/// <summary>What a restored frame shows.</summary>
public enum DeblurView
{
    /// <summary>The restored picture.</summary>
    Restored,

    /// <summary>How far each pixel's correction was trusted, in place of luma (or of R, G and B): white where it was written in full, black where it was left out.</summary>
    Confidence,
}
