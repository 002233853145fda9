"""The canary: nothing of the test part reaches what is trained, fitted or shipped, and a step that peeks is noticed."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.plan import Machine
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray
from hounsfield.learn.feed import Feed
from hounsfield.workflow import jobs, planning
from hounsfield.workflow.training import train
from hounsfield.workflow.wishes import Wishes
from tests.workflow.toys import SIDE, rows

Rows = list[Mapping[str, object]]
TESTS = 12


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No choice of precision by the clock, so that the same data give the same plan."""
    monkeypatch.setattr(planning, "machine", lambda: Machine(cores=1, bfloat16=False))


def shipped(samples: Rows, out: Path) -> dict[str, bytes]:
    """Train, and return all that was fitted: weights, baselines, guard, calibration, thresholds, the plan's values."""
    run = train(samples, out=out, wishes=Wishes(max_steps=6, threads=1, seed=3))
    contents = open_sealed(run.path / "bundle")
    found: dict[str, bytes] = {"fingerprint": contents.fingerprint.model_dump_json().encode()}
    for place, member in enumerate(contents.members):
        found.update({f"member {place} {k}": v.tobytes() for k, v in member.arrays.items()})
    for name, member in contents.baselines.items():
        found.update({f"{name} {k}": v.tobytes() for k, v in member.arrays.items()})
    for name, arrays in contents.arrays.items():
        found.update({f"{name} {k}": v.tobytes() for k, v in arrays.items()})
    found.update({k: repr(v).encode() for k, v in contents.documents.items() if k != "training"})
    for section, decisions in contents.plan.sections.items():
        if section != "cost":
            found[f"plan {section}"] = repr({k: d.value for k, d in decisions.items()}).encode()
    return found


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    assert one.keys() == other.keys()
    return sorted(name for name, value in one.items() if value != other[name])


def other_pictures() -> AnyArray:
    """Test pictures of another kind: half as bright, and noisy."""
    return (stream(0, "other pictures").random((TESTS, 1, SIDE, SIDE)) * 110).astype(np.uint8)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "machine", lambda: Machine(cores=1, bfloat16=False))
        return shipped(rows(), tmp_path_factory.mktemp("canary") / "run")


@pytest.mark.parametrize(
    "changed",
    [lambda: rows(swapped=True), lambda: rows(tests=other_pictures())],
    ids=["other test answers", "other test pictures"],
)
def test_nothing_of_the_test_part_reaches_what_is_shipped(
    untouched: dict[str, bytes], changed: Callable[[], Rows], tmp_path: Path
) -> None:
    assert differing(untouched, shipped(changed(), tmp_path / "run")) == []


def test_other_training_answers_do_reach_it(untouched: dict[str, bytes], tmp_path: Path) -> None:
    """The canary can sing: what should matter does."""
    changed = rows()
    answers = [r["label"] for r in changed if r["part"] == "train"]
    turned = iter(answers[1:] + answers[:1])
    changed = [{**r, "label": next(turned)} if r["part"] == "train" else r for r in changed]
    found = differing(untouched, shipped(changed, tmp_path / "run"))
    assert any(name.startswith("member 0") for name in found)


def test_a_scaler_fitted_on_all_parts_turns_it_red(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A toy step takes mean and deviation over all pictures, as many a notebook does."""
    honest = jobs.normalisation
    seen: list[AnyArray] = []

    def peeking(feed: Feed, name: str) -> tuple[float, float]:
        honest(feed, name)
        values = np.stack(seen).astype(np.float64) / 255.0
        return float(values.mean()), float(values.std())

    monkeypatch.setattr(planning, "normalisation", peeking)
    made = []
    for number, samples in enumerate((rows(), rows(tests=other_pictures()))):
        seen[:] = [np.asarray(r["image"]) for r in samples]
        made.append(shipped(samples, tmp_path / f"run{number}"))
    found = differing(*made)
    assert "plan preparation.image" in found
    assert any(name.startswith("member 0") for name in found)
