"""Caveats: each is raised by its cause, in order, in both languages."""

import re
from string import Formatter

import pytest

from hounsfield.core.audit import Audit, Shortcut
from hounsfield.core.cohort import SetAside
from hounsfield.core.report import Figure, PartFigures
from hounsfield.stages.evaluation.caveats import CaveatFacts, caveats, templates
from tests.stages.evaluation.cases import BINARY

SOUND = PartFigures(
    samples=400,
    patients=300,
    metrics={
        "auroc": Figure(value=0.9, low=0.86, high=0.93),
        "recall:normal": Figure(value=0.8),
        "recall:COVID": Figure(value=0.8),
        "calibration_slope": Figure(value=1.0, low=0.8, high=1.2),
    },
    classes={"normal": 200, "COVID": 200},
)


def _said(facts: CaveatFacts) -> str:
    return " ".join(caveat.en for caveat in caveats(facts))


def test_a_sound_run_has_one_note_only() -> None:
    found = caveats(CaveatFacts(target=BINARY, figures=SOUND))
    assert [caveat.level for caveat in found] == ["note"]


def test_the_assumed_positive_class_comes_first() -> None:
    target = BINARY.model_copy(update={"positive_source": "assumed"})
    found = caveats(CaveatFacts(target=target, figures=SOUND, stopped_by_clock=True, patients_known=False))
    assert "COVID" in found[0].en
    assert "COVID" in found[0].zh
    assert "--group" in found[1].en
    assert "clock" in found[2].en


def test_shortcuts_name_the_strong_cues_only() -> None:
    shortcut = Shortcut(
        auroc=Figure(value=0.88, low=0.8, high=0.93),
        by={
            "file ending": Figure(value=0.75, low=0.7, high=0.8),
            "width": Figure(value=0.8, low=0.7, high=0.9),
            "border": Figure(value=0.65, low=0.45, high=0.8),
        },
    )
    said = _said(CaveatFacts(target=BINARY, figures=SOUND, audit=Audit(samples=1, patients=1, shortcut=shortcut)))
    assert "width (AUC 0.80), file ending (AUC 0.75)" in said
    assert "border" not in said
    assert "about as well as the network" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": {"normal": 390, "COVID": 10}}, "10 in the smallest class"),
        ({"classes": {"normal": 400, "COVID": 0}}, "no sample of COVID"),
        ({"patients": 20}, "small: 20 patients"),
        ({"metrics": {"auroc": Figure(value=0.6, low=0.48, high=0.7)}}, "includes chance"),
        ({"metrics": {"recall:COVID": Figure(value=0.3)}}, "Fewer than half"),
        ({"metrics": {"false_positive_rate": Figure(value=0.61)}}, "In 61% of the images that do not hold"),
        (
            {"metrics": {"false_positive_rate": Figure(value=1.0)}, "samples": 10, "classes": {"lesion": 7}},
            "In 3 of 3 images that do not hold the structure",
        ),
        (
            {
                "metrics": {
                    "false_positive_rate": Figure(value=None),
                    "false_positive_rate:liver": Figure(value=None),
                    "false_positive_rate:tumour": Figure(value=0.3),
                    "false_positive_rate:cyst": Figure(value=0.1),
                },
                "samples": 40,
                "classes": {"liver": 40, "tumour": 30, "cyst": 20},
            },
            "(images marked / images without): tumour 3/10; the mean",
        ),
        ({"metrics": {"recall:COVID": Figure(value=0.25)}, "classes": {"COVID": 4}}, "recognised: COVID (1/4)"),
        ({"metrics": {"calibration_slope": Figure(value=0.5, low=0.4, high=0.6)}}, "too extreme"),
    ],
)
def test_figures_raise_caveats(change: dict[str, object], words: str) -> None:
    assert words in _said(CaveatFacts(target=BINARY, figures=SOUND.model_copy(update=change)))


def test_the_audit_raises_caveats() -> None:
    aside = (SetAside(sample="x", reason="y"),)
    audit = Audit(
        samples=9,
        patients=9,
        contradictions=(("a", "b"),),
        duplicates_across_parts=(("a", "b"),),
        flagged_in_test=aside,
        unreadable=aside,
        patients_in_two_parts=3,
    )
    said = _said(CaveatFacts(target=BINARY, figures=SOUND, audit=audit, grouped=False, judged_part="cv"))
    for words in (
        "different answers",
        "Duplicates",
        "official test part holds",
        "set aside",
        "(3)",
        "pooled over models",
    ):
        assert words in said


def test_both_languages_have_the_same_slots() -> None:
    for key, (_, english, chinese) in templates().items():
        slots = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, chinese)]
        assert slots[0] == slots[1], key
        assert re.search(r"[\u4e00-\u9fff]", chinese), key


def test_folds_of_masks_speak_of_no_temperature() -> None:
    masks = BINARY.model_copy(update={"kind": "mask"})
    for target, spoken in ((BINARY, True), (masks, False)):
        said = _said(CaveatFacts(target=target, figures=SOUND, judged_part="cv"))
        assert "pooled over models" in said
        assert ("temperature" in said) is spoken
