namespace RealtimeDeblur.Preview.Glfw;

/// <summary>What happened to the window.</summary>
internal enum InputKind
{
    KeyDown, KeyRepeat, KeyUp,

    /// <summary>A character was typed: for keys whose place depends on the layout (+, -, ?).</summary>
    Character,
    ButtonDown, ButtonUp, MouseMove,

    /// <summary>The wheel; <see cref="InputEvent.Y"/> is positive away from the user, 1 per notch.</summary>
    Wheel,
    FocusLost,

    /// <summary>The system lost what was drawn.</summary>
    Exposed,
    Close,
}

/// <summary>One event.</summary>
/// <param name="Kind">What.</param>
/// <param name="Code">Key, character or mouse button, by kind.</param>
/// <param name="Modifiers">Keys held down: GlfwApi.Mod….</param>
/// <param name="X">Mouse position in framebuffer pixels from the left, or wheel movement.</param>
/// <param name="Y">The same from the top.</param>
internal readonly record struct InputEvent(InputKind Kind, int Code = 0, int Modifiers = 0, double X = 0, double Y = 0)
{
    public Key Key => (Key)Code;
    public bool HasShift => (Modifiers & GlfwApi.ModShift) != 0;
    public bool HasControl => (Modifiers & GlfwApi.ModControl) != 0;
    public bool HasAltOrSuper => (Modifiers & (GlfwApi.ModAlt | GlfwApi.ModSuper)) != 0;
}
