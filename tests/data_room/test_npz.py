"""Archives: elements and whole arrays, lazily, never unpickled."""

from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, Ref, Roles, Schema
from hounsfield.core.errors import CohortError, ReadError
from hounsfield.data import readers
from hounsfield.data.cohorts import understand, unlabelled
from hounsfield.data.npz import as_channels_first, npz_arrays

RNG = np.random.default_rng(0)


def _save(
    path: Path, shape: tuple[int, ...], *, labels: tuple[int, ...] = (1,), naming: str = "{}_images {}_labels"
) -> Path:
    images, answers = naming.split()
    arrays = {}
    for part, n in (("train", 30), ("val", 8), ("test", 10)):
        arrays[images.format(part)] = RNG.integers(0, 255, (n, *shape), dtype=np.uint8)
        arrays[answers.format(part)] = RNG.integers(0, 2, (n, *labels), dtype=np.uint8)
    np.savez(path, allow_pickle=False, **arrays)
    return path


@pytest.mark.parametrize(
    ("shape", "channels", "ndim"),
    [((16, 16), 1, 2), ((16, 16, 3), 3, 2), ((12, 12, 12), 1, 3), ((12, 12, 12, 3), 3, 3)],
)
def test_medmnist_shapes(tmp_path: Path, shape: tuple[int, ...], channels: int, ndim: int) -> None:
    cohort = understand(_save(tmp_path / "xmnist.npz", shape))
    assert len(cohort) == 48
    assert cohort.schema.official_parts == ("train", "val", "test")
    assert cohort.schema.inputs[0].ndim == ndim
    sample = next(s for s in cohort.samples if s.id == "test_7")
    ref = sample.inputs["image"][0].ref
    image = readers.read(cohort, ref)
    header = readers.header(cohort, ref)
    assert (image.channels, image.ndim) == (channels, ndim) == (header.channels, len(header.size))
    with np.load(tmp_path / "xmnist.npz") as archive:
        stored = archive["test_images"][7]
        assert sample.targets["label"] == str(archive["test_labels"][7, 0])
    np.testing.assert_array_equal(
        image.array if channels == 1 else np.moveaxis(image.array, 0, -1), stored if channels > 1 else stored[None]
    )
    target = cohort.schema.targets[0]
    assert (target.classes, target.positive, target.positive_source) == (("0", "1"), "1", "assumed")


def test_multi_label_and_ucr_names(tmp_path: Path) -> None:
    several = understand(_save(tmp_path / "chest.npz", (16, 16), labels=(5,)))
    assert several.schema.targets[0].kind == "multilabel"
    assert several.schema.targets[0].classes == ("0", "1", "2", "3", "4")
    ucr = understand(_save(tmp_path / "ucr.npz", (16, 16), labels=(), naming="X_{} y_{}"))
    assert len(ucr) == 48
    signals = understand(_save(tmp_path / "ecg.npz", (140,), labels=(), naming="X_{} y_{}"))
    assert (signals.schema.layout, len(signals)) == ("ucr", 48)
    with pytest.raises(CohortError, match="3 data sets"):
        understand(tmp_path)


def test_positive_can_be_said(tmp_path: Path) -> None:
    cohort = understand(_save(tmp_path / "b.npz", (16, 16)), Roles(positive="0"))
    assert (cohort.schema.targets[0].positive, cohort.schema.targets[0].positive_source) == ("0", "declared")


def test_bad_archives(tmp_path: Path) -> None:
    cohort = Cohort(name="t", root=str(tmp_path), samples=(), schema=Schema())
    bad = RNG.normal(size=(3, 16, 16))
    bad[1, 2, 3] = np.inf
    np.savez(tmp_path / "a.npz", x=bad, words=np.array([{"a": 1}], dtype=object), tiny=np.zeros((1, 1)))
    ref = Ref("npz", "a.npz", (("array", "x"), ("index", 1)))
    with pytest.raises(ReadError, match="NaN or infinite"):
        readers.read(cohort, ref)
    assert readers.read(cohort, Ref("npz", "a.npz", (("array", "x"), ("index", 0)))).size == (16, 16)
    with pytest.raises(ReadError, match="pickled"):
        readers.read(cohort, Ref("npz", "a.npz", (("array", "words"),)))
    with pytest.raises(ReadError, match="1 x 1"):
        readers.read(cohort, Ref("npz", "a.npz", (("array", "tiny"),)))
    with pytest.raises(ReadError, match="no element 9"):
        readers.read(cohort, Ref("npz", "a.npz", (("array", "x"), ("index", 9))))
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReadError, match="damaged"):
        npz_arrays(tmp_path / "cut.npz")


def test_npy_and_memory(tmp_path: Path) -> None:
    array = RNG.integers(0, 4000, (10, 16, 18), dtype=np.int16)
    np.save(tmp_path / "v.npy", array)
    cohort = Cohort(name="t", root=str(tmp_path), samples=(), schema=Schema(), arrays={"a": array})
    for ref in (Ref("npy", "v.npy"), Ref("memory", "a")):
        np.testing.assert_array_equal(readers.read(cohort, ref).array, array[None])
        assert readers.header(cohort, ref).size == (10, 16, 18)
    assert as_channels_first(array[:3]).shape == (3, 16, 18)


def test_archives_without_their_answers(tmp_path: Path) -> None:
    many = unlabelled([_save(tmp_path / "m.npz", (16, 16))])
    assert [s.id for s in many.samples[:2]] == ["train_0", "train_1"]
    assert len(many) == 48
    np.savez(tmp_path / "one.npz", RNG.integers(0, 255, (9, 16, 16), dtype=np.uint8))
    one = unlabelled([tmp_path / "one.npz"])
    ref = one.samples[0].inputs["image"][0].ref
    assert readers.read(one, ref).size == readers.header(one, ref).size == (9, 16, 16)
