"""The page: whole, self-contained, bilingual, escaped."""

import re
from html.parser import HTMLParser

import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import UnknownNameError
from hounsfield.core.report import AuditBlock, ClassPoint, Figure, PartFigures, Report, TargetReport
from hounsfield.stages.reporting.page import render_html
from hounsfield.stages.reporting.words import metric_words
from tests.stages.reporting import sample
from tests.stages.reporting.sample import TARGET, report

VOID = {"meta", "input", "br", "img", "link", "hr"}


class _Page(HTMLParser):
    """Checks nesting; collects text, attributes and tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)


def _read(html: str) -> tuple[_Page, str]:
    page = _Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page, " ".join(" ".join(page.words).split())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_page_is_well_formed_and_opens_in_its_language(lang: str) -> None:
    page, words = _read(render_html(report(), lang=lang))
    checked = [tag for tag, name, _ in page.attributes if name == "checked"]
    assert len(checked) == 1
    assert ("html", "lang", "zh-Hans" if lang == "zh" else "en") in page.attributes
    assert re.search(rf'id="{lang}"[^>]* checked', render_html(report(), lang=lang))
    for expected in ("How well it is answered", "回答得如何", "受试者工作特征曲线下面积", "灵敏度"):
        assert expected in words
    assert "not a medical device" in words
    assert "不是医疗器械" in words


def test_page_needs_nothing_from_outside() -> None:
    html = render_html(report())
    page, _ = _read(html)
    assert not page.tags & {"script", "link", "iframe", "object", "base"}
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)
    for _, name, value in page.attributes:
        if name in {"src", "href"}:
            assert value.startswith(("#", "data:image/png;base64,"))
        assert not name.startswith("on")


def test_every_metric_and_finding_of_the_report_is_on_the_page() -> None:
    shown = report()
    _, words = _read(render_html(shown))
    for judged in shown.targets.values():
        for part in judged.parts.values():
            for name, figure in part.metrics.items():
                base = metric_words(name.partition(":")[0])
                assert base.en in words, name
                assert base.zh in words, name
                if figure.value is None:
                    assert figure.note in words
    for expected in (
        "0.871", "(0.821–0.921)", "82.0%", "kjr-29", "71_pct_0", "broken.png", "truncated", "img_7.png",
        "file ending", "The ending predicts it.", "few images", "425 samples", "textbook", "python",
        "Small test part.", "测试集样本量小。", "14.0 min", "14.3 min", "1700 MiB", "and 50 more", "sex", "T = 1.60",
        "Logistic regression", "逻辑回归", "diameter", "2.50", "8 patients with differing answers", "Fold 2",
    ):  # fmt: skip
        assert expected in words.replace("\N{NO-BREAK SPACE}", " "), expected


def test_the_opening_tells_of_the_simpler_model() -> None:
    _, words = _read(render_html(report()))
    assert words.index("does as well within the interval: use it") < words.index("Small test part.")
    assert words.index("Small test part.") < words.index("Confusion matrix")
    assert "of 100 studies with “COVID” it finds 82 and misses 18; of 100 without, it raises 21 false alarms" in words


def _with_class_points(*rules: str, folds: tuple[float, ...] = ()) -> str:
    classes = ("N", "S", "V")
    metrics = {
        "sensitivity": sample.figure(0.625),
        "specificity": sample.figure(0.951),
        "ppv": Figure(value=None, note="none called"),
    }
    points = {
        name: ClassPoint(
            threshold=1.0 + 1e-15 if name == "S" else 0.137,
            rule=rule,
            positives=7,
            negatives=211,
            folds=folds,
            cases=16,
            metrics=metrics,
        )
        for name, rule in zip(classes, rules, strict=False)
    }
    target = TargetSpec(name="beat", kind="categorical", classes=classes)
    judged = TargetReport(target=target, parts={"test": report().parts["test"]}, class_points=points)
    return _read(render_html(report().model_copy(update={"target": target, "targets": {"beat": judged}})))[1]


def test_each_class_has_its_threshold_and_what_it_reaches() -> None:
    words = _with_class_points("specificity", "specificity", "default")
    assert "Each class against the rest" in words
    assert "Rule: specificity as asked, fixed on 218 validation samples" in words
    assert "规则：达到指定特异度，依据 218 个验证样本确定" in words
    assert "V 0.137 7 / 211 16 62.5% (57.5–67.5%) 95.1% (90.1–100.1%) – none called" in words
    assert "S > 1 7 / 211 16" in words
    assert "validation holds only cases or only others: V." in words
    assert "threshold of its own fold" not in words
    assert "threshold of its own fold" in _with_class_points("specificity", folds=(0.1, 0.2))
    assert "Each class against the rest" not in _with_class_points()


def test_the_page_says_which_class_is_called() -> None:
    target = TargetSpec(name="beat", kind="categorical", classes=("N", "S", "V"))
    judged = TargetReport(target=target, parts={"test": report().parts["test"]})

    def words(factors: dict[str, float]) -> str:
        own = judged.model_copy(update={"class_factors": factors})
        return _read(render_html(report().model_copy(update={"target": target, "targets": {"beat": own}})))[1]

    assert "The class that is called is the most probable one." in words({})
    found = words({"N": 1.0, "S": 3.3333, "V": 12.0})
    assert "probability times its factor is largest: N 1.00, S 3.33, V 12.0." in found
    assert "概率乘以其系数后最大的一类：N 1.00、S 3.33、V 12.0。" in found
    assert "is called is the most probable one" not in found


def test_everything_is_escaped() -> None:
    evil = '<img src=x onerror="alert(1)">'
    target = TARGET.model_copy(update={"name": evil, "classes": ("normal", evil), "positive": evil})
    part = report().parts["test"]
    part = part.model_copy(
        update={
            "metrics": {**part.metrics, f"recall:{evil}": Figure(value=0.5, note=evil)},
            "classes": {evil: 3},
            "curves": {f"roc:{evil}": part.curves["roc"]},
        }
    )
    judged = TargetReport(target=target, parts={"test": part})
    changed = report().model_copy(
        update={
            "cohort": evil,
            "target": target,
            "parts": {"test": part},
            "targets": {evil: judged},
            "environment": {evil: evil},
            "audit": report().audit.model_copy(update={"contradictions": ((evil, evil),), "warnings": (evil,)}),
            "history": {evil: (1.0, 2.0)},
        }
    )
    html = render_html(changed)
    _read(html)
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_records_in_doubt_are_listed_as_those_set_aside_are() -> None:
    shown = report()
    assert "Used, and to be looked at" not in _read(render_html(shown))[1]
    doubts = tuple({"sample": f"r{n}", "reason": "aVR and aVL swapped: <b>"} for n in range(203))
    audit = shown.audit.model_copy(update={"in_doubt": doubts})
    html = render_html(shown.model_copy(update={"audit": audit}))
    _, words = _read(html)
    for expected in ("Used, and to be looked at", "已使用，但需人工核查", "203 cases", "and 3 more in audit.json"):
        assert expected in words
    assert "r0 : aVR and aVL swapped: <b>" in words
    assert "swapped: <b>" not in html
    bare = shown.model_copy(update={"audit": AuditBlock(in_doubt=doubts[:1])})
    _, words = _read(render_html(bare))
    assert "1 cases" in words
    assert "Nothing was found." not in words


def test_an_empty_report_is_still_a_page() -> None:
    bare = Report.model_validate(
        {
            **report().model_dump(),
            "parts": {},
            "targets": {},
            "baselines": {},
            "shortcut": None,
            "audit": {},
            "cost": {},
            "caveats": (),
            "plan": (),
            "history": {},
            "errors": (),
            "alternatives": (),
            "environment": {},
        }
    )
    _, words = _read(render_html(bare))
    assert "No figure could be computed." in words
    empty = PartFigures(samples=0, patients=0, metrics={"auroc": Figure(value=None, note="a class is missing")})
    _, words = _read(render_html(bare.model_copy(update={"parts": {"test": empty}})))
    assert "a class is missing" in words


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="language"):
        render_html(report(), lang="fr")


def test_learning_curve_says_what_twice_the_data_would_bring() -> None:
    _, words = _read(render_html(report()))
    assert "What more data would bring" in words
    assert "With twice the training data (850 samples): 0.800 (0.750–0.850); gain +0.020 (+0.000 … +0.060)." in words
    assert "No forecast: a class is missing." in words
    bare = render_html(report().model_copy(update={"learning": ()}))
    assert 'id="learning"' not in bare


def test_prediction_sets_and_doubtful_answers_are_said_in_words() -> None:
    _, words = _read(render_html(report()))
    assert "Here the set held the truth for 94.0% of studies (92.0% with each patient counting once)." in words
    assert "It named one class for 58.0% of studies, several for 41.0%" in words
    assert "Too few validation cases to ever rule out: COVID." in words
    assert "contradicts the given answer of 1 of 118 samples" in words
    assert "s17" in words
