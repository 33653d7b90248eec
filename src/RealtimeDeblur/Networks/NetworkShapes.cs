namespace RealtimeDeblur.Networks;

/// <summary>The networks that have a name, by shape.</summary>
internal static class NetworkShapes
{
    private static readonly Dictionary<string, NetworkDescription> Shapes = new()
    {
        ["dbcnn"] = NetworkDescription.Dbcnn(),
        ["dbcnn-bp"] = NetworkDescription.DbcnnBackProjection(),
        ["tiny"] = NetworkDescription.HalfResolution(maps: 16, hidden: 3, architecture: "tiny"),
        ["fast"] = NetworkDescription.HalfResolution(maps: 22, hidden: 4, architecture: "fast"),
        ["half32"] = NetworkDescription.HalfResolution(maps: 32, hidden: 3, architecture: "half32"),
        ["quality"] = NetworkDescription.HalfResolution(maps: 48, hidden: 5, architecture: "quality"),
    };

    /// <summary>Names that <see cref="Of"/> knows.</summary>
    public static IReadOnlyCollection<string> Names => Shapes.Keys;

    /// <summary>The shape of a network, not conditioned on sigma.</summary>
    /// <exception cref="KeyNotFoundException">The name is not one of <see cref="Names"/>.</exception>
    public static NetworkDescription Of(string name) => Shapes[name];
}
