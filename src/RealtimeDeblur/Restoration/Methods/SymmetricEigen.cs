namespace RealtimeDeblur.Restoration.Methods;

/// <summary>Eigenvalues and eigenvectors of small symmetric matrices, by Jacobi's rotations (Golub and Van Loan, "Matrix Computations", 4th ed., section 8.5).</summary>
internal static class SymmetricEigen
{
    private const int MaxSweeps = 30;

    /// <summary>Largest off-diagonal value that counts as zero, relative to the largest value.</summary>
    private const double Negligible = 1e-15;

    /// <returns>Eigenvalues, the largest in size first, and the unit eigenvectors that belong to them.</returns>
    public static (double[] Values, double[][] Vectors) Decompose(double[,] matrix)
    {
        int n = matrix.GetLength(0);
        double[,] a = (double[,])matrix.Clone();
        double[,] v = new double[n, n];
        for (int i = 0; i < n; i++) v[i, i] = 1;
        double scale = a.Cast<double>().Max(Math.Abs);

        bool isDiagonal = scale == 0;
        for (int sweep = 0; sweep < MaxSweeps && !isDiagonal; sweep++)
        {
            isDiagonal = true;
            for (int p = 0; p < n - 1; p++)
            for (int q = p + 1; q < n; q++)
            {
                if (Math.Abs(a[p, q]) <= Negligible * scale) continue;
                isDiagonal = false;
                double theta = (a[q, q] - a[p, p]) / (2 * a[p, q]);
                double tan = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1));
                double cos = 1 / Math.Sqrt(tan * tan + 1), sin = tan * cos;
                for (int i = 0; i < n; i++) (a[i, p], a[i, q]) = (cos * a[i, p] - sin * a[i, q], sin * a[i, p] + cos * a[i, q]);
                for (int i = 0; i < n; i++) (a[p, i], a[q, i]) = (cos * a[p, i] - sin * a[q, i], sin * a[p, i] + cos * a[q, i]);
                for (int i = 0; i < n; i++) (v[i, p], v[i, q]) = (cos * v[i, p] - sin * v[i, q], sin * v[i, p] + cos * v[i, q]);
            }
        }
        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => Math.Abs(a[i, i]))];
        return ([.. order.Select(i => a[i, i])], [.. order.Select(i => Enumerable.Range(0, n).Select(row => v[row, i]).ToArray())]);
    }
}
