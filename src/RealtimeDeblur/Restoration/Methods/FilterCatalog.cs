namespace RealtimeDeblur.Restoration.Methods;

/// <summary>The filters that there are. Each is described where it is made.</summary>
internal static class FilterCatalog
{
    public static IReadOnlyList<FilterDescription> All { get; } =
    [
        LinearFilters.Unsharp,
        LinearFilters.Wiener,
        RichardsonLucy.Description,
        LinearFilters.VanCittert,
        LinearFilters.Landweber,
        PolyblurRestorer.Description,
        MaxPolRestorer.Description,
    ];
}
