"""Does a coefficient differ between two groups? Seemingly unrelated estimation (SUEST) and the Chow test."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from ..shown import Part, Shown
from ._formula import Design, read_formula, two_groups
from ._within import Sweep, clusters_of, orthonormal, rank_outside


@dataclass(frozen=True, repr=False)
class GroupDifference(Shown):
    """What :func:`suest_test` returns.

    Attributes
    ----------
    coefficients, errors : Series; of each group's own regression, with clustered standard errors
    covariance : float; between the two coefficients; 0 when no cluster has rows in both groups
    difference, se : float; second group minus first, and the standard error of that
    z, p : float; normal test of no difference, two-sided; z² is Stata's χ²(1)
    clusters, n : int
    """

    coefficients: pd.Series
    errors: pd.Series
    covariance: float
    difference: float
    se: float
    z: float
    p: float
    clusters: int
    n: int

    def _shown(self) -> list[Part]:
        pairs = zip(self.coefficients.items(), self.errors, strict=True)
        rows = {str(name): f"{b:.4f} ({e:.4f})" for (name, b), e in pairs}
        first, second = self.coefficients.index
        rows[f"{second} − {first}"] = f"{self.difference:.4f} ({self.se:.4f})"
        rows["χ²(1)"] = f"{self.z**2:.3f} [p = {self.p:.4f}]"
        rows["observations"] = f"{self.n:,} in {self.clusters} clusters"
        return [rows]


@dataclass(frozen=True, repr=False)
class ChowTest(Shown):
    """What :func:`chow_test` returns.

    Attributes
    ----------
    f, p : float; test of equal slopes in all groups, and its p value
    df : (int, int); degrees of freedom of `f`
    slopes : DataFrame, regressor × group
    clusters : int; clusters of the errors; 0: equal variances, no correlation
    n : int; rows
    """

    f: float
    df: tuple[int, int]
    p: float
    slopes: pd.DataFrame
    clusters: int
    n: int

    def _shown(self) -> list[Part]:
        how = f"{self.clusters} clusters" if self.clusters else "equal variances, no correlation"
        test = f"F({self.df[0]}, {self.df[1]}) = {self.f:.3f} [p = {self.p:.4f}], {how}"
        return [self.slopes.map("{:.4f}".format), test]


class _Half:
    """One group's own regression; `rows` are its places in the data."""

    def __init__(self, design: Design, group: str, name: object) -> None:
        self.rows = rows = np.flatnonzero((design.frame[group] == name).to_numpy())
        sweep = Sweep([pd.factorize(e[rows])[0] for e in design.effects.values()], len(rows))
        if len(rows) <= sweep.rank + len(design.names):
            few = f"{len(rows)} rows, too few for {len(design.names)} regressors and {sweep.rank} effects"
            raise ValueError(f"group {name!r} has {few}")
        self.x, self.y, self.rank = sweep(design.x[rows]), sweep(design.y[rows][:, None]).ravel(), sweep.rank
        try:
            orthonormal(self.x, np.linalg.norm(design.x[rows], axis=0), design.names)
        except ValueError as error:
            raise ValueError(f"in group {name!r}: {error}") from None
        self.slopes = np.linalg.lstsq(self.x, self.y, rcond=None)[0]
        self.residual = self.y - self.x @ self.slopes


def _halves(design: Design, group: str) -> tuple[list, list[_Half]]:
    names, _ = two_groups(design, group)
    return names, [_Half(design, group, name) for name in names]


def _stacked(halves: list[_Half], cluster: np.ndarray) -> np.ndarray:
    """Joint covariance (2k × 2k) of both groups' slopes, with G/(G − 1) and nothing else."""
    groups, k = int(cluster.max()) + 1, len(halves[0].slopes)
    sums = np.zeros((groups, 2 * k))
    for place, half in enumerate(halves):
        influence = (half.x * half.residual[:, None]) @ np.linalg.inv(half.x.T @ half.x)
        for j in range(k):
            sums[:, place * k + j] = np.bincount(cluster[half.rows], influence[:, j], minlength=groups)
    return groups / (groups - 1) * sums.T @ sums


def suest_test(
    data: pd.DataFrame, formula: str, coefficient: str, group: str, *, cluster: str
) -> GroupDifference:
    r"""Is a coefficient the same in two groups? Seemingly unrelated estimation, as Stata's `suest`.

    Each group has its own regression, with its own fixed effects, slopes and error variance. The scores
    of both regressions are stacked and added up by cluster, which gives the joint covariance:

    .. math:: \hat V = \frac{G}{G-1}\sum_g s_g s_g', \quad
        s_g = \begin{pmatrix} (X_1'X_1)^{-1}X_{1g}'e_{1g} \\ (X_2'X_2)^{-1}X_{2g}'e_{2g} \end{pmatrix}, \quad
        z = \frac{\hat\beta_2-\hat\beta_1}{\sqrt{V_{11}+V_{22}-2V_{12}}}

    V₁₂ is zero when each cluster belongs to one group. Estimate and, up to a small-sample factor, error are those of
    one regression on everything interacted with the group, `y ~ (x + c)*group | city^group + year^group`.

    Parameters
    ----------
    data : DataFrame, one row an observation
    formula : str; as for `pyfixest.feols`: ``"inn ~ digit + gov | city + year"``; effects may be index levels
    coefficient : str; the regressor compared
    group : column; two values, also within a unit; the second minus the first (sorted) is tested
    cluster : column or index level; fifty a group and more; with fewer: :func:`permutation_test`

    Returns
    -------
    GroupDifference

    Raises
    ------
    TypeError, ValueError: unknown names, missing values, not two groups or too small ones, no variation

    References
    ----------
    Weesie (1999), Stata Technical Bulletin 52, sg121; Clogg, Petkova and Haritou (1995), American J.
    Sociology 100(5), 1261–1293, for the case V₁₂ = 0.
    """
    design = read_formula(data, formula)
    j, k = design.position(coefficient), len(design.names)
    groups = clusters_of(design.frame, cluster, "cluster")
    names, halves = _halves(design, group)
    joint = _stacked(halves, groups)[np.ix_([j, k + j], [j, k + j])]
    index = pd.Index(names, name=group)
    slopes = pd.Series([half.slopes[j] for half in halves], index=index, name=coefficient)
    difference = float(slopes.iloc[1] - slopes.iloc[0])
    se = float(np.sqrt(joint[0, 0] + joint[1, 1] - 2 * joint[0, 1]))
    return GroupDifference(
        coefficients=slopes,
        errors=pd.Series(np.sqrt(np.diag(joint)), index=index, name="standard error"),
        covariance=float(joint[0, 1]),
        difference=difference,
        se=se,
        z=difference / se,
        p=float(2 * special.ndtr(-abs(difference / se))),
        clusters=int(groups.max()) + 1,
        n=len(design.y),
    )


def chow_test(data: pd.DataFrame, formula: str, group: str, *, cluster: str | None = None) -> ChowTest:
    r"""Are all k slopes the same in two groups that have fixed effects of their own?

    Fixed effects (years too) are each group's own under the null and the alternative; only slopes are
    restricted. With S₁, S₂ the residual sums of squares of the groups' own regressions, S₀ that with
    common slopes, K all slopes and effects of the two:

    .. math:: F = \frac{(S_0-S_1-S_2)/k}{(S_1+S_2)/(n-K)} \sim F_{k,\,n-K}

    It assumes one error variance and no correlation over the years. With `cluster` the same hypothesis is tested by
    Δ'V⁻¹Δ/k ~ F(k, G − 1), Δ the k differences and V their covariance as in :func:`suest_test`, times
    (n − 1)/(n − K), effects nested in the clusters not counted in K.

    Parameters
    ----------
    data, formula, group : as :func:`suest_test`
    cluster : column or index level, optional; many more than k

    Returns
    -------
    ChowTest

    Raises
    ------
    TypeError, ValueError: as :func:`suest_test`; not more clusters than slopes

    References
    ----------
    Chow (1960), Econometrica 28(3), 591–605; Baltagi, *Econometric Analysis of Panel Data*, section 4.1.
    """
    design = read_formula(data, formula)
    groups = None if cluster is None else clusters_of(design.frame, cluster, "cluster")
    names, halves = _halves(design, group)
    n, k = len(design.y), len(design.names)
    if groups is None:
        x, y = (np.concatenate([getattr(half, part) for half in halves]) for part in ("x", "y"))
        common = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        own = sum(float(half.residual @ half.residual) for half in halves)
        df = (k, n - sum(half.rank + k for half in halves))
        f = (float(common @ common) - own) / k / (own / df[1])
    else:
        df = (k, int(groups.max()))
        if df[1] < k:
            raise ValueError(f"{df[1] + 1} clusters cannot give a covariance of {k} differences")
        counted = 2 * k
        for half in halves:
            *own_effects, inside = (pd.factorize(e[half.rows])[0] for e in (*design.effects.values(), groups))
            counted += rank_outside(own_effects, inside, len(half.rows))
        contrast = np.hstack([-np.eye(k), np.eye(k)])
        covariance = contrast @ _stacked(halves, groups) @ contrast.T * (n - 1) / (n - counted)
        delta = halves[1].slopes - halves[0].slopes
        f = float(delta @ np.linalg.solve(covariance, delta)) / k
    each = {name: half.slopes for name, half in zip(names, halves, strict=True)}
    slopes = pd.DataFrame(each, index=design.names).rename_axis(columns=group)
    return ChowTest(f, df, float(special.fdtrc(*df, f)), slopes, 0 if groups is None else df[1] + 1, n)
