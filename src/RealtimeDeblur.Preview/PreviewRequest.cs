namespace RealtimeDeblur.Preview;

/// <summary>What the user asked for and the window cannot do itself; the caller carries it out.</summary>
public enum PreviewRequest
{
    NextModel,
    PreviousModel,

    /// <summary>Show at the left what the next method makes of the pictures; <see cref="PreviewStatus.Compared"/> tells the window what became of it.</summary>
    NextCompared,

    /// <summary>The same with the method before.</summary>
    PreviousCompared,

    /// <summary>Go on with the next compute device.</summary>
    NextDevice,

    /// <summary>Save the pair of pictures that is shown.</summary>
    Snapshot,

    /// <summary>Begin recording, or end it; <see cref="PreviewStatus.IsRecording"/> tells the window what became of it.</summary>
    ToggleRecording,

    /// <summary>Stop taking pictures, or go on; <see cref="PreviewStatus.IsPaused"/> tells the window what became of it.</summary>
    TogglePause,
}
