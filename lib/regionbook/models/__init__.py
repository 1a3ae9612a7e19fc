"""Estimators and tests that no well-kept library of the field offers."""

from . import qca
from .boosting import TreeShap, tree_importances, tree_shap
from .cohorts import cohorts
from .conley import Conley, conley
from .dyadic import dyadic_panel
from .dyadic_errors import DyadicCovariance, dyadic_cov, dyadic_size
from .dyadic_fit import DyadicFit
from .frontier import Frontier, RadialFrontier, dea, sbm
from .group_differences import ChowTest, GroupDifference, chow_test, suest_test
from .matching import balance, match_nearest
from .out_of_core import dyadic_out_of_core
from .permutation import PermutationTest, permutation_test
from .productivity import GlobalMalmquist, Malmquist, global_malmquist, malmquist
from .randomisation import RandomisationTest, randomisation_test
from .robustness import Robustness, benchmark_bounds, bias_adjusted, robustness_value
from .selection import Oster, oster, oster_inputs
from .spatial_durbin import SpatialPanel, admissible_interval, spatial_durbin
from .spatial_tests import SpatialTests, spatial_tests
from .threshold import PanelThreshold, threshold
from .thresholds import ConfoundingThreshold, confounder_impacts, confounding_threshold
from .weak_instruments import (
    STOCK_YOGO,
    AndersonRubin,
    EffectiveF,
    KleibergenPaap,
    anderson_rubin,
    effective_f,
    kleibergen_paap,
)
from .wild_bootstrap import WildBootstrap, wild_bootstrap
