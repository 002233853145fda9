"""Every row of the corpus' table ends as it says; skipped where the corpus is absent."""

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray
from hounsfield.data.dicom.opening import open_dataset
from hounsfield.data.dicom.pixels import frame_count, modality_frame, picture, stored_frame
from tests.counting import lines

SHORT = {"u1": "uint8", "u2": "uint16", "u4": "uint32", "i1": "int8", "i2": "int16", "i4": "int32"}


def _corpus(shared_data: Path) -> Path:
    folder = shared_data / "dicom-corpus"
    if not (folder / "index.csv").is_file():
        pytest.skip("dicom-corpus is not in the folder that HOUNSFIELD_DATA names")
    return folder


def _pixels(path: Path) -> AnyArray:
    dataset = open_dataset(path, pixels=True)
    frames = [stored_frame(dataset, number) for number in range(max(1, frame_count(dataset)))]
    return np.stack(frames) if len(frames) > 1 else frames[0]


def _told(array: AnyArray) -> str:
    ends = (array.min(), array.max())
    return f"decode: {array.dtype}{array.shape} {ends[0]}..{ends[1]}"


def _wanted(expect: str) -> str:
    for short, name in SHORT.items():
        expect = expect.replace(f">{short}", name)
    return expect


def _fault(path: Path, expect: str) -> str:
    """Return what is wrong with how a row ends; empty where it ends as it says."""
    if expect.startswith("decode:"):
        told = _told(_pixels(path))
        return "" if told == _wanted(expect) else told
    if expect.startswith("opens"):
        dataset = open_dataset(path, pixels=True)
        if "PatientName = " in expect:
            name = str(dataset.get("PatientName", ""))
            return "" if expect.endswith(f"PatientName = {name}") else "another name"
        return (
            ""
            if len(dataset) and ("PixelData" not in dataset or frame_count(dataset) == 0)
            else "no element, or pixels"
        )
    try:
        _pixels(path)
    except ReadError as error:
        return "" if error.found and error.expected else "no reason"
    return "it decoded" if expect.startswith("refuse") else ""


MOST_LINES = 4_000_000
"""Of Python for one file; the most is 1.4 million, for 170 planes."""


def _ended(path: Path, expect: str) -> str:
    """Return what is wrong with how a row ends, and whether it took much work."""
    found: list[str] = []

    def end() -> None:
        try:
            found.append(_fault(path, expect))
        except ReadError as error:
            found.append(f"refused: {error.found}")

    return found[0] + " slow" if lines(end) > MOST_LINES else found[0]


def test_every_row_ends_as_stated(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _corpus(shared_data)
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        rows = [r for r in csv.DictReader(stream) if not r["file"].endswith((".nii", ".nii.gz", ".nrrd"))]
    faults = []
    for row in rows:
        fault = _ended(folder / row["file"], row["expect"])
        if fault:
            faults.append(f"{row['file']}: {row['expect'][:80]}: {fault}")
    with capsys.disabled():
        told = f"{len(rows) - len(faults)} of {len(rows)} DICOM rows of the corpus end as stated"
        print(f"\n{told}")  # noqa: T201  it is asked for
    assert len(rows) == 337
    assert not faults, "\n".join(faults)


def test_one_image_is_the_same_in_all_its_encodings(shared_data: Path) -> None:
    folder = _corpus(shared_data) / "transfer-syntax"
    families = [
        [folder / "one-image-nine-ways" / f"{number}.dcm" for number in range(1, 10)],
        sorted((folder / "mr-small-family").glob("*.dcm")),
        sorted((folder / "enhanced-mr-family").glob("*.dcm")),
        [folder / "seg-family" / f"liver_{kind}.dcm" for kind in ("expb", "deflate", "j2k", "rle")],
        [folder / "seg-family" / f"liver_nonbyte_aligned{kind}.dcm" for kind in ("", "_deflate", "_j2k", "_rle")],
    ]
    for family in families:
        first, *others = [_pixels(path) for path in family]
        assert all(np.array_equal(first, other) for other in others), family[0].parent.name


def test_pixels_agree_with_pydicom(shared_data: Path) -> None:
    from pydicom import dcmread

    folder = _corpus(shared_data)
    compared = 0
    for path in sorted(p for part in ("us", "pixel", "xray", "derived") for p in (folder / part).glob("*.dcm")):
        if path.stat().st_size > 2_000_000:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                theirs = dcmread(path).pixel_array
            except Exception:  # what pydicom refuses is not compared
                theirs = None
        if theirs is None:
            continue
        ours = _pixels(path)
        assert np.array_equal(ours, theirs.reshape(ours.shape)), path.name
        compared += 1
    assert compared > 30


def test_gzip_gives_the_file_inside(shared_data: Path) -> None:
    import gzip

    for path in sorted((_corpus(shared_data) / "mr" / "single-gzip").glob("*.gz")):
        inside = gzip.decompress(path.read_bytes())
        assert np.array_equal(_pixels(path), stored_all(inside))


def stored_all(content: bytes) -> AnyArray:
    dataset = open_dataset(content, pixels=True)
    frames = [stored_frame(dataset, number) for number in range(frame_count(dataset))]
    return np.stack(frames) if len(frames) > 1 else frames[0]


def test_hounsfield_units_and_dose(shared_data: Path) -> None:
    folder = _corpus(shared_data)
    ct = modality_frame(open_dataset(folder / "ct/single/CT_small.dcm", pixels=True))
    assert (ct.dtype, int(ct.min()), int(ct.max())) == (np.dtype("int16"), 128 - 1024, 2191 - 1024)
    dose = modality_frame(open_dataset(folder / "derived/rtdose.dcm", pixels=True))
    assert dose.dtype == np.float32
    assert float(dose.min()) == pytest.approx(0.795)


def test_planar_configurations_are_one_picture(shared_data: Path) -> None:
    folder = _corpus(shared_data) / "us"
    one, other = (picture(open_dataset(folder / f"color-{kind}.dcm", pixels=True)) for kind in ("pl", "px"))
    assert one.array.shape == (3, 120, 256)
    assert np.array_equal(one.array, other.array)


def test_palette_becomes_colour(shared_data: Path) -> None:
    from pydicom import dcmread
    from pydicom.pixels.processing import apply_color_lut

    path = _corpus(shared_data) / "us/examples_palette.dcm"
    theirs = dcmread(path)
    wanted = apply_color_lut(theirs.pixel_array, theirs)
    ours = picture(open_dataset(path, pixels=True)).array
    assert np.array_equal(np.moveaxis(ours, 0, -1), wanted >> 8 if wanted.dtype == np.uint16 else wanted)
