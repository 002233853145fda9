"""Export: a bundle as one file that runs without Hounsfield and without torch."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.bundle.atomic import write_bytes
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.errors import BundleError, InputError, RunExistsError, unknown_name
from hounsfield.core.image import Grid, Image
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.protocols import Decoding, Task
from hounsfield.core.streams import stream
from hounsfield.core.types import Float32Array, Float64Array, Json
from hounsfield.learn.prepare.image import ImagePreparation, as_images
from hounsfield.workflow.fitting import NETWORK
from hounsfield.workflow.forecast.unserved import refuse_forecast
from hounsfield.workflow.judging import calibrations
from hounsfield.workflow.opening import open_bundle
from hounsfield.workflow.tasks import task_named

FORMATS = ("onnx",)
METADATA = "hounsfield"
"""Key of the file's metadata, a JSON text."""
TOLERANCE = 1e-3
"""Largest difference of a probability from the bundle's own (of a number, in standard deviations) in a file that is
left."""
LARGEST_STORED = {2: 40, 3: 14}
"""Pixels along each axis of the self-test images that the file carries, by number of axes."""

Case = Mapping[str, Float32Array]


class Exported(BaseModel):
    """What was written.

    Attributes
    ----------
    file : str
        Name of the file.
    bytes : int
    cases : int
        Synthetic images on which file and bundle were compared.
    largest_difference : float
        Between file and bundle: of a probability, or of a number in standard deviations.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: str
    bytes: int
    cases: int
    largest_difference: float


def export(bundle: str | Path, *, to: str = "onnx", out: Path | None = None, progress: Progress = SILENT) -> Exported:
    """Write a bundle as one ONNX file: raw image in, calibrated answers out.

    Parameters
    ----------
    bundle : str or Path
        Run folder or bundle.
    to : str
        ``onnx``.
    out : Path or None
        The file; ``<name of the run>.onnx`` in the working folder if None. It must not exist.
    progress : Progress

    Raises
    ------
    UnknownNameError
        If there is no such format.
    RunExistsError
        If the file exists.
    BundleError
        If a package is missing, a member cannot leave PyTorch, or the file does not say what the bundle says: it is
        then not left.

    Notes
    -----
    The input guard stays behind: the file answers for any image. Its metadata say so.
    """
    from hounsfield.learn.engines.ensemble import engine_named
    from hounsfield.learn.engines.onnxruntime_engine import session

    if to not in FORMATS:
        raise unknown_name("export format", to, FORMATS)
    path = out if out is not None else Path(f"{_name(Path(bundle))}.{to}")
    if path.exists():
        raise RunExistsError(
            f"{path.name} exists already.", expected="a new file", next_step="choose another --out, or move it away"
        )
    if not path.parent.is_dir():
        raise InputError("The folder of --out does not exist.", expected="a folder", next_step="make it first")
    contents = open_bundle(bundle)
    refuse_forecast(contents, "export")
    engine_named("onnxruntime")
    stored, further = _cases(contents)
    with progress.step("Exporting", 3.0) as shown:
        wanted = _answers(contents, [*stored, *further])
        shown.advance()
        data = _packed(contents, stored, wanted[: len(stored)])
        shown.advance()
        opened = session(data, threads=1)
        found = [
            dict(zip(wanted[0], opened.run(list(_outputs(contents).values()), dict(case)), strict=True))
            for case in [*stored, *further]
        ]
        far = _largest(found, wanted, _decodings(contents))
        shown.advance()
    if not far <= TOLERANCE:
        raise BundleError(
            f"The exported file differs from the bundle by {far:.2g}; it was not left.",
            expected=f"at most {TOLERANCE:g}",
            next_step="run hu doctor and report the versions it prints",
        )
    write_bytes(path, data)
    return Exported(file=path.name, bytes=len(data), cases=len(wanted), largest_difference=far)


def _name(bundle: Path) -> str:
    resolved = bundle.resolve()
    return resolved.parent.name if resolved.name == "bundle" else resolved.name


def _decodings(contents: BundleContents) -> Mapping[str, Decoding]:
    return calibrations(contents)[NETWORK].decodings


def _task(contents: BundleContents) -> Task:
    return task_named(contents.plan.task)


def _outputs(contents: BundleContents) -> dict[str, str]:
    from hounsfield.learn.engines.packing import output_names
    from hounsfield.learn.model import member_job

    job = member_job(contents.members[0])
    return output_names(list(job.preparation), job.heads)


def _packed(contents: BundleContents, cases: Sequence[Case], wanted: Sequence[Mapping[str, Float64Array]]) -> bytes:
    from hounsfield.learn.engines.packing import packed
    from hounsfield.learn.merge import merge_of
    from hounsfield.learn.model import member_job

    job = member_job(contents.members[0])
    merge = merge_of(contents)
    return packed(
        contents.members,
        merge.whole() if merge is not None else None,
        preparation=as_images(job.preparation, what="export"),
        heads=job.heads,
        decodings=_decodings(contents),
        metadata={METADATA: json.dumps(_metadata(contents, cases, wanted), ensure_ascii=False)},
    )


def _metadata(contents: BundleContents, cases: Sequence[Case], wanted: Sequence[Mapping[str, Float64Array]]) -> Json:
    """Return what a reader of the file must know."""
    from hounsfield.learn.model import member_job

    job = member_job(contents.members[0])
    decodings, outputs = _decodings(contents), _outputs(contents)
    targets: list[Json] = [
        {
            "output": outputs[h.target.name],
            "target": h.target.name,
            "kind": h.target.kind,
            "classes": list(h.target.classes),
            "positive": h.target.positive,
            "unit": h.target.unit,
            "threshold": decodings[h.target.name].threshold if h.target.kind in ("categorical", "multilabel") else None,
            "rule": decodings[h.target.name].rule,
            "class_factors": dict[str, Json](decodings[h.target.name].class_factors),
        }
        for h in job.heads
    ]
    tests: list[Json] = [
        {
            "inputs": {name: _encoded(values) for name, values in case.items()},
            "outputs": {outputs[name]: [float(v) for v in values] for name, values in answer.items()},
        }
        for case, answer in zip(cases, wanted, strict=True)
    ]
    return {
        "schema_version": 1,
        "hounsfield": contents.plan.hounsfield,
        "note": "Research software, not a medical device. The input guard is not part of this file: "
        "it answers for any image, also for one it should refuse.",
        "task": contents.plan.task,
        "inputs": [
            {
                "name": name,
                "axes": "c z y x" if spec.ndim == 3 else "c y x",
                "dtype": "float32",
                "values": "as stored in the file: HU for CT with units, 0 to 255 for 8-bit images",
                **_placed(spec),
            }
            for name, spec in as_images(job.preparation, what="export").items()
        ],
        "targets": targets,
        "self_test": {
            "tolerance": TOLERANCE,
            "encoding": "base64 of little-endian float32, C order",
            "cases": tests,
        },
    }


def _placed(spec: ImagePreparation) -> dict[str, Json]:
    """Return how a volume has to lie: the file knows no affines, so turning and resampling are left to the caller."""
    if spec.spacing_mm is None:
        return {}
    return {"orientation": spec.orientation, "spacing_mm": list(spec.spacing_mm)}


def _encoded(values: Float32Array) -> Json:
    data = base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()
    return {"shape": list(values.shape), "data": data}


def _cases(contents: BundleContents) -> tuple[list[Case], list[Case]]:
    """Return synthetic images small enough to travel with the file, and further ones of many sizes and channels."""
    from hounsfield.learn.model import member_job

    specs = as_images(member_job(contents.members[0]).preparation, what="export")

    def case(number: int, factors: tuple[float, ...], *, channels: int, cap: bool) -> Case:
        made = {}
        for name, spec in specs.items():
            most = LARGEST_STORED[spec.ndim] if cap else 4 * max(spec.size)
            size = [max(3, min(most, round(f * n))) for f, n in zip(factors[-spec.ndim :], spec.size, strict=True)]
            axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in size], indexing="ij")
            wave = 0.5 + 0.3 * np.sin(7 * axes[0] + number) * np.cos(5 * axes[-1] - number)
            noise = stream(number, f"export {name}").random((channels, *size))
            unit = np.clip(wave + 0.4 * (noise - 0.5), -0.1, 1.1)
            made[name] = np.rint(spec.low + (spec.high - spec.low) * unit).astype(np.float32)
        return made

    stored = [case(0, (0.9, 1.3, 0.8), channels=1, cap=True), case(1, (1.2, 0.6, 1.1), channels=1, cap=True)]
    further = [
        case(2, (1.0, 1.0, 1.0), channels=1, cap=False),
        case(3, (2.3, 1.7, 2.9), channels=3, cap=False),
        case(4, (0.3, 0.4, 1.9), channels=1, cap=False),
        case(5, (1.1, 2.6, 0.7), channels=4, cap=False),
    ]
    return stored, further


def _answers(contents: BundleContents, cases: Sequence[Case]) -> list[dict[str, Float64Array]]:
    """Return what the bundle itself says, on the road that every prediction takes: by target, ``k``."""
    from hounsfield.learn.model import Model, member_job
    from hounsfield.learn.prepare.image import prepare

    model = Model(contents, engine="torch")
    specs = as_images(model.preparation, what="export")
    task, decodings = _task(contents), _decodings(contents)
    stored = [{n: prepare(Image(v, _grid(specs[n])), specs[n]) for n, v in case.items()} for case in cases]
    raw = model.run({name: np.stack([s[name] for s in stored]) for name in model.preparation})
    heads = member_job(contents.members[0]).heads
    decoded = {
        h.target.name: task.kind(h.target).decode(h.target, raw[h.target.name], decodings[h.target.name]) for h in heads
    }
    return [{name: values[place] for name, values in decoded.items()} for place in range(len(cases))]


def _grid(spec: ImagePreparation) -> Grid | None:
    """Return the grid of a volume that already lies as the preparation turns and resamples it."""
    if spec.spacing_mm is None:
        return None
    return Grid(np.diag([*reversed(spec.spacing_mm), 1.0]))


def _largest(
    found: Sequence[Mapping[str, Float32Array]],
    wanted: Sequence[Mapping[str, Float64Array]],
    decodings: Mapping[str, Decoding],
) -> float:
    """Return the largest difference; NaN where one is."""
    differences = [
        np.abs(np.asarray(one[name], dtype=np.float64) - values).max() / max(decodings[name].std, 1e-12)
        for one, other in zip(found, wanted, strict=True)
        for name, values in other.items()
    ]
    return float(np.max(differences))
