namespace RealtimeDeblur.Preview.Glfw;

/// <summary>GLFW's numbers of the keys that mean something here. Letters and digits have the number of their capital in ASCII and stand for what is printed on the key, whatever the layout.</summary>
internal enum Key
{
    None = 0,
    Space = 32,
    D0 = 48, D1 = 49, D2 = 50, D4 = 52,
    B = 66, C = 67, D = 68, F = 70, H = 72, I = 73, M = 77, O = 79, P = 80, Q = 81, R = 82, S = 83, Z = 90,
    Escape = 256, Tab = 258,
    Right = 262, Left, Down, Up, PageUp, PageDown, Home,
    F1 = 290, F11 = 300,
}
