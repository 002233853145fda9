from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Roles
from hounsfield.core.errors import CohortError, UnknownNameError
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import digest, understand
from hounsfield.data.signal.readers import read_signal, signal_header


def _archive(path: Path, *, shape: tuple[int, ...] = (40,), classes: int = 3, **more: object) -> Path:
    rng = stream(0, f"ucr {path.stem}")
    own = {
        "X_train": rng.normal(size=(12, *shape)).astype(np.float32),
        "y_train": np.arange(12) % classes,
        "X_test": rng.normal(size=(9, *shape)).astype(np.float32),
        "y_test": np.arange(9) % classes,
    }
    np.savez(path, **{**own, **more})  # type: ignore[arg-type]  # arrays by name
    return path


def test_an_archive_keeps_its_parts(tmp_path: Path) -> None:
    path = _archive(tmp_path / "ECG9.npz")
    for source in (path, tmp_path):
        cohort = understand(source)
        assert (cohort.name, cohort.schema.layout) == ("ECG9", "ucr")
        assert [s.part for s in cohort.samples] == ["train"] * 12 + ["test"] * 9
        assert cohort.schema.targets[0].classes == ("0", "1", "2")
        assert (cohort.schema.inputs[0].kind, cohort.schema.inputs[0].modality) == ("signal", "ECG")
        assert not cohort.schema.patients_known
    with np.load(path) as z:
        read = read_signal(cohort, cohort.samples[14].inputs["signal"][0].ref)
        assert np.array_equal(read.array[0], z["X_test"][2])
    assert any("no rate and no units" in n for n in cohort.schema.notes)


def test_many_numbered_classes_are_classes(tmp_path: Path) -> None:
    cohort = understand(_archive(tmp_path / "Pig.npz", y_train=np.arange(12) + 30, y_test=np.arange(9) + 30))
    assert (cohort.schema.targets[0].kind, len(cohort.schema.targets[0].classes)) == ("categorical", 12)
    with pytest.raises(CohortError, match="3 labels"):
        understand(_archive(tmp_path / "Odd.npz", y_test=np.arange(3)))


def test_several_leads(tmp_path: Path) -> None:
    cohort = understand(_archive(tmp_path / "Twelve.npz", shape=(3, 50)))
    assert cohort.schema.inputs[0].leads == ("x1", "x2", "x3")
    assert read_signal(cohort, cohort.samples[0].inputs["signal"][0].ref).array.shape == (3, 50)
    images = understand(_archive(tmp_path / "Pictures.npz", shape=(28, 28)))
    assert images.schema.layout == "medmnist"


def test_series_with_their_steps_first_are_series_and_no_pictures(tmp_path: Path) -> None:
    path = _archive(tmp_path / "Keras.npz", shape=(500, 3))
    cohort = understand(path)
    assert (cohort.schema.layout, cohort.schema.inputs[0].leads) == ("ucr", ("x1", "x2", "x3"))
    assert cohort.schema.notes[0] == "The arrays are taken for series of 500 steps and 3 leads, steps first."
    ref = cohort.samples[14].inputs["signal"][0].ref
    with np.load(path) as z:
        np.testing.assert_array_equal(read_signal(cohort, ref).array, z["X_test"][2].T)
    assert (signal_header(cohort, ref).samples, len(signal_header(cohort, ref).leads)) == (500, 3)
    assert read_signal(cohort, ref, start=3, stop=9).array.shape == (3, 6)
    for shape in ((3, 500), (500, 200), (28, 28, 3)):
        other = understand(_archive(tmp_path / f"Other{len(shape)}{shape[0]}.npz", shape=shape))
        assert not any("steps first" in n for n in other.schema.notes)
    assert other.schema.layout == "medmnist"


def test_whom_series_are_of_is_said_with_group(tmp_path: Path) -> None:
    path = _archive(tmp_path / "Pig.npz", subject_train=np.arange(12) // 2, subject_test=np.arange(9) // 3)
    cohort = understand(path, Roles(group="subject"))
    assert cohort.schema.patients_known
    assert len({s.patient for s in cohort.samples}) == 6
    by_class = understand(path, Roles(group="label", split="none"))
    assert {s.patient for s in by_class.samples} == {"0", "1", "2"}
    assert (by_class.schema.official_parts, by_class.samples[0].part) == ((), None)
    with pytest.raises(UnknownNameError, match="subjct"):
        understand(path, Roles(group="subjct"))
    with pytest.raises(UnknownNameError):
        understand(path, Roles(target=("height",)))


def test_a_folder_of_sets_is_listed(tmp_path: Path) -> None:
    _archive(tmp_path / "A.npz")
    _archive(tmp_path / "B.npz")
    with pytest.raises(CohortError, match=r"2 data sets: A, B"):
        understand(tmp_path)


@pytest.mark.parametrize("end", [".ts", ".tsv"])
def test_pairs_of_files(tmp_path: Path, end: str) -> None:
    for part, count in (("TRAIN", 6), ("TEST", 4)):
        values = stream(0, f"pair {part}").normal(size=(count, 5)).round(3)
        if end == ".ts":
            lines = ["@problemName Beat", "@univariate true", "@classLabel true a b", "@data"]
            lines += [",".join(map(str, v)) + f":{'ab'[i % 2]}" for i, v in enumerate(values)]
        else:
            lines = ["\t".join([str(i % 2 * 2 - 1), *map(str, v)]) for i, v in enumerate(values)]
        (tmp_path / f"Beat_{part}{end}").write_text("\n".join(lines) + "\n")
    for source in (tmp_path, tmp_path / f"Beat_TRAIN{end}"):
        cohort = understand(source)
        assert (cohort.name, len(cohort)) == ("Beat", 10)
        assert [s.part for s in cohort.samples] == ["train"] * 6 + ["test"] * 4
        assert cohort.schema.targets[0].classes == (("a", "b") if end == ".ts" else ("-1", "1"))
    first = digest(cohort)
    text = (tmp_path / f"Beat_TEST{end}").read_text()
    changed = text.replace(":a", ":b", 1) if end == ".ts" else "1" + text[text.index("\t") :]
    (tmp_path / f"Beat_TEST{end}").write_text(changed)
    assert digest(understand(tmp_path)) == first  # an answer of the test part is nothing that training may see
    (tmp_path / f"Beat_TRAIN{end}").write_text((tmp_path / f"Beat_TRAIN{end}").read_text().replace("0.", "0.9", 1))
    assert digest(understand(tmp_path)) != first


def test_one_subject_is_one_patient_whatever_his_number_is_written_as(tmp_path: Path) -> None:
    numbers = np.array([1.0, 2.0, np.nan] * 3)
    path = _archive(tmp_path / "Pig.npz", subject_train=np.arange(12) // 2, subject_test=numbers)
    cohort = understand(path, Roles(group="subject", split="none"))
    who = [s.patient for s in cohort.samples]
    assert who[:4] == ["0", "0", "1", "1"]
    assert who[12:15] == ["1", "2", "test_2"]
    assert len(set(who)) == 6 + 3
