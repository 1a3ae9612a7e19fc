"""Standard errors that allow for correlation among neighbours: Conley's spatial HAC."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse, special
from scipy.spatial import cKDTree

from regionbook.geo import EARTH_RADIUS_KM

from ..index._checks import numbers, one_of
from ..shown import Part, Shown
from ._formula import read_formula
from ._within import codes, known, rank_outside

Kernel = Literal["bartlett", "uniform"]


@dataclass(frozen=True, repr=False)
class Conley(Shown):
    """What :func:`conley` returns.

    Attributes
    ----------
    table : DataFrame; by regressor: estimate, se (NaN if the variance is negative), t, p, low, high (95 %)
    cov : DataFrame; covariance of the estimates
    cutoff, kernel, lags, serial_kernel : as given
    neighbours : float; mean number of other places within the cut-off
    n, parameters : int; rows, and what the small-sample factor n/(n − parameters) counts
    """

    table: pd.DataFrame
    cov: pd.DataFrame
    cutoff: float
    kernel: str
    lags: int
    serial_kernel: str
    neighbours: float
    n: int
    parameters: int

    def _shown(self) -> list[Part]:
        lags = f", {self.lags} lags within units ({self.serial_kernel})" if self.lags else ""
        how = (
            f"Conley errors: {self.kernel} kernel to {self.cutoff:,.0f} km "
            f"({self.neighbours:.1f} neighbours on average){lags}; {self.n:,} observations"
        )
        return [how, self.table.round(4)]


def conley(
    data: pd.DataFrame,
    formula: str,
    cutoff: float,
    *,
    coordinates: Sequence[str] = ("lon", "lat"),
    time: str | None = None,
    unit: str | None = None,
    lags: int = 0,
    kernel: Kernel = "bartlett",
    serial_kernel: Kernel = "bartlett",
) -> Conley:
    r"""Least squares, with fixed effects or without, with Conley's spatial HAC standard errors.

    With the regressors x̃ net of the effects, residuals e, scores s = x̃e and distances d in km:

    .. math:: V = \frac{n}{n-K}\,(\tilde X'\tilde X)^{-1} \Big[\sum_{i,t}\sum_{j,u} k_{it,ju}\,
        s_{it} s_{ju}'\Big] (\tilde X'\tilde X)^{-1}

    where k is K(d/cutoff) for rows of the same period, K(|t − u|/(lags + 1)) for rows of the same unit in
    different periods, and 0 for all others. K(z) is 1 − z ("bartlett") or 1 ("uniform") below z = 1 and 0 from
    there on (uniform: from beyond the cut-off on). Without `time`, k is K(d/cutoff) for every pair of rows,
    whatever their period: a cut-off of 0 is clustering by place.

    Parameters
    ----------
    data : DataFrame, one row an observation
    formula : str; as for `pyfixest.feols`: ``"inn ~ digit + gov | city + year"``; effects may be index levels
    cutoff : float; in km of great circle; 0 allows for no neighbours, ``inf`` for all
    coordinates : (longitude, latitude); columns in degrees
    time, unit : column or index level; periods (whole numbers with `lags`), and whom `lags` follows
    lags : int; periods over which a unit's own scores may be correlated
    kernel, serial_kernel : "bartlett" or "uniform"
        Over distance and over time. Uniform over all lags (periods − 1) and cutoff=0 is clustering by unit.

    Returns
    -------
    Conley
        K counts regressors and effects, but not effects nested within units (places) whose own correlation is
        allowed for by `lags` (by no `time`). Without neighbours and lags the errors are HC1.

    Raises
    ------
    TypeError, ValueError
        Unknown names, missing values, coordinates not in degrees, a unit twice in a period, collinear regressors.

    References
    ----------
    Conley (1999), J. Econometrics 92; Hsiang (2010), PNAS 107, for panels.
    """
    if lags and (time is None or unit is None):
        raise ValueError("lags needs time=… and unit=…: which rows follow each other, and of which unit")
    design = read_formula(data, formula)
    (n, k), frame = design.x.shape, design.frame
    _, x, y, _ = design.swept()
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    scores = x * (y - x @ beta)[:, None]

    if isinstance(coordinates, str) or len(coordinates) != 2:
        raise TypeError(f"coordinates must be two column names (longitude, latitude), got {coordinates!r}")
    points = numbers(frame[known(frame, coordinates, "coordinates")], "coordinates").to_numpy()
    if time is not None:
        codes(frame, time, "time")  # refuses an unknown name and missing periods
    own = codes(frame, unit, "unit") if lags and unit is not None else None  # who may be correlated over time
    kernels = {"kernel": kernel, "serial_kernel": serial_kernel}
    periods = None if time is None else frame[time].to_numpy()
    meat = _meat(scores, points, cutoff, time=periods, unit=own, lags=lags, **kernels)
    unique, place = _places(points)
    own = place if time is None and not lags else own
    counted = rank_outside(list(design.effects.values()), own, n) + k
    if n <= counted:
        raise ValueError(f"{n} rows are too few for {counted} parameters")
    bread = np.linalg.inv(x.T @ x)
    cov = pd.DataFrame(bread @ meat @ bread * n / (n - counted), design.names, design.names)

    variance = np.diag(cov)
    se = np.sqrt(np.where(variance >= 0, variance, np.nan))
    t, half = beta / se, special.ndtri(0.975) * se
    columns = {"estimate": beta, "se": se, "t": t, "p": 2 * special.ndtr(-np.abs(t))}
    table = pd.DataFrame(columns | {"low": beta - half, "high": beta + half}, design.names)
    others = (_weights(unique, cutoff, "uniform").count_nonzero() - len(unique)) / len(unique)
    return Conley(table, cov, float(cutoff), kernel, lags, serial_kernel, float(others), n, counted)


def _meat(
    scores: np.ndarray,
    points: np.ndarray,
    cutoff: float,
    *,
    time: np.ndarray | None = None,
    unit: np.ndarray | None = None,
    lags: int = 0,
    kernel: str = "bartlett",
    serial_kernel: str = "bartlett",
) -> np.ndarray:
    """Middle of the sandwich (k × k) from scores (n × k) and coordinates (n × 2)."""
    one_of(("bartlett", "uniform"), kernel=kernel, serial_kernel=serial_kernel)
    if not cutoff >= 0:
        raise ValueError(f"cutoff={cutoff!r} must be a distance in km, 0 or more")
    if lags < 0 or int(lags) != lags:
        raise ValueError(f"lags={lags!r} must be a whole number, 0 or more")
    unique, place = _places(points)
    near, meat = _weights(unique, cutoff, kernel), np.zeros((scores.shape[1],) * 2)
    for t in [None] if time is None else np.unique(time):
        at = slice(None) if t is None else time == t
        sums = np.stack([np.bincount(place[at], s, len(unique)) for s in scores[at].T], axis=1)
        meat += sums.T @ (near @ sums)
    if lags and unit is not None and time is not None:
        meat += _serial(scores, unit, time, int(lags), serial_kernel)
    return meat


def _places(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct points, and which of them each row is."""
    lon, lat = points.T
    if not ((np.abs(lat) <= 90).all() and (np.abs(lon) <= 360).all()):
        raise ValueError(
            "coordinates must be degrees, longitude first: "
            f"longitudes lie in [{lon.min():.6g}, {lon.max():.6g}], latitudes in [{lat.min():.6g}, {lat.max():.6g}]"
        )
    unique, place = np.unique(points, axis=0, return_inverse=True)
    return unique, place.ravel()


def _weights(points: np.ndarray, cutoff: float, kernel: str) -> sparse.csr_array:
    """K(d/cutoff) for all pairs of points, sparse. Only pairs within the cut-off are ever computed."""
    n = len(points)
    if cutoff == 0:
        return sparse.csr_array(sparse.identity(n))
    lon, lat = np.radians(points).T
    xyz = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    angle = min(cutoff / EARTH_RADIUS_KM, np.pi)
    chord = 2 * np.sin(angle / 2)  # the straight line under an arc of `angle`
    i, j = cKDTree(xyz).query_pairs(chord, output_type="ndarray").T
    value = np.ones(len(i))
    if kernel == "bartlett" and np.isfinite(cutoff):
        half = np.minimum(np.linalg.norm(xyz[i] - xyz[j], axis=1) / 2, 1.0)
        value = 1 - 2 * np.arcsin(half) * EARTH_RADIUS_KM / cutoff
    upper = sparse.csr_array((value, (i, j)), shape=(n, n))
    return sparse.csr_array(upper + upper.T + sparse.identity(n))


def _serial(scores: np.ndarray, unit: np.ndarray, time: np.ndarray, lags: int, kernel: str) -> np.ndarray:
    """Σ over units and pairs of different periods, at most `lags` apart, of K · s s'."""
    whole = np.asarray(time, dtype=float)
    if not np.array_equal(whole, np.round(whole)):
        raise ValueError("lags needs periods that are whole numbers (years, months counted on)")
    period = (whole - whole.min()).astype(np.int64)
    key = unit.astype(np.int64) * (period.max() + lags + 1) + period
    order = np.argsort(key)
    key, scores = key[order], scores[order]
    if (np.diff(key) == 0).any():
        raise ValueError("a unit has two rows in one period; lags needs one row a unit and period")
    meat = np.zeros((scores.shape[1],) * 2)
    for lag in range(1, lags + 1):
        at = np.minimum(np.searchsorted(key, key + lag), len(key) - 1)
        pair = key[at] == key + lag
        product = scores[pair].T @ scores[at[pair]]
        weight = 1 - lag / (lags + 1) if kernel == "bartlett" else 1.0
        meat += weight * (product + product.T)
    return meat
