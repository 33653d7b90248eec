using System.Net;
using RealtimeDeblur.Networks;

namespace RestoreService;

/// <summary>The page for people: a form that posts to <c>/restore</c>. Plain HTML; the browser shows the picture that comes back.</summary>
internal static class RestoreForm
{
    public static string Html { get; } = $$"""
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Restore a picture</title>
        <style>
          body { font: 1rem/1.5 sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem; }
          label { display: block; margin: 1rem 0; }
          input, select { display: block; font: inherit; }
        </style>
        <h1>Restore a picture</h1>
        <form action="/restore" method="post" enctype="multipart/form-data">
          <label>Picture <input type="file" name="picture" accept="image/*" required></label>
          <label>Strength, 0 to 1 <input type="number" name="strength" value="1" min="0" max="1" step="0.05"></label>
          <label>Sigma of the blur: auto, tiles, off, or pixels <input type="text" name="sigma" value="auto"></label>
          <label>Model <select name="model">{{string.Concat(ModelCatalog.Names.Select(Option))}}</select></label>
          <button>Restore</button>
        </form>
        </html>
        """;

    private static string Option(string model) => $"<option{(model == "fast-camera" ? " selected" : "")}>{WebUtility.HtmlEncode(model)}</option>";
}
