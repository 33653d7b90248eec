namespace RealtimeDeblur.Compute;

/// <summary>Where things lie that can be made again: <c>realtimedeblur</c> in the user's cache folder.</summary>
internal static class CacheFolder
{
    /// <returns>Null when the user has no folder of their own.</returns>
    public static string? Below(string name)
    {
        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(cache))
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            if (home.Length == 0) return null;
            cache = Path.Combine(home, ".cache");
        }
        return Path.Combine(cache, "realtimedeblur", name);
    }
}
