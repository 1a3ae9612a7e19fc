"""Make membership.csv and membership_left_out.csv: the 196 cities of 汤凯 2026 by urban cluster.

A reconstruction: the paper names its 19 clusters, the stage and the structure of each, and nine cities that
it left out, but prints no list of cities. The rules applied here, in order, are explained in data/README.md.
"""

# ruff: noqa: SIM905 (lists of Chinese names read better as words)
import csv
from pathlib import Path

GEO = Path(__file__).resolve().parents[1]

# cluster: (English name, stage, structure) as printed in the footnotes to sections 5.2.1 and 5.2.4.
# Stage 1 optimise and upgrade, 2 grow and strengthen, 3 cultivate; structure 1 polycentric, 0 monocentric.
CLUSTER = {
    "京津冀": ("Beijing-Tianjin-Hebei", 1, 0),
    "长三角": ("Yangtze River Delta", 1, 1),
    "珠三角": ("Pearl River Delta", 1, 1),
    "成渝": ("Chengdu-Chongqing", 1, 0),
    "长江中游": ("Middle reaches of the Yangtze", 1, 0),
    "山东半岛": ("Shandong Peninsula", 2, 1),
    "粤闽浙沿海": ("Guangdong-Fujian-Zhejiang coast", 2, 1),
    "中原": ("Central Plains", 2, 0),
    "关中平原": ("Guanzhong Plain", 2, 0),
    "北部湾": ("Beibu Gulf", 2, 0),
    "哈长": ("Harbin-Changchun", 3, 1),
    "辽中南": ("Central-southern Liaoning", 3, 1),
    "山西中部": ("Central Shanxi", 3, 0),
    "黔中": ("Central Guizhou", 3, 1),
    "滇中": ("Central Yunnan", 3, 0),
    "呼包鄂榆": ("Hohhot-Baotou-Ordos-Yulin", 3, 1),
    "兰州—西宁": ("Lanzhou-Xining", 3, 0),
    "宁夏沿黄": ("Ningxia along the Yellow River", 3, 1),
    "天山北坡": ("Northern slope of Tianshan", 3, 0),
}

# The plans' lists, at city level; a city of which a plan takes in some counties only is in PARTIAL or TOO_SMALL_PART.
PLAN = {
    "京津冀": "北京 天津 石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水",
    "长三角": "上海 南京 无锡 常州 苏州 南通 盐城 扬州 镇江 泰州 杭州 宁波 嘉兴 湖州 绍兴 金华 舟山 台州 "
    "合肥 芜湖 马鞍山 铜陵 安庆 滁州 池州 宣城",
    "珠三角": "广州 深圳 珠海 佛山 江门 肇庆 惠州 东莞 中山",
    "成渝": "重庆 成都 自贡 泸州 德阳 绵阳 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 资阳",
    "长江中游": "武汉 黄石 鄂州 黄冈 孝感 咸宁 仙桃 潜江 天门 襄阳 宜昌 荆州 荆门 长沙 株洲 湘潭 岳阳 益阳 常德 衡阳 "
    "娄底 南昌 九江 景德镇 鹰潭 新余 宜春 萍乡 上饶 抚州 吉安",
    "山东半岛": "济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 临沂 德州 聊城 滨州 菏泽",
    "粤闽浙沿海": "福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德 温州 衢州 丽水 汕头 梅州 潮州 揭阳 鹰潭 赣州 抚州 上饶",
    "中原": "郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 周口 驻马店 济源 "
    "长治 晋城 运城 邢台 邯郸 聊城 菏泽 淮北 蚌埠 宿州 阜阳 亳州",
    "关中平原": "西安 铜川 宝鸡 咸阳 渭南 商洛 运城 临汾 天水 平凉 庆阳",
    "北部湾": "南宁 北海 防城港 钦州 玉林 崇左 湛江 茂名 阳江 海口 儋州",
    "哈长": "哈尔滨 齐齐哈尔 大庆 牡丹江 绥化 长春 吉林 四平 辽源 松原 延边",
    "辽中南": "沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 辽阳 盘锦 铁岭 葫芦岛",
    "山西中部": "太原 阳泉 晋中 忻州 吕梁",
    "黔中": "贵阳 遵义 安顺 毕节 黔东南 黔南",
    "滇中": "昆明 曲靖 玉溪 楚雄 红河",
    "呼包鄂榆": "呼和浩特 包头 鄂尔多斯 榆林",
    "兰州—西宁": "兰州 白银 定西 临夏 西宁 海东 海北 海南州 黄南",
    "宁夏沿黄": "银川 石嘴山 吴忠 中卫",
    "天山北坡": "乌鲁木齐 克拉玛依 吐鲁番 哈密 昌吉 石河子 五家渠",
}
FOOTNOTE = set("衡水 仙桃 潜江 天门 济源 运城 邢台 邯郸 儋州".split())
# A city in two plans counts with one cluster.
OVERLAP = {
    "聊城": "中原", "菏泽": "中原", "鹰潭": "长江中游", "上饶": "长江中游", "抚州": "长江中游",
    "邢台": "京津冀", "邯郸": "京津冀", "运城": "中原",
}  # fmt: skip
# No prefecture-level city for the whole of 2008-2021, so no series in the city yearbook.
NOT_PREFECTURE = {
    "毕节": "prefecture until 2011", "海东": "prefecture until 2013", "哈密": "prefecture until 2016",
    "石河子": "county-level city of the Corps", "五家渠": "county-level city of the Corps",
    **dict.fromkeys("延边 黔东南 黔南 楚雄 红河 临夏 海北 海南州 黄南 昌吉".split(), "autonomous prefecture"),
}  # fmt: skip
TOO_SMALL_PART = {
    "吉安": "plan takes in one county (新干)",
    "抚州": "plan takes in two county-level units (临川, 东乡)",
    "庆阳": "plan takes in one district (西峰)",
}
# Clusters without a plan approved by the State Council: the narrow core, and why the others are out.
NARROW = {
    "山东半岛": (
        "济南 青岛 淄博 东营 烟台 潍坊 威海 日照",
        "outside the eight cities of the older peninsula plan; the 2017 provincial plan takes in all Shandong",
    ),
    "粤闽浙沿海": (
        "福州 厦门 莆田 泉州 漳州 宁德 温州 汕头 潮州 揭阳",
        "not on the coast; the 2010 plan of the west bank of the Strait has 20 cities, the 2021 name says coast",
    ),
    "辽中南": ("沈阳 大连 鞍山 抚顺 本溪 丹东 营口 辽阳 盘锦 铁岭", "west Liaoning; in some lists only"),
}
NOTE = {
    "重庆": "plan takes in 27 districts and counties and parts of two; a single unit here",
    "绵阳": "without 北川 and 平武",
    "达州": "without 万源",
    "雅安": "without 天全 and 宝兴",
    "临汾": "plan takes in eight county-level units",
    "平凉": "plan takes in five county-level units",
    "商洛": "plan takes in four county-level units",
    "白银": "plan takes in four county-level units",
    "定西": "plan takes in four county-level units",
    "铁岭": "missing from a few lists of the cluster",
    "丹东": "missing from some lists of the cluster",
    "吐鲁番": "prefecture until 2015, yet the sample without small clusters (187 = 196 - 9) asks for a third city here",
}
# high: in that cluster in the usual lists. These are not:
MEDIUM = set("鹰潭 上饶 东营 日照 温州 汕头 潮州 揭阳 聊城 菏泽 商洛 临汾 平凉 铁岭 白银 定西".split())
LOW = {"丹东", "吐鲁番"}

HEAD = [
    "code",
    "city",
    "city_zh",
    "province",
    "cluster",
    "cluster_zh",
    "stage",
    "structure",
    "certainty",
    "note",
]


def why_out(city, cluster):
    """Reason to leave a listed city out of a cluster, or None."""
    if OVERLAP.get(city, cluster) != cluster:
        return f"in two plans; counted with {OVERLAP[city]}"
    if city in FOOTNOTE:
        return "named in the paper's footnote as left out"
    if city in NOT_PREFECTURE:
        return NOT_PREFECTURE[city]
    if city in TOO_SMALL_PART:
        return TOO_SMALL_PART[city]
    if cluster in NARROW and city not in NARROW[cluster][0].split():
        return NARROW[cluster][1]
    return None


def notes(city, cluster):
    other = [c for c, cities in PLAN.items() if city in cities.split() and c != cluster]
    core = {"山东半岛": "core of eight", "粤闽浙沿海": "coastal core of ten"}
    parts = ["also in " + ", ".join(other) if other else "", NOTE.get(city, ""), core.get(cluster, "")]
    return "; ".join(p for p in parts if p)


def main():
    with (GEO / "units.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kinds = ("prefecture-level city", "municipality")
    units = {r["name_zh"].removesuffix("市"): r for r in rows if r["level"] in kinds}
    kept, out = [], []
    for cluster, cities in PLAN.items():
        name, stage, structure = CLUSTER[cluster]
        for city in cities.split():
            if reason := why_out(city, cluster):
                out.append([city, cluster, reason])
                continue
            u = units[city]
            sure = "low" if city in LOW else "medium" if city in MEDIUM else "high"
            row = [u["code"], u["name_en"], u["name_zh"], u["province"], name, cluster, stage, structure]
            kept.append([*row, sure, notes(city, cluster)])
    write("membership.csv", HEAD, kept)
    write("membership_left_out.csv", ["city_zh", "cluster_zh", "reason"], out)

    size = {c: sum(r[5] == c for r in kept) for c in PLAN}
    print(len(kept), size)
    assert len({r[0] for r in kept}) == len(kept) == 196
    assert sum(n for n in size.values() if n <= 3) == 9


def write(name, head, rows):
    with (GEO / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


if __name__ == "__main__":
    main()
