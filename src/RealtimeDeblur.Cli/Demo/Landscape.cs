using System.Numerics;

namespace RealtimeDeblur.Cli.Demo;

/// <summary>
/// A valley between mountains as two maps, height and colour, seen from above: river, meadows, a forest of single trees, a village, rock and snow.
/// Repeats in both directions. Lengths are in map units.
/// </summary>
internal sealed class Landscape
{
    /// <summary>Side of the maps; a power of two.</summary>
    public const int Side = 2048;
    public const float WaterLevel = 26;

    private const int Mask = Side - 1;
    private const float TallestPeak = 620;
    private const float TreeLine = 250;
    private const float SnowLine = 330;
    private const int TreeCount = 46000;
    private const int HouseCount = 90;

    /// <summary>Towards the sun: from the left, rather low, so that slopes and trees stand out.</summary>
    private static readonly Vector3 Sun = Vector3.Normalize(new(-0.75f, 0.62f, -0.25f));

    private readonly float[] _height = new float[Side * Side];
    private readonly Vector3[] _color = new Vector3[Side * Side];

    public Landscape()
    {
        Parallel.For(0, Side, RaiseGround);
        Parallel.For(0, Side, PaintGround);
        PlantTrees();
        BuildHouses();
        Parallel.For(0, Side, ShadeRow);
    }

    /// <summary>Where the river runs at <paramref name="y"/>, which is also where one flies best.</summary>
    public static float RiverX(float y)
    {
        float turn = y * (2 * MathF.PI / Side);
        return Side / 2 + 110 * MathF.Sin(turn) + 36 * MathF.Sin(3 * turn + 1);
    }

    /// <summary>Height at a place, interpolated.</summary>
    public float HeightAt(float x, float y)
    {
        (int i00, int i01, int i10, int i11, float u, float v) = Cell(x, y);
        return float.Lerp(float.Lerp(_height[i00], _height[i01], u), float.Lerp(_height[i10], _height[i11], u), v);
    }

    /// <summary>Colour at a place, interpolated; R, G, B from 0 to 1.</summary>
    public Vector3 ColorAt(float x, float y)
    {
        (int i00, int i01, int i10, int i11, float u, float v) = Cell(x, y);
        return Vector3.Lerp(Vector3.Lerp(_color[i00], _color[i01], u), Vector3.Lerp(_color[i10], _color[i11], u), v);
    }

    private static (int I00, int I01, int I10, int I11, float U, float V) Cell(float x, float y)
    {
        float floorX = MathF.Floor(x), floorY = MathF.Floor(y);
        int x0 = (int)floorX & Mask, y0 = ((int)floorY & Mask) * Side;
        int x1 = (x0 + 1) & Mask, y1 = (y0 + Side) & (Side * Side - 1);
        return (y0 + x0, y0 + x1, y1 + x0, y1 + x1, x - floorX, y - floorY);
    }

    private void RaiseGround(int y)
    {
        for (int x = 0; x < Side; x++)
        {
            float fromRiver = MathF.Abs(x - RiverX(y)) / (Side / 2);
            float slope = SmoothStep(0.10f, 0.85f, fromRiver);
            float mountains = PeriodicNoise.Ridged(x * (8f / Side), y * (8f / Side), 8, 8, seed: 11);
            float hills = PeriodicNoise.Fractal(x * (32f / Side), y * (32f / Side), 32, 5, seed: 23);
            float bank = SmoothStep(0.008f, 0.05f, fromRiver + 0.02f * (hills - 0.5f));
            _height[y * Side + x] = WaterLevel - 8 + 16 * bank + 46 * hills * SmoothStep(0.02f, 0.25f, fromRiver) + TallestPeak * slope * mountains;
        }
    }

    private void PaintGround(int y)
    {
        for (int x = 0; x < Side; x++)
        {
            int i = y * Side + x;
            float height = _height[i];
            float grain = PeriodicNoise.Fractal(x * 0.25f, y * 0.25f, Side / 4, 3, seed: 37);
            float patches = PeriodicNoise.Fractal(x * (64f / Side), y * (64f / Side), 64, 4, seed: 41);
            float steep = Steepness(x, y);
            if (height < WaterLevel)
            {
                _height[i] = WaterLevel + 0.35f * grain;
                _color[i] = Vector3.Lerp(new(0.16f, 0.36f, 0.47f), new(0.40f, 0.58f, 0.62f), SmoothStep(0.35f, 0.8f, 0.6f * grain + 0.4f * patches));
                continue;
            }
            Vector3 meadow = Vector3.Lerp(new(0.30f, 0.42f, 0.16f), new(0.60f, 0.58f, 0.27f), SmoothStep(0.3f, 0.7f, patches));
            Vector3 rock = Vector3.Lerp(new(0.40f, 0.37f, 0.35f), new(0.66f, 0.61f, 0.55f), grain);
            Vector3 color = meadow * (0.72f + 0.56f * grain);
            color = Vector3.Lerp(color, new(0.74f, 0.67f, 0.50f), 1 - SmoothStep(WaterLevel, WaterLevel + 4, height));
            color = Vector3.Lerp(color, rock, SmoothStep(0.75f, 1.25f, steep + 0.5f * SmoothStep(TreeLine - 60, TreeLine + 60, height + 60 * patches)));
            color = Vector3.Lerp(color, new Vector3(0.93f, 0.95f, 0.99f) * (0.9f + 0.1f * grain), SmoothStep(SnowLine - 40, SnowLine + 60, height + 120 * (patches - 0.5f) - 60 * MathF.Max(0, steep - 1)));
            _color[i] = color;
        }
    }

    private void PlantTrees()
    {
        for (int tree = 0; tree < TreeCount; tree++)
        {
            int x = (int)(PeriodicNoise.Hash(tree, 1, 51) * Side), y = (int)(PeriodicNoise.Hash(tree, 2, 51) * Side);
            float ground = _height[y * Side + x];
            float forest = PeriodicNoise.Fractal(x * (16f / Side), y * (16f / Side), 16, 4, seed: 61);
            bool grows = ground > WaterLevel + 4 && ground < TreeLine + 80 * (forest - 0.5f) && Steepness(x, y) < 1.3f;
            if (!grows || PeriodicNoise.Hash(tree, 3, 51) > SmoothStep(0.38f, 0.58f, forest) + 0.05f) continue;

            float size = 0.7f + 0.6f * PeriodicNoise.Hash(tree, 4, 51);
            bool isConifer = ground > 90 + 60 * PeriodicNoise.Hash(tree, 5, 51);
            float radius = (isConifer ? 3.2f : 4.4f) * size, tall = (isConifer ? 19f : 11f) * size;
            float hue = PeriodicNoise.Hash(tree, 6, 51);
            Vector3 leaves = isConifer
                ? Vector3.Lerp(new(0.07f, 0.17f, 0.10f), new(0.14f, 0.26f, 0.13f), hue)
                : Vector3.Lerp(new(0.16f, 0.30f, 0.08f), hue > 0.93f ? new(0.62f, 0.38f, 0.10f) : new(0.34f, 0.42f, 0.12f), hue);
            Stamp(x, y, (int)radius + 1, (dx, dy, i) =>
            {
                float away = MathF.Sqrt(dx * dx + dy * dy) / radius;
                if (away >= 1) return;
                float crown = isConifer ? 1 - away : MathF.Sqrt(1 - away * away);
                float raised = ground + tall * crown + 1.5f * PeriodicNoise.Hash(i, 7, 51);
                if (raised <= _height[i]) return;
                _height[i] = raised;
                _color[i] = leaves * (0.75f + 0.5f * PeriodicNoise.Hash(i, 8, 51));
            });
        }
    }

    private void BuildHouses()
    {
        for (int house = 0; house < HouseCount; house++)
        {
            // Villages: houses gather around a few places along the river.
            float along = (house % 3 * 0.31f + 0.14f + 0.09f * PeriodicNoise.Hash(house, 1, 71)) * Side;
            float side = (PeriodicNoise.Hash(house, 2, 71) < 0.5f ? -1 : 1) * (42 + 120 * PeriodicNoise.Hash(house, 3, 71));
            int x = (int)(RiverX(along) + side) & Mask, y = (int)along & Mask;
            float ground = _height[y * Side + x];
            if (ground < WaterLevel + 3 || Steepness(x, y) > 0.8f) continue;

            bool isChurch = house < 3;
            int halfLength = isChurch ? 9 : 5 + (int)(4 * PeriodicNoise.Hash(house, 4, 71)), halfWidth = isChurch ? 4 : 4;
            bool isTurned = PeriodicNoise.Hash(house, 5, 71) < 0.5f;
            Vector3 roof = Vector3.Lerp(new(0.62f, 0.22f, 0.14f), new(0.40f, 0.27f, 0.22f), PeriodicNoise.Hash(house, 6, 71));
            Vector3 wall = Vector3.Lerp(new(0.95f, 0.92f, 0.84f), new(0.85f, 0.74f, 0.58f), PeriodicNoise.Hash(house, 7, 71));
            Stamp(x, y, Math.Max(halfLength, halfWidth), (dx, dy, i) =>
            {
                (int across, int lengthwise) = isTurned ? (dy, dx) : (dx, dy);
                if (Math.Abs(across) > halfWidth || Math.Abs(lengthwise) > halfLength) return;
                bool isWall = Math.Abs(across) == halfWidth || Math.Abs(lengthwise) == halfLength;
                bool isTower = isChurch && lengthwise < -halfLength + 6 && Math.Abs(across) < 4;
                _height[i] = ground + (isTower ? 34 - 3f * Math.Max(Math.Abs(across), Math.Abs(lengthwise + halfLength - 3)) : isWall ? 7 : 7 + 1.7f * (halfWidth - Math.Abs(across)));
                _color[i] = isWall ? wall : roof * (isTower ? 0.6f : lengthwise % 2 == 0 ? 1 : 0.82f);
            });
        }
    }

    /// <summary>Light from the sun by the angle of the ground, and the shadow of what stands to the left.</summary>
    private void ShadeRow(int y)
    {
        float descent = Sun.Y / -Sun.X;
        float shadow = 0;
        // Twice around, because the shadows of the right edge fall on the left one.
        for (int step = -Side / 2; step < Side; step++)
        {
            int x = step & Mask, i = y * Side + x;
            shadow = MathF.Max(shadow - descent, _height[i]);
            if (step < 0) continue;
            float left = _height[y * Side + ((x - 1) & Mask)], right = _height[y * Side + ((x + 1) & Mask)];
            float front = _height[((y - 1) & Mask) * Side + x], back = _height[((y + 1) & Mask) * Side + x];
            Vector3 normal = Vector3.Normalize(new(left - right, 2, front - back));
            float lit = MathF.Max(0, Vector3.Dot(normal, Sun)) * (1 - 0.75f * SmoothStep(0, 4, shadow - _height[i]));
            _color[i] *= new Vector3(0.42f, 0.47f, 0.58f) + lit * new Vector3(0.98f, 0.90f, 0.76f);
        }
    }

    private float Steepness(int x, int y)
    {
        float dx = _height[y * Side + ((x + 2) & Mask)] - _height[y * Side + ((x - 2) & Mask)];
        float dy = _height[((y + 2) & Mask) * Side + x] - _height[((y - 2) & Mask) * Side + x];
        return MathF.Sqrt(dx * dx + dy * dy) / 4;
    }

    private static void Stamp(int x, int y, int reach, Action<int, int, int> paint)
    {
        for (int dy = -reach; dy <= reach; dy++)
        {
            for (int dx = -reach; dx <= reach; dx++) paint(dx, dy, ((y + dy) & Mask) * Side + ((x + dx) & Mask));
        }
    }

    private static float SmoothStep(float from, float to, float value)
    {
        float t = Math.Clamp((value - from) / (to - from), 0, 1);
        return t * t * (3 - 2 * t);
    }
}
