"""Where a distribution falls apart into two."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

BINS = 256
WIDTH = 4.0  # bins of the smoothing, by which peaks nearer than a thirtieth of the range are one
LEAST = 0.01  # of the highest peak; a lower one is not told from noise
FEWEST = 50  # values


def find_valley(values: npt.NDArray[np.float64]) -> tuple[float, float, float] | None:
    """Find the lowest place between the two most prominent peaks.

    Arguments:
        values: intensities on a scale where populations are about symmetric (n,).

    Returns:
        lower peak, valley and upper peak on that scale; None where one peak is all there is.
    """
    sound = values[np.isfinite(values)]
    if sound.size < FEWEST:
        return None
    low, high = np.quantile(sound, [0.0005, 0.9995])
    if not high > low:
        return None
    margin = 0.1 * (high - low)
    counts, edges = np.histogram(sound, BINS, (low - margin, high + margin))
    smooth = gaussian_filter1d(counts.astype(float), WIDTH)
    # Counts of a bin vary by their square root; smoothing averages over about 3.5 widths.
    noise = 3 * np.sqrt(smooth / (2 * np.sqrt(np.pi) * WIDTH))
    peaks, found = find_peaks(smooth, prominence=LEAST * smooth.max())
    real = [(p, j) for p, j in zip(found["prominences"], peaks, strict=True) if p > noise[j]]
    if len(real) < 2:
        return None
    first, second = sorted(j for _, j in sorted(real)[-2:])
    centre = (edges[:-1] + edges[1:]) / 2
    lowest = first + int(np.argmin(smooth[first : second + 1]))
    return float(centre[first]), float(centre[lowest]), float(centre[second])
