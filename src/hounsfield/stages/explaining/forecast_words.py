"""What the page of explained forecasts says, in English and in Chinese."""

from hounsfield.core.errors import unknown_name
from hounsfield.stages.explaining.words import Both

WORDS = {
    "not_device": Both("Research software, not a medical device.", "科研软件，不是医疗器械。"),
    "title": Both("What moved the forecast of {variable}?", "哪些数据改变了对 {variable} 的预测？"),
    "from_test": Both(
        "Series of the test part, which the model has not seen: the forecasts whose first question was answered "
        "furthest off, and some in which it was answered right.",
        "序列来自测试集，模型未曾见过：包括首个问题误差最大的预测与若干首个问题预测准确者。",
    ),
    "from_files": Both("Each series is forecast from its last reading.", "每个序列均从其最后一次读数开始预测。"),
    "eyebrow_answer": Both("In short", "结论"),
    "eyebrow_doubt": Both("What not to believe", "不可轻信之处"),
    "most": Both(
        "In {count} of {all} forecasts something beside the present reading counts; most often {variable}.",
        "{all} 个预测中有 {count} 个受当前读数以外的数据明显影响；最常见的是 {variable}。",
    ),
    "nothing": Both(
        "Nothing but the present reading moves these forecasts by more than a tenth of their own doubt.",
        "除当前读数外，没有任何数据使这些预测的变化超过其自身不确定性的十分之一。",
    ),
    "alone": Both(
        "{count} of {all} forecasts hardly rest on anything but the present reading and the level.",
        "{all} 个预测中有 {count} 个几乎只依赖当前读数与其水平。",
    ),
    "doubt_cause": Both(
        "A move says what the model's forecast rests on. It is no cause: to change that variable in the patient need "
        "not change what comes.",
        "变化量说明模型的预测依据什么，并不说明因果：改变患者的该变量未必改变其后的结果。",
    ),
    "doubt_right": Both(
        "A forecast that is explained is not therefore right: its interval says how far off it may be.",
        "能够解释的预测并不因此正确：其区间说明可能的偏差。",
    ),
    "doubt_sum": Both(
        "Moves do not add up: where two stretches say the same, hiding one changes little. What all that count do "
        "together is told for each question.",
        "变化量不可相加：两段数据含有相同信息时，遮去其一影响甚小。各问题下给出所有显著时段一并遮去的结果。",
    ),
    "doubt_replaced": Both(
        "Other variables are hidden as if they had not been measured then. Of {variable} itself a stretch is replaced "
        "by a straight line between its neighbours; the newest stands still at the reading before.",
        "其他变量被视为当时未测量；{variable} 本身的时段以相邻读数之间的直线代替，最近一段则保持在之前的读数。",
    ),
    "doubt_least": Both(
        "A move counts from {share} of half the {interval} interval on; smaller ones are in explain.json.",
        "变化量达到 {interval} 区间半宽的 {share} 才视为显著；更小的记录在 explain.json 中。",
    ),
    "forecasts": Both("Forecasts", "预测"),
    "drawn": Both(
        "Orange: what is said is higher because of this stretch; blue: lower. All stretches are drawn equally wide, so "
        "time runs the faster the longer ago it is.",
        "橙色：该时段使预测升高；蓝色：使预测降低。各时段等宽绘制，越久远的时间压缩越多。",
    ),
    "at": Both(
        "at {time} h, {variable} {value} after {readings} readings",
        "{time} 小时，{variable} {value}，共 {readings} 次读数",
    ),
    "searched": Both(
        "Sought in {searched} of {series} series, drawn at random.",
        "在 {series} 个序列中随机抽取 {searched} 个进行查找。",
    ),
    "why_last": Both("the last reading of the series", "序列的最后一次读数"),
    "why_miss": Both("among the furthest off", "误差最大者之一"),
    "why_hit": Both("among those that were right", "准确者之一"),
    "question": Both("Question", "问题"),
    "said": Both("Said (interval)", "预测（区间）"),
    "came": Both("Came", "实际"),
    "below": Both("Below {limit}", "低于 {limit} 的概率"),
    "together": Both("Without all that count", "遮去全部显著时段"),
    "none": Both("Nothing counts beside the present reading", "除当前读数外均不显著"),
    "part": Both("Because of", "因为"),
    "readings": Both("Readings", "读数"),
    "whole": Both("{variable}, all of it", "{variable}，全部"),
    "whole_own": Both("{variable}, all before the present reading", "{variable}，当前读数之前的全部"),
    "stretch": Both("{variable}, {first} to {last} ago", "{variable}，{first}至{last}前"),
    "newest": Both("{variable}, the last {first}", "{variable}，最近{first}"),
    "present_own": Both("the present reading, as against the one before", "当前读数（相对于前一次）"),
    "present": Both("{variable}, the newest", "{variable}，最新"),
    "left_out": Both("Not explained", "未解释"),
}


def say(key: str, **slots: str | int) -> Both:
    """Return one sentence with its slots filled.

    Raises
    ------
    UnknownNameError
        If there is no such sentence.
    """
    if key not in WORDS:
        raise unknown_name("sentence", key, WORDS)
    words = WORDS[key]
    return Both(words.en.format(**slots), words.zh.format(**slots))
