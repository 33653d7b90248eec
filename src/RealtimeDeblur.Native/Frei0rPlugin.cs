using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RealtimeDeblur.Native;

/// <summary>
/// The functions of frei0r 1.2 (<c>frei0r.h</c>, https://dyne.org/software/frei0r): the same library as a plugin for FFmpeg, GStreamer, MLT and what is built on them. Frames are R, G, B, A of 8 bits, rows without gaps.
/// The specification asks for sizes that are multiples of 8, up to 2048; this plugin takes every size.
/// </summary>
internal static unsafe class Frei0rPlugin
{
    private const int Failed = 0, Succeeded = 1;
    private const int FilterType = 0, Rgba8888 = 1, MajorVersion = 1;

    // Texts that hosts keep pointers to.
    private static readonly NativeText Name = new("RealtimeDeblur"), Author = new("RealtimeDeblur contributors"), Explanation = new("Sharpens mildly blurred video with a small neural network on an OpenCL device");
    private static readonly NativeText[] ParameterNames = [.. Frei0rParameter.All.Select(parameter => new NativeText(parameter.Name))];
    private static readonly NativeText[] ParameterExplanations = [.. Frei0rParameter.All.Select(parameter => new NativeText(parameter.Explanation))];

    [UnmanagedCallersOnly(EntryPoint = "f0r_init", CallConvs = [typeof(CallConvCdecl)])]
    private static int Init() => Succeeded;

    [UnmanagedCallersOnly(EntryPoint = "f0r_deinit", CallConvs = [typeof(CallConvCdecl)])]
    private static void Deinit() => Report(SharedDevices.CloseIdle);

    [UnmanagedCallersOnly(EntryPoint = "f0r_get_plugin_info", CallConvs = [typeof(CallConvCdecl)])]
    private static void GetPluginInfo(PluginInfo* info)
    {
        System.Version version = typeof(Restoration.Deblurrer).Assembly.GetName().Version!;
        *info = new PluginInfo
        {
            Name = Name.Address,
            Author = Author.Address,
            PluginType = FilterType,
            ColorModel = Rgba8888,
            Frei0rVersion = MajorVersion,
            MajorVersion = version.Major,
            MinorVersion = version.Minor,
            ParameterCount = Frei0rParameter.All.Count,
            Explanation = Explanation.Address,
        };
    }

    [UnmanagedCallersOnly(EntryPoint = "f0r_get_param_info", CallConvs = [typeof(CallConvCdecl)])]
    private static void GetParameterInfo(ParameterInfo* info, int index)
    {
        if (!IsParameter(index)) return;
        *info = new ParameterInfo { Name = ParameterNames[index].Address, Type = (int)Frei0rParameter.All[index].Kind, Explanation = ParameterExplanations[index].Address };
    }

    [UnmanagedCallersOnly(EntryPoint = "f0r_construct", CallConvs = [typeof(CallConvCdecl)])]
    private static nint Construct(uint width, uint height)
    {
        try
        {
            if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue) return Failed;
            return GCHandle.ToIntPtr(GCHandle.Alloc(new Frei0rInstance((int)width, (int)height)));
        }
        catch (Exception e)
        {
            StandardError.WriteLine($"realtimedeblur: {Failure.MessageOf(e)}");
            return Failed;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "f0r_destruct", CallConvs = [typeof(CallConvCdecl)])]
    private static void Destruct(nint instance)
    {
        if (instance == 0) return;
        GCHandle handle = GCHandle.FromIntPtr(instance);
        Report(Of(instance).Dispose);
        handle.Free();
    }

    [UnmanagedCallersOnly(EntryPoint = "f0r_set_param_value", CallConvs = [typeof(CallConvCdecl)])]
    private static void SetParameter(nint instance, void* value, int index)
    {
        if (instance == 0 || value is null || !IsParameter(index)) return;
        if (Frei0rParameter.All[index].Kind == Frei0rKind.Text) Of(instance).Set(index, NativeText.Read(*(byte**)value) ?? "");
        else Of(instance).Set(index, *(double*)value);
    }

    [UnmanagedCallersOnly(EntryPoint = "f0r_get_param_value", CallConvs = [typeof(CallConvCdecl)])]
    private static void GetParameter(nint instance, void* value, int index)
    {
        if (instance == 0 || value is null || !IsParameter(index)) return;
        if (Frei0rParameter.All[index].Kind == Frei0rKind.Text) *(byte**)value = Of(instance).GetText(index).Address;
        else *(double*)value = Of(instance).GetNumber(index);
    }

    /// <param name="instance"/>
    /// <param name="time">Seconds or milliseconds, as the host likes; not needed.</param>
    /// <param name="input"/><param name="output"/>
    [UnmanagedCallersOnly(EntryPoint = "f0r_update", CallConvs = [typeof(CallConvCdecl)])]
    private static void Update(nint instance, double time, byte* input, byte* output)
    {
        if (instance == 0 || input is null || output is null) return;
        Frei0rInstance filter = Of(instance);
        filter.Update(new(input, filter.SizeBytes), new(output, filter.SizeBytes));
    }

    private static bool IsParameter(int index) => (uint)index < (uint)Frei0rParameter.All.Count;

    private static Frei0rInstance Of(nint instance) => (Frei0rInstance)GCHandle.FromIntPtr(instance).Target!;

    private static void Report(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            StandardError.WriteLine($"realtimedeblur: {Failure.MessageOf(e)}");
        }
    }

    /// <summary><c>f0r_plugin_info_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PluginInfo
    {
        public byte* Name, Author;
        public int PluginType, ColorModel, Frei0rVersion, MajorVersion, MinorVersion, ParameterCount;
        public byte* Explanation;
    }

    /// <summary><c>f0r_param_info_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ParameterInfo
    {
        public byte* Name;
        public int Type;
        public byte* Explanation;
    }
}
