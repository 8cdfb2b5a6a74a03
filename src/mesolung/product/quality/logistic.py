"""The four-parameter logistic of a dose and its response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.special import expit
from scipy.stats import t as student

from mesolung.product.quality.measured import Measured
from mesolung.reading import Refusal

FEWEST_DOSES = 4  # distinct concentrations; four parameters need as many
LEAST_SPAN = 3.0  # residual standard deviations that the curve must rise by
MOST_CORRELATED = 0.9999  # of two parameters; beyond it they are one
STEEPEST = 20.0
UNKNOWN = 10.0  # factor; a middle whose standard error is more is not known
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A fitted value with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LogisticFit:
    """A fitted curve: bottom + (top − bottom) / (1 + (half / x)^slope).

    Attributes:
        bottom, top: signals at no and at endless concentration, in the unit of the signal; bottom < top.
        half: concentration of half the rise, in its unit.
        slope: positive where the signal rises, negative where it falls.
        residual_sd: spread around the curve, in the unit of the signal.
        points: how many were fitted.
        level: probability of the intervals.
    """

    bottom: Estimate
    top: Estimate
    half: Estimate
    slope: Estimate
    residual_sd: float
    points: int
    level: float

    def curve(self, concentration: npt.ArrayLike) -> Values:
        """Signal at concentrations of any shape."""
        p = [self.bottom.value, self.top.value, np.log(self.half.value), self.slope.value]
        return _curve(np.asarray(concentration, dtype=float), np.array(p))

    def concentration(self, signal: float, unit: str = "") -> Measured:
        """Read a signal off the curve.

        Returns:
            the concentration; marked, without a number, where the signal lies within two residual standard
            deviations of an end of the curve or beyond it.
        """
        bottom, top, slope = self.bottom.value, self.top.value, self.slope.value
        text = f"{signal:g}"
        if not np.isfinite(signal):
            raise Refusal("signal of a plate", found=text, allowed="a number")
        if signal <= bottom + 2 * self.residual_sd or signal >= top - 2 * self.residual_sd:
            low = (signal <= bottom + 2 * self.residual_sd) == (slope > 0)
            return Measured(None, unit, "<" if low else ">", text)
        ratio = (signal - bottom) / (top - signal)
        return Measured(float(self.half.value * ratio ** (1 / slope)), unit, "", text)


def _curve(x: Values, p: Values) -> Values:
    bottom, top, log_half, slope = p
    with np.errstate(divide="ignore"):
        return bottom + (top - bottom) * expit(slope * (np.log(x) - log_half))


def fit_logistic(concentration: npt.ArrayLike, signal: npt.ArrayLike, level: float = 0.95) -> LogisticFit:
    """Fit a four-parameter logistic by least squares.

    Arguments:
        concentration: of each standard (n,), 0 for a blank.
        signal: of each standard (n,).
        level: probability of the intervals, which are those of the linearised fit.

    Returns:
        the curve with its intervals; that of the middle is on the logarithm.

    Raises:
        Refusal: for other than finite numbers, negative concentrations, fewer than four of them or fewer than
            five points, or points that do not tell the four parameters.
    """
    x, y = (np.asarray(values, dtype=float) for values in (concentration, signal))
    if x.ndim != 1 or x.shape != y.shape:
        raise Refusal("standards and signals", found=f"{x.shape} and {y.shape}", allowed="as many of each")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise Refusal("standards and signals", found="a value that is no finite number", allowed="numbers")
    if (x < 0).any():
        raise Refusal("concentration of a standard", found=f"{x.min():g}", allowed="0 or more")
    doses = np.unique(x[x > 0])
    if len(doses) < FEWEST_DOSES or len(x) < 5:
        raise Refusal(
            "too few standards for a four-parameter logistic",
            found=f"{len(doses)} concentrations above 0, {len(x)} points",
            allowed=f"{FEWEST_DOSES} concentrations, 5 points",
        )
    span = float(np.ptp(y))
    if span == 0:
        raise Refusal("the standards do not tell a curve", found="one signal for every concentration")
    fit = _fitted(x, (y - y.min()) / span)
    if fit is None:
        raise Refusal(
            "the standards do not tell a curve", found="no fit", allowed="a signal that rises or falls"
        )
    p, residuals, jacobian = fit
    freedom = len(x) - 4
    sd = float(np.sqrt((residuals**2).sum() / freedom))
    _identified(p, sd, jacobian, doses)
    covariance = np.linalg.inv(jacobian.T @ jacobian) * sd**2
    half = student.ppf((1 + level) / 2, freedom) * np.sqrt(np.diag(covariance))
    low, high = p - half, p + half
    scaled = [Estimate(*(float(v * span + y.min()) for v in (p[j], low[j], high[j]))) for j in (0, 1)]
    middle = Estimate(*(float(np.exp(v)) for v in (p[2], low[2], high[2])))
    slope = Estimate(float(p[3]), float(low[3]), float(high[3]))
    return LogisticFit(scaled[0], scaled[1], middle, slope, sd * span, len(x), level)


def _fitted(x: Values, y: Values) -> tuple[Values, Values, Values] | None:
    """The best of several starts: parameters, residuals and their derivatives."""
    doses = np.log(np.unique(x[x > 0]))
    reach = 3 * np.log(UNKNOWN)

    def parameters(q: Values) -> Values:
        # Bottom and rise, which is positive: a curve that falls has a negative slope.
        return np.array([q[0], q[0] + q[1], q[2], q[3]])

    dosed = x > 0
    sign = 1.0 if np.polyfit(np.log(x[dosed]), y[dosed], 1)[0] >= 0 else -1.0
    slopes = sorted((0.05 * sign, STEEPEST * sign))
    low = [-2.0, 1e-6, doses[0] - reach, slopes[0]]
    high = [2.0, 10.0, doses[-1] + reach, slopes[1]]
    best = None
    for start in np.quantile(doses, [0.25, 0.5, 0.75]):
        found = least_squares(
            lambda q: _curve(x, parameters(q)) - y,
            [0.0, 1.0, start, sign],
            bounds=(low, high),
            max_nfev=400,
            xtol=1e-10,
            ftol=1e-10,
        )
        if found.success and (best is None or found.cost < best.cost):
            best = found
    if best is None:
        return None
    bottom, rise, middle, slope = best.jac.T
    # With the top in the rise's place, the bottom alone moves the curve against it.
    return parameters(best.x), best.fun, np.column_stack([bottom - rise, rise, middle, slope])


def _identified(p: Values, sd: float, jacobian: Values, doses: Values) -> None:
    """Refuse a curve of which the points leave a parameter open.

    Raises:
        Refusal: as the name says.
    """
    bottom, top, log_half, slope = p
    problem = None
    if top - bottom < LEAST_SPAN * sd:
        problem = f"a rise of {(top - bottom) / sd if sd else 0:.2g} residual standard deviations"
    elif not doses[0] <= np.exp(log_half) <= doses[-1]:
        problem = f"its middle at {np.exp(log_half):.3g}, outside the concentrations"
    elif abs(slope) >= 0.999 * STEEPEST:
        problem = "a step between two concentrations"
    else:
        information = jacobian.T @ jacobian
        size = np.sqrt(np.diag(information))
        if (size == 0).any() or np.linalg.cond(information / np.outer(size, size)) > 1 / (
            1 - MOST_CORRELATED
        ) ** 2:
            problem = "parameters that cannot be told apart"
        else:
            spread = np.sqrt(np.diag(np.linalg.inv(information))) * sd
            if spread[0] > top - bottom or spread[1] > top - bottom:
                problem = "an end of the curve that no standard comes near"
            elif spread[2] > np.log(UNKNOWN):
                problem = "a middle that is known to no power of ten"
    if problem:
        raise Refusal(
            "the standards do not tell a four-parameter logistic",
            found=problem,
            allowed="standards on both levels and on the slope",
        )
