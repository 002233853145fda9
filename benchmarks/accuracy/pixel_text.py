"""How well burned-in text is found: strings drawn into real pictures, and pictures as they are.

``python -m benchmarks.accuracy.pixel_text fit`` fits the weights of the detector on half of the pictures (chosen by a
hash of the name) and writes them as a module; without a word it measures on the other half and writes the result.
"""

import hashlib
import io
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.record import TOP, data_root, provenance, write_result
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, BoolArray, Float64Array

SETS = {
    "busi": "images/*.jpg",
    "cxr-lung-tb": "images/*.jpg",
    "covid-chestxray": "**/*.jpg",
    "drive": "images/*.webp",
    "ct-slices-luna": "*.webp",
    "volumes-ct-mr": "*.nii.gz",
    "dicom-corpus": "**/*",
}
"""Sets of pictures. In busi and covid-chestxray many bear captions of their own, which are not marked."""

WITHOUT_CAPTIONS = ("cxr-lung-tb", "drive", "ct-slices-luna", "volumes-ct-mr", "dicom-corpus")
EACH = 150
SIZES = (9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 28)
FACES = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSerif", "STIXGeneral", "cmr10")
NAMES = ("MILLER", "SCHMIDT", "TANAKA", "IVANOVA", "GARCIA", "OKAFOR", "NGUYEN", "SMITH", "ROSSI", "KOWALSKI")
GIVEN = ("ANNA", "Peter", "Maria", "JOHN", "Keiko", "Olga", "Luis")
MODULE = TOP / "src" / "hounsfield" / "privacy" / "_generated" / "letter_lines.py"


@dataclass(frozen=True)
class Picture:
    """A picture of a set: ``y x`` or ``y x c``, uint8."""

    source: str
    name: str
    array: AnyArray


@dataclass(frozen=True)
class Drawn:
    """A picture with strings drawn into it, and the box of each: left, top, right, bottom."""

    array: AnyArray
    boxes: tuple[tuple[int, int, int, int], ...]


def pictures(half: int) -> Iterator[Picture]:
    """Yield the pictures of one half of each set, at most `EACH` of a set."""
    for source, pattern in SETS.items():
        taken = 0
        paths = [p for p in (data_root() / source).glob(pattern) if p.is_file()]
        for path in sorted(paths, key=lambda p: _digest(p.name)):
            if (
                (_digest(path.name)[0] % 2 != half and path.suffix != ".gz")
                or "mask" in str(path).lower()
                or "manual" in path.name
            ):
                continue
            for place, array in enumerate(_arrays(source, path)):
                other = path.suffix == ".gz" and place % 2 != half  # few volumes: their slices are shared out
                if min(array.shape[:2]) >= 96 and taken < EACH and not other:
                    yield Picture(source, f"{path.name}:{place}", array)
                    taken += 1


def _arrays(source: str, path: Path) -> list[AnyArray]:
    if source == "dicom-corpus":
        return _dicom(path)
    return _slices(path) if path.suffix == ".gz" else [_raster(path)]


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _raster(path: Path) -> AnyArray:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB" if opened.mode in ("RGB", "P", "RGBA") else "L"))


def _slices(path: Path) -> list[AnyArray]:
    """Return every eighth slice of a volume, along its last axis."""
    import nibabel

    volume = nibabel.Nifti1Image.from_filename(path).get_fdata(dtype=np.float32)
    if "seg" in path.name or volume.ndim != 3 or len(np.unique(volume)) < 200:
        return []
    return [_grey(volume[:, :, k].T) for k in range(0, volume.shape[2], 8)]


def _dicom(path: Path) -> list[AnyArray]:
    """Return the first frame of a CT, MR, PET, CR or DX file as grey values; others bear captions."""
    frame = _frame_of(path, ("CT", "MR", "PT", "CR", "DX"))
    return [] if frame is None else [_grey(frame)]


def _frame_of(path: Path, modalities: tuple[str, ...]) -> AnyArray | None:
    import pydicom

    try:
        dataset = pydicom.dcmread(path)
        if dataset.Modality not in modalities or "SECONDARY" in dataset.get("ImageType", ""):
            return None
        frame: AnyArray = dataset.pixel_array
    except Exception:  # the set holds files that nobody can read; they are not asked for here
        return None
    while frame.ndim > 2:
        frame = frame[0]
    return frame


def _grey(array: AnyArray) -> AnyArray:
    values = array.astype(np.float64)
    low, high = np.percentile(values, [0.1, 99.9])
    grey: AnyArray = np.clip((values - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
    return grey


def drawn(picture: Picture, number: int) -> Drawn:
    """Return the picture with one to three strings, grey, yellow, black or in a box; half of them through JPEG."""
    import matplotlib

    rng = stream(0, f"pixel-text:{picture.source}:{picture.name}", number)
    image = Image.fromarray(picture.array)
    pen = ImageDraw.Draw(image)
    face = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{FACES[rng.integers(len(FACES))]}.ttf"
    font = ImageFont.truetype(str(face), int(rng.choice(SIZES)))
    boxes: list[tuple[int, int, int, int]] = []
    for _ in range(int(rng.integers(1, 4))):
        text = _string(rng)
        left, top, right, bottom = (int(v) for v in pen.textbbox((0, 0), text, font=font))
        if right > image.width - 4 or bottom > image.height - 4:
            continue
        x, y = int(rng.integers(2, image.width - right - 1)), int(rng.integers(2, image.height - bottom - 1))
        box = (x + left, y + top, x + right, y + bottom)
        if any(box[0] < b[2] + 8 and b[0] < box[2] + 8 and box[1] < b[3] + 4 and b[1] < box[3] + 4 for b in boxes):
            continue
        pen.text((x, y), text, fill=_ink(pen, image, box, rng), font=font)
        boxes.append(box)
    array = np.asarray(image)
    if rng.random() < 0.5:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=int(rng.integers(75, 96)))
        array = np.asarray(Image.open(packed))
    return Drawn(array, tuple(boxes))


def _string(rng: np.random.Generator) -> str:
    name, given = NAMES[rng.integers(len(NAMES))], GIVEN[rng.integers(len(GIVEN))]
    number = str(rng.integers(10**5, 10**8))
    day = f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.{rng.integers(1930, 2020)}"
    choices = (
        f"{name}, {given}",
        f"{name.title()} {given}",
        f"ID {number}",
        day,
        f"{name}^{given} {day}",
        f"{number} M",
    )
    return choices[rng.integers(len(choices))]


def _ink(
    pen: ImageDraw.ImageDraw, image: Image.Image, box: tuple[int, int, int, int], rng: np.random.Generator
) -> int | tuple[int, int, int]:
    """Return a colour that a person could read on what lies below, as a machine's maker would choose it."""
    below = np.asarray(image.crop(box).convert("L"))
    bright, dim = np.percentile(below, 95), np.percentile(below, 5)
    white: int | tuple[int, int, int] = 255 if image.mode == "L" else (255, 255, 255)
    if rng.random() < 0.1:
        pen.rectangle((box[0] - 2, box[1] - 1, box[2] + 2, box[3] + 2), fill=white)
        value = 0
    elif bright > 225:
        value = 0 if dim > 60 else 255
    else:
        value = int(rng.integers(max(180, min(255, int(bright) + 50)), 256))
    if image.mode == "L":
        return value
    return (value, value, 0 if value > 100 and rng.random() < 0.25 else value)


def examples(half: int) -> tuple[Float64Array, BoolArray, list[str], list[str]]:
    """Return features of lines, whether they are drawn strings, the picture and the set of each."""
    rows: list[Float64Array] = []
    truth: list[bool] = []
    names: list[str] = []
    sources: list[str] = []
    for picture in pictures(half):
        for number in range(3):
            made = drawn(picture, number) if number else Drawn(picture.array, ())
            for features, box in candidates(made.array):
                inside = any(_share_inside(box, string) > 0.6 for string in made.boxes)
                if inside or not number:  # lines of the picture itself are taken once
                    rows.append(features)
                    truth.append(inside)
                    names.append(picture.name)
                    sources.append(picture.source)
    return np.array(rows), np.array(truth), names, sources


def candidates(array: AnyArray) -> Iterator[tuple[Float64Array, tuple[int, int, int, int]]]:
    """Yield what is measured of each line of marks, bright and dark, and its box."""
    from hounsfield.privacy.glyphs import lines_of, marks_of
    from hounsfield.privacy.pixel_text import LEAST_LETTERS, both_ways, describe

    for grey in both_ways(array):
        marks = marks_of(grey)
        for line in lines_of(marks):
            features = describe(marks, line)
            if features[0] >= LEAST_LETTERS:
                box = marks.left[line].min(), marks.top[line].min(), marks.right[line].max(), marks.bottom[line].max()
                yield features, (int(box[0]), int(box[1]), int(box[2]), int(box[3]))


def _share_inside(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    tall = height > 0.35 * (other[3] - other[1])
    return max(0, width) * max(0, height) / ((box[2] - box[0]) * (box[3] - box[1])) if tall else 0.0


def fit() -> None:
    """Fit the weights on the first half and write them as a module."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    values, truth, names, sources = examples(half=0)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scaled = (values - mean) / scale
    model = make_pipeline(PolynomialFeatures(2), StandardScaler(), LogisticRegression(C=0.3, max_iter=5000))
    groups = np.unique(names, return_inverse=True)[1]
    chance = cross_val_predict(model, scaled, truth, groups=groups, cv=GroupKFold(5), method="predict_proba")[:, 1]
    # captions that the pictures had already are no examples of tissue
    captions = ~truth & (chance > 0.6) & ~np.isin(sources, WITHOUT_CAPTIONS)
    model.fit(scaled[~captions], truth[~captions])
    powers, scaler, regression = (step for _, step in model.steps)
    weights = regression.coef_[0] / scaler.scale_
    intercept = float(regression.intercept_[0] - (weights * scaler.mean_).sum())
    linear, products = np.zeros(values.shape[1]), np.zeros((values.shape[1],) * 2)
    for weight, exponents in zip(weights, powers.powers_, strict=True):
        which = np.repeat(np.arange(len(exponents)), exponents)
        if len(which) == 1:
            linear[which[0]] = weight
        elif len(which) == 2:
            products[which[0], which[1]] = weight
        else:
            intercept += float(weight)
    MODULE.write_text(_module(mean, scale, intercept, linear, products), encoding="utf-8")
    print(f"fitted on {len(truth)} lines, {int(truth.sum())} of them text; {int(captions.sum())} captions left out")


def _module(*arrays: AnyArray | float) -> str:
    names = ("MEAN", "SCALE", "INTERCEPT", "LINEAR", "PRODUCTS")
    lines = [
        '"""Weights that tell a line of letters from other marks; made by benchmarks/accuracy/pixel_text.py fit.',
        "",
        "Fitted on strings drawn into half of the pictures of " + ", ".join(SETS) + ".",
        "No pixel of theirs is in here: a mean, a scale and weights of a logistic regression with products.",
        '"""',
        "",
        "import numpy as np",
        "",
    ]
    for name, array in zip(names, arrays, strict=True):
        if isinstance(array, float):
            lines.append(f"{name} = {array:.5g}")
            continue
        numbers = [[f"{v:.5g}" for v in row] for row in np.atleast_2d(array)]
        body = ", ".join("[" + ", ".join(row) + "]" for row in numbers)
        lines.append(f"{name} = np.array({body if array.ndim == 1 else '[' + body + ']'})")
    text = "\n".join(lines) + "\n"
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "-"], input=text, capture_output=True, text=True, check=True
    )
    return done.stdout


def measured() -> dict[str, object]:
    """Return how the rule for slices of CT, MR and PET does, on stored values: what is touched, what is found."""
    import matplotlib

    from hounsfield.data.dicom.scrubbing_pixels import drawn_only
    from hounsfield.privacy.pixel_text import text_mask

    touched: list[bool] = []
    found: list[bool] = []
    face = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    for path in sorted((data_root() / "dicom-corpus").rglob("*"), key=lambda p: _digest(p.name)):
        frame = _frame_of(path, ("CT", "MR", "PT")) if path.is_file() else None
        if frame is None or min(frame.shape) < 96:
            continue
        touched.append(bool(drawn_only(frame, text_mask(frame)).any()))
        rng = stream(0, f"pixel-text:measured:{path.name}")
        pen = Image.new("L", (frame.shape[1], frame.shape[0]))
        font = ImageFont.truetype(str(face), int(rng.choice(SIZES[:8])))
        left, top, right, bottom = (int(v) for v in ImageDraw.Draw(pen).textbbox((0, 0), "KOWALSKI 4711", font=font))
        if right >= pen.width - 4:
            continue
        x, y = int(rng.integers(2, pen.width - right - 1)), int(rng.integers(2, pen.height - bottom - 1))
        ImageDraw.Draw(pen).text((x, y), "KOWALSKI 4711", fill=255, font=font)
        shown = np.where(np.asarray(pen) > 127, frame.max(), frame)
        covered = drawn_only(shown, text_mask(shown))
        found.append(bool(covered[y + top : y + bottom, x + left : x + right].mean() >= 0.9))
    return {
        "slices": len(touched),
        "touched": round(float(np.mean(touched)), 4),
        "strings": len(found),
        "sensitivity": round(float(np.mean(found)), 4),
    }


def second_opinion() -> dict[str, object] | None:
    """Return what tesseract finds alone, and what both find, on a sample; None where it is not installed."""
    from hounsfield.privacy.pixel_text import text_mask
    from hounsfield.privacy.tesseract import is_present, tesseract_mask

    if not is_present():
        return None
    alone: list[bool] = []
    both: list[bool] = []
    for place, picture in enumerate(pictures(half=1)):
        if place % 8:
            continue
        made = drawn(picture, 7)
        read = tesseract_mask(made.array)
        either = read | text_mask(made.array)
        for left, top, right, bottom in made.boxes:
            alone.append(bool(read[top:bottom, left:right].mean() >= 0.9))
            both.append(bool(either[top:bottom, left:right].mean() >= 0.9))
    return {
        "strings": len(alone),
        "tesseract_alone": round(float(np.mean(alone)), 4),
        "both": round(float(np.mean(both)), 4),
    }


def evaluate() -> None:
    """Measure on the second half and write the result."""
    from hounsfield.privacy.pixel_text import text_mask

    found: dict[str, list[bool]] = defaultdict(list)
    touched: dict[str, list[bool]] = defaultdict(list)
    shares: dict[str, list[float]] = defaultdict(list)
    beside: list[float] = []
    seconds: list[float] = []
    for picture in pictures(half=1):
        start = time.process_time()
        mask = text_mask(picture.array)
        seconds.append((time.process_time() - start) / mask.size * 1e6)
        touched[picture.source].append(bool(mask.any()))
        shares[picture.source].append(float(mask.mean()))
        made = drawn(picture, 7)
        covered = text_mask(made.array)
        strings = np.zeros_like(covered)
        for left, top, right, bottom in made.boxes:
            found[picture.source].append(bool(covered[top:bottom, left:right].mean() >= 0.9))
            strings[max(0, top - 12) : bottom + 12, max(0, left - 24) : right + 24] = True
        beside.append(float((covered & ~strings & ~mask).mean()))
    everything = [value for values in found.values() for value in values]
    clean = [value for source in WITHOUT_CAPTIONS for value in touched[source]]
    write_result(
        "pixel-text",
        {
            **provenance("python -m benchmarks.accuracy.pixel_text"),
            "strings": len(everything),
            "sensitivity": round(float(np.mean(everything)), 4),
            "sensitivity_by_set": {k: round(float(np.mean(v)), 4) for k, v in found.items()},
            "pictures_without_captions": len(clean),
            "touched_without_captions": round(float(np.mean(clean)), 4),
            "touched_by_set": {k: round(float(np.mean(v)), 4) for k, v in touched.items()},
            "pixels_covered_by_set": {k: round(float(np.mean(v)), 6) for k, v in shares.items()},
            "pixels_covered_beside_strings": round(float(np.mean(beside)), 6),
            "cpu_seconds_for_a_megapixel": round(float(np.median(seconds)), 3),
            "slices_as_measured": measured(),
            "with_tesseract": second_opinion(),
            "counts": "a string is found where 90 % of its box is covered; busi and covid-chestxray bear captions of "
            "their own, so that their share of touched pictures is no error rate",
        },
    )


if __name__ == "__main__":
    fit() if sys.argv[1:] == ["fit"] else evaluate()
