import numpy as np

from hounsfield.core.cohort import Part, Sample, Schema, TargetSpec
from hounsfield.core.streams import stream
from hounsfield.core.types import Attribute
from hounsfield.stages.auditing import Glance
from hounsfield.stages.auditing.probe import probe
from tests.stages.auditing.making import TARGET, look, sample

PARTS: tuple[Part, ...] = ("train", "train", "train", "val", "test")


def made(count: int = 200) -> tuple[list[Sample], list[Glance]]:
    rng = stream(0, "probe test")
    samples, looks = [], []
    for i in range(count):
        ill = bool(rng.random() < 0.5)
        name = f"s{i}"
        records: dict[str, Attribute] = {
            "original": f"patient {i}." + ("png" if ill or rng.random() < 0.3 else "jpg"),
            "in:notes.csv": float(ill),
            "noise": float(rng.random()),
        }
        age = None if ill and rng.random() < 0.6 else float(rng.integers(20, 80))
        side = 24 + int(rng.integers(0, 4)) + 4 * ill
        picture = rng.integers(0, 255, (side, 24)).astype(np.uint8)
        samples.append(
            sample(name, "yes" if ill else "no", part=PARTS[i % 5], records=records, attributes={"age": age})
        )
        looks.append(look(name, picture))
    return samples, looks


def test_each_cue_is_judged_and_the_strong_ones_are_named() -> None:
    samples, looks = made()
    found = probe(samples, looks, Schema(targets=(TARGET,)), target=TARGET, seed=0)
    assert found is not None
    values = {name: figure.value or 0.0 for name, figure in found.by.items()}
    assert values["in:notes.csv"] == 1.0
    assert 0.75 < values["ending:original"] < 0.95
    assert values["height"] > 0.95
    assert 0.7 < values["missing:age"] < 0.9
    assert abs(values["column:noise"] - 0.5) < 0.12
    assert "width" not in values  # it does not vary
    assert set(found.by_part) == {"train", "val", "test"}
    assert (found.by_part["test"]["ending:original"].value or 0.0) > 0.7
    assert (found.auroc.value or 0.0) > 0.95
    said = " ".join(found.warnings)
    assert "notes.csv" in said
    assert "rows only for samples answered yes" in said
    assert "file ending in column original" in said
    assert "noise" not in said


def test_the_probe_is_repeatable_and_silent_on_numbers() -> None:
    samples, looks = made(60)
    schema = Schema(targets=(TARGET,))
    first = probe(samples, looks, schema, target=TARGET, seed=3)
    assert first == probe(samples, looks, schema, target=TARGET, seed=3)
    number = TargetSpec(name="ill", kind="number")
    assert probe(samples, looks, schema, target=number, seed=3) is None


def test_useless_cues_of_a_rare_class_score_one_half() -> None:
    samples, looks = made(120)
    rare = [Sample(s.id, s.patient, s.inputs, {"ill": "yes" if i % 12 == 0 else "no"}) for i, s in enumerate(samples)]
    found = probe(rare, looks, Schema(targets=(TARGET,)), target=TARGET, seed=0)
    assert found is not None
    assert found.by
    for figure in found.by.values():
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= 0.6
        assert figure.high >= 0.4
