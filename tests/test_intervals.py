"""How often intervals hold the truth: the stored table, the instructors' pages that quote it, intervals by our own hand."""

from __future__ import annotations

from importlib import import_module

import intervals
import numpy as np
import pandas as pd
import pytest

import regionbook as rb
from regionbook.paths import ROOT

STORED = pd.read_csv(intervals.TABLE)
BESIDE = {  # not on the page, in the table only
    "free-trade-zones": {"beside relocated firms, HC1"},
    "ai-innovation": {
        "two-way", "two-way, HC1", "two-way, controls, HC1", "province by year, HC1", "true AI, HC1",
        "true AI, province by year, HC1",
    },
}  # fmt: skip


def page(slug):
    """The instructor's page."""
    (folder,) = (ROOT / "solutions").glob(f"*-{slug}")
    return (folder / "teaching.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("slug", intervals.ESTIMATORS)
def test_every_world_was_drawn(slug):
    worlds = import_module(slug.replace("-", "_")).PAPER.worlds
    stored = STORED[STORED["slug"] == slug]
    assert set(stored["world"]) == {"shipped", *worlds} and (stored["draws"] == intervals.DRAWS).all()
    assert stored[["estimate", "truth", "std_error", "coverage"]].notna().all().all()


def test_page_of_information_consumption_quotes_the_table():
    """Written with two digits."""
    stored = STORED.query("slug == 'information-consumption'")
    shown = stored.pivot(index=["world", "outcome"], columns="estimator", values="coverage")
    for place, row in shown.iterrows():
        four = row[["two-way", "two-way, controls", "Callaway–Sant'Anna", "imputation"]]
        assert f"| {' | '.join([*place, *(f'{v:.2f}' for v in four)])} |" in page("information-consumption")


@pytest.mark.parametrize("slug", BESIDE)
def test_pages_quote_coverage_mean_estimate_and_truth(slug):
    """One column a world; a world without such a truth has a dash."""
    stored, text = STORED[STORED["slug"] == slug], page(slug)
    worlds = stored["world"].unique()
    assert f"| what | estimator | {' | '.join(worlds)} |" in text
    for what, rows in stored.groupby("outcome"):
        truth = rows.groupby("world")["truth"].unique()
        assert (truth.str.len() == 1).all()
        cells = [f"{truth[w][0]:.3f}" if w in truth else "–" for w in worlds]
        assert f"| {what} | the truth | {' | '.join(cells)} |" in text
        for name, found in rows.groupby("estimator"):
            at = found.set_index("world")
            cells = [f"{at.coverage[w]:.2f} ({at.estimate[w]:.3f})" if w in at.index else "–" for w in worlds]
            shown = f"| {what} | {name} | {' | '.join(cells)} |" in text
            assert shown != (name in BESIDE[slug]), (what, name)


def test_deals_keep_the_effects_that_the_randomisation_test_does_not_reject():
    """Ends of the interval, taken out of the outcome, against `randomisation_test` over all deals."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame([(c, t) for c in "abcdefghi" for t in range(4)], columns=["city", "year"])
    rows["g"] = np.where(rows["city"] < "d", 2, 0)
    rows["zone"] = ((rows["g"] > 0) & (rows["year"] >= 2)) * 1
    rows["y"] = rng.normal(size=len(rows)) + 2 * rows["zone"]
    side = rows.groupby(["city", rows["year"] >= 2])["y"].mean().unstack()
    b, *ends = intervals.deals((side[True] - side[False]).to_numpy(), side.index < "d")

    def p(effect):
        less = rows.assign(y=rows["y"] - effect * rows["zone"])
        test = rb.models.randomisation_test(
            less, "y ~ zone | city + year", "zone", "g", "city", "year", assignments="all"
        )
        return test.p["coefficient"]

    assert ends[0] < b < ends[1]
    for end, out in zip(ends, (-1, 1), strict=True):
        assert p(end - out * 1e-6) > 0.05 >= p(end + out * 1e-6)


def test_conley_taber_takes_noise_from_the_untreated_only():
    """Twice the spread of the untreated: twice the interval; the spread of the treated does not count."""
    gain, treated = np.array([1.0, 2.0, 0.1, -0.2, 0.3, -0.2]), np.array([True, True, *[False] * 4])
    b, low, high = intervals.conley_taber(gain, treated)
    assert b == pytest.approx(1.5) and low < b < high
    same = intervals.conley_taber(np.r_[1.5, 1.5, gain[2:]], treated)
    assert same == pytest.approx((b, low, high))
    assert np.diff(intervals.conley_taber(np.r_[gain[:2], 2 * gain[2:]], treated)[1:]) == pytest.approx(
        2 * (high - low)
    )
