using RealtimeDeblur.Networks;
using Xunit;

namespace RealtimeDeblur.Tests.Networks;

public sealed class AtomicFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("atomic-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Write_FailsHalfway_KeepsTheOldFileAndLeavesNothingElse()
    {
        string path = Path.Combine(_folder, "file");
        AtomicFile.Write(path, stream => stream.Write("old"u8));
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write("ne"u8);
            throw new InvalidOperationException();
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Write_PathIsAFolder_SaysSo()
    {
        IOException e = Assert.Throws<IOException>(() => AtomicFile.Write(_folder, _ => { }));
        Assert.Equal($"Cannot write {_folder}: it is a folder.", e.Message);
    }

    [Fact]
    public void Write_FolderMissing_SaysSo()
    {
        string path = Path.Combine(_folder, "none", "file");
        IOException e = Assert.Throws<DirectoryNotFoundException>(() => AtomicFile.Write(path, _ => { }));
        Assert.Equal($"Cannot write {path}: there is no folder {Path.Combine(_folder, "none")}.", e.Message);
    }
}
