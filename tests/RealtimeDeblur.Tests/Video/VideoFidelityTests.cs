using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Pipeline;
using RealtimeDeblur.Tests.Networks;
using RealtimeDeblur.Video;
using Xunit;

namespace RealtimeDeblur.Tests.Video;

/// <summary>
/// Files as people have them, source and result compared by ffprobe: every stream with its times, tags and purposes, every frame with its time. What is compared is the description of the whole file,
/// so that whatever gets lost fails a test, also what nobody thought of.
/// </summary>
public sealed class VideoFidelityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ComputeDevice _device = TestDevice.OpenOrSkip();
    private readonly List<string> _notes = [];

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Matroska_WithEverything_KeepsEverything()
    {
        WriteSubtitles("a.srt");
        File.WriteAllText(_folder["font.ttf"], "no font, but a file");
        WriteChapters("chapters.txt");
        Ffmpeg.Run($"{Ffmpeg.Tone(440, 3)} {Ffmpeg.TestPicture("64x48", 10, 3)} {Ffmpeg.Tone(880, 3)} -i {_folder["a.srt"]} -i {_folder["chapters.txt"]} -map 0 -map 1 -map 2 -map 3 -map 3 -map_metadata 4 -map_chapters 4 "
            + "-c:a:0 flac -c:a:1 libopus -c:v libx264 -preset ultrafast -c:s srt -metadata:s:a:0 language=eng -metadata:s:a:1 language=deu -metadata:s:a:1 title=Kommentar -metadata:s:s:0 language=fra "
            + $"-metadata:s:v:0 title=Picture -disposition:a:1 comment -disposition:s:1 forced -disposition:a:0 default -attach {_folder["font.ttf"]} -metadata:s:t mimetype=application/x-truetype-font {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mkv");
        AssertSame("in.mkv", "out.mkv");
        Assert.Equal(3, Probe("out.mkv").GetProperty("chapters").GetArrayLength());
        Assert.Equal("Garden", Probe("out.mkv").GetProperty("format").GetProperty("tags").GetProperty("title").GetString());
        Assert.Empty(_notes);
    }

    [Fact]
    public void Mp4_WithEverything_KeepsEverything()
    {
        WriteSubtitles("a.srt");
        WriteChapters("chapters.txt");
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.1)} -frames:v 1 {_folder["cover.png"]}");
        Ffmpeg.Run($"{Ffmpeg.Tone(440, 3)} {Ffmpeg.TestPicture("64x48", 10, 3)} {Ffmpeg.Tone(880, 3)} -i {_folder["a.srt"]} -i {_folder["chapters.txt"]} -i {_folder["cover.png"]} -map 0 -map 1 -map 2 -map 3 -map 5 -map_metadata 4 -map_chapters 4 "
            + "-c:a aac -c:v:0 libx264 -preset ultrafast -c:v:1 copy -c:s mov_text -metadata:s:a:0 language=eng -metadata:s:a:1 language=deu -metadata:s:s:0 language=fra "
            + $"-disposition:a:1 0 -disposition:s:0 0 -disposition:v:1 attached_pic {_folder["in.mp4"]}");
        Restore("in.mp4", "out.mp4");
        AssertSame("in.mp4", "out.mp4");
        Assert.Equal(3, Probe("out.mp4").GetProperty("chapters").GetArrayLength());
        Assert.Empty(_notes);
    }

    [Theory]
    [InlineData("in.mp4", "-c:v libx265 -x265-params log-level=error -pix_fmt yuv420p10le -color_range tv -colorspace bt2020nc -color_primaries bt2020 -color_trc arib-std-b67 -tag:v hvc1", "hevc")]
    [InlineData("in.mkv", "-c:v libx264 -preset ultrafast -pix_fmt yuv422p -color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709", null)]
    [InlineData("in.mp4", "-c:v libx264 -preset ultrafast -pix_fmt yuv444p -color_range pc -colorspace smpte170m -color_primaries smpte170m -color_trc smpte170m", null)]
    [InlineData("in.mov", "-c:v prores_ks -pix_fmt yuv422p10le -color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709", "prores")]
    [InlineData("in.mov", "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le", "prores")]
    [InlineData("in.mkv", "-c:v ffv1 -pix_fmt yuva420p", "ffv1")]
    [InlineData("in.mkv", "-c:v ffv1 -pix_fmt bgra", "ffv1")]
    [InlineData("in.webm", "-c:v libvpx-vp9 -cpu-used 8 -pix_fmt yuva420p -auto-alt-ref 0", null)]
    [InlineData("in.mkv", "-vf setsar=64/45 -c:v libx264 -preset ultrafast -pix_fmt yuv420p", null)]
    [InlineData("in.mp4", "-vf setsar=64/45 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -video_track_timescale 90000 -output_ts_offset 2.5", null)]
    [InlineData("in.mkv", "-vf select=lt(n\\,5)+gt(n\\,14) -fps_mode vfr -c:v libx264 -preset ultrafast -pix_fmt yuv420p", null)]
    [InlineData("in.ts", "-vf select=lt(n\\,5)+gt(n\\,14) -fps_mode vfr -c:v libx264 -preset ultrafast -pix_fmt yuv420p -output_ts_offset 7", null)]
    [InlineData("in.mp4", "-vf select=lt(n\\,7)+gt(n\\,11) -fps_mode vfr -enc_time_base 1/23040000 -c:v libx264 -preset veryfast -bf 3 -pix_fmt yuv420p -video_track_timescale 23040000", null)]
    [InlineData("in.mov", "-c:v libx264 -preset veryfast -pix_fmt yuv420p -video_track_timescale 1234567", null)]
    [InlineData("in.mkv", "-vf setfield=tff -flags +ildct+ilme -c:v libx264 -preset ultrafast -pix_fmt yuv420p", null)]
    public void AnyVideo_Restored_IsDescribedTheSame(string name, string making, string? encoder)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 2)} {Ffmpeg.Tone(440, 2)} -c:a {(name.EndsWith("webm", StringComparison.Ordinal) ? "libopus" : "aac")} {making} {_folder[name]}");
        string result = "out" + Path.GetExtension(name);
        Restore(name, result, encoder);
        AssertSame(name, result);
        Assert.DoesNotContain(_notes, note => !note.Contains("12 bits", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("2x2", 3)]
    [InlineData("2x1", 3)]
    [InlineData("1x1", 3)]
    [InlineData("3x5", 3)]
    [InlineData("641x3", 2)]
    [InlineData("7680x4320", 2)]
    public void AnySize_Lossless_IsKept(string size, int frames)
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture(size, 10, frames / 10.0)} -c:v ffv1 -pix_fmt yuv420p {_folder["in.mkv"]}");
        Restore("in.mkv", "out.mkv", "ffv1");
        AssertSame("in.mkv", "out.mkv");
        Assert.Equal(frames, Ffmpeg.FrameTimes(_folder["out.mkv"]).Length);
    }

    [Fact]
    public void OneFrame_IsRestored()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 0.1)} {Ffmpeg.Tone(440, 2)} -frames:v 1 -c:v libx264 -c:a aac {_folder["in.mp4"]}");
        Restore("in.mp4", "out.mp4");
        AssertSame("in.mp4", "out.mp4");
    }

    [Fact]
    public void NoFrames_SaysSoAndLeavesNothing()
    {
        Ffmpeg.Run($"{Ffmpeg.TestPicture("64x48", 10, 1)} {Ffmpeg.Tone(440, 1)} -c:v libx264 -c:a aac {_folder["whole.mkv"]}");
        // The stream is announced, but has no packets.
        Ffmpeg.Run($"-i {_folder["whole.mkv"]} -map 0 -c copy -bsf:v noise=drop=1 {_folder["in.mkv"]}");
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Restore("in.mkv", "out.mkv"));
        Assert.Contains("holds not one frame that ffmpeg can decode", error.Message, StringComparison.Ordinal);
        Assert.Equal(["in.mkv", "whole.mkv"], _folder.Names);
        Assert.Empty(Directory.GetDirectories(_folder.Path));
    }

    private void Restore(string input, string output, string? encoder = null)
    {
        using var restoration = new VideoRestoration(_folder[input], _folder[output], new() { Encoder = encoder });
        Assert.Equal(VideoRestorationStatus.Done, restoration.Run(_device, SmallNetwork.Sharpen(), _notes.Add, new Ignored(), TestContext.Current.CancellationToken).Status);
    }

    /// <summary>Compares everything that ffprobe tells of two files, but for what encoding the picture again changes: sizes in bytes, rates, profiles, and the names of programs.</summary>
    private void AssertSame(string expected, string actual)
    {
        Assert.Equal(Description(expected), Description(actual));
        Assert.Equal(Ffmpeg.FrameTimes(_folder[expected]), Ffmpeg.FrameTimes(_folder[actual]));
        foreach (JsonElement stream in Probe(expected).GetProperty("streams").EnumerateArray())
        {
            string index = stream.GetProperty("index").GetRawText();
            if (stream.GetProperty("codec_type").GetString() is "audio" or "subtitle") Assert.Equal(Packets(expected, index), Packets(actual, index));
        }
    }

    /// <summary>Times and contents of packets, without what single containers add to them.</summary>
    private IEnumerable<string> Packets(string name, string stream) => Ffmpeg.PacketHashes(_folder[name], stream).Split('\n').Where(line => line.StartsWith('0')).Select(line => string.Join(',', line.Split(',').Take(6)));

    private List<string> Description(string name)
    {
        List<string> lines = [];
        JsonElement root = Probe(name);
        foreach (JsonElement stream in root.GetProperty("streams").EnumerateArray())
        {
            // The text track that chapters of QuickTime are; they are compared as chapters.
            if (stream.GetProperty("codec_type").GetString() == "data") continue;
            string index = stream.GetProperty("index").GetRawText();
            bool isVideo = stream.GetProperty("codec_type").GetString() == "video" && stream.GetProperty("disposition").GetProperty("attached_pic").GetInt32() == 0;
            Flatten($"stream {index}", stream, isVideo ? [
                .. Incidental, "profile", "level", "codec_name", "codec_long_name", "codec_tag", "codec_tag_string", "has_b_frames", "refs", "is_avc", "nal_length_size", "closed_captions", "film_grain",
                "bits_per_raw_sample", "coded_width", "coded_height", "divx_packed", "r_frame_rate", "avg_frame_rate",
            ]
            // Where a stream is sparse, ffprobe guesses its start; its packets have the truth.
            : stream.GetProperty("codec_type").GetString() == "subtitle" ? [.. Incidental, "start_pts", "start_time"] : Incidental, lines);
        }
        foreach (JsonElement chapter in root.GetProperty("chapters").EnumerateArray()) Flatten("chapter", chapter, ["id", "start", "end", "time_base"], lines);
        Flatten("format", root.GetProperty("format"), [.. Incidental, "filename", "size", "probe_score"], lines);
        return lines;
    }

    private static readonly string[] Incidental = ["bit_rate", "encoder", "ENCODER", "DURATION", "handler_name", "vendor_id", "max_bit_rate", "_STATISTICS_WRITING_APP", "duration", "duration_ts", "extradata_size"];

    private static void Flatten(string path, JsonElement element, string[] ignored, List<string> lines)
    {
        foreach (JsonProperty property in element.EnumerateObject().OrderBy(property => property.Name, StringComparer.Ordinal))
        {
            if (ignored.Contains(property.Name)) continue;
            if (property.Value.ValueKind == JsonValueKind.Object) Flatten($"{path}.{property.Name}", property.Value, ignored, lines);
            else if (property.Value.ValueKind == JsonValueKind.Array) foreach (JsonElement entry in property.Value.EnumerateArray()) Flatten($"{path}.{property.Name}", entry, ignored, lines);
            else lines.Add($"{path}.{property.Name} = {property.Value}".ToLowerInvariant());
        }
    }

    private JsonElement Probe(string name)
    {
        ProcessStartInfo start = new("ffprobe") { RedirectStandardOutput = true };
        foreach (string argument in (string[])["-v", "error", "-show_streams", "-show_format", "-show_chapters", "-print_format", "json", _folder[name]]) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        using JsonDocument document = JsonDocument.Parse(process.StandardOutput.ReadToEnd());
        return document.RootElement.Clone();
    }

    private void WriteSubtitles(string name) => File.WriteAllText(_folder[name], "1\n00:00:00,100 --> 00:00:00,800\nHello\n\n2\n00:00:01,500 --> 00:00:02,250\nGood bye\n");

    private void WriteChapters(string name) => File.WriteAllText(_folder[name], ";FFMETADATA1\ntitle=Garden\ncomment=Two lines\\\nof it\n"
        + string.Concat(Enumerable.Range(0, 3).Select(i => string.Create(CultureInfo.InvariantCulture, $"[CHAPTER]\nTIMEBASE=1/1000\nSTART={i * 1000}\nEND={(i + 1) * 1000}\ntitle=Part {i + 1}\n"))));

    private sealed class Ignored : IProgress<PipelineProgress>
    {
        public void Report(PipelineProgress value)
        {
        }
    }
}
