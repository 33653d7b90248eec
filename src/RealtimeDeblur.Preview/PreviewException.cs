namespace RealtimeDeblur.Preview;

/// <summary>The preview window cannot open. The message says why and what to do; it is meant for the user.</summary>
public sealed class PreviewException : Exception
{
    public PreviewException(string message) : base(message)
    {
    }

    public PreviewException(string message, Exception innerException) : base(message, innerException)
    {
    }

    internal static PreviewException NoGlfw(DllNotFoundException cause) =>
        new("The window needs the library GLFW, which is not installed: sudo apt-get install libglfw3", cause);

    internal static PreviewException NoDisplay((int Code, string Description) error)
    {
        string display = Environment.GetEnvironmentVariable("DISPLAY") ?? "";
        return new(display.Length == 0
            ? "There is no screen to open a window on (DISPLAY is not set). Start it in a graphical session, or over ssh with 'ssh -X'."
            : $"The screen DISPLAY={display} cannot be opened ({error.Description}). Start it in a graphical session, or over ssh with 'ssh -X'.");
    }

    internal static PreviewException NoWindow((int Code, string Description) error) => new(
        $"The window needs OpenGL 3.3, which this screen does not offer ({error.Description}). "
        + "Install the graphics driver, or the software one: sudo apt-get install libgl1 libgl1-mesa-dri");

    internal static PreviewException NoFont() =>
        new("The window needs a font for its text, and none was found in /usr/share/fonts or ~/.local/share/fonts: sudo apt-get install fonts-dejavu-core");
}
