"""An estimated column as `rb.tables` and `rb.compare` read it."""

import numpy as np
import pandas as pd
from scipy import special

from ..shown import Shown


class Estimated(Shown):
    """Adds t and p values to a result with `params`, `outcome`, `std_errors`, degrees of freedom and effects."""

    params: pd.Series
    outcome: str
    _df: float = np.inf  # of t; infinite: normal
    _absorbed: str | None = None  # "city+year"

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors of `params`."""
        raise NotImplementedError

    @property
    def tstats(self) -> pd.Series:
        """`params` over `std_errors`."""
        return (self.params / self.std_errors).rename("tstat")

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided."""
        tail = special.stdtr(self._df, -self.tstats.abs())
        return pd.Series(2 * tail, self.params.index, name="pvalue")

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        columns = {"b": self.params, "se": self.std_errors, "t": self.tstats, "p": self.pvalues}
        return pd.DataFrame(columns).rename_axis("Coefficient")

    @property
    def __maketables_depvar__(self) -> str:
        return self.outcome

    @property
    def __maketables_fixef_string__(self) -> str | None:
        return self._absorbed
