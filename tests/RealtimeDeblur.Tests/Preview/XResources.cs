using System.Runtime.InteropServices;

namespace RealtimeDeblur.Tests.Preview;

/// <summary>The resources of the X screen, which tell programs its dots per inch, as a desktop with high resolution sets them. Back to none on disposal.</summary>
internal sealed partial class XResources : IDisposable
{
    private const string Library = "libX11.so.6";
    private const nuint ResourceManager = 23, String = 31;      // predefined atoms (Xatom.h)
    private const int Replace = 0, BitsPerItem = 8;

    public XResources(string resources) => Change((display, root) => XChangeProperty(display, root, ResourceManager, String, BitsPerItem, Replace, resources, resources.Length));

    public void Dispose() => Change((display, root) => XDeleteProperty(display, root, ResourceManager));

    private static void Change(Action<nint, nint> change)
    {
        nint display = XOpenDisplay(null);
        if (display == 0) throw new InvalidOperationException("There is no X screen.");
        change(display, XDefaultRootWindow(display));
        XCloseDisplay(display);
    }

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] private static partial nint XOpenDisplay(string? name);
    [LibraryImport(Library)] private static partial void XCloseDisplay(nint display);
    [LibraryImport(Library)] private static partial nint XDefaultRootWindow(nint display);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] private static partial void XChangeProperty(nint display, nint window, nuint property, nuint type, int format, int mode, string data, int items);
    [LibraryImport(Library)] private static partial void XDeleteProperty(nint display, nint window, nuint property);
}
