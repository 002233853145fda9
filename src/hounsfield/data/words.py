"""What names give away: the words of columns, classes, parts and modalities, in English and Chinese."""

import re

PART_WORDS = {
    "train": "train", "training": "train", "trn": "train", "tr": "train", "训练": "train", "训练集": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val", "验证": "val", "验证集": "val",
    "test": "test", "testing": "test", "tst": "test", "ts": "test", "holdout": "test", "测试": "test", "测试集": "test",
}  # fmt: skip
NOT_ANSWERED = frozenset(
    {"todo", "to do", "tbd", "pending", "unlabeled", "unlabelled", "not labelled", "?", "待标注", "未标注", "待定"}
)
NO_LABEL = frozenset({"none", "no finding", "no findings", "[]", "()", "-", "无", "正常"})
TARGET_NAMES = frozenset(
    {
        "label", "labels", "target", "targets", "class", "classes", "classification", "diagnosis", "finding",
        "findings",
        "dx", "category", "pathology", "y", "outcome", "truth", "groundtruth", "disease",
        "标签", "类别", "诊断", "结果", "分类", "病理", "诊断结果",
    }
)  # fmt: skip
ILLNESS = frozenset(
    {
        "covid", "covid19", "ncov", "tb", "tuberculosis", "cancer", "carcinoma", "malignant", "malignancy",
        "tumor", "tumour",
        "metastasis", "metastases", "pneumonia", "disease", "diseased", "sick", "ill", "lesion", "nodule", "fracture",
        "hemorrhage", "haemorrhage", "bleeding", "stroke", "infarct", "infarction", "mi", "effusion", "edema", "oedema",
        "pneumothorax", "melanoma", "glaucoma", "retinopathy", "dr", "hyperplasia", "mass", "polyp",
        "infected", "infection",
        "mutant", "recurrence", "relapse", "dead", "death", "mortality", "sepsis", "aneurysm", "embolism", "fibrosis",
        "adenoma", "glioma", "lymphoma", "sarcoma", "cardiomegaly", "emphysema", "atelectasis", "arrhythmia", "af",
    }
)  # fmt: skip
POSITIVE = ILLNESS | {
    "positive", "pos", "abnormal", "abnormality", "present", "yes", "true", "affected", "case", "pathological",
    "pathologic",
}  # fmt: skip
NEGATIVE = frozenset(
    {
        "normal", "benign", "negative", "neg", "healthy", "control", "controls", "absent", "no", "non", "not",
        "none", "without",
        "false", "unaffected", "clear", "unremarkable", "asymptomatic", "wildtype", "alive",
    }
)  # fmt: skip
POSITIVE_CHINESE = (
    "恶性",
    "阳性",
    "异常",
    "患病",
    "肿瘤",
    "肺炎",
    "癌",
    "病变",
    "结核",
    "新冠",
    "出血",
    "骨折",
    "感染",
)
NEGATIVE_CHINESE = ("良性", "阴性", "正常", "健康", "对照", "无", "非", "未")

_GROUP = re.compile(
    r"^(patient|subject|person|participant|pid|mrn|individual|sub|case_group|患者|病人|受试者|病历号|住院号)"
    r"([_\- ]?(id|ids|no|nr|num|number|uid|code|group|key|编号|号|姓名|组))?$"
)
_GROUP_WEAK = re.compile(r"^(group|groups|group_id|cluster|family|study_id|case_id|accession|accession_number)$")
_RECORD = re.compile(
    r"^(orig|original|src|raw|source|old|native)([_\- ]|$)|_(source|src)$|^(file|image|img)[_\- ]?(size|bytes|format)$"
)
_RECORD_SIZE = re.compile(
    r"^(width|height|rows|cols|columns|size|shape|dtype|bytes|mode|n[xyz]|s[xyz]|depth|resolution)$|^shape_|_(width|height|dtype|bytes)$"
)
_ATTRIBUTE = frozenset(
    {
        "age", "sex", "gender", "site", "hospital", "centre", "center", "scanner", "manufacturer", "vendor",
        "view", "projection",
        "race", "ethnicity", "weight", "height", "bmi", "laterality", "side", "device", "kvp", "dose",
        "license", "licence",
        "modality", "position", "location", "country", "year", "month", "smoker", "protocol", "kernel", "institution",
        "年龄", "性别", "医院", "设备",
    }
)  # fmt: skip
_TIME = re.compile(r"^(offset|time|visit|follow_?up|day|days)([_\- ]?(days|day|d))?$|_days$|^days_")
_ENDS = frozenset({"survival", "stay", "los", "death", "event", "recurrence", "relapse", "discharge"})
"""Until when a time is counted that is known only afterwards."""
_MASK = frozenset(
    {
        "mask",
        "masks",
        "seg",
        "segmentation",
        "annotation",
        "contour",
        "roi_mask",
        "gt",
        "vessels",
        "vessel",
        "lesion_mask",
    }
)
_REGION = frozenset({"fov", "roi", "region", "field", "valid", "brain_mask", "body"})
_OPINION = re.compile(
    r"(^|[_\- ])(2nd|second|reader_?2|observer_?2|rater_?2|expert_?2|2|b)$|second|reader2|observer2|rater2"
)
_NUMBERED = re.compile(r"[_\- ](2|b)$")
_READER = frozenset(
    {"reader", "observer", "rater", "expert", "annotator", "grader", "radiologist", "doctor", "physician"}
)
_IMAGE = frozenset(
    {"image", "images", "img", "path", "file", "filename", "filepath", "imagepath", "picture", "scan", "slice",
    "photo", "dicom",
     "图像", "图片", "影像", "路径", "文件", "文件名"}
)  # fmt: skip
_MODALITY = {
    "ct": "CT", "cxr": "DX", "xray": "DX", "radiograph": "DX", "radiographs": "DX", "chestxray": "DX", "dx": "DX",
    "mr": "MR", "mri": "MR", "us": "US", "ultrasound": "US", "mammography": "MG", "mammogram": "MG", "pet": "PT",
    "fundus": "OP", "oct": "OPT", "t1": "MR", "t2": "MR", "flair": "MR",
}  # fmt: skip


def tokens(text: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: ``lungMask_2`` gives lung, mask, 2."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[\u4e00-\u9fff]+", text)
    return tuple(t.casefold() for t in found)


def part_of(text: str) -> str | None:
    """Return ``train``, ``val`` or ``test`` where a text names a part, else None."""
    return PART_WORDS.get(text.strip().casefold())


def target_strength(column: str) -> float:
    """Return how much a column's name sounds like an answer, 0 to 3."""
    name = column.strip().casefold()
    if name in TARGET_NAMES:
        return 3.0
    words = tokens(column)
    if any(w in TARGET_NAMES for w in words) or any(c in column for c in ("标签", "诊断", "类别")):
        return 2.5
    if any(w in ILLNESS for w in words) or any(c in column for c in POSITIVE_CHINESE):
        return 2.0
    if words and words[-1] in ("grade", "stage", "severity", "status", "result", "type", "分级"):
        return 1.0
    return 0.0


def names_illness(column: str) -> bool:
    """Tell whether a column's name names an illness, so that 1 means "has it"."""
    return any(w in ILLNESS for w in tokens(column)) or any(c in column for c in POSITIVE_CHINESE)


def ends_in_illness(column: str) -> bool:
    """Tell whether the last word of a name is an illness or a death: ``in_hospital_death``, not ``tumour_side``."""
    words = tokens(column)
    return bool(words) and words[-1] in ILLNESS


def group_strength(column: str) -> int:
    """Return 2 for a name that means a patient, 1 for one that may, 0 otherwise."""
    name = column.strip().casefold()
    return 2 if _GROUP.match(name) else 1 if _GROUP_WEAK.match(name) else 0


def is_record(column: str) -> bool:
    """Tell whether a column says how a file came about."""
    name = column.strip().casefold()
    return bool(_RECORD.search(name) or _RECORD_SIZE.search(name))


def is_size(column: str) -> bool:
    """Tell whether a column's name is a size of a picture; of a person or a sample it may be one, too."""
    return bool(_RECORD_SIZE.search(column.strip().casefold()))


def is_attribute(column: str) -> bool:
    """Tell whether a column's name is a usual attribute such as age, sex or site."""
    return any(w in _ATTRIBUTE for w in (*tokens(column), column.strip().casefold()))


def is_time(column: str) -> bool:
    """Tell whether a column's name is a time in days."""
    return bool(_TIME.search(column.strip().casefold())) and not _ENDS & set(tokens(column))


def is_image(column: str) -> bool:
    """Tell whether a column's name means the picture."""
    return any(w in _IMAGE for w in (*tokens(column), column.strip().casefold()))


def names_image_only(column: str) -> bool:
    """Tell whether a column's name says picture and nothing else: ``image_path``, not ``lesion_path``."""
    words = tokens(column)
    return bool(words) and all(w in _IMAGE for w in words)


def is_mask(column: str) -> bool:
    """Tell whether a column's name means a mask."""
    return any(w in _MASK for w in tokens(column))


def is_region(column: str) -> bool:
    """Tell whether a column's name means a field of view or region of interest."""
    return any(w in _REGION for w in tokens(column))


def is_opinion(column: str) -> bool:
    """Tell whether a column's name means a second reader's answer."""
    return bool(_OPINION.search(column.strip().casefold()))


def is_numbered(column: str) -> bool:
    """Tell whether only a 2 or b at its end makes a name a second reader's: ``lesion_2``, not ``reader_2``."""
    return bool(_NUMBERED.search(column.strip().casefold())) and not _READER & set(tokens(column))


def is_id(column: str) -> bool:
    """Tell whether a column's name means the case itself."""
    words = tokens(column)
    return bool(words) and (
        words[-1] in ("id", "uid", "name", "case", "sample", "record", "key", "编号", "号")
        or words[0] in ("case", "id")
    )


def modality_of(name: str) -> str:
    """Return the DICOM modality code that a folder, file or array name tells, or ``""``."""
    for word in tokens(name):
        if word in _MODALITY:
            return _MODALITY[word]
    return ""


def polarity(name: str) -> int:
    """Return 1 where a class name means diseased, -1 where it means the opposite, 0 where it does not tell.

    Notes
    -----
    Negations are looked at first, since ``NonCOVID`` contains ``COVID``, and ``abnormal`` before ``normal``.
    """
    text = name.strip().casefold()
    if text in ("y", "1"):
        return 1 if text == "y" else 0
    if text == "n":
        return -1
    if any(text.startswith(c) or c in text for c in NEGATIVE_CHINESE) and not text.startswith("异常"):
        return -1
    if any(c in text for c in POSITIVE_CHINESE):
        return 1
    words = tokens(name)
    joined = "".join(words)
    if any(_denied(w) for w in (*words, joined)):
        return -1
    if any(w in NEGATIVE for w in words):
        return -1
    return 1 if any(w in POSITIVE for w in (*words, joined)) else 0


def _denied(word: str) -> bool:
    return any(
        word.startswith(p) and word[len(p) :].lstrip("-_") in POSITIVE for p in ("non", "no", "un", "not", "anti")
    )


def positive_of(classes: tuple[str, ...], column: str) -> tuple[str | None, str]:
    """Return the positive class of two, and how it was found.

    Parameters
    ----------
    classes : tuple of str
        Class names, in the order of their codes.
    column : str
        Name of the column that holds them.

    Returns
    -------
    tuple of (str or None, str)
        None and ``""`` unless there are two classes; the source is ``name`` or ``assumed``.
    """
    if len(classes) != 2:
        return None, ""
    first, second = (polarity(c) for c in classes)
    if first != second:
        return (classes[0] if first > second else classes[1]), "name"
    coded = {c.strip() for c in classes} in ({"0", "1"}, {"0.0", "1.0"}, {"1", "2"}, {"-1", "1"})
    return classes[1], "name" if coded and names_illness(column) else "assumed"


BENIGN = frozenset({"benign", "良性"})
"""Not ill, but there is something to see."""


def nothing_there(name: str) -> bool:
    """Return whether a class means that there is nothing to see: ``normal``, ``no``, ``healthy``; not ``benign``."""
    words = {*tokens(name), name.strip().casefold()}
    return polarity(name) < 0 and not any(b in word for b in BENIGN for word in words)
