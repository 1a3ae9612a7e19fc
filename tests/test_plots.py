"""The look of the figures and the shared plots."""

from __future__ import annotations

import logging
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from regionbook import look, plots

mpl.use("agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def _leave_no_trace():
    with mpl.rc_context():
        yield
    plt.close("all")


@pytest.fixture
def ours() -> pd.DataFrame:
    return pd.DataFrame({"estimate": [0.15, 0.1], "se": [0.01, 0.02]}, index=["OLS", "固定效应"])


def draw_strictly(figure, caplog) -> None:
    """Draw, and fail on a missing glyph or font."""
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        figure.canvas.draw()
    assert not [r for r in caplog.records if "font" in r.getMessage() or "lyph" in r.getMessage()]


def test_style_survives_seaborn_when_called_after(caplog):
    import seaborn as sns

    sns.set_theme()
    plots.use_style()
    assert mpl.rcParams["font.family"] == ["Regionbook Sans SC", "DejaVu Sans"]
    _, ax = plt.subplots()
    ax.plot([0, 1], [-1, 1], label="中文 ⅓ −1")
    ax.set(title="数字技术 $R^2$ 与 $\\hat\\beta$", xlabel="年份", ylabel="亿元")
    ax.legend()
    draw_strictly(ax.figure, caplog)


def test_style_is_seaborns_written_out():
    """Without importing seaborn, the look is that of its "ticks" in the context "paper"."""
    import seaborn as sns

    with mpl.rc_context():
        mpl.rcdefaults()
        plots.use_style()
        ours = dict(mpl.rcParams)
        mpl.rcdefaults()
        sns.set_theme(context="paper", style="ticks", palette=look.PALETTE, font=look.font())
        plots.use_style()
        both = dict(mpl.rcParams)
    different = {k for k in both if ours[k] != both[k]}
    assert different <= {"font.sans-serif"}, different  # unused: the family is named


def test_font_is_the_shipped_one():
    from matplotlib import font_manager

    found = font_manager.findfont(
        font_manager.FontProperties(family=look.font()[0]), fallback_to_default=False
    )
    assert found == str(look.FONT_FILE)
    assert (look.FONT_FILE.parent / "OFL.txt").read_text(encoding="utf-8").startswith("Copyright")
    assert look.FONT_FILE.stat().st_size < 1.7e6


def test_missing_font_is_said_plainly(monkeypatch, tmp_path):
    monkeypatch.setattr(look, "FONT_FILE", tmp_path / "none.otf")
    with pytest.raises(FileNotFoundError, match="font is missing"):
        look.font.__wrapped__()


def test_the_three_voices_differ_in_grey():
    marks = [(v["marker"], v["markerfacecolor"]) for v in look.VOICES.values()]
    assert len(set(marks)) == 3
    grey = sorted(np.dot(mpl.colors.to_rgb(c), [0.299, 0.587, 0.114]) for c in look.PALETTE[:3])
    assert min(np.diff(grey)) > 0.15


def test_coefficient_plot(ours, caplog):
    printed = ours.assign(estimate=[0.16, np.nan])
    truth = pd.Series({"OLS": 0.2, "IV": 0.2})
    ax = plots.coefficient_plot(ours, printed=printed, truth=truth, title="工具变量", label="系数")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["OLS", "固定效应", "IV"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [v["label"] for v in look.VOICES.values()]
    bars = ax.collections[1].get_segments()  # ours
    assert bars[0][:, 0] == pytest.approx([0.15 - 1.959964 * 0.01, 0.15 + 1.959964 * 0.01], abs=1e-6)
    draw_strictly(ax.figure, caplog)


def test_coefficient_plot_takes_an_asymmetric_interval():
    frame = pd.DataFrame({"estimate": [0.2], "low": [0.1], "high": [0.5]}, index=["Anderson-Rubin"])
    assert plots.coefficient_plot(frame).collections[0].get_segments()[0][:, 0].tolist() == [0.1, 0.5]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.Series([1.0]), "must be a DataFrame"),
        (pd.DataFrame({"b": [1.0]}), "column estimate"),
        (pd.DataFrame({"estimate": [1.0]}), "column se"),
        (pd.DataFrame({"estimate": [1.0, 2.0], "se": 1.0}, ["a", "a"]), "more than one row for 'a'"),
    ],
)
def test_coefficient_plot_refuses(frame, message):
    with pytest.raises(ValueError, match=message):
        plots.coefficient_plot(frame)


@pytest.fixture
def interaction():
    """A regression with an interaction, fitted by statsmodels."""
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(3)
    data = pd.DataFrame({"x": rng.normal(size=400), "z": rng.uniform(0, 1, 400)})
    data["y"] = 0.5 * data.x - 0.8 * data.x * data.z + rng.normal(size=400)
    return smf.ols("y ~ x + z + x:z", data).fit(), data


def test_marginal_effect_band_is_the_linear_combination(interaction, caplog):
    fit, data = interaction
    ax = plots.marginal_effect_plot(
        fit.params,
        fit.cov_params(),
        main="x",
        interaction="x:z",
        moderator=data.z,
        printed=(0.5, -0.8),
        label="效应",
    )
    line = next(li for li in ax.lines if li.get_label() == look.VOICES["ours"]["label"])
    z = line.get_xdata()[37]
    test = fit.t_test([0, 1, 0, z])  # statsmodels' own linear combination
    assert line.get_ydata()[37] == pytest.approx(test.effect.item(), rel=1e-9)
    band = ax.collections[0].get_paths()[0].vertices
    at = band[np.isclose(band[:, 0], z), 1]
    assert np.ptp(at) / 2 == pytest.approx(1.959964 * test.sd.item(), rel=1e-5)
    draw_strictly(ax.figure, caplog)


def test_marginal_effect_of_a_code_is_points(interaction):
    fit, data = interaction
    stage = pd.Series([1, 2, 3] * 10)
    ax = plots.marginal_effect_plot(
        fit.params, fit.cov_params(), main="x", interaction="x:z", moderator=stage, printed=(0.4, -0.1)
    )
    assert ax.get_xticks().tolist() == [1, 2, 3]
    assert ax.lines[1].get_linestyle() == "None"


def test_marginal_effect_plot_refuses(interaction):
    fit, data = interaction
    give = {"main": "x", "interaction": "x:z", "moderator": data.z}
    for change, message in (
        ({"interaction": "z:x"}, "'z:x' is not in params"),
        ({"moderator": data.z.where(data.z > 0.1)}, "no missing"),
        ({"moderator": [1.0, 1.0]}, "at least two"),
    ):
        with pytest.raises(ValueError, match=message):
            plots.marginal_effect_plot(fit.params, fit.cov_params(), **{**give, **change})


def test_given_axes_are_used(ours):
    figure, axes = plt.subplots(1, 2)
    assert plots.coefficient_plot(ours, ax=axes[1]) is axes[1]
    assert len(figure.axes) == 2
