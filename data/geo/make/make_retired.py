"""Make retired.csv: units of city level that were on the official lists since 1995 and are not in units.csv.

Run as ``python make_retired.py FOLDER`` with a clone of https://github.com/cn/GB2260 (the lists of the Ministry of
Civil Affairs by year). A prefecture or league (地区, 盟) that became the city of its name is found by the name; what
became of the others, and years that the lists give late, stand below.
"""

import csv
import re
import sys
from pathlib import Path

GEO = Path(__file__).resolve().parents[1]
KIND = "(市|地区|盟)$"

# code name: (English name, what became of it, codes of the units of today, year or "" for the lists' year)
BECAME = {
    "152300 哲里木盟": ("Jirem League", "was renamed", "150500", ""),
    "152700 伊克昭盟": ("Ih Ju League", "was renamed", "150600", ""),
    "232100 松花江地区": ("", "was merged into", "230100", ""),
    "320800 淮阴市": ("Huaiyin", "was renamed", "320800", ""),
    "341400 巢湖市": ("Chaohu", "was split among", "340100 340200 340500", ""),
    "342200 宿县地区": ("", "was renamed", "341300", ""),
    "342600 巢湖地区": ("", "became the city 巢湖市, since split among", "340100 340200 340500", ""),
    "371200 莱芜市": ("Laiwu", "was merged into", "370100", "2019"),
    "420600 襄樊市": ("Xiangfan", "was renamed", "420600", ""),
    "421000 荆沙市": ("Jingsha", "was renamed", "421000", ""),
    "452100 南宁地区": ("", "was split; most of it is", "451400", ""),
    "452200 柳州地区": ("", "was split; most of it is", "451300", ""),
    "452300 桂林地区": ("", "was merged into", "450300", ""),
    "452400 梧州地区": ("", "was renamed", "451100", ""),
    "510200 重庆市": ("", "left Sichuan; it is", "500000", ""),
    "511200 万县市": ("Wanxian", "was merged into", "500000", ""),
    "513000 达川地区": ("", "was renamed", "511700", ""),
    "513500 黔江地区": ("", "was merged into", "500000", ""),
    "517000 涪陵市": ("Fuling", "was merged into", "500000", ""),
    "530200 东川市": ("Dongchuan", "was merged into", "530100", ""),
    "530800 思茅市": ("Simao", "was renamed", "530800", ""),
    "532700 思茅地区": ("", "was renamed", "530800", ""),
    "642100 银南地区": ("", "was renamed", "640300", ""),
    "654100 伊犁地区": ("", "was merged into", "654000", ""),
}


def lists(clone: Path) -> dict[tuple[str, str], int]:
    """Code and name of every unit of city level since 1995, and the year of the first list after the last that has it."""
    files = [f for f in sorted((clone / "mca").glob("*.tsv")) if f.stem >= "1995"]
    gone: dict[tuple[str, str], int] = {}
    for file, later in zip(files, [*files[1:], files[-1]], strict=True):
        for _, _, code, name in csv.reader(file.open(encoding="utf-8"), delimiter="\t"):
            if re.fullmatch(r"\d{4}00", code) and code[2:] != "0000" and re.search(KIND, name):
                gone[code, name.strip()] = int(later.stem[:4])
    return gone


def main(clone: Path) -> None:
    with (GEO / "units.csv").open(encoding="utf-8") as file:
        units = {row["code"]: row["name_zh"] for row in csv.DictReader(file)}
    cities = {name.removesuffix("市"): code for code, name in units.items() if name.endswith("市")}
    rows = []
    for (code, name), gone in sorted(lists(clone).items()):
        if units.get(code) == name or (units.get(code) and name.endswith("地区")):
            continue
        now = cities.get(re.sub(KIND, "", name), "")
        english, how, became, year = BECAME.get(f"{code} {name}", ("", "became the city", now, ""))
        rows.append([code, name, english, year or gone, how, became])
    with (GEO / "retired.csv").open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file, lineterminator="\n")
        write.writerow(["code", "name_zh", "name_en", "year", "how", "became"])
        write.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
