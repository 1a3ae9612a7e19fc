"""What the engine reaches on eight papers: the stored proofs, and, asked for, drawn again."""

from __future__ import annotations

import importlib
import json
import os

import engine
import numpy as np
import pandas as pd
import proof_city
import proofs
import pytest


def stored():
    """Rows of proofs.csv by case and seed."""
    return pd.read_csv(proofs.HERE / "proofs.csv").set_index(["case", "seed"])


def test_proofs_hold_what_the_readme_says():
    rows = stored()
    assert set(rows.index) == {(case, seed) for case, (*_, seeds) in proofs.CASES.items() for seed in seeds}
    ours = rows[rows.index.get_level_values("case").str.startswith("information-consumption")]
    assert len(ours) == 9
    assert (ours["binding missed"] == 0).all()
    assert (ours[["within 2 errors", "errors 25 %", "sign and stars", "N"]] == 1).all().all()
    every = rows.loc["information-consumption, all imposed"]
    assert (every["coefficients"] == 31).all() and (every["within .5 errors"] == 1).all()
    city = rows.loc["city-innovation"]
    assert (city["within 2 errors"] == 1).all() and city["largest weight gap"].max() <= 0.15
    assert (25 * (1 - city["weights"])).round().equals(city["binding missed"].astype(float))
    assert city["binding missed"].max() <= 1
    zones = rows.loc["free-trade-zones"]  # 45 binding cells: 10 coefficients, 24 moments, 11 counts
    assert (
        len(zones) == 20 and zones["binding missed"].max() <= 1 and (zones["binding missed"] == 0).sum() >= 15
    )
    assert (zones["N"] == 1).all() and (zones["moments"] > 0.95).all()
    ai = rows.loc["ai-innovation"]  # 65 binding cells: 30 coefficients, 6 moments, 29 counts
    assert len(ai) == 20 and (ai["binding missed"] == 0).all()
    assert (ai[["within 2 errors", "N", "moments", "free met"]] == 1).all().all()
    space = rows.loc["digital-real-integration"]  # 73 binding cells; three missed leave 95.9 per cent
    assert len(space) + len(proofs.FAILS["digital-real-integration"]) == 20
    assert space["binding missed"].max() <= 3 and (space["binding missed"] == 0).sum() >= 13
    assert (space[["within 2 errors", "N", "weights"]] == 1).all().all()
    green = rows.loc["green-growth"]  # 60 binding cells: 22 coefficients, 14 moments, 24 counts
    assert len(green) + len(proofs.FAILS["green-growth"]) == 20 and (green["binding missed"] == 0).all()
    assert (green[["N", "moments"]] == 1).all().all() and (green["R2 .05"] > 0.9).all()


def test_every_binding_cell_of_seed_0_is_met_and_two_errors_are_listed_as_free():
    """Coefficients and errors of the stored cells against the print again; which errors may be off says the declaration."""
    cells = pd.read_csv(proofs.HERE / "proofs.cells.csv", dtype={"table": str, "column": str})
    binding = cells[cells["tier"].eq("binding") & cells["status"].eq("imposed")]
    assert set(binding["case"]) == set(proofs.CASES)
    assert (binding["verdict"] == "met").all()
    printed = binding[binding["kind"].eq("coefficient")]
    assert ((printed["reached"] - printed["printed"]).abs() <= 2 * printed["printed_se"]).all()
    ratio = printed["reached_se"] / printed["printed_se"]
    off = printed[(ratio - 1).abs() > 0.27]  # 25 per cent, and what the rounding of the print leaves open
    assert set(off["case"]) == {
        "city-innovation",
        "free-trade-zones",
        "ai-innovation",
        "digital-real-integration",
    }
    assert set(off.loc[off["case"].eq("digital-real-integration"), "table"]) == {
        "8"
    }  # all its errors are free
    zones = off[off["case"].eq("free-trade-zones")]
    assert set(zones["table"]) == {"4"} and set(zones["term"]) == {"FTZ"}  # its z are no targets
    counted = cells[cells["tier"].eq("binding") & cells["status"].ne("free")].groupby("case").size()
    names = ["free-trade-zones", "ai-innovation", "digital-real-integration", "green-growth"]
    assert counted[names].tolist() == [45, 65, 73, 60]
    ai = off[off["case"].eq("ai-innovation")]
    assert ai[["table", "column", "term"]].to_numpy().tolist() == [["4", "2", "AI"]]  # below least squares'
    off = off[off["case"].eq("city-innovation")]
    places = {(*place, "std_error") for place in off[["table", "column", "term"]].itertuples(index=False)}
    assert places <= set(proof_city.FREE)
    assert len(places) == 2


def test_fits_of_their_own_meet_their_cells_from_18_of_20_seeds():
    """Seeds of the shipped files miss nothing; 95 per cent of the binding cells are met from at least 18 of 20 seeds."""
    rows = pd.read_csv(proofs.HERE / "seeds.csv")
    assert rows.groupby("case").size().to_dict() == {m.replace("_", "-"): 20 for m in proofs.FITTED}
    assert sorted(rows["seed"]) == sorted([*range(20)] * len(proofs.FITTED))
    good = (rows["missed"] <= 0.05 * rows["binding"]).groupby(rows["case"]).sum()
    assert (good >= 18).all(), good
    for module in proofs.FITTED:
        made = importlib.import_module(module)
        row = rows[rows["case"].eq(made.PAPER.slug) & rows["seed"].eq(made.SEED)].iloc[0]
        text = (proofs.HERE.parent / f"{made.PAPER.slug}.truth.json").read_text(encoding="utf-8")
        shipped = pd.DataFrame(json.loads(text)["targets"]).query("tier == 'binding' and status != 'free'")
        assert row["missed"] == 0 and row["binding"] == len(shipped) and (shipped["verdict"] == "met").all()


def test_a_quick_fit_gives_its_stored_rows_again():
    made = importlib.import_module(proofs.FITTED[0])
    rows = pd.read_csv(proofs.HERE / "seeds.csv").query("case == @made.PAPER.slug").set_index("seed")
    for seed in (3, 17):
        assert proofs.cells_of(made, seed) == (rows.loc[seed, "binding"], rows.loc[seed, "missed"])


def test_the_best_of_several_starts_is_kept():
    tried = []

    def fit(rng):
        tried.append(rng.random())
        return len(tried), [5, 2, 7, 1][len(tried) - 1]

    assert engine.best_start(fit, 4, enough=1) == 4 and len(set(tried)) == 4
    assert tried[0] == np.random.default_rng(4).random()  # the first start is that of the seed alone
    tried.clear()
    assert engine.best_start(fit, 4, enough=2) == 2 and len(tried) == 2
    tried.clear()
    assert engine.best_start(fit, 4, enough=0, starts=3) == 2 and len(tried) == 3


slow = pytest.mark.skipif(os.environ.get("REGIONBOOK_PROOF") != "1", reason="minutes: set REGIONBOOK_PROOF=1")


@slow
def test_seed_0_gives_the_stored_row():
    """Another processor rounds otherwise, so that a share may differ by a cell or two."""
    case = "information-consumption"
    row, _ = proofs.prove(case, 0)
    old = stored().loc[(case, 0)]
    assert row["binding missed"] == old["binding missed"] == 0
    for count in ("rows", "unknowns", "coefficients", "free"):
        assert row[count] == old[count], count
    for share in ("within 2 errors", "within .5 errors", "errors 10 %", "R2 .05", "N", "own rows"):
        assert row[share] == pytest.approx(old[share], abs=0.1), share


@slow
def test_shipped_files_of_information_consumption_come_out_again(tmp_path):
    from information_consumption import write

    write(tmp_path)
    folder = proofs.HERE.parent
    assert {f.name for f in tmp_path.iterdir()} == {f.name for f in folder.glob("information-consumption.*")}
    for file in tmp_path.iterdir():
        old = folder / file.name
        if file.suffix == ".parquet":
            pd.testing.assert_frame_equal(pd.read_parquet(file), pd.read_parquet(old), rtol=1e-3, atol=1)
        elif file.name == "information-consumption.csv":
            pd.testing.assert_frame_equal(pd.read_csv(file), pd.read_csv(old), rtol=1e-3, atol=1)
        elif file.suffix == ".csv":
            assert file.read_bytes() == old.read_bytes()
        else:
            made, shipped = (json.loads(f.read_text(encoding="utf-8")) for f in (file, old))
            assert made.keys() == shipped.keys()
            assert made["parameters"] == shipped["parameters"] and made["process"] == shipped["process"]
            said = [[(t["table"], t["column"], t["term"], t["status"], t["verdict"]) for t in truth["targets"]]
                    for truth in (made, shipped)]  # fmt: skip
            assert said[0] == said[1]
