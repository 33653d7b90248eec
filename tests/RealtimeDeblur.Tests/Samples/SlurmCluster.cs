using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using Xunit;

namespace RealtimeDeblur.Tests.Samples;

/// <summary>
/// A Slurm cluster of several nodes on this machine: munged, slurmctld and a slurmd per node, with files, ports and a key of their own in a folder, all of the user who runs the test. Disposal ends
/// whatever runs in it.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class SlurmCluster : IDisposable
{
    private const string ConfigurationVariable = "SLURM_CONF", NodeVariable = "SLURMD_NODENAME";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _folder;
    private readonly Dictionary<string, Process> _daemons = [];

    private SlurmCluster(string folder) => _folder = folder;

    private string Configuration => Path.Combine(_folder, "slurm.conf");

    /// <summary>Starts a cluster and waits until its nodes are idle. Skips the test with the reason where Slurm is not installed or does not start.</summary>
    /// <param name="folder">For its files; made by this.</param>
    /// <param name="nodes">How many nodes; their names are node1, node2, ...</param>
    public static SlurmCluster StartOrSkip(string folder, int nodes)
    {
        foreach (string program in (string[])["munged", "slurmctld", "slurmd", "sbatch"])
            Assert.SkipUnless(Find(program) is not null, $"{program} is not installed (apt-get install munge slurmctld slurmd slurm-client).");
        var cluster = new SlurmCluster(folder);
        try
        {
            cluster.Start(nodes);
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>Runs one of Slurm's commands and gives what it prints; a failure fails the test.</summary>
    /// <param name="workingDirectory">Where jobs that it submits run.</param>
    /// <param name="variables">Variables of jobs that it submits.</param>
    /// <param name="command">Program and arguments.</param>
    public string Run(string workingDirectory, IReadOnlyDictionary<string, string> variables, params string[] command)
    {
        ProcessStartInfo start = new(Find(command[0])!, command[1..]) { WorkingDirectory = workingDirectory, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[ConfigurationVariable] = Configuration;
        foreach ((string name, string value) in variables) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> stderr = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string stdout = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)}: {stdout}{stderr.GetAwaiter().GetResult()}\n{Log()}");
        return stdout;
    }

    /// <inheritdoc cref="Run(string, IReadOnlyDictionary{string, string}, string[])"/>
    public string Run(params string[] command) => Run(_folder, new Dictionary<string, string>(), command);

    /// <summary>The node on which a process runs.</summary>
    public static string? NodeOf(OtherProcess process) => OtherProcess.Variable(process.Id, NodeVariable);

    /// <summary>
    /// What a node is after its power was cut: everything on it is gone at once, Slurm's own processes first, so that none can tell the controller. That would miss the node after a while; here it is told,
    /// as the scripts of an administrator do that watch over nodes.
    /// </summary>
    public void LoseNode(string name)
    {
        _daemons[name].Kill();
        int[] jobs = [.. OtherProcess.FindByVariable(ConfigurationVariable, Configuration).Where(id => OtherProcess.Variable(id, NodeVariable) == name)];
        int[] steps = [.. OtherProcess.Find("slurmstepd").Select(step => step.Id).Intersect(jobs.Select(OtherProcess.ParentOf))];
        foreach (int id in steps.Concat(jobs)) OtherProcess.Send(id, Signal.Kill);
        Run("scontrol", "update", $"NodeName={name}", "State=DOWN", "Reason=lost");
    }

    /// <summary>Ends of the logs, for the message of a test that fails.</summary>
    public string Log() => string.Concat(_daemons.Keys.Select(name => $"{name}: {string.Join("\n  ", File.ReadLines(LogOf(name)).TakeLast(15))}\n"));

    public void Dispose()
    {
        foreach (Process daemon in _daemons.Values) daemon.Kill();
        // Jobs and what watches over them are in sessions of their own.
        Assert.True(SpinWait.SpinUntil(() =>
        {
            int[] left = OtherProcess.FindByVariable(ConfigurationVariable, Configuration);
            foreach (int id in left) OtherProcess.Send(id, Signal.Kill);
            return left.Length == 0;
        }, Patience), "Processes of the cluster cannot be ended.");
        foreach (Process daemon in _daemons.Values) daemon.Dispose();
    }

    private void Start(int nodes)
    {
        string munge = Directory.CreateDirectory(Path.Combine(_folder, "munge")).FullName, socket = Path.Combine(munge, "socket"), key = Path.Combine(munge, "key");
        Directory.CreateDirectory(Path.Combine(_folder, "state"));
        // munged refuses a key that others can read. It wants a socket that all users reach, which one in a temporary folder is not, and needs not be: --force.
        File.WriteAllBytes(key, RandomNumberGenerator.GetBytes(1024));
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        int[] ports = FreePorts(nodes + 1);
        File.WriteAllLines(Configuration, [
            "ClusterName=deblur", "SlurmctldHost=localhost(127.0.0.1)", $"SlurmctldPort={ports[0]}", $"SlurmUser={Environment.UserName}", $"SlurmdUser={Environment.UserName}",
            // The time for which a job's credentials are valid is also that which passes before a lost job starts again: two minutes if not given, and no less than 6 s.
            "AuthType=auth/munge", "CryptoType=crypto/munge", $"AuthInfo=socket={socket},cred_expire=6",
            $"StateSaveLocation={_folder}/state", $"SlurmdSpoolDir={_folder}/%n", $"SlurmctldPidFile={_folder}/slurmctld.pid", $"SlurmdPidFile={_folder}/%n.pid",
            // Nothing that takes control groups, a database or root.
            "ProctrackType=proctrack/pgid", "TaskPlugin=task/none", "SwitchType=switch/none", "MpiDefault=none", "SelectType=select/linear", "AccountingStorageType=accounting_storage/none", "JobAcctGatherType=jobacct_gather/none",
            "ReturnToService=2", "SlurmdTimeout=300", "KillWait=2", "SchedulerParameters=sched_interval=1",
            .. Enumerable.Range(1, nodes).Select(node => $"NodeName=node{node} NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[node]} CPUs=1"),
            "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
        ]);
        Launch("munged", "munged", ["--foreground", "--force", $"--key-file={key}", $"--socket={socket}", $"--pid-file={munge}/pid", $"--log-file={munge}/log", $"--seed-file={munge}/seed"]);
        WaitOrSkip(() => File.Exists(socket), "munged does not start");
        Launch("slurmctld", "slurmctld", ["-D", "-f", Configuration]);
        for (int node = 1; node <= nodes; node++) Launch($"node{node}", "slurmd", ["-D", "-N", $"node{node}", "-f", Configuration]);
        WaitOrSkip(() => IdleNodes() == nodes, "the nodes do not come up");
    }

    private int IdleNodes()
    {
        ProcessStartInfo start = new(Find("sinfo")!, ["--noheader", "--Node", "--states=idle"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[ConfigurationVariable] = Configuration;
        using Process process = Process.Start(start)!;
        string[] lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        return lines.Length;
    }

    private void WaitOrSkip(Func<bool> condition, string failure)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            // A daemon that ends says why in its last lines.
            Assert.SkipWhen(Stopwatch.GetElapsedTime(start) > Patience || _daemons.Values.Any(daemon => daemon.HasExited), $"Slurm cannot be started here, {failure}: {Log().ReplaceLineEndings(" ")}");
            Thread.Sleep(100);
        }
    }

    /// <summary>Starts a daemon in the foreground, with its outputs in a file.</summary>
    private void Launch(string name, string program, string[] arguments)
    {
        File.WriteAllText(LogOf(name), "");
        ProcessStartInfo start = new("/bin/sh", ["-c", $"exec \"$0\" \"$@\" > '{LogOf(name)}' 2>&1 < /dev/null", Find(program)!, .. arguments]);
        start.Environment[ConfigurationVariable] = Configuration;
        _daemons.Add(name, Process.Start(start)!);
    }

    private string LogOf(string name) => Path.Combine(_folder, $"{name}.log");

    /// <summary>Daemons lie where only root looks for programs.</summary>
    private static string? Find(string program) => $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (TcpListener listener in listeners) listener.Start();
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        foreach (TcpListener listener in listeners) listener.Dispose();
        return ports;
    }
}
