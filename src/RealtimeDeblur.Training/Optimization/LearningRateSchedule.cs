namespace RealtimeDeblur.Training.Optimization;

public enum LearningRateSchedule
{
    /// <summary>Falls along half a cosine to a hundredth at the last step.</summary>
    Cosine,

    /// <summary>A tenth after half and again after three quarters of the steps.</summary>
    Steps,

    Constant,
}

internal static class LearningRate
{
    /// <summary>Factor of the learning rate at a step, counted from 1; rises from 0 in the first <paramref name="warmUp"/> steps, while the optimizer's moments settle.</summary>
    public static float At(LearningRateSchedule schedule, int step, int steps, int warmUp)
    {
        double share = (double)step / steps;
        double factor = schedule switch
        {
            LearningRateSchedule.Cosine => 0.01 + 0.99 * 0.5 * (1 + Math.Cos(Math.PI * share)),
            LearningRateSchedule.Steps => share <= 0.5 ? 1 : share <= 0.75 ? 0.1 : 0.01,
            _ => 1,
        };
        return (float)(step < warmUp ? factor * step / warmUp : factor);
    }
}
