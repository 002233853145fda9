"""What the page says, in English and in Chinese."""

from dataclasses import dataclass

from hounsfield.core.errors import unknown_name


@dataclass(frozen=True)
class Both:
    """One text in both languages."""

    en: str
    zh: str


METHOD_WORDS = {
    "gradcam": Both("Grad-CAM", "Grad-CAM 类激活图"),
    "gradients": Both("Integrated gradients", "积分梯度"),
    "occlusion": Both("Occlusion", "遮挡法"),
    "centre": Both("Middle of the image", "图像中心"),
}

WORDS = {
    "not_device": Both("Research software, not a medical device.", "科研软件，不是医疗器械。"),
    "title": Both("What in the image carries the answer “{target}”?", "图像中的哪些部分支持模型对“{target}”的判断？"),
    "from_test": Both("Images of the test part, which the model has not seen.", "图像来自测试集，模型未曾见过。"),
    "from_cv": Both(
        "Each image is explained by members of the ensemble that have not seen it.",
        "每幅图像均由未见过它的成员模型来解释。",
    ),
    "from_elsewhere": Both("Images with answers from other data.", "图像来自其他带标注的数据。"),
    "from_files": Both("Images without answers.", "图像无标注。"),
    "eyebrow_answer": Both("In short", "结论"),
    "answer": Both(
        "{shown} of {all} images have an explanation that is better than random.",
        "{all} 幅图像中有 {shown} 幅得到了优于随机的解释。",
    ),
    "answer_maps": Both(
        "{shown} of {all} maps passed. By chance alone about {chance} would have.",
        "{all} 张解释图中有 {shown} 张通过检验；仅凭偶然，预计约有 {chance} 张会通过。",
    ),
    "none_at_all": Both(
        "No map is better than random: nothing is shown as an explanation.",
        "没有任何解释图优于随机图，因此不展示任何解释。",
    ),
    "eyebrow_pointing": Both("Does it point at the outlined finding?", "解释图是否指向已勾画的病灶？"),
    "pointing": Both(
        "Of {images} images with an outline, the highest place of the {method} map lay inside in {rate} "
        "(95% interval {low}–{high}). A random place would in {chance}, the middle of the image in {centre}.",
        "在 {images} 幅有勾画的图像中，{method}的最高点落在勾画内的比例为 {rate}（95% 区间 {low}–{high}）。"
        "随机一点的比例为 {chance}，图像中心的比例为 {centre}。",
    ),
    "eyebrow_doubt": Both("What not to believe", "不可轻信之处"),
    "doubt_cause": Both(
        "A map says which places the network uses. It does not say that they are the disease, nor that the answer "
        "is right.",
        "解释图说明网络利用了哪些位置，并不说明那里就是病变，也不说明判断正确。",
    ),
    "doubt_chance": Both(
        "A map is shown where fewer than 5% of random maps do as well ({random} of the same coarseness each). Over "
        "many maps, some pass by chance.",
        "只有当不足 5% 的随机图（每次 {random} 张、粗糙程度相同）能达到同等水平时才展示。图很多时，会有少数偶然通过。",
    ),
    "doubt_centre": Both(
        "Shown maps that are no better than a blob in the middle of the image: {count}. They may only say that "
        "findings lie there.",
        "{count} 张展示的图不优于位于图像中心的圆斑，可能只反映病灶多在中央。",
    ),
    "doubt_same": Both(
        "Shown maps that hardly change when all weights are randomised: {count}. They show the image more than the "
        "network.",
        "{count} 张展示的图在全部权重随机化后几乎不变：它们更多反映图像本身，而非网络。",
    ),
    "doubt_seen": Both("Images that the model was trained on: {count}.", "其中 {count} 幅图像曾用于训练该模型。"),
    "doubt_voiceless": Both(
        "Members that are no networks: {count}. They are heard in the scores and in occlusion; gradients know nothing "
        "of them.",
        "{count} 个成员不是网络：评分与遮挡法包含它们，但基于梯度的图不包含。",
    ),
    "images": Both("Images", "图像"),
    "none": Both("No explanation that is better than random", "没有优于随机的解释"),
    "hardly": Both(
        "The answer hardly depends on the image: untrained networks react as much to it.",
        "判断几乎不依赖图像：未经训练的网络反应同样强烈。",
    ),
    "explains": Both("explains", "所解释的判断"),
    "says": Both("The model says", "模型判断"),
    "truth": Both("truth", "实际"),
    "right": Both("correct", "正确"),
    "wrong": Both("wrong", "错误"),
    "score": Both("probability {score}; without detail {blank}", "概率 {score}；去除细节后 {blank}"),
    "score_number": Both(
        "{score} deviations from the average; without detail {blank}", "偏离均值 {score} 个标准差；去除细节后 {blank}"
    ),
    "map": Both("Map", "解释图"),
    "deletion": Both("Deletion", "删除曲线面积"),
    "insertion": Both("Insertion", "插入曲线面积"),
    "random": Both("Random maps", "随机图"),
    "z": Both("z", "z"),
    "p": Both("p", "p"),
    "centre_blob": Both("Middle blob", "中心圆斑"),
    "same": Both("Randomised weights", "权重随机化"),
    "verdict": Both("Shown?", "是否展示"),
    "yes": Both("yes", "是"),
    "no": Both("no", "否"),
    "in_mask": Both("highest inside the outline", "最高点在勾画内"),
    "out_mask": Both("highest outside the outline", "最高点在勾画外"),
    "pointing_title": Both("Pointing game", "指点游戏"),
    "pointing_text": Both(
        "Share of images whose map is highest inside the outline, and within {tolerance} of the longest edge around "
        "it.",
        "解释图最高点落在勾画内的图像比例，以及落在勾画外扩（最长边的 {tolerance}）范围内的比例。",
    ),
    "count": Both("Images", "图像数"),
    "inside": Both("Inside", "在勾画内"),
    "near": Both("With tolerance", "含容差"),
    "by_chance": Both("Random place", "随机一点"),
    "middle": Both("Middle", "图像中心"),
    "shown_only": Both("shown maps only", "仅展示的图"),
    "left_out": Both("Not explained", "未解释"),
    "scores_title": Both("How to read the scores", "如何理解评分"),
    "scores_text": Both(
        "Deletion: the answer's probability while the places of highest value are blurred first, averaged (low is "
        "good). Insertion: while they are uncovered first in a blurred image (high is good). p: share of random maps "
        "of the same coarseness whose insertion less deletion is at least as large. Randomised weights: rank "
        "correlation with the map of the same network with fresh weights in its top quarter, upper half, "
        "all layers (near 0 is good).",
        "删除：从最高值处开始逐步模糊图像时的平均概率（低为好）。插入：在模糊图像中从最高值处开始逐步恢复时的平均概率"
        "（高为好）。p：粗糙程度相同的随机图中，插入减删除不低于该图的比例。权重随机化：与同一网络顶部四分之一、上半部、"
        "全部层改用新权重后的图的秩相关（接近 0 为好）。",
    ),
}


SIGNAL_WORDS = {
    "title": Both("What in the signal carries the answer “{target}”?", "信号中的哪些部分支持模型对“{target}”的判断？"),
    "from_test": Both("Signals of the test part, which the model has not seen.", "信号来自测试集，模型未曾见过。"),
    "from_cv": Both(
        "Each signal is explained by members of the ensemble that have not seen it.",
        "每段信号均由未见过它的成员模型来解释。",
    ),
    "from_elsewhere": Both("Signals with answers from other data.", "信号来自其他带标注的数据。"),
    "from_files": Both("Signals without answers.", "信号无标注。"),
    "answer": Both(
        "{shown} of {all} signals have an explanation that is better than random.",
        "{all} 段信号中有 {shown} 段得到了优于随机的解释。",
    ),
    "doubt_absence": Both(
        "What is missing leaves no mark: a beat that did not come lies where the trace is at its mean, and hiding it "
        "changes nothing.",
        "缺失的内容不会留下标记：未出现的心搏处曲线即为均值，遮挡它不会带来任何变化。",
    ),
    "doubt_centre": Both(
        "Shown maps that are no better than a blob in the middle of the signal: {count}. They may only say that the "
        "beat lies there.",
        "{count} 张展示的图不优于位于信号中央的峰，可能只反映心搏位于中央。",
    ),
    "doubt_same": Both(
        "Shown maps that hardly change when all weights are randomised: {count}. They show the signal more than the "
        "network.",
        "{count} 张展示的图在全部权重随机化后几乎不变：它们更多反映信号本身，而非网络。",
    ),
    "doubt_seen": Both("Signals that the model was trained on: {count}.", "其中 {count} 段信号曾用于训练该模型。"),
    "images": Both("Signals", "信号"),
    "hardly": Both(
        "The answer hardly depends on what the signal shows beside its mean: untrained networks react as much to it.",
        "判断几乎不依赖信号在均值之外的内容：未经训练的网络反应同样强烈。",
    ),
    "score": Both("probability {score}; of the mean alone {blank}", "概率 {score}；仅余均值时 {blank}"),
    "score_number": Both(
        "{score} deviations from the average; of the mean alone {blank}",
        "偏离均值 {score} 个标准差；仅余均值时 {blank}",
    ),
    "drawn": Both(
        "Blue: what speaks for the explained answer, the darker the more, in all leads together. Traces are the "
        "recordings in their own units; the model sees them resampled and standardised. On the grid 25 mm are a second "
        "and 10 mm a millivolt, in print too.",
        "蓝色表示支持所解释判断的时段，颜色越深支持越强，各导联合并计算。曲线为原始单位的记录；"
        "模型所见为重采样并标准化后的信号。网格上 25 mm 为 1 秒，10 mm 为 1 毫伏，打印时亦然。",
    ),
    "centre_blob": Both("Middle peak", "中央峰"),
    "scores_text": Both(
        "Deletion: the answer's probability while the moments of highest value are replaced by the mean first, "
        "averaged (low is good); at irregular times they count as not measured. Insertion: while they are put back "
        "first (high is good). p: share of random maps of the same coarseness whose insertion less deletion is at "
        "least as large. Randomised weights: rank correlation with the map of the same network with fresh weights in "
        "its top quarter, upper half, all layers (near 0 is good).",
        "删除：从最高值处开始逐步以均值替代信号时的平均概率（低为好）；时间不规则的序列则视为未测量。"
        "插入：从最高值处开始逐步恢复时的平均概率（高为好）。p：粗糙程度相同的随机图中，插入减删除不低于该图的比例。"
        "权重随机化：与同一网络顶部四分之一、上半部、全部层改用新权重后的图的秩相关（接近 0 为好）。",
    ),
}
"""What is said otherwise where signals are explained."""


def say(key: str, of: str = "image", **slots: str | int | Both) -> Both:
    """Return one sentence with its slots filled; a `Both` gives each language its own.

    Parameters
    ----------
    key : str
    of : str
        ``image`` or ``signal``: what is explained.
    **slots : str, int or Both

    Raises
    ------
    UnknownNameError
        If there is no such sentence.
    """
    own = SIGNAL_WORDS if of == "signal" else {}
    if key not in WORDS and key not in own:
        raise unknown_name("sentence", key, WORDS)
    words = own[key] if key in own else WORDS[key]
    english = {name: slot.en if isinstance(slot, Both) else slot for name, slot in slots.items()}
    chinese = {name: slot.zh if isinstance(slot, Both) else slot for name, slot in slots.items()}
    return Both(words.en.format(**english), words.zh.format(**chinese))


def method_words(name: str) -> Both:
    """Return what a method is called; its own name where the page has none."""
    return METHOD_WORDS.get(name, Both(name, name))
