using System.Text.Json;
using RealtimeDeblur.Tests.Native;
using RealtimeDeblur.Tests.Scripts;
using Xunit;

namespace RealtimeDeblur.Tests.Samples;

/// <summary>The job for Kubernetes: what would go wrong only on a cluster.</summary>
public sealed class KubernetesTests
{
    private const string Python = "/usr/bin/python3";

    [Fact]
    public void Job_IsIndexedAndTellsPodsHowManyThereAre()
    {
        string path = Path.Combine(ScriptTests.FindCheckout(), "samples/kubernetes/restore-job.yaml");
        Assert.SkipUnless(File.Exists(Python) && NativeBuild.Run(Python, ["-c", "import yaml"]).ExitCode == 0, "Python has no module for YAML (apt-get install python3-yaml).");
        (int exitCode, string output) = NativeBuild.Run(Python, ["-c", "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))", path]);
        Assert.True(exitCode == 0, output);
        JsonElement job = JsonDocument.Parse(output).RootElement, spec = job.GetProperty("spec"), pod = spec.GetProperty("template").GetProperty("spec");
        Assert.Equal(("batch/v1", "Job"), (job.GetProperty("apiVersion").GetString(), job.GetProperty("kind").GetString()));

        Assert.Equal("Indexed", spec.GetProperty("completionMode").GetString());
        int completions = spec.GetProperty("completions").GetInt32();
        Assert.InRange(spec.GetProperty("parallelism").GetInt32(), 1, completions);
        JsonElement container = Assert.Single(pod.GetProperty("containers").EnumerateArray());
        JsonElement variable = Assert.Single(container.GetProperty("env").EnumerateArray(), entry => entry.GetProperty("name").GetString() == "JOB_COMPLETIONS");
        // As text, which is all that Kubernetes takes here.
        Assert.Equal($"{completions}", variable.GetProperty("value").GetString());

        // Retries that are counted for each index take pods that do not restart by themselves.
        Assert.True(spec.GetProperty("backoffLimitPerIndex").GetInt32() > 0);
        Assert.Equal("Never", pod.GetProperty("restartPolicy").GetString());

        string[] arguments = [.. container.GetProperty("args").EnumerateArray().Select(argument => argument.GetString()!)];
        Assert.Equal("video", arguments[0]);
        Assert.Equal("auto", arguments[Array.IndexOf(arguments, "--shard") + 1]);
        Assert.Contains("--resume", arguments);
        JsonElement mount = Assert.Single(container.GetProperty("volumeMounts").EnumerateArray());
        Assert.All(arguments.Where(argument => argument.StartsWith('/')), argument => Assert.StartsWith(mount.GetProperty("mountPath").GetString() + "/", argument));
        Assert.Equal(mount.GetProperty("name").GetString(), Assert.Single(pod.GetProperty("volumes").EnumerateArray()).GetProperty("name").GetString());
    }
}
