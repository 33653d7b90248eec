using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace RealtimeDeblur.Tests.Browser;

/// <summary>
/// Chromium without a window, with one page, spoken to by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol): commands are JSON over a web socket. Keeps what the page asked for and
/// what went wrong in it. Ends with its disposal, and so does its profile.
/// </summary>
internal sealed partial class Chromium : IDisposable
{
    private static readonly string[] Programs = ["chromium", "chromium-browser", "google-chrome"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _browser;
    private readonly DirectoryInfo _profile;
    private readonly ClientWebSocket _socket = new();
    private string? _session;
    private int _lastId;
    private bool _hasLoaded;

    private Chromium(Process browser, DirectoryInfo profile) => (_browser, _profile) = (browser, profile);

    /// <summary>Addresses that the page asked for, its own included.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Exceptions, and errors and warnings on the console and in the log.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>Starts it, or skips the test where it is not installed.</summary>
    public static async Task<Chromium> StartOrSkip()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        string? program = Programs.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        Assert.SkipUnless(program is not null, "chromium is not installed (sudo apt-get install chromium).");
        DirectoryInfo profile = Directory.CreateTempSubdirectory("deblur-chromium-");
        // As root there is no sandbox; containers have little shared memory. The port is written to standard error.
        ProcessStartInfo start = new(program!,
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--force-device-scale-factor=1",
            "--remote-debugging-port=0", $"--user-data-dir={profile.FullName}", "--window-size=1280,1000", "about:blank",
        ]) { RedirectStandardError = true, RedirectStandardOutput = true };
        Chromium chromium = new(Process.Start(start)!, profile);
        try
        {
            await chromium.Connect();
        }
        catch
        {
            chromium.Dispose();
            throw;
        }
        return chromium;
    }

    /// <summary>Opens a page and waits until it has loaded.</summary>
    public async Task Open(Uri page)
    {
        _hasLoaded = false;
        await Send("Page.navigate", new JsonObject { ["url"] = page.AbsoluteUri });
        while (!_hasLoaded) Note(await Receive());
    }

    /// <summary>Value of an expression in the page.</summary>
    public async Task<JsonNode?> Evaluate(string expression)
    {
        JsonNode result = await Send("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        Assert.True(result["exceptionDetails"] is null, result.ToJsonString());
        return result["result"]!["value"];
    }

    /// <summary>Presses and releases a key.</summary>
    public async Task Press(string key, int code)
    {
        foreach (string type in (string[])["keyDown", "keyUp"]) await Send("Input.dispatchKeyEvent", new JsonObject { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code });
    }

    /// <summary>Presses the mouse at one place of the window, moves it to another and lets go.</summary>
    public async Task Drag((double X, double Y) from, (double X, double Y) to)
    {
        foreach ((string type, (double X, double Y) at, int buttons) in ((string, (double, double), int)[])[("mouseMoved", from, 0), ("mousePressed", from, 1), ("mouseMoved", to, 1), ("mouseReleased", to, 0)])
        {
            await Send("Input.dispatchMouseEvent", new JsonObject { ["type"] = type, ["x"] = at.X, ["y"] = at.Y, ["button"] = "left", ["buttons"] = buttons, ["clickCount"] = 1 });
        }
    }

    /// <summary>What the window shows, as PNG.</summary>
    public async Task<byte[]> Screenshot() => Convert.FromBase64String((string)(await Send("Page.captureScreenshot", new JsonObject { ["format"] = "png" }))["data"]!);

    /// <summary>Light or dark, as the user's system would ask for.</summary>
    public Task Prefer(string scheme) =>
        Send("Emulation.setEmulatedMedia", new JsonObject { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }) });

    public void Dispose()
    {
        _socket.Dispose();
        _browser.Kill(entireProcessTree: true);
        _browser.WaitForExit();
        _browser.Dispose();
        // The last of its processes may still write.
        SpinWait.SpinUntil(() =>
        {
            try
            {
                _profile.Delete(recursive: true);
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        }, TimeSpan.FromSeconds(5));
    }

    private async Task Connect()
    {
        using CancellationTokenSource patience = new(Patience);
        StringBuilder said = new();
        string? address = null;
        while (address is null)
        {
            string? line = await _browser.StandardError.ReadLineAsync(patience.Token);
            Assert.True(line is not null, $"Chromium did not start: {said}");
            said.AppendLine(line);
            if (Listening().Match(line!) is { Success: true } match) address = match.Groups[1].Value;
        }
        // A full pipe must not stop it.
        foreach (StreamReader output in (StreamReader[])[_browser.StandardError, _browser.StandardOutput]) _ = output.ReadToEndAsync(CancellationToken.None);
        await _socket.ConnectAsync(new Uri(address), patience.Token);
        JsonNode targets = await Send("Target.getTargets", []);
        string page = (string)targets["targetInfos"]!.AsArray().First(target => (string?)target!["type"] == "page")!["targetId"]!;
        _session = (string)(await Send("Target.attachToTarget", new JsonObject { ["targetId"] = page, ["flatten"] = true }))["sessionId"]!;
        foreach (string domain in (string[])["Page", "Runtime", "Network", "Log"]) await Send($"{domain}.enable", []);
    }

    private async Task<JsonNode> Send(string method, JsonObject parameters)
    {
        int id = ++_lastId;
        JsonObject message = new() { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (_session is not null) message["sessionId"] = _session;
        using CancellationTokenSource patience = new(Patience);
        await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, endOfMessage: true, patience.Token);
        while (true)
        {
            JsonNode answer = await Receive();
            if ((int?)answer["id"] == id)
            {
                Assert.True(answer["error"] is null, $"{method}: {answer["error"]?.ToJsonString()}");
                return answer["result"]!;
            }
            Note(answer);
        }
    }

    private async Task<JsonNode> Receive()
    {
        using CancellationTokenSource patience = new(Patience);
        using MemoryStream message = new();
        var part = new byte[1 << 16];
        WebSocketReceiveResult received;
        do
        {
            received = await _socket.ReceiveAsync(part, patience.Token);
            message.Write(part, 0, received.Count);
        }
        while (!received.EndOfMessage);
        return JsonNode.Parse(message.ToArray())!;
    }

    private void Note(JsonNode happened)
    {
        JsonNode? parameters = happened["params"];
        switch ((string?)happened["method"])
        {
            case "Page.loadEventFired":
                _hasLoaded = true;
                break;
            case "Network.requestWillBeSent":
                Requests.Add((string)parameters!["request"]!["url"]!);
                break;
            case "Runtime.exceptionThrown":
            case "Runtime.consoleAPICalled" when (string?)parameters!["type"] is "error" or "warning":
            case "Log.entryAdded" when (string?)parameters!["entry"]!["level"] is "error" or "warning":
                Errors.Add(parameters!.ToJsonString());
                break;
        }
    }

    [GeneratedRegex(@"DevTools listening on (ws://\S+)")]
    private static partial Regex Listening();
}
