using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Training.Data;
using RealtimeDeblur.Training.Evaluation;
using RealtimeDeblur.Training.Layers;
using RealtimeDeblur.Training.Patches;

namespace RealtimeDeblur.Training;

/// <summary>Measures a network in training on the middle of the validation pictures, each at several blurs, always the same ones.</summary>
internal sealed class Validator : IDisposable
{
    private const int BatchSize = 8, WantedSize = 128, MaxPictures = 24;

    /// <summary>Camera pairs are validated at one level, so that figures compare.</summary>
    private const float CameraNoise = 2;
    private const int CameraJpegQuality = 85;

    private static readonly float[] Sigmas = [0, 0.5f, 1, 1.6f, 2, 3, 4];

    private readonly CommandQueue _queue;
    private readonly TrainingGraph _graph;
    private readonly DeviceBuffer<byte> _samples;
    private readonly PatchDegrader _degrader;
    private readonly (float Sigma, PatchPlan Plan)[] _patches;
    private readonly int _patchSize;

    public Validator(CommandQueue queue, PackedDataset dataset, TrainingOptions options, NetworkDescription description, ParameterLayout layout, DeviceBuffer<float> parameters)
    {
        _queue = queue;
        int size = Trainer.RaisePatchSize(WantedSize, description);
        TrainingPictures pictures;
        try
        {
            pictures = new(dataset, DatasetSplit.Validation, options.C, size);
        }
        catch (InvalidDataException)
        {
            // A tiny dataset has no validation picture this large: judge at the size of the training patches.
            size = Trainer.RaisePatchSize(options.PatchSize, description);
            pictures = new(dataset, DatasetSplit.Validation, options.C, size);
        }
        _patchSize = size;
        _samples = queue.Device.Allocate<byte>((ReadOnlySpan<byte>)pictures.Samples);

        float[] sigmas = [.. Sigmas.Where(sigma => sigma <= options.SigmaMax && (sigma > 0 || options.SharpShare > 0 || options.SigmaMin == 0))];
        List<(float, PatchPlan)> patches = [];
        foreach (float sigma in sigmas)
        {
            Degradation degradation = options.Degradation == DegradationKind.Camera ? Degradation.Camera(sigma, CameraNoise, CameraJpegQuality) : new(sigma);
            foreach (PicturePlace picture in pictures.Places.Take(MaxPictures))
            {
                int left = (picture.Width - size) / 2 - description.Pad, top = (picture.Height - size) / 2 - description.Pad;
                patches.Add((sigma, PatchSampler.Plan(picture, left, top, 0, degradation, weight: 1, noiseSeed: 1 + patches.Count * 1_000_003)));
            }
        }
        _patches = [.. patches];
        int batches = (int)WorkSize.Tiles(_patches.Length, BatchSize);
        _graph = new(queue, description, layout, parameters, BatchSize, size, batches);
        _degrader = new(queue, _samples, _graph, options.Degradation, sigmas.Max(), batches);
        // The last batch is filled up with the last patch.
        PatchPlan[] plans = [.. Enumerable.Range(0, batches * BatchSize).Select(i => _patches[Math.Min(i, _patches.Length - 1)].Plan)];
        _degrader.Upload(plans);
        _graph.UploadSigmas([.. plans.Select(plan => plan.Sigma)]);
    }

    /// <summary>The blurs that <see cref="Run"/> gives results for, ascending.</summary>
    public IEnumerable<float> ValidatedSigmas => _patches.Select(patch => patch.Sigma).Distinct();

    /// <summary>Runs the validation and waits for it. One result per sigma.</summary>
    public IReadOnlyList<ValidationResult> Run()
    {
        var sums = new SortedDictionary<float, (double Psnr, double Ssim, double Blurred, int Count)>();
        int size = _patchSize, C = _graph.Description.C;
        byte[] truth = new byte[size * size], before = new byte[size * size], after = new byte[size * size];
        for (int first = 0; first < _patches.Length; first += BatchSize)
        {
            _degrader.Enqueue(first / BatchSize);
            _graph.Forward(first / BatchSize);
            float[] output = _graph.Output.Buffer.ToArray(_queue);
            float[] blurred = _graph.Blurred.Buffer.ToArray(_queue);
            float[] sharp = _graph.Sharp.Buffer.ToArray(_queue);
            for (int n = 0; n < BatchSize && first + n < _patches.Length; n++)
            {
                float sigma = _patches[first + n].Sigma;
                for (int c = 0; c < C; c++)
                {
                    for (int y = 0; y < size; y++)
                    for (int x = 0; x < size; x++)
                    {
                        float input = blurred[PositionIn(_graph.Blurred, n, y + _graph.Pad, x + _graph.Pad, c)];
                        float restored = output[PositionIn(_graph.Output, n, y, x, c)] + (_graph.Description.GlobalSkip ? input : 0);
                        truth[y * size + x] = ToCode(sharp[PositionIn(_graph.Sharp, n, y, x, c)]);
                        before[y * size + x] = ToCode(input);
                        after[y * size + x] = ToCode(restored);
                    }
                    (double psnr, double ssim, double psnrBlurred, int count) = sums.GetValueOrDefault(sigma);
                    sums[sigma] = (psnr + ImageQuality.Psnr(truth, after, size, size, border: 0), ssim + ImageQuality.Ssim(truth, after, size, size, border: 0),
                        psnrBlurred + ImageQuality.Psnr(truth, before, size, size, border: 0), count + 1);
                }
            }
        }
        return [.. sums.Select(entry => new ValidationResult(entry.Key, entry.Value.Psnr / entry.Value.Count, entry.Value.Ssim / entry.Value.Count, entry.Value.Blurred / entry.Value.Count))];
    }

    public void Dispose()
    {
        _degrader.Dispose();
        _samples.Dispose();
        _graph.Dispose();
    }

    /// <summary>Where channel c of a pixel lies among a tensor's cells.</summary>
    private int PositionIn(MapTensor cells, int n, int y, int x, int c)
    {
        int scale = _graph.Description.Scale;
        return cells.Origin + n * cells.Image + y / scale * cells.Row + x / scale * cells.C + (y % scale * scale + x % scale) * _graph.Description.C + c;
    }

    private static byte ToCode(float value) => (byte)MathF.Round(Math.Clamp(value * 255, 0, 255));
}
