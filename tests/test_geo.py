"""Units, membership, distances, weights and maps."""

from __future__ import annotations

import logging
import time
import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from regionbook import geo, look
from regionbook.geo.classes import edges_of
from regionbook.geo.maps import MAIN
from regionbook.paths import data_file

mpl.use("agg")
import matplotlib.pyplot as plt

CITY196 = geo.membership().index


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


# ---------------------------------------------------------------------------- tables


def test_units_are_the_official_numbers():
    # 333 prefecture-level units and 34 of province level (Statistical Yearbook of China 2021, table 1-1)
    table = geo.units()
    kinds = table.level.value_counts()
    prefectures = ["prefecture-level city", "autonomous prefecture", "prefecture", "league"]
    assert kinds[prefectures].sum() == 333
    assert len(geo.units("city")) == 370
    assert len(geo.units("province")) == 34
    assert table.index.is_unique and table.index.str.fullmatch(r"\d{6}").all()
    assert table.name_en.is_unique and table.name_zh.is_unique
    assert (table.area_km2 > 0).all()


def test_regions_count_as_the_field_counts_them():
    provinces = geo.units("province")
    assert provinces.region4.value_counts().to_dict() == {
        "West": 12,
        "East": 10,
        "Central": 6,
        "Northeast": 3,
        "": 3,
    }
    assert provinces.region3.value_counts().to_dict() == {"West": 12, "East": 11, "Central": 8, "": 3}
    assert provinces.north_south.value_counts().to_dict() == {"South": 16, "North": 15, "": 3}
    assert provinces.loc["210000", "region3"] == "East"  # Liaoning


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("140400", "Changzhi"),
        ("211300", "Chaoyang"),
        ("411100", "Luohe"),
        ("540300", "Qamdo"),
        ("610000", "Shaanxi"),
        ("141100", "Lüliang"),
        ("610100", "Xi'an"),
        ("341500", "Lu'an"),
        ("350200", "Xiamen"),
        ("320500", "Suzhou (Jiangsu)"),
        ("341300", "Suzhou (Anhui)"),
    ],
)
def test_names_with_a_trap(code, name):
    assert geo.units().name_en[code] == name


def test_areas_agree_with_official_ones():
    # land area in km2 of the China City Statistical Yearbook; Shanghai and other estuaries include water here
    official = {"110000": 16410, "500000": 82402, "510100": 14335, "420100": 8569, "330100": 16850}
    area = geo.units().area_km2
    for code, km2 in official.items():
        assert area[code] == pytest.approx(km2, rel=0.01), code
    provinces = geo.units("province").area_km2
    assert provinces.sum() == pytest.approx(geo.units("city").area_km2.sum(), rel=1e-5)


def test_membership_is_the_papers_sample():
    table = geo.membership()
    size = table.groupby("cluster").size()
    assert (len(table), len(size), int(size[size <= 3].sum())) == (196, 19, 9)
    assert not set(table.city_zh) & {f"{c}市" for c in "衡水 仙桃 潜江 天门 济源 运城 邢台 邯郸 儋州".split()}  # noqa: SIM905
    units = geo.units().loc[table.index]
    assert (table.city == units.name_en).all() and (table.city_zh == units.name_zh).all()
    assert set(units.level) == {"municipality", "prefecture-level city"}


def test_stage_and_structure_are_the_printed_ones():
    other = pd.read_csv(data_file("published", "city-innovation", "other.csv"))
    clusters = geo.membership().drop_duplicates("cluster").set_index("cluster_zh")
    for column in ("stage", "structure"):
        printed = other[other.table.str.startswith("Cluster classification") & (other.column == column)]
        printed = printed.set_index("row").value.astype(int)
        assert len(printed) == 19
        assert clusters[column].to_dict() == printed.to_dict()


def test_left_out_cities_have_a_reason_and_are_not_in():
    out = pd.read_csv(data_file("geo", "membership_left_out.csv"))
    inside = set(
        zip(geo.membership().city_zh.str.removesuffix("市"), geo.membership().cluster_zh, strict=True)
    )
    assert len(out) == 50 and out.reason.notna().all()
    assert not inside & set(zip(out.city_zh, out.cluster_zh, strict=True))


def test_boundaries_cover_the_country():
    import shapely

    cities, provinces = geo.boundaries(), geo.boundaries("province")
    assert (len(cities), len(provinces)) == (370, 34)
    assert cities.crs.to_epsg() == provinces.crs.to_epsg() == 4326
    assert cities.is_valid.all() and shapely.coverage_is_valid(cities.geometry.values)
    assert data_file("geo", "boundaries.geojson").stat().st_size < 2e6
    area = cities.to_crs(geo.ALBERS).area / 1e6
    assert area.sum() == pytest.approx(geo.units("city").area_km2.sum(), rel=1e-3)
    assert geo.maritime().geometry.count_geometries().item() == 10


def test_seats_lie_inside_their_unit():
    import geopandas as gpd

    cities = geo.boundaries()
    seats = gpd.GeoSeries(gpd.points_from_xy(cities.lon, cities.lat), cities.index, crs=4326)
    gap = cities.to_crs(geo.ALBERS).distance(seats.to_crs(geo.ALBERS)) / 1000
    assert gap.max() < 1.0  # simplification moves a border by a few hundred metres


def test_ports_lie_at_their_city():
    import geopandas as gpd

    ports = geo.ports()
    assert len(ports) == 25 and ports.index.is_unique
    cities = geo.boundaries().to_crs(geo.ALBERS).loc[ports.code]
    points = gpd.GeoSeries(gpd.points_from_xy(ports.lon, ports.lat), cities.index, crs=4326).to_crs(
        geo.ALBERS
    )
    assert cities.distance(points).max() < 3000


# ---------------------------------------------------------------------------- places


def test_codes_takes_every_way_to_name_a_place():
    assert geo.codes(["330100", 330100, "Hangzhou", "杭州市", "杭州"]) == ["330100"] * 5
    assert geo.codes(["吉林"], "city") == ["220200"]
    assert geo.codes(["吉林", "新疆"], "province") == ["220000", "650000"]


@pytest.mark.parametrize(
    ("place", "level", "words"),
    [
        ("Hangzou", None, ["'Hangzou'", "place 1", "Hangzhou", "330100"]),
        ("Suzhou", None, ["Suzhou (Jiangsu)", "Suzhou (Anhui)"]),
        ("吉林", None, ["more than one", "220000", "220200"]),
        ("浙江", "city", ["Zhejiang"]),
        ("浙江省", "city", ['level="province"']),
        ("110100", None, ["Beijing", "110000"]),
        (3.5, None, ["3.5"]),
        (None, None, ["None"]),
        ("", None, ["''"]),
    ],
)
def test_unknown_place_is_refused_with_the_closest(place, level, words):
    with pytest.raises(ValueError) as error:
        geo.codes([place], level)
    for word in words:
        assert word in str(error.value)


def test_distances_between_unknown_places_are_refused():
    with pytest.raises(ValueError, match="'Wuhann'"):
        geo.distances(["Beijing", "Wuhann"])
    with pytest.raises(ValueError, match="'Wuhann' .* Closest: Wuhan"):
        geo.port_distance(["Beijing", "Wuhann"])
    with pytest.raises(ValueError, match="lon and lat"):
        geo.port_distance(["Beijing"], to=geo.ports()[["lon"]])


def test_bad_place_lists_and_levels():
    with pytest.raises(ValueError, match="must be a list"):
        geo.codes("Beijing")
    with pytest.raises(ValueError, match="more than once"):
        geo.distances(["Beijing", "Beijing"])
    with pytest.raises(ValueError, match="empty"):
        geo.distances([])
    with pytest.raises(ValueError, match="lon and lat"):
        geo.distances(pd.DataFrame({"x": [1.0]}))
    with pytest.raises(ValueError, match="not in degrees"):
        geo.distances(pd.DataFrame({"lon": [116.0, np.nan], "lat": [39.0, 30.0]}))
    for function in (geo.units, geo.boundaries):
        with pytest.raises(ValueError, match="county"):
            function("county")


# ---------------------------------------------------------------------------- distances


@pytest.mark.parametrize(
    ("a", "b"),
    [("Beijing", "Hangzhou"), ("Urumqi", "Hangzhou"), ("Harbin", "Sanya"), ("Shanghai", "Zhoushan")],
)
def test_distances_against_the_ellipsoid(a, b):
    # reference: Karney's geodesic on WGS 84 as implemented in PROJ
    from pyproj import Geod

    seats = geo.units().loc[geo.codes([a, b])]
    metres = Geod(ellps="WGS84").inv(
        *seats.lon.iloc[[0]], *seats.lat.iloc[[0]], *seats.lon.iloc[[1]], *seats.lat.iloc[[1]]
    )[2]
    assert geo.distances([a], [b]).to_numpy().item() == pytest.approx(metres / 1000, rel=0.004)


def test_haversine_reproduces_a_published_example():
    # Nashville BNA to Los Angeles LAX, 2887.26 km at R = 6372.8 (rosettacode.org/wiki/Haversine_formula)
    airports = pd.DataFrame({"lon": [-86.67, -118.40], "lat": [36.12, 33.94]}, ["BNA", "LAX"])
    km = geo.distances(airports).loc["BNA", "LAX"]
    assert km * 6372.8 / geo.EARTH_RADIUS_KM == pytest.approx(2887.2599506071106, rel=1e-9)


def test_distances_matrix():
    km = geo.distances(CITY196)
    assert km.shape == (196, 196) and list(km.index) == list(CITY196)
    assert np.allclose(km, km.T) and (np.diag(km) == 0).all()
    assert geo.distances(["Beijing"], ["Hangzhou"]).columns.tolist() == ["Hangzhou"]


def test_port_distance():
    table = geo.port_distance(CITY196)
    assert table.km.between(0, 3000).all()
    near = geo.port_distance(["Beijing", "Urumqi", "Shijiazhuang", "Kunming"])
    assert near.port.tolist() == ["Tianjin", "Tianjin", "Huanghua", "Fangchenggang"]
    assert near.km["Beijing"] == pytest.approx(154, abs=1)
    own = geo.port_distance(["Beijing"], pd.DataFrame({"lon": [116.4074], "lat": [39.9042]}, ["here"]))
    assert own.port.item() == "here" and own.km.item() == pytest.approx(0, abs=0.01)


# ---------------------------------------------------------------------------- weights


def pairs(graph) -> set[frozenset[str]]:
    joined = graph.adjacency[graph.adjacency > 0]
    return {frozenset(pair) for pair in joined.index}


def test_contiguity_of_all_cities():
    everywhere = geo.units("city").index
    w = geo.contiguity(everywhere, isolates="keep")
    assert len(pairs(w)) == 969  # the unsimplified boundaries give the same 969 pairs (data/geo/make)
    assert set(w.isolates) == {"460300", "710000"}  # Sansha, Taiwan
    assert list(w.unique_ids) == list(everywhere)
    # the shortest common borders, from 0.6 to 5.2 km
    short = [
        "乐东黎族自治县 保亭黎族苗族自治县",
        "昆明 昭通",
        "自贡 眉山",
        "上海 舟山",
        "福州 南平",
        "武汉 荆州",
        "荆州 益阳",
    ]
    for pair in short:
        assert frozenset(geo.codes(pair.split())) in pairs(w)
    assert frozenset(geo.codes(["宁波", "舟山"])) not in pairs(w)


def test_contiguity_agrees_with_libpysal():
    from libpysal.graph import Graph

    theirs = Graph.build_contiguity(geo.boundaries().loc[CITY196], rook=False, strict=True)
    assert pairs(theirs) == pairs(geo.contiguity(CITY196, isolates="keep"))


def test_isolates_are_a_named_choice():
    names = geo.membership().city
    with pytest.raises(ValueError, match="Haikou, Xining, Karamay"):
        geo.contiguity(names)
    kept = geo.contiguity(names, isolates="keep")
    assert kept.isolates.tolist() == ["Haikou", "Xining", "Karamay"]
    assert len(pairs(kept)) == 384
    near = geo.contiguity(names, isolates="nearest")
    assert near.isolates.empty and pairs(near) - pairs(kept) == {
        frozenset(("Haikou", "Zhanjiang")),
        frozenset(("Xining", "Lanzhou")),
        frozenset(("Karamay", "Urumqi")),
    }
    told = geo.contiguity(names, isolates={"Haikou": "Zhanjiang", "西宁": "Lanzhou", "Karamay": "Urumqi"})
    assert pairs(told) == pairs(near)


def test_contiguity_of_provinces():
    provinces = geo.units("province").index[:31]
    with pytest.raises(ValueError, match="Hainan"):
        geo.contiguity(provinces)
    assert len(pairs(geo.contiguity(provinces, isolates="keep"))) == 68
    assert len(pairs(geo.contiguity(provinces, isolates={"Hainan": "Guangdong"}))) == 69


def test_contiguity_refuses():
    with pytest.raises(ValueError, match="one level only"):
        geo.contiguity(["Zhejiang", "Hangzhou"])
    with pytest.raises(ValueError, match="isolates must be"):
        geo.contiguity(["Shanghai", "Jiaxing"], isolates="drop")
    with pytest.raises(ValueError, match="not in places"):
        geo.contiguity(["Shanghai", "Jiaxing"], isolates={"Shanghai": "Beijing"})
    with pytest.raises(ValueError, match="No neighbour"):
        geo.contiguity(["Haikou"], isolates="nearest")


def test_row_standardised_weights_add_to_one_and_keep_the_order():
    names = geo.membership().city.sample(frac=1, random_state=1)
    for w in (geo.contiguity(names, "nearest"), geo.knn(names, 5), geo.inverse_distance(names, 2)):
        dense = w.transform("r").sparse.toarray()
        assert np.allclose(dense.sum(axis=1), 1) and (np.diag(dense) == 0).all()
        assert list(w.unique_ids) == list(names)
        assert list(w.to_W().id_order) == list(names)


def test_knn_agrees_with_libpysal():
    from libpysal.graph import Graph

    seats = geo.units().loc[CITY196, ["lon", "lat"]]
    turned = np.radians(seats[["lon", "lat"]].to_numpy())
    xyz = np.c_[
        np.cos(turned[:, 1]) * np.cos(turned[:, 0]),
        np.cos(turned[:, 1]) * np.sin(turned[:, 0]),
        np.sin(turned[:, 1]),
    ]
    from scipy.spatial import cKDTree

    near = cKDTree(xyz).query(xyz, 6)[1][:, 1:]  # on the sphere, chords order as arcs do
    w = geo.knn(CITY196, 5)
    assert isinstance(w, Graph) and (w.cardinalities == 5).all()
    for code, row in zip(CITY196, near, strict=True):
        assert set(w[code].index) == set(CITY196[row])


@pytest.mark.parametrize("k", [0, 3, 1.5, "2"])
def test_knn_refuses(k):
    with pytest.raises(ValueError, match="k must be"):
        geo.knn(["Beijing", "Shanghai", "Hangzhou"], k)


def test_inverse_distance():
    names = ["Shanghai", "Hangzhou", "Beijing"]
    w = geo.inverse_distance(names, 2).sparse.toarray()
    km = geo.distances(names).to_numpy()
    assert np.allclose(w, w.T)
    assert np.allclose(w[np.triu_indices(3, 1)], km[np.triu_indices(3, 1)] ** -2)
    cut = geo.inverse_distance(names, cutoff_km=200)
    assert cut.isolates.tolist() == ["Beijing"]


def test_inverse_of_zero_distance_is_refused():
    here = pd.DataFrame({"lon": [120.0, 120.0, 121.0], "lat": [30.0] * 3}, ["a", "b", "c"])
    with pytest.raises(ValueError, match="'a' and 'b' are at one point"):
        geo.inverse_distance(here)
    for bad in ({"power": 0}, {"power": "2"}, {"cutoff_km": -1}):
        with pytest.raises(ValueError, match="positive number"):
            geo.inverse_distance(here, **bad)


def test_esda_and_spreg_take_the_weights():
    import esda
    import spreg

    w = geo.contiguity(CITY196, "nearest").transform("r")
    lat = geo.units().lat[CITY196].to_numpy()
    moran = esda.Moran(lat, w, permutations=0)
    dense, z = w.sparse.toarray(), lat - lat.mean()
    assert moran.I == pytest.approx(z @ dense @ z / (z @ z), rel=1e-10) and moran.I > 0.8
    rng = np.random.default_rng(0)
    x = rng.normal(size=(196, 1))
    y = np.linalg.solve(np.eye(196) - 0.6 * dense, 1 + 2 * x + 0.1 * rng.normal(size=(196, 1)))
    model = spreg.ML_Lag(y, x, w, name_w="w")
    assert model.rho == pytest.approx(0.6, abs=0.05) and model.betas[1].item() == pytest.approx(2, abs=0.05)


# ---------------------------------------------------------------------------- maps


@pytest.fixture
def values() -> pd.Series:
    rng = np.random.default_rng(2)
    return pd.Series(rng.lognormal(size=196), geo.membership().city)


def faces(ax) -> list[str]:
    return [mpl.colors.to_hex(c) for c in ax.collections[0].get_facecolor()]


def test_choropleth_colours_the_right_place():
    ax = geo.choropleth(pd.Series({"Beijing": 1.0, "上海市": 2.0, "650100": 3.0}), k=3)
    order = list(geo.units("city").index)
    shown = {
        code: colour for code, colour in zip(order, faces(ax), strict=True) if colour != look.NO_DATA.lower()
    }
    assert list(shown) == ["110000", "310000", "650100"]
    dark = [np.dot(mpl.colors.to_rgb(c), [0.299, 0.587, 0.114]) for c in shown.values()]
    assert dark[0] > dark[1] > dark[2]  # also in grey
    assert np.dot(mpl.colors.to_rgb(look.NO_DATA), [0.299, 0.587, 0.114]) > dark[0] + 0.05


def test_quantiles_are_mapclassifys(values):
    import mapclassify

    assert edges_of(values.to_numpy(), 5, None) == pytest.approx(mapclassify.Quantiles(values, 5).bins)


def test_missing_values_are_no_data(values):
    values.iloc[:3] = np.nan
    ax = geo.choropleth(values, labels="zh")
    assert ax.get_legend().get_texts()[-1].get_text() == "无数据"
    assert faces(ax).count(look.NO_DATA.lower()) == 370 - 193


@pytest.mark.parametrize("language", ["en", "zh"])
def test_labels_have_every_glyph_and_do_not_overlap(values, language, caplog):
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        title = "创新能力 $\\alpha$ −1"
        ax = geo.choropleth(values, title=title, label="指数 index", labels=language, which=CITY196)
        ax.figure.canvas.draw()
    assert not [r for r in caplog.records if "font" in r.getMessage() or "lyph" in r.getMessage()]
    boxes = [t.get_window_extent() for t in ax.texts]
    assert len(boxes) > 30
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    corner = ax.child_axes[0].get_window_extent()
    assert not any(b.overlaps(corner) or b.overlaps(ax.get_legend().get_window_extent()) for b in boxes)


def test_every_name_is_in_the_font():
    from matplotlib.ft2font import FT2Font

    have = set(FT2Font(str(look.FONT_FILE)).get_charmap())
    names = geo.units()
    needed = set(
        "".join([*names.name_zh, *names.name_en, *geo.ports().port_zh, *geo.membership().cluster_zh])
    )
    assert not {c for c in needed if ord(c) not in have}


def test_inset_and_legend_cover_nothing(values):
    ax = geo.choropleth(values)
    ax.figure.canvas.draw()
    land = np.vstack([p.vertices for p in ax.collections[0].get_paths()])
    pixels = ax.transData.transform(land[land[:, 1] > MAIN[2]])
    for cover in (ax.child_axes[0].get_window_extent(), ax.get_legend().get_window_extent()):
        inside = (
            (pixels[:, 0] > cover.x0)
            & (pixels[:, 0] < cover.x1)
            & (pixels[:, 1] > cover.y0)
            & (pixels[:, 1] < cover.y1)
        )
        assert not inside.any()


def test_several_years_share_one_classification(values):
    years = pd.DataFrame({2008: values, 2021: values * 3})
    axes = geo.choropleth(years, title="two years", bins=[1, 5, 100])
    assert len(axes) == 2 and [a.get_title() for a in axes] == ["2008", "2021"]
    texts = [t.get_text() for t in axes[0].figure.legends[0].get_texts()]
    assert len(texts) == 4
    one = dict(zip(geo.units("city").index, faces(axes[0]), strict=True))
    assert one != dict(zip(geo.units("city").index, faces(axes[1]), strict=True))


def test_four_maps_stay_small_when_quantised(values, tmp_path):
    from PIL import Image

    years = pd.DataFrame({year: values * (1 + i) for i, year in enumerate((2008, 2012, 2016, 2021))})
    axes = geo.choropleth(years, title="four years", label="index")
    axes[0].figure.savefig(tmp_path / "four.png", dpi=100)
    Image.open(tmp_path / "four.png").convert("RGB").quantize(64).save(tmp_path / "small.png", optimize=True)
    assert (tmp_path / "small.png").stat().st_size < 60_000


def test_categories_and_outlines():
    table = geo.membership()
    ax = geo.choropleth(
        table.structure, scheme="categories", outlines=table.cluster, labels="en", which="outlines"
    )
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["0", "1", "no data"]
    assert len(ax.texts) >= 15
    stages = pd.Categorical(table.stage.map({1: "high", 2: "middle", 3: "low"}), ["high", "middle", "low"])
    ax = geo.choropleth(pd.Series(stages, table.index))
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["high", "middle", "low", "no data"]


def test_provinces():
    ax = geo.choropleth(geo.units("province").area_km2, level="province", labels="zh", which=34)
    assert len(ax.collections[0].get_paths()) == 34
    assert "内蒙古" in [t.get_text() for t in ax.texts]


def test_map_is_drawn_within_two_seconds(values):
    geo.choropleth(values)  # read and project once
    start = time.process_time()  # of the processor, so that a busy machine does not fail the test
    geo.choropleth(values, labels="zh").figure.canvas.draw()
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda v: v.rename({"Beijing": "Peking"}), {}, "'Peking'"),
        (lambda v: v.to_numpy(), {}, "Series or DataFrame"),
        (lambda v: pd.concat([v, v.iloc[:1]]), {}, "several rows for"),
        (lambda v: v * np.nan, {}, "no number"),
        (lambda v: v.replace(v.iloc[0], np.inf), {}, "infinite"),
        (lambda v: pd.concat({2008: v}, names=["year"]), {}, "select a year"),
        (lambda v: v, {"scheme": "tertiles"}, "'tertiles' is not known"),
        (lambda v: v, {"bins": [1, 2]}, "largest value"),
        (lambda v: v, {"bins": [2, 1, 1000]}, "must rise"),
        (lambda v: v, {"k": 0}, "positive whole number"),
        (lambda v: v, {"labels": "cn"}, "labels must be"),
        (lambda v: v, {"level": "county"}, "level must be"),
        (lambda v: v, {"colors": ["red"]}, "one colour a class"),
        (lambda v: v, {"labels": "en", "which": "outlines"}, "with outlines given"),
        (lambda v: geo.membership().cluster, {}, "19 categories but"),
        (lambda v: v.gt(1), {"labels": "en"}, "which must be a list"),
        (lambda v: v.to_frame(), {"ax": "ax"}, "ax takes one map"),
    ],
)
def test_choropleth_refuses(values, change, options, message):
    with pytest.raises(ValueError, match=message):
        geo.choropleth(change(values), **options)


def test_a_map_of_what_is_known_names_the_rest():
    values = pd.Series({"Hangzhou": 1.0, "苏州市": 2.0, "莱芜市": 3.0, "Springfield": 4.0})
    with pytest.raises(ValueError, match="莱芜市|Springfield"):
        geo.choropleth(values)
    with pytest.warns(UserWarning, match=r"not on the map: 莱芜市 \(莱芜市 .* in 2019\), Springfield$"):
        ax = geo.choropleth(values, unknown="warn")
    assert [t.get_text() for t in ax.get_legend().get_texts()][-1] == "no data"
    with pytest.raises(ValueError, match="none of the 1 places"):
        geo.choropleth(values[["Springfield"]], unknown="warn")
    with pytest.raises(ValueError, match='"raise" or "warn"'):
        geo.choropleth(values, unknown="ignore")
