namespace RealtimeDeblur.Restoration;

/// <summary>What estimates the blur's sigma of a frame.</summary>
public enum SigmaSource
{
    /// <summary>What the method was made with: a network's own learned estimator, Polyblur's for Polyblur, the spectrum for 1Shot-MaxPol, and the learned one for every other filter.</summary>
    Own,

    /// <summary>Our learned estimator.</summary>
    Ours,

    /// <summary>The steepest gradients (Polyblur).</summary>
    Polyblur,

    /// <summary>The ratio of amplitude spectra at two scales (1Shot-MaxPol).</summary>
    Spectrum,
}
