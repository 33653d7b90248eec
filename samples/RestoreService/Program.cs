// A small web service: POST a picture to /restore, get it back restored. GET / is a form to try it with.
//
//   dotnet run --project samples/RestoreService -c Release -- --urls http://127.0.0.1:5000
//   curl --data-binary @soft.jpg 'http://127.0.0.1:5000/restore?strength=0.8&sigma=auto&model=fast-camera' -o sharp.jpg -D -
//
// The picture is the body, or the first file of a multipart form, whose fields may hold the parameters. JPEG and WebP come back as what they are, everything else as PNG.

using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http.Features;
using RealtimeDeblur.Compute;
using RealtimeDeblur.Networks;
using RealtimeDeblur.Restoration;
using RestoreService;

const int MaxBytes = 32 << 20;

// Two keep a device busy: while it works on one picture, another is decoded or encoded. Those that wait hold their upload in memory.
const int RestorationsAtOnce = 2;
const int Waiting = 16;

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBytes);
builder.Services.Configure<FormOptions>(form => form.MultipartBodyLengthLimit = MaxBytes);
WebApplication app = builder.Build();

PictureRestorer restorer;
try
{
    restorer = new PictureRestorer();
}
catch (OpenClException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
using ConcurrencyLimiter limiter = new(new() { PermitLimit = RestorationsAtOnce, QueueLimit = Waiting });

app.MapGet("/", () => Results.Content(RestoreForm.Html, "text/html; charset=utf-8"));
app.MapPost("/restore", async (HttpContext context, CancellationToken cancellation) =>
{
    try
    {
        (byte[] picture, Func<string, string?> parameter) = await ReadAsync(context.Request, cancellation);
        string model = parameter("model") ?? "fast-camera";
        // ModelCatalog.Load takes paths too, which are no business of whoever sends a request.
        if (!ModelCatalog.Names.Contains(model)) return Refuse($"There is no model '{model}'. Choose from {string.Join(", ", ModelCatalog.Names)}.");
        if (!SigmaSetting.TryParse(parameter("sigma") ?? "auto", out SigmaSetting sigma)) return Refuse(string.Create(CultureInfo.InvariantCulture, $"sigma must be auto, tiles, off, or 0 to {SigmaSetting.MaxSigma} pixels, e.g. 1.6."));
        if (!float.TryParse(parameter("strength") ?? "1", CultureInfo.InvariantCulture, out float strength) || strength is not (>= 0 and <= 1)) return Refuse("strength must be 0 to 1, e.g. 0.8.");

        // Only now: a slow upload keeps nobody from the device.
        using RateLimitLease lease = await limiter.AcquireAsync(1, cancellation);
        if (!lease.IsAcquired) return Refuse("Too many pictures are waiting. Try again in a moment.", StatusCodes.Status503ServiceUnavailable);
        RestoredPicture restored = restorer.Restore(picture, model, new DeblurOptions { Strength = strength, Sigma = sigma }, cancellation);
        if (restored.Sigma is { } found) context.Response.Headers["Deblur-Sigma"] = found.ToString("0.00", CultureInfo.InvariantCulture);
        context.Response.Headers["Deblur-Unchanged"] = restored.IsUnchanged ? "true" : "false";
        return Results.Bytes(restored.Data, restored.ContentType);
    }
    catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
    {
        return Refuse($"The picture is larger than {MaxBytes >> 20} MiB. Send a smaller one.", e.StatusCode);
    }
    catch (InvalidDataException e)
    {
        return Refuse(e.Message);
    }
    catch (IOException e)
    {
        // A form that breaks off, an upload that stalls.
        return Refuse($"The request could not be read: {e.Message}");
    }
    catch (OpenClException e)
    {
        return Refuse(e.Message, StatusCodes.Status500InternalServerError);
    }
});
using (restorer) await app.RunAsync();
return 0;

static IResult Refuse(string sentence, int status = StatusCodes.Status400BadRequest) => Results.Text(sentence + "\n", "text/plain; charset=utf-8", statusCode: status);

// The bytes of the picture, and its parameters: fields of the form, else of the query.
static async Task<(byte[] Picture, Func<string, string?> Parameter)> ReadAsync(HttpRequest request, CancellationToken cancellation)
{
    using var picture = new MemoryStream();
    // A body of any other type is taken for a picture: that is what it is when curl calls it an urlencoded form.
    if (request.ContentType?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) != true)
    {
        await request.Body.CopyToAsync(picture, cancellation);
        return (picture.ToArray(), Query);
    }
    IFormCollection form = await request.ReadFormAsync(cancellation);
    if (form.Files.Count == 0) throw new InvalidDataException("The form holds no file. Send a picture as multipart/form-data, or as the body itself.");
    await form.Files[0].CopyToAsync(picture, cancellation);
    return (picture.ToArray(), name => form[name] is [{ Length: > 0 } value, ..] ? value : Query(name));

    string? Query(string name) => request.Query[name] is [{ Length: > 0 } value, ..] ? value : null;
}
