using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using OpenCvSharp;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Imaging;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RealtimeDeblur.Tests.Scripts;
using Xunit;

namespace RealtimeDeblur.Tests.Samples;

/// <summary>The real service on a free port.</summary>
public sealed partial class RestoreServiceTests : IClassFixture<RestoreServiceTests.Service>
{
    private const string Refused = "This is no picture that OpenCV reads";

    private readonly HttpClient _client;

    public RestoreServiceTests(Service service)
    {
        TestDevice.SkipWithoutDevice();
        _client = service.Client;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("strength=0.8&sigma=1.5&model=fast-camera", 0.8f, "1.5", "fast-camera")]
    [InlineData("model=tiny", 1, "auto", "tiny")]
    [InlineData("", 1, "auto", "fast-camera")]
    public async Task Post_Picture_GivesWhatTheEngineGives(string query, float strength, string sigma, string model)
    {
        byte[] soft = Picture(".png", blurSigma: 1.6);
        using HttpResponseMessage response = await _client.PostAsync($"restore?{query}", new ByteArrayContent(soft), Cancellation);
        using Mat actual = await ReadPicture(response, "image/png");

        using Mat blurred = Cv2.ImDecode(soft, ImreadModes.Color);
        using Mat expected = Restore(blurred, model, new() { Strength = strength, Sigma = SigmaSetting.Parse(sigma) }, out float? found);
        Assert.Equal(0, Cv2.Norm(expected, actual, NormTypes.INF));
        Assert.InRange(Cv2.Norm(blurred, actual, NormTypes.INF), 1, 255);
        Assert.Equal(found!.Value.ToString("0.00", CultureInfo.InvariantCulture), Header(response, "Deblur-Sigma"));
        Assert.Equal("false", Header(response, "Deblur-Unchanged"));
    }

    [Fact]
    public async Task Post_Form_GivesTheSameAsTheBodyAlone()
    {
        byte[] soft = Picture(".png", blurSigma: 1.6);
        using MultipartFormDataContent form = new() { { new StringContent("0.5"), "strength" }, { new StringContent("1.5"), "sigma" }, { new StringContent(""), "model" }, { new ByteArrayContent(soft), "picture", "soft.png" } };
        using HttpResponseMessage fromForm = await _client.PostAsync("restore", form, Cancellation);
        using HttpResponseMessage fromBody = await _client.PostAsync("restore?strength=0.5&sigma=1.5", new ByteArrayContent(soft), Cancellation);
        using Mat a = await ReadPicture(fromForm, "image/png"), b = await ReadPicture(fromBody, "image/png");
        Assert.Equal(0, Cv2.Norm(a, b, NormTypes.INF));
    }

    [Fact]
    public async Task Post_SharpPicture_PassesUnchangedAndSaysSo()
    {
        byte[] sharp = Picture(".png", blurSigma: 0);
        using HttpResponseMessage response = await _client.PostAsync("restore", new ByteArrayContent(sharp), Cancellation);
        using Mat actual = await ReadPicture(response, "image/png"), expected = Cv2.ImDecode(sharp, ImreadModes.Color);
        Assert.Equal("true", Header(response, "Deblur-Unchanged"));
        Assert.Equal(0, Cv2.Norm(expected, actual, NormTypes.INF));
    }

    [Theory]
    [InlineData(".jpg", "image/jpeg")]
    [InlineData(".webp", "image/webp")]
    [InlineData(".bmp", "image/png")]
    public async Task Post_OtherTypes_ComeBackAsABrowserShowsThem(string extension, string contentType)
    {
        using HttpResponseMessage response = await _client.PostAsync("restore", new ByteArrayContent(Picture(extension, blurSigma: 1)), Cancellation);
        using Mat restored = await ReadPicture(response, contentType);
        Assert.Equal(new Size(161, 120), restored.Size());
    }

    [Fact]
    public async Task Post_ManyAtOnce_AllComeBackRight()
    {
        byte[] soft = Picture(".png", blurSigma: 1.6);
        byte[][] results = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using HttpResponseMessage response = await _client.PostAsync("restore?sigma=1.5", new ByteArrayContent(soft), Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return await response.Content.ReadAsByteArrayAsync(Cancellation);
        }));
        Assert.All(results, result => Assert.Equal(results[0], result));
    }

    [Theory]
    [InlineData("strength=2", "strength must be 0 to 1")]
    [InlineData("strength=NaN", "strength must be 0 to 1")]
    [InlineData("sigma=much", "sigma must be auto, tiles, off, or 0 to 4 pixels")]
    [InlineData("model=slow", "There is no model 'slow'. Choose from dbcnn, ")]
    [InlineData("model=/etc/passwd", "There is no model '/etc/passwd'.")]
    public Task Post_ParameterThatCannotBe_SaysWhichAndHow(string query, string expected) => Refuses($"restore?{query}", new ByteArrayContent(Picture(".png", blurSigma: 1)), HttpStatusCode.BadRequest, expected);

    [Fact]
    public async Task Post_NoPicture_SaysSo()
    {
        await Refuses("restore", new StringContent("Dear diary"), HttpStatusCode.BadRequest, Refused);
        await Refuses("restore", new ByteArrayContent(Picture(".png", blurSigma: 1)[..20]), HttpStatusCode.BadRequest, Refused);
        await Refuses("restore", new ByteArrayContent([]), HttpStatusCode.BadRequest, "There is no picture in the request.");
        await Refuses("restore", new MultipartFormDataContent { { new StringContent("1"), "strength" } }, HttpStatusCode.BadRequest, "The form holds no file.");
    }

    [Fact]
    public async Task Post_FormThatBreaksOff_SaysSo()
    {
        StringContent content = new("--x\r\nContent-Disposition: form-data; name=picture; filename=soft.png\r\n\r\nhalf a picture");
        content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        await Refuses("restore", content, HttpStatusCode.BadRequest, "The request could not be read:");
    }

    [Fact]
    public async Task Post_FewBytesOfManyPixels_AreNotDecoded()
    {
        using Mat black = new(8000, 8000, MatType.CV_8UC1, Scalar.Black);
        Cv2.ImEncode(".png", black, out byte[] small);
        Assert.InRange(small.Length, 1, 1 << 20);
        await Refuses("restore", new ByteArrayContent(small), HttpStatusCode.BadRequest, Refused);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_MoreThanTheLimit_IsTooLarge(bool asForm)
    {
        ByteArrayContent picture = new(new byte[(32 << 20) + 1]);
        await Refuses("restore", asForm ? new MultipartFormDataContent { { picture, "picture", "large.png" } } : picture, HttpStatusCode.RequestEntityTooLarge, "The picture is larger than 32 MiB.");
    }

    [Fact]
    public async Task Get_Form_OffersEveryModelAndNeedsNothingFromElsewhere()
    {
        string page = await _client.GetStringAsync("", Cancellation);
        Assert.Contains("<form action=\"/restore\" method=\"post\" enctype=\"multipart/form-data\">", page, StringComparison.Ordinal);
        Assert.All(ModelCatalog.Names, name => Assert.Contains($">{name}</option>", page, StringComparison.Ordinal));
        Assert.DoesNotContain("//", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
    }

    private async Task Refuses(string address, HttpContent content, HttpStatusCode status, string expected)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, address) { Content = content };
        request.Headers.ExpectContinue = true;      // Nothing is sent that is refused by its length.
        using HttpResponseMessage response = await _client.SendAsync(request, Cancellation);
        string sentence = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.Equal((status, "text/plain"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.StartsWith(expected, sentence, StringComparison.Ordinal);
        Assert.EndsWith(".", sentence.TrimEnd(), StringComparison.Ordinal);
    }

    private static async Task<Mat> ReadPicture(HttpResponseMessage response, string contentType)
    {
        byte[] data = await response.Content.ReadAsByteArrayAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{response.StatusCode}: {System.Text.Encoding.UTF8.GetString(data)}");
        Assert.Equal(contentType, response.Content.Headers.ContentType?.MediaType);
        return Cv2.ImDecode(data, ImreadModes.Color);
    }

    private static string Header(HttpResponseMessage response, string name) => Assert.Single(response.Headers.GetValues(name));

    /// <summary>Edges and texture in colour, 161x120, encoded.</summary>
    private static byte[] Picture(string extension, double blurSigma)
    {
        using Mat picture = new(120, 161, MatType.CV_8UC3, new Scalar(60, 80, 100));
        for (int i = 0; i < 60; i++) picture.Rectangle(new Rect(i * 37 % 150, i * 53 % 110, 4 + i % 9, 3 + i % 13), new Scalar(40 + i * 29 % 180, 40 + i * 71 % 180, 40 + i * 47 % 180), thickness: -1);
        if (blurSigma > 0) Cv2.GaussianBlur(picture, picture, new Size(), blurSigma);
        Cv2.ImEncode(extension, picture, out byte[] encoded);
        return encoded;
    }

    private static Mat Restore(Mat blurred, string model, DeblurOptions options, out float? sigma)
    {
        using ComputeDevice device = ComputeDevice.Open();
        using Frame frame = new(new FrameFormat(PixelFormat.Bgr24, blurred.Width, blurred.Height));
        using Deblurrer deblurrer = new(device, ModelCatalog.Load(model), frame.Format, options);
        using Mat pixels = Mat.FromPixelData(blurred.Height, blurred.Width, MatType.CV_8UC3, frame.Address);
        blurred.CopyTo(pixels);
        deblurrer.Process(frame);
        sigma = deblurrer.LastSigma;
        return pixels.Clone();
    }

    /// <summary>The service, started once for all tests.</summary>
    public sealed partial class Service : IDisposable
    {
        private readonly Process _process;

        public Service()
        {
            // The tests' own folder ends as the sample's does: bin/Release/net10.0.
            string[] built = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar).Split(Path.DirectorySeparatorChar)[^3..];
            string program = Path.Combine([ScriptTests.FindCheckout(), "samples", "RestoreService", .. built, "RestoreService.dll"]);
            string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
            BlockingCollection<string> lines = [];      // Not disposed: a line may still be on its way to it.
            _process = new() { StartInfo = new(dotnet, [program, "--urls", "http://127.0.0.1:0"]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() } };
            DataReceivedEventHandler keep = (_, line) => lines.Add(line.Data ?? "");
            _process.OutputDataReceived += keep;
            _process.ErrorDataReceived += (_, _) => { };
            _process.Start();
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
            // Without a device there is no service, and every test is skipped.
            string address = "http://127.0.0.1:1/";
            while (lines.TryTake(out string? line, TimeSpan.FromSeconds(60)) && line.Length > 0)
            {
                if (Listening().Match(line) is not { Success: true } match) continue;
                address = match.Groups[1].Value;
                break;
            }
            _process.OutputDataReceived -= keep;
            Client = new() { BaseAddress = new(address) };
        }

        public HttpClient Client { get; }

        public void Dispose()
        {
            Client.Dispose();
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }

        [GeneratedRegex(@"Now listening on: (http://\S+)")]
        private static partial Regex Listening();
    }
}
