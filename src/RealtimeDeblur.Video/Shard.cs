using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace RealtimeDeblur.Video;

/// <summary>The share of the work that one of several machines does, which have nothing in common but the file system. As text: <c>3/16</c>.</summary>
/// <param name="Number">1 to <paramref name="Count"/>.</param>
/// <param name="Count">How many machines share the work, 1 or more.</param>
public readonly record struct Shard(int Number, int Count)
{
    /// <summary>Everything.</summary>
    public static Shard Whole { get; } = new(1, 1);

    /// <summary>Reads <c>3/16</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Shard shard)
    {
        shard = Whole;
        string[] parts = (text ?? "").Split('/');
        if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number) || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            || number < 1 || number > count) return false;
        shard = new(number, count);
        return true;
    }

    /// <summary>
    /// The share that a scheduler gave this process: an array job of Slurm (SLURM_ARRAY_TASK_ID, _MIN, _COUNT, _STEP), or an indexed job of Kubernetes (JOB_COMPLETION_INDEX, with the job's
    /// <c>completions</c> in JOB_COMPLETIONS, which its manifest has to set).
    /// </summary>
    /// <param name="variable">Value of an environment variable; null where it is not set.</param>
    /// <exception cref="InvalidOperationException">There is no such job, or it does not say how many there are; the message says what to do.</exception>
    public static Shard FromScheduler(Func<string, string?> variable)
    {
        if (Number("SLURM_ARRAY_TASK_ID") is { } task)
        {
            int count = Number("SLURM_ARRAY_TASK_COUNT") ?? throw Incomplete("SLURM_ARRAY_TASK_COUNT");
            int first = Number("SLURM_ARRAY_TASK_MIN") ?? throw Incomplete("SLURM_ARRAY_TASK_MIN");
            int step = Number("SLURM_ARRAY_TASK_STEP") is { } given and > 0 ? given : 1;
            return Checked((task - first) / step + 1, count);
        }
        if (Number("JOB_COMPLETION_INDEX") is { } index) return Checked(index + 1, Number("JOB_COMPLETIONS") ?? throw Incomplete("JOB_COMPLETIONS"));
        throw new InvalidOperationException("--shard auto takes its number from an array job of Slurm or an indexed job of Kubernetes, but this is neither (SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX are not set). Say it yourself, e.g. --shard 3/16.");

        int? Number(string name) => int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;

        static InvalidOperationException Incomplete(string name) => new($"--shard auto does not know how many there are: {name} is not set. Set it in the job, or say the share yourself, e.g. --shard 3/16.");

        static Shard Checked(int number, int count) => number >= 1 && number <= count ? new(number, count)
            : throw new InvalidOperationException($"--shard auto: the job says that this is number {number} of {count}. Array jobs have to be without gaps, e.g. --array=0-15.");
    }

    /// <summary>Whether a block of segments is in this share. The blocks of a file go round; with which share they begin depends on its name, so that short files are spread too.</summary>
    /// <param name="fileName">Name of the file, without its folder, which may have another name on another machine.</param>
    /// <param name="block">From 0.</param>
    public bool Has(string fileName, int block) => (XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(fileName)) + (uint)block) % (uint)Count == (uint)(Number - 1);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Count}");
}
