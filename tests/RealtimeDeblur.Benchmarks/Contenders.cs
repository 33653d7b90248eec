using System.Runtime.InteropServices;
using OpenCvSharp;
using OpenCvSharp.Dnn;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using Ort = Microsoft.ML.OnnxRuntime;

namespace RealtimeDeblur.Benchmarks;

/// <summary>A program that restores one fixed frame, float [C][H][W], as often as asked.</summary>
internal interface IContender : IDisposable
{
    string Name { get; }

    /// <summary>Restores the frame and waits for the result.</summary>
    void Run();

    /// <summary>Result of the last run.</summary>
    float[] Restored { get; }
}

/// <summary>Our kernels, from a buffer on the device to a buffer on the device.</summary>
internal sealed class OpenClContender : IContender
{
    private readonly CommandQueue _queue;
    private readonly InferenceSession _session;
    private readonly DeviceBuffer<float> _input;
    private readonly DeviceBuffer<float> _output;

    public OpenClContender(ComputeDevice device, Network network, int W, int H, float[] blurred)
    {
        _queue = device.CreateQueue();
        _session = new(device, network, W, H);
        _input = device.Allocate<float>(blurred);
        _output = device.Allocate<float>(blurred.Length);
    }

    public string Name => $"RealtimeDeblur ({_session.Plan.Kernels})";

    public InferencePlan Plan => _session.Plan;

    public float[] Restored => _output.ToArray(_queue);

    public void Run()
    {
        _session.Run(_queue, _input, _output);
        _queue.Finish();
    }

    public void Dispose()
    {
        _session.Dispose();
        _input.Dispose();
        _output.Dispose();
        _queue.Dispose();
    }
}

/// <summary>ONNX Runtime with all its graph optimisations, tensors bound in advance.</summary>
internal sealed class OnnxRuntimeContender : IContender
{
    private readonly Ort.InferenceSession _session;
    private readonly Ort.RunOptions _options = new();
    private readonly Ort.OrtValue _input;
    private readonly Ort.OrtValue _output;

    public OnnxRuntimeContender(string name, byte[] model, int threads, int C, int W, int H, float[] blurred)
    {
        Name = name;
        using var options = new Ort.SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, GraphOptimizationLevel = Ort.GraphOptimizationLevel.ORT_ENABLE_ALL };
        // Threads that spin between runs would take time from the others.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        _session = new(model, options);
        long[] shape = [1, C, H, W];
        Restored = new float[blurred.Length];
        _input = Ort.OrtValue.CreateTensorValueFromMemory(blurred, shape);
        _output = Ort.OrtValue.CreateTensorValueFromMemory(Restored, shape);
    }

    public string Name { get; }

    public float[] Restored { get; }

    public void Run() => _session.Run(_options, [OnnxExport.InputName], [_input], [OnnxExport.OutputName], [_output]);

    public void Dispose()
    {
        _input.Dispose();
        _output.Dispose();
        _options.Dispose();
        _session.Dispose();
    }
}

/// <summary>OpenCV's own DNN backend.</summary>
internal sealed class OpenCvContender : IContender
{
    private readonly Net _net;
    private readonly Mat _blob;
    private Mat? _result;

    public OpenCvContender(byte[] model, int threads, int C, int W, int H, float[] blurred)
    {
        Cv2.SetNumThreads(threads);
        _net = CvDnn.ReadNetFromOnnx(model) ?? throw new InvalidOperationException("OpenCV does not read the model.");
        _net.SetPreferableBackend(Backend.OPENCV);
        _net.SetPreferableTarget(Target.CPU);
        using Mat view = Mat.FromPixelData([1, C, H, W], MatType.CV_32FC1, blurred);
        _blob = view.Clone();
    }

    public string Name => "OpenCV DNN, zero border";

    public float[] Restored
    {
        get
        {
            float[] restored = new float[_result!.Total()];
            Marshal.Copy(_result.Data, restored, 0, restored.Length);
            return restored;
        }
    }

    public void Run()
    {
        _net.SetInput(_blob);
        _result?.Dispose();
        _result = _net.Forward();
    }

    public void Dispose()
    {
        _result?.Dispose();
        _blob.Dispose();
        _net.Dispose();
    }
}
