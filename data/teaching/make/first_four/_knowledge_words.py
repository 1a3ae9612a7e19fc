"""Vocabulary of the invented patent abstracts: Chinese and English side by side, by kind of patent and by era.

Eras are 0 (up to 2000), 1 (2001-2010) and 2 (from 2011). Each entry is ``Chinese|English``.
"""

from __future__ import annotations

Pool = dict[int, list[str]]

LISTED = {"G06F": "computing", "G06Q": "data processing for business", "G06K": "recognition of data",
          "G05B": "control systems", "H04L": "digital information", "H04M": "telephony", "H04N": "pictures",
          "G11B": "information storage"}  # fmt: skip
"""Classes that our teaching concordance counts as digital (made up, in the shape of the official one)."""

OTHER = {"A01G": "horticulture", "A01B": "tillage", "A47C": "chairs and beds", "A61B": "diagnosis", "B01D": "separation",
         "B23Q": "machine tools", "B60R": "vehicles", "B65G": "conveying", "C02F": "water treatment",
         "E04B": "building", "F16K": "valves", "F24F": "air conditioning", "G01B": "measuring length"}  # fmt: skip
"""Classes that it does not count."""

SIGNALS = ["温度|temperature", "湿度|humidity", "压力|pressure", "流量|flow", "振动|vibration", "电流|current",
           "位移|displacement", "转速|speed", "浓度|concentration", "重量|weight", "亮度|brightness", "液位|liquid level"]  # fmt: skip

PARTS = ["支架|bracket", "外壳|casing", "底座|base", "弹簧|spring", "导轨|rail", "转轴|shaft", "螺杆|screw", "密封圈|seal",
         "滑块|slider", "连接板|plate", "齿轮|gear", "垫片|washer", "把手|handle", "隔板|partition", "滚轮|roller",
         "卡扣|clip"]  # fmt: skip

MATTER = ["铝合金|aluminium alloy", "硅胶|silicone", "不锈钢|stainless steel", "橡胶|rubber", "碳纤维|carbon fibre",
          "玻璃|glass", "聚丙烯|polypropylene", "实木|solid wood"]  # fmt: skip

DIGITAL: dict[str, Pool] = {
    "G06F": {0: ["汉字输入方法|method for typing Chinese characters", "微机接口卡|interface card for microcomputers",
                 "磁盘存储控制方法|method to control disk storage", "电子计算机中断装置|interrupt unit for computers"],
             1: ["数据库查询方法|method to query a database", "网页检索方法|method to search web pages",
                 "嵌入式软件调试系统|system to debug embedded software", "总线数据传输方法|method to move data on a bus"],
             2: ["云存储备份方法|method to back up cloud storage", "移动终端界面显示方法|method to display a mobile interface",
                 "虚拟机调度方法|method to schedule virtual machines", "文本语义匹配方法|method to match meanings of texts"]},
    "G06Q": {0: ["电子收款系统|electronic till", "微机库存管理装置|stock keeping by microcomputer"],
             1: ["网上订单处理系统|system for web orders", "电子支付方法|method of electronic payment",
                 "物流信息管理系统|logistics information system"],
             2: ["大数据风险评估方法|risk scoring with big data", "扫码支付方法|payment by scanning a code",
                 "区块链溯源方法|tracing goods on a blockchain", "网约车派单方法|method to dispatch ride-hailing cars"]},
    "G06K": {0: ["印刷汉字识别装置|reader of printed characters", "条形码阅读装置|bar code reader"],
             1: ["车牌识别方法|method to read number plates", "指纹识别方法|method to recognise fingerprints",
                 "射频标签读写方法|method to read radio tags"],
             2: ["人脸识别方法|method of face recognition", "图像目标检测方法|method to detect objects in images",
                 "遥感影像分类方法|method to classify satellite images"]},
    "G05B": {0: ["单片机控制装置|single-chip controller", "程序控制器|program controller"],
             1: ["现场总线控制系统|fieldbus control system", "数控系统插补方法|interpolation for numerical control"],
             2: ["设备故障预测方法|method to predict machine failure", "生产线数字孪生方法|digital twin of a production line",
                 "工业互联网监控系统|monitoring on the industrial internet"]},
    "H04L": {0: ["调制解调器|modem", "数字程控交换接口|interface of a digital exchange"],
             1: ["路由器转发方法|forwarding in routers", "网络入侵检测方法|detection of network intrusion",
                 "即时通信方法|method of instant messaging"],
             2: ["物联网网关接入方法|access to an internet-of-things gateway", "密钥协商方法|method to agree on keys",
                 "软件定义网络调度方法|scheduling in software-defined networks"]},
    "H04M": {0: ["无线寻呼装置|radio pager", "程控电话计费装置|billing unit for telephone exchanges"],
             1: ["短信息群发方法|method to send bulk text messages", "手机来电显示方法|caller display on mobile phones"],
             2: ["智能手机唤醒方法|method to wake a smartphone", "骚扰电话拦截方法|method to block nuisance calls"]},
    "H04N": {0: ["传真图像编码装置|coder for fax images", "电视图文接收装置|teletext receiver"],
             1: ["视频编码方法|method of video coding", "数码相机对焦方法|method to focus a digital camera"],
             2: ["视频直播方法|method of live video", "多目视频拼接方法|method to stitch video from several cameras"]},
    "G11B": {0: ["软磁盘读写装置|floppy disk drive", "数字磁带记录装置|digital tape recorder"],
             1: ["光盘刻录方法|method to burn discs", "闪存数据纠错方法|error correction in flash memory"],
             2: ["固态硬盘写入方法|method to write to solid-state disks"]},
}  # fmt: skip

THINGS: dict[str, list[str]] = {
    "A01G": ["温室大棚|greenhouse", "滴灌装置|drip irrigation device", "育苗架|seedling rack", "水稻灌溉装置|paddy irrigation device"],
    "A01B": ["旋耕机|rotary tiller", "播种机|seeder", "起垄机|ridger"],
    "A47C": ["护理床|nursing bed", "办公椅|office chair", "按摩座椅|massage chair"],
    "A61B": ["血压测量装置|blood pressure device", "牙科治疗台|dental unit", "内窥镜|endoscope"],
    "B01D": ["除尘器|dust filter", "过滤装置|filter", "油水分离器|oil separator"],
    "B23Q": ["钻床夹具|drill fixture", "铣床|milling machine", "机床刀库|tool magazine"],
    "B60R": ["车用后视镜|car mirror", "客车座椅安全带|coach seat belt", "货车车厢|lorry body"],
    "B65G": ["皮带输送机|belt conveyor", "粮食仓储装置|grain store", "仓库货架|warehouse rack"],
    "C02F": ["污水处理池|sewage basin", "净水器|water purifier", "循环水加药装置|dosing unit for cooling water"],
    "E04B": ["装配式墙板|prefabricated wall panel", "隔声楼板|sound-proof floor", "幕墙|curtain wall"],
    "F16K": ["蝶阀|butterfly valve", "电磁阀|solenoid valve", "减压阀|pressure reducing valve"],
    "F24F": ["空调机组|air conditioner", "新风装置|ventilation unit", "加湿器|humidifier"],
    "G01B": ["卡尺|calliper", "测厚仪|thickness gauge", "高度尺|height gauge"],
}  # fmt: skip
"""What patents of the other classes are about, whatever they contain."""

DECOYS_LISTED: dict[str, Pool] = {
    "G06F": {0: ["微机防尘罩|dust cover for microcomputers", "计算机键盘托架|tray for a computer keyboard"],
             1: ["鼠标垫|mouse pad", "笔记本电脑散热垫|cooling pad for laptops"],
             2: ["平板电脑保护套|cover for tablet computers", "服务器机柜散热门|cooling door for server racks"]},
    "G06K": {0: ["条形码标签纸|paper for bar code labels"], 1: ["射频标签封装壳|shell for radio tags"],
             2: ["人脸识别闸机外罩|housing for a face recognition gate"]},
    "H04M": {0: ["程控电话机底座|stand for telephones"], 1: ["手机外壳|mobile phone shell", "手机支架|mobile phone holder"],
             2: ["智能手机防水袋|waterproof bag for smartphones", "智能手表表带|strap for smart watches"]},
    "H04N": {0: ["电视图文接收机木柜|wooden cabinet for teletext sets"], 1: ["数码相机三脚架|tripod for digital cameras"],
             2: ["视频直播补光灯架|lamp stand for live video", "网络摄像头遮雨罩|rain hood for web cameras"]},
    "H04L": {0: ["调制解调器机壳|case for modems"], 1: ["路由器挂墙架|wall mount for routers"],
             2: ["物联网网关散热外壳|heat sink casing for gateways", "网络数据线收纳盒|box for network cables"]},
    "G11B": {0: ["软磁盘盒|box for floppy disks"], 1: ["光盘包装盒|disc box"], 2: ["固态硬盘减震托架|shock mount for solid-state disks"]},
    "G05B": {0: ["程序控制器接线盒|junction box for program controllers"], 1: ["数控系统操作箱|operating cabinet for numerical control"],
             2: ["工业互联网机箱密封条|sealing strip for industrial internet cabinets"]},
}  # fmt: skip

DECOYS_OTHER: dict[str, Pool] = {
    "G01B": {0: ["数字读数卡尺|calliper with digital readout"], 1: ["数显卡尺|calliper with digital display"],
             2: ["数显高度尺保护盒|box for digital height gauges"]},
    "B23Q": {0: ["程控机床防护门|guard door for programmed machine tools"], 1: ["数控机床冷却水箱|coolant tank for numerically controlled machines"],
             2: ["数控机床排屑器|chip conveyor for numerically controlled machines", "机器人底座|base for robots"]},
    "E04B": {0: ["微机房活动地板|raised floor for computer rooms"], 1: ["互联网机房隔音墙|sound-proof wall for internet server rooms"],
             2: ["大数据中心吊顶|ceiling for big data centres", "智能家居木地板|wooden floor for the smart home"]},
    "A47C": {0: ["微机操作椅|chair for computer operators"], 1: ["网吧沙发|sofa for internet cafes"],
             2: ["智能手机躺椅|lounger with smartphone tray", "网络主播座椅|chair for live streamers"]},
    "F24F": {0: ["电子计算机房送风口|air outlet for computer rooms"], 1: ["通信基站空调风管|air duct for telecom stations"],
             2: ["大数据中心空调风管|air duct for big data centres"]},
    "B65G": {0: ["磁带存放架|rack for tapes"], 1: ["光盘货架|rack for discs"],
             2: ["电商快递货架|rack for e-commerce parcels", "智能快递柜柜体|body of a smart parcel locker"]},
    "B60R": {0: ["无线寻呼车用挂架|car hook for pagers"], 1: ["车载手机支架|car holder for mobile phones"],
             2: ["车载平板电脑支架|car holder for tablet computers", "智能汽车脚垫|foot mat for smart cars"]},
}  # fmt: skip

DIGITAL_DOES: Pool = {
    0: ["采用单片机对{s}采样并运算|a single-chip computer samples and computes {s}",
        "程序固化在只读存储器中|the program is burnt into read-only memory",
        "由微型计算机处理后输出|a microcomputer processes the data and puts them out",
        "通过串行口传送数据|data are sent through a serial port",
        "将模拟信号变换为数字编码|analogue signals become digital code"],
    1: ["通过无线模块将{s}数据发送至服务器|a wireless module sends {s} data to a server",
        "将记录存入数据库并建立索引|records go to a database with an index",
        "嵌入式处理器对数据进行滤波和计算|an embedded processor filters and computes",
        "通过互联网向用户返回结果|results reach the user through the internet",
        "由程序比较校验码并重传数据包|a program compares check codes and resends packets"],
    2: ["将{s}数据上传至云平台|{s} data are uploaded to a cloud platform",
        "利用卷积神经网络提取特征并识别|a convolutional neural network extracts features and recognises them",
        "通过物联网模块汇聚传感器数据|an internet-of-things module collects sensor data",
        "用户通过手机应用程序远程查看|users look at it from afar with a phone app",
        "基于历史大数据训练模型并预测|a model is trained on past big data and predicts",
        "采用哈希算法加密后写入节点|data are hashed and written to nodes"],
}  # fmt: skip

BASIS = ["根据前几日的{s}|from the {s} of past days", "对照{s}曲线|against a curve of {s}", "{s}超出设定范围时|when {s} leaves its range",
         "依据各路{s}的变化|from changes of {s} in each branch", "按{s}由低到高的次序|in the order of rising {s}",
         "每隔一小时读取{s}|reading {s} every hour"]  # fmt: skip
ACTS = ["推算次日用量并调整开度|infer the next day's use and adjust the opening", "判断故障部位并给出建议|find the faulty place and give advice",
        "依次启闭各执行件|switch parts on and off in turn", "逐项记录并核对|record and check item by item",
        "选出合适的档位|choose the right step", "停机并发出提示|stop and give notice"]  # fmt: skip
ACTORS: dict[bool, list[str]] = {
    True: ["由主机|the unit will", "由控制器|the controller will", "装置自行|the device itself will"],
    False: ["由值守人员|an attendant will", "由操作者手动|the operator will by hand", "由主机旁的工人|a worker beside the unit will",
            "借助弹簧和浮子|a spring and a float"],
}  # fmt: skip
"""Computing without one of the words that stand for it, and the same by hand: the actor decides, where he is named."""

OTHER_DOES = [
    "{p}与{q}通过螺栓固定连接|{p} and {q} are bolted together",
    "{p}内侧设有{q}|there is a {q} inside the {p}",
    "{p}采用{m}制成|the {p} is made of {m}",
    "{p}可沿{q}上下滑动|the {p} slides along the {q}",
    "{p}与{q}之间填充{m}|{m} fills the space between {p} and {q}",
    "原料混合搅拌后烘干成型|the mixture is stirred, dried and shaped",
    "{p}两端对称安装{q}|a {q} sits at both ends of the {p}",
    "{p}表面开有散热孔|the {p} has cooling holes",
]

BORDER_DOES = [
    "设有控制器和显示屏,可设定{s}|there are a controller and a display, {s} can be set",
    "{s}传感器与控制器电连接|a sensor of {s} is wired to a controller",
    "按键设定{s}后自动停机|it stops by itself at the {s} set with keys",
    "{s}以数字形式显示|{s} is displayed in digits",
]
"""On the border: two readers of the same text would not agree."""

HYPE: Pool = {
    0: ["适于电子计算机房使用|suited to computer rooms", "便于与微机配套|goes well with microcomputers"],
    1: ["可放置手机、数码相机等数字产品|holds mobile phones, digital cameras and other digital products",
        "适合网络时代的家庭|suits the home in the age of the network"],
    2: ["实现了产品的智能化|makes the product smart", "便于与智能手机等智能终端配合使用|goes well with smartphones and other smart devices",
        "顺应数字化和物联网的发展趋势|follows the trend towards digitisation and the internet of things"],
}  # fmt: skip
"""Digital words as decoration."""

EFFECTS = ["结构简单,使用方便|simple and easy to use", "提高了效率,降低了成本|saves time and money",
           "运行稳定可靠|works reliably", "减少了人工劳动|saves labour", "延长了使用寿命|lasts longer",
           "便于安装和维护|easy to install and maintain", "提高了准确性|more accurate", "节约能源|saves energy"]  # fmt: skip

PROBLEMS = ["解决了现有技术效率低的问题|Problem solved: low efficiency", "克服了现有产品精度不足的缺点|Problem solved: low precision",
            "针对现有装置维护困难的问题|Problem solved: hard to maintain", "针对人工操作费时费力的问题|Problem solved: work by hand is slow"]  # fmt: skip

CITIES = {
    "large": ["Beijing", "Shanghai", "Shenzhen", "Guangzhou", "Hangzhou", "Nanjing", "Wuhan", "Chengdu", "Xi'an",
              "Suzhou (Jiangsu)"],
    "middle": ["Wuxi", "Changzhou", "Jiaxing", "Shaoxing", "Foshan", "Zhongshan", "Yantai", "Weifang", "Luoyang", "Zhuzhou",
               "Mianyang", "Wuhu", "Baoding", "Tangshan", "Guilin"],
    "small": ["Bengbu", "Ganzhou", "Nanyang", "Xiangyang", "Hengyang", "Yibin", "Zunyi", "Qujing", "Baoji", "Tianshui",
              "Chifeng", "Datong", "Siping", "Qiqihar", "Xinxiang"],
}  # fmt: skip
"""Forty cities by rough size; only their names are real."""
