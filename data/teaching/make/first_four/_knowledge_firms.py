"""Invented firm registrations for `knowledge-flows`: what stands behind the number of new digital firms.

The paper keeps 4 sections and 16 divisions of industry; where a whole industry belongs to the classification of the digital
economy its firms count, in the others keywords on the business scope decide. In the city-years below this rule, with
`WHOLE` and `KEYWORDS`, gives the number and the capital of the table of city-years. The truth is another: shops name
computers in passing, and digital firms write around the words.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from first_four._knowledge_texts import Grammar

PLACES = {  # city: precision and recall of the rule
    "Chengdu": (0.92, 0.80),
    "Bengbu": (0.84, 0.84),
    "Datong": (0.76, 0.88),
}
"""Large, middle, small: the rule misses more where firms are digital, and is fooled more often where shops sell everything."""
YEARS = (2001, 2006)
OTHERS = 1.4
"""Firms that are neither called digital nor are, for one that is called so. A real register has many more."""

CASES = {  # (called, digital): shares of the kinds of scope
    (True, True): {"whole": 0.45, "named": 0.55},
    (True, False): {"misfiled": 0.14, "in passing": 0.42, "homonym": 0.44},
    (False, True): {"quiet": 0.85, "outside": 0.15},
    (False, False): {"plain": 0.60, "elsewhere": 0.40},
}
COLUMNS = ["firm", "city", "year", "section", "industry", "industry_en", "capital", "scope", "gloss", "digital",
           "case"]  # fmt: skip

KEYWORDS = ("软件", "计算机", "互联网", "网络", "数据", "电子商务", "通信", "集成电路", "数控", "智能")
"""The list of the lesson: in a mixed industry a firm counts if its scope has one of these."""

IT, TRADE = "信息传输、软件和信息技术服务业", "批发和零售业"
LEASE, SCIENCE = "租赁和商务服务业", "科学研究和技术服务业"
MAKE, BUILD, MONEY = "制造业", "建筑业", "金融业"
CULTURE, HOME = "文化、体育和娱乐业", "居民服务、修理和其他服务业"

WHOLE = {  # division: section, English, weight, what its firms write
    "软件和信息技术服务业": (IT, "software and information technology services", 5, (
        "软件开发|development of software", "计算机系统集成|integration of computer systems",
        "数据处理服务|data processing", "应用软件销售与维护|sale and upkeep of application software",
        "信息技术咨询|advice on information technology", "游戏制作|making of games")),
    "互联网和相关服务": (IT, "internet and related services", 2, (
        "互联网信息服务|information on the internet", "网页制作|making of web pages",
        "网上信息发布|publishing on line", "域名注册服务|registration of domains")),
    "电信、广播电视和卫星传输服务": (IT, "telecommunication, broadcasting and satellite transmission", 1, (
        "增值电信业务|value-added telecom services", "有线电视传输|cable television",
        "无线寻呼业务|paging", "电话卡业务|telephone cards")),
    "计算机、通信和其他电子设备制造业": (MAKE, "computers, communication and other electronic equipment", 2, (
        "电子元器件制造|making of electronic components", "印制电路板生产|making of circuit boards",
        "光缆终端盒制造|making of terminal boxes for optical cable", "计算机外部设备制造|making of peripherals")),
}  # fmt: skip
"""Divisions of which the 2021 classification lists every part: their firms count whatever they write."""

_SHOP = ("日用百货销售|sale of daily goods", "文具、办公用品销售|sale of stationery", "五金交电销售|sale of hardware",
         "服装鞋帽销售|sale of clothes and shoes", "家用电器销售|sale of household appliances", "建筑材料销售|sale of building materials",
         "烟酒副食销售|sale of tobacco, drinks and groceries", "化妆品销售|sale of cosmetics", "农副产品收购|purchase of farm products",
         "汽车配件销售|sale of car parts", "茶叶销售|sale of tea")  # fmt: skip
_OFFICE = ("企业管理咨询|advice on management", "会议服务|conference services", "广告设计|design of advertising",
           "市场调查|market surveys", "劳务派遣|staff leasing", "翻译服务|translation", "工程测量|surveying",
           "建筑设计|design of buildings", "环境监测|monitoring of the environment", "农业技术推广|farm extension",
           "展览展示服务|exhibitions", "汽车租赁|car rental")  # fmt: skip
_PLANT = ("机床配件加工|machining of parts of machine tools", "水泵制造|making of pumps", "阀门制造|making of valves",
          "变压器制造|making of transformers", "矿山机械制造|making of mining machines", "电线电缆制造|making of wire and cable",
          "压力表制造|making of pressure gauges", "模具加工|making of moulds", "轴承销售|sale of bearings")  # fmt: skip
_PRESS = ("包装装潢印刷|printing of packaging", "玩具制造|making of toys", "体育器材制造|making of sports gear",
          "期刊发行|distribution of journals", "影视策划|planning of films", "乐器制造|making of musical instruments")  # fmt: skip
_SITE = ("土石方工程|earthworks", "房屋建筑工程|construction of buildings", "水电安装|plumbing and wiring",
         "钢结构安装|erection of steel frames", "道路养护|upkeep of roads", "室内装饰工程|interior finishing")  # fmt: skip
_CHEMISTS = ("涂料制造|making of paint", "复合肥生产|making of compound fertiliser", "化工助剂销售|sale of additives",
             "洗涤剂制造|making of detergents")  # fmt: skip
_GARAGE = ("汽车维修|repair of cars", "家电维修|repair of appliances", "摩托车修理|repair of motorcycles",
           "钟表修理|repair of watches")  # fmt: skip
_BANK = ("小额贷款|small loans", "典当业务|pawnbroking", "投资管理|management of investments",
         "担保业务|guarantees")  # fmt: skip

_SHOP_D = ("计算机及外部设备批发|wholesale of computers and peripherals", "软件批发|wholesale of software",
           "通信终端设备批发|wholesale of communication terminals", "网络设备销售|sale of network equipment",
           "集成电路销售|sale of integrated circuits", "电子商务平台经营|running of an e-commerce platform")  # fmt: skip
_OFFICE_D = ("计算机技术开发|development of computer technology", "数据库服务|database services",
             "互联网广告发布|advertising on the internet", "软件技术转让|transfer of software technology",
             "集成电路设计|design of integrated circuits", "通信技术研究|research on communication",
             "电子商务技术服务|technical services for e-commerce", "网络工程设计|design of networks")  # fmt: skip
_PLANT_D = ("数控机床制造|making of numerically controlled machine tools", "数控系统研制|development of numerical control",
            "智能仪表制造|making of smart meters", "数据采集仪器制造|making of data loggers",
            "通信电缆制造|making of communication cable", "集成电路专用设备制造|making of equipment for chip plants")  # fmt: skip
_PRESS_D = ("软件光盘复制|copying of software discs", "互联网视听节目制作|making of programmes for the internet",
            "网络出版|publishing on the network", "智能玩具制造|making of smart toys")  # fmt: skip
_SITE_D = ("通信线路工程|laying of communication lines", "网络综合布线|structured cabling",
           "楼宇智能化系统安装|installation of building automation", "计算机机房工程|fitting of computer rooms")  # fmt: skip
_CHEMISTS_D = ("集成电路用化学品制造|making of chemicals for chip plants",)
_GARAGE_D = ("计算机维修|repair of computers", "通信设备维修|repair of communication equipment",
             "网络设备维护|upkeep of network equipment")  # fmt: skip
_BANK_D = ("互联网支付业务|payments on the internet", "金融数据处理|processing of financial data")

_SHOP_Q = ("电脑及配件批发|wholesale of PCs and parts", "电脑零售|retail of PCs", "打字复印机、微机销售|sale of copiers and micros",
           "手机批发|wholesale of mobile telephones", "网上购物|shopping on line")  # fmt: skip
_OFFICE_Q = ("技术开发、技术转让、技术服务|development, transfer and service of technology", "信息系统集成|integration of information systems",
             "单片机应用开发|applications of single-chip micros", "电脑图文设计|graphic design on PCs",
             "网站策划|planning of web sites", "程序设计|programming")  # fmt: skip
_PLANT_Q = ("单片机控制仪器制造|making of instruments with single-chip micros", "可编程控制器制造|making of programmable controllers",
            "自动化成套设备制造|making of automation equipment", "光纤光缆制造|making of optical fibre cable")  # fmt: skip
_PRESS_Q = (
    "电子出版物制作|making of electronic publications",
    "动画设计|animation",
    "学习机制造|making of learning machines",
)
_SITE_Q = (
    "弱电工程|low-voltage systems",
    "综合布线|structured cabling",
    "程控交换机安装|installation of telephone exchanges",
)
_CHEMISTS_Q = ("光刻胶生产|making of photoresist",)
_GARAGE_Q = ("电脑维修|repair of PCs", "手机维修|repair of mobile telephones")
_BANK_Q = ("网上支付业务|payments on line", "银行卡清算|clearing of bank cards")

_SHOP_P = ("计算机耗材销售|sale of computer supplies", "通信器材零售|retail of communication gear", "软件零售|retail of software",
           "智能门锁零售|retail of smart locks", "计算机零售|retail of computers")  # fmt: skip
_OFFICE_P = ("软件开发|development of software", "计算机技术咨询|advice on computers", "数据统计|statistics of data",
             "计算机培训|computer courses", "网络技术咨询|advice on networks")  # fmt: skip
_PLANT_P = ("软件销售|sale of software", "智能设备销售|sale of smart devices", "计算机销售|sale of computers")
_SITE_P = (
    "智能门禁安装|installation of smart locks",
    "通信工程|communication works",
    "计算机销售|sale of computers",
)
_REST_P = ("计算机销售|sale of computers", "数据统计|statistics of data", "软件销售|sale of software")

_SHOP_H = ("销售网络建设|building up of a network of outlets", "连锁网络经营|running of a chain network",
           "数控刀具零售|retail of cutters for numerical control")  # fmt: skip
_OFFICE_H = ("营销网络策划|planning of sales networks", "家政服务网络|a network of home helps",
             "数据线缆租赁|rental of data cables")  # fmt: skip
_PLANT_H = ("数控机床防护罩制造|making of guards for numerically controlled machines", "售后服务网络|a network of service points",
            "通信铁塔镀锌|galvanising of communication towers")  # fmt: skip
_SITE_H = ("供水管道网络施工|laying of water networks", "通信管道土方开挖|digging of trenches for communication ducts",
           "热力网络养护|upkeep of heating networks")  # fmt: skip
_REST_H = ("销售网络建设|building up of a network of outlets", "服务网络管理|management of service networks")

MIXED = {  # division: section, English, weight, its usual trade; digital, quiet, in passing, homonyms
    "批发业": (TRADE, "wholesale", 5, _SHOP, _SHOP_D, _SHOP_Q, _SHOP_P, _SHOP_H),
    "零售业": (TRADE, "retail", 5, _SHOP, _SHOP_D, _SHOP_Q, _SHOP_P, _SHOP_H),
    "租赁业": (LEASE, "leasing", 1, _OFFICE, _OFFICE_D, _OFFICE_Q, _OFFICE_P, _OFFICE_H),
    "商务服务业": (LEASE, "business services", 4, _OFFICE, _OFFICE_D, _OFFICE_Q, _OFFICE_P, _OFFICE_H),
    "研究和试验发展": (SCIENCE, "research and development", 1, _OFFICE, _OFFICE_D, _OFFICE_Q, _OFFICE_P, _OFFICE_H),
    "专业技术服务业": (SCIENCE, "professional technical services", 2, _OFFICE, _OFFICE_D, _OFFICE_Q, _OFFICE_P, _OFFICE_H),
    "科技推广和应用服务业": (SCIENCE, "spread and use of technology", 3, _OFFICE, _OFFICE_D, _OFFICE_Q, _OFFICE_P, _OFFICE_H),
    "通用设备制造业": (MAKE, "general machinery", 2, _PLANT, _PLANT_D, _PLANT_Q, _PLANT_P, _PLANT_H),
    "专用设备制造业": (MAKE, "special machinery", 1, _PLANT, _PLANT_D, _PLANT_Q, _PLANT_P, _PLANT_H),
    "电气机械和器材制造业": (MAKE, "electrical machinery", 1, _PLANT, _PLANT_D, _PLANT_Q, _PLANT_P, _PLANT_H),
    "仪器仪表制造业": (MAKE, "instruments and meters", 1, _PLANT, _PLANT_D, _PLANT_Q, _PLANT_P, _PLANT_H),
    "印刷和记录媒介复制业": (MAKE, "printing and copying of media", 1, _PRESS, _PRESS_D, _PRESS_Q, _REST_P, _REST_H),
    "文教、工美、体育和娱乐用品制造业": (MAKE, "goods for culture, sports and play", 1, _PRESS, _PRESS_D, _PRESS_Q, _REST_P, _REST_H),
    "化学原料和化学制品制造业": (MAKE, "chemicals", 1, _CHEMISTS, _CHEMISTS_D, _CHEMISTS_Q, _REST_P, _REST_H),
    "土木工程建筑业": (BUILD, "civil engineering", 1, _SITE, _SITE_D, _SITE_Q, _SITE_P, _SITE_H),
    "建筑安装业": (BUILD, "installation in buildings", 1, _SITE, _SITE_D, _SITE_Q, _SITE_P, _SITE_H),
    "房屋建筑业": (BUILD, "construction of buildings", 1, _SITE, _SITE_D, _SITE_Q, _SITE_P, _SITE_H),
    "机动车、电子产品和日用产品修理业": (HOME, "repair of vehicles and goods", 1, _GARAGE, _GARAGE_D, _GARAGE_Q, _REST_P, _REST_H),
    "货币金融服务": (MONEY, "monetary services", 1, _BANK, _BANK_D, _BANK_Q, _REST_P, _REST_H),
    "其他金融业": (MONEY, "other finance", 1, _BANK, _BANK_D, _BANK_Q, _REST_P, _REST_H),
    "广播、电视、电影和录音制作业": (CULTURE, "broadcasting, film and sound", 1, _PRESS, _PRESS_D, _PRESS_Q, _REST_P, _REST_H),
    "新闻和出版业": (CULTURE, "news and publishing", 1, _PRESS, _PRESS_D, _PRESS_Q, _REST_P, _REST_H),
}  # fmt: skip
"""Divisions with digital firms among others."""

ELSEWHERE = {  # division: section, English, weight, its usual trade, its few digital firms
    "餐饮业": ("住宿和餐饮业", "catering", 3, ("中餐服务|Chinese meals", "小吃服务|snacks", "茶水服务|tea", "外卖送餐|meals to order"),
            ("网络订餐平台|a platform for ordering meals",)),
    "农业": ("农、林、牧、渔业", "farming", 1, ("蔬菜种植|vegetables", "粮食种植|grain", "果树栽培|fruit trees"),
           ("农业数据服务|data services for farms",)),
    "农副食品加工业": (MAKE, "food from farm products", 2, ("粮油加工|grain and oil", "饲料加工|fodder", "肉制品加工|meat products"),
                ("食品溯源软件开发|software to trace food",)),
    "道路运输业": ("交通运输、仓储和邮政业", "road transport", 2, ("普通货运|haulage", "客运服务|passenger transport", "停车服务|parking"),
              ("车辆定位软件开发|software to locate vehicles", "物流数据平台|a data platform for logistics")),
    "房地产业": ("房地产业", "real estate", 2, ("物业管理|property management", "房屋中介|house agency", "房地产开发|development"),
             ("房产互联网平台|an internet platform for housing",)),
    "居民服务业": (HOME, "services to households", 2, ("美容美发|hairdressing", "洗染服务|laundry", "家政服务|home help"),
              ("智能家居软件开发|software for smart homes",)),
}  # fmt: skip
"""Divisions that the paper drops unread."""

TRICKY = ("电脑绣花加工|embroidery by PC", "电脑印花加工|textile printing by PC")
"""Not digital, and not on the list: what a longer list would meet."""
ENDINGS = ("货物进出口|imports and exports", "自有房屋租赁|letting of own premises", "法律法规禁止的除外|except what law forbids",
           "凭许可证经营|under licence")  # fmt: skip
LADDER = (3, 10, 30, 50, 100, 200, 300, 500, 800, 1000, 2000, 3000, 5000, 10000)
"""Registered capital in 10,000 yuan."""
STEPS = (0.06, 0.14, 0.14, 0.22, 0.18, 0.08, 0.05, 0.05, 0.02, 0.03, 0.015, 0.01, 0.004, 0.001)
SCREEN_SECTIONS = (IT, TRADE, LEASE, SCIENCE)
SCREEN_DIVISIONS = tuple(k for k, v in (WHOLE | MIXED).items() if v[0] not in SCREEN_SECTIONS)


def called(firms: pd.DataFrame) -> pd.Series:
    """The paper's rule with our lists: whole industries, and keywords in the mixed ones that pass the screen."""
    kept = firms["section"].isin(SCREEN_SECTIONS) | firms["industry"].isin(SCREEN_DIVISIONS)
    word = firms["scope"].str.contains("|".join(KEYWORDS))
    return kept & (firms["industry"].isin(list(WHOLE)) | word)


def _scope(g: Grammar, case: str) -> tuple[str, str, str, str, str]:
    """Section, division and its English name, scope and gloss."""
    if case in ("whole", "misfiled"):
        name = g.pick([k for k, v in WHOLE.items() for _ in range(v[2])])
        section, english, _, trade = WHOLE[name]
        parts = g.shuffled(trade if case == "whole" else _SHOP)[: 2 + g.chance(0.4)]
    elif case in ("outside", "elsewhere"):
        name = g.pick([k for k, v in ELSEWHERE.items() for _ in range(v[2])])
        section, english, _, trade, digital = ELSEWHERE[name]
        parts = g.shuffled(trade)[: 1 + g.chance(0.6)]
        parts = [g.pick(digital), *parts[:1]] if case == "outside" else parts
    else:
        name = g.pick([k for k, v in MIXED.items() for _ in range(v[2])])
        section, english, _, trade, digital, quiet, passing, homonym = MIXED[name]
        usual = g.shuffled(trade)
        if case == "named":
            parts = g.shuffled(digital)[: 1 + g.chance(0.45)] + usual[: g.chance(0.5)]
        elif case == "quiet":
            parts = g.shuffled(quiet)[: 1 + g.chance(0.3)] + usual[: g.chance(0.5)]
        elif case == "in passing":
            parts = [*usual[: 2 + g.chance(0.5)], g.pick(passing)]
        elif case == "homonym":
            parts = [*usual[: 1 + g.chance(0.5)], g.pick(homonym)]
        else:
            parts = usual[: 2 + g.chance(0.5)] + (
                [g.pick(TRICKY)] if trade in (_SHOP, _PRESS) and g.chance(0.03) else []
            )
    if g.chance(0.35):
        parts = [*parts, g.pick(ENDINGS)]
    pairs = [x.split("|") for x in parts]
    return section, name, english, ";".join(zh for zh, _ in pairs), "; ".join(en for _, en in pairs)


def _capital(g: Grammar, n: int, total: int | None = None) -> list[int]:
    """Registered capital of ``n`` firms, which together have ``total``: some climb the ladder or descend, the largest takes the rest."""
    steps = [g.weighted(dict(enumerate(STEPS))) for _ in range(n)]
    if total is None:
        return [LADDER[i] for i in steps]
    left = total - sum(LADDER[i] for i in steps)
    while not 0 <= left <= LADDER[-1] // 4:
        i = int(next(g.u) * n)
        to = min(max(steps[i] + (1 if left > 0 else -1), 0), len(LADDER) - 1)
        left -= LADDER[to] - LADDER[steps[i]]
        steps[i] = to
    out = [LADDER[i] for i in steps]
    out[out.index(max(out))] += left
    return out


def firms(years: pd.DataFrame, seed: int = 2026) -> pd.DataFrame:
    """All new registrations of six city-years; columns as in ``knowledge-flows.firms.columns.csv``.

    ``years`` is the table of city-years, whose number of digital firms and whose capital the rule gives back exactly.
    """
    r = np.random.default_rng([seed, 16])
    g = Grammar(r)
    frames = []
    for city, (precision, recall) in PLACES.items():
        for year in YEARS:
            n, total = (int(years.at[(city, year), c]) for c in ("digital_firms", "firm_capital"))
            right = round(precision * n)
            cells = {(True, True): right, (True, False): n - right,
                     (False, True): round(right * (1 - recall) / recall), (False, False): round(OTHERS * n)}  # fmt: skip
            rows = []
            for (said, digital), size in cells.items():
                for _ in range(size):
                    case = g.weighted(CASES[said, digital])
                    rows.append((city, year, *_scope(g, case), int(digital), case))
            frame = pd.DataFrame(rows, columns=[c for c in COLUMNS if c not in ("firm", "capital")])
            frame["capital"] = _capital(g, n, total) + _capital(g, len(frame) - n)
            frames.append(frame.iloc[r.permutation(len(frame))])
    out = pd.concat(frames).sort_values("year", kind="stable").reset_index(drop=True)
    out["scope"] = out["scope"].str.replace(";", "\N{FULLWIDTH SEMICOLON}")
    out.insert(0, "firm", np.arange(1, len(out) + 1))
    return out[COLUMNS]
