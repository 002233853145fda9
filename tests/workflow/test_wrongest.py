"""The errors that a report shows are errors of what is called."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import Cohort, Reading, Ref, Sample, Schema, TargetSpec
from hounsfield.core.protocols import Decoding
from hounsfield.learn.model import Judgement
from hounsfield.tasks.classify.task import Classify
from hounsfield.workflow import reports
from hounsfield.workflow.fitting import Calibrated
from hounsfield.workflow.predictions import Row, Rows

ILL = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")
BEATS = TargetSpec(name="beat", kind="categorical", classes=("N", "S", "V"))


def row(key: str, target: TargetSpec, truth: str, shares: tuple[float, ...], fold: int = -1) -> Row:
    sample = Sample(id=key, patient=key, inputs={"image": (Reading(Ref("memory", key)),)}, targets={target.name: truth})
    return Row(sample, "cv" if fold >= 0 else "test", Judgement(key, {target.name: np.log(shares)}, {}, (), ""), fold)


def wrong(
    monkeypatch: pytest.MonkeyPatch, target: TargetSpec, rows: list[Row], **decodings: Decoding
) -> list[tuple[str, str, float]]:
    """Return sample, predicted and probability of the pictures, whatever they show."""
    fixed = {name.replace("_", "."): Calibrated({target.name: d}, {}) for name, d in decodings.items()}
    shown = SimpleNamespace(kind_name="image", wanted=None, shown=lambda image: image)
    monkeypatch.setattr(reports, "calibrations", lambda contents: fixed)
    monkeypatch.setattr(reports, "preparations_of", lambda plan, fingerprint: {"image": shown})
    monkeypatch.setattr(reports, "latest", lambda cohort, sample, name, *, wanted: None)
    monkeypatch.setattr(reports, "picture_of", lambda image: "png")
    contents = cast(BundleContents, SimpleNamespace(plan=None, fingerprint=None))
    cohort = Cohort("toy", "", tuple(r.sample for r in rows), Schema(targets=(target,)))
    found = reports.wrongest(Rows(tuple(rows)), cohort, target, task=Classify(), contents=contents)
    return [(p.sample, p.predicted, round(p.probability, 9)) for p in found]


def test_of_two_classes_by_the_threshold_of_the_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        row("found", ILL, "yes", (0.7, 0.3), fold=0),  # over its threshold, though the other class is likelier
        row("alarm", ILL, "no", (0.6, 0.4), fold=0),
        row("missed", ILL, "yes", (0.7, 0.3), fold=1),
    ]
    found = wrong(
        monkeypatch,
        ILL,
        rows,
        network=Decoding(threshold=0.5),
        network_0=Decoding(threshold=0.2),
        network_1=Decoding(threshold=0.5),
    )
    assert found == [("missed", "no", 0.7), ("alarm", "yes", 0.4)]


def test_of_more_by_their_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        row("found", BEATS, "S", (0.6, 0.3, 0.1)),
        row("alarm", BEATS, "N", (0.5, 0.4, 0.1)),
        row("right", BEATS, "N", (0.9, 0.05, 0.05)),
    ]
    adjusted = Decoding(class_factors={"N": 1.0, "S": 3.0, "V": 3.0})
    assert wrong(monkeypatch, BEATS, rows, network=adjusted) == [("alarm", "S", 0.4)]
    assert wrong(monkeypatch, BEATS, rows, network=Decoding()) == [("found", "N", 0.6)]
