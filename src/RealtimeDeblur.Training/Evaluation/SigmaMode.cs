namespace RealtimeDeblur.Training.Evaluation;

/// <summary>What a method knows of the blur's sigma.</summary>
internal enum SigmaMode
{
    /// <summary>Nothing: it restores every blur alike, or finds out by itself.</summary>
    Blind,

    /// <summary>The truth.</summary>
    Given,

    /// <summary>What is estimated from the blurred picture.</summary>
    Auto,
}
