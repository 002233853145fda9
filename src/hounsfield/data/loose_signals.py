"""Signals without answers for a bundle: records, tables, archives of series, and folders of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Roles, Sample, Schema
from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.data.files import ending, list_files, stem
from hounsfield.data.npz import npz_arrays
from hounsfield.data.rows import unique_ids
from hounsfield.data.signal.readers import signal_reader_for

SERIES_AXES = (2, 3)


def loose_signals(paths: Sequence[str | Path], roles: Roles, wanted: Sequence[str]) -> tuple[Cohort, ...]:
    """Return the signals that paths hold as cases of a bundle's inputs; answers that lie beside them are not looked at.

    Parameters
    ----------
    paths : sequence of str or pathlib.Path
        What a layout understands (then its samples, beats and windows are the cases), or files and folders of files
        that a reader of signals knows: each record, each series of an archive is a case.
    roles : Roles
        What the user said.
    wanted : sequence of str
        Names of the bundle's inputs.

    Returns
    -------
    tuple of Cohort
        One for each path.

    Raises
    ------
    CohortError
        If a path does not exist or holds no signal.
    """
    made = [_cohort(Path(p), roles, wanted) for p in paths]
    ids = [s.id for c in made for s in c.samples]
    if len(set(ids)) == len(ids):
        return tuple(made)
    names = unique_ids([c.name for c in made])
    return tuple(
        replace(c, samples=tuple(replace(s, id=f"{name}/{s.id}") for s in c.samples))
        for name, c in zip(names, made, strict=True)
    )


def _cohort(path: Path, roles: Roles, wanted: Sequence[str]) -> Cohort:
    from hounsfield.data.cohorts import explore

    if not path.exists():
        raise CohortError(
            f"There is no file or folder named {path.name!r}.",
            expected="a record, an archive of series, or a folder of them",
            next_step="check the path",
        )
    try:
        known = explore(path, roles)
    except HounsfieldError:
        known = None
    if known is not None and any(spec.kind == "signal" for spec in known.schema.inputs):
        return renamed(known, wanted, kind="signal")
    found = _refs(path)
    if not found:
        raise CohortError(
            f"{path.name!r} holds no signal that can be read.",
            expected="WFDB, EDF, CSV or TSV with a column of times, .ts, or .npz with arrays of series",
            next_step="give the record itself, or convert it",
        )
    ids = unique_ids([i for i, _ in found])
    root = path if path.is_dir() else path.parent
    samples = tuple(
        Sample(id=i, patient=i, inputs={wanted[0]: (Reading(ref),)}) for i, (_, ref) in zip(ids, found, strict=True)
    )
    schema = Schema(inputs=(InputSpec(name=wanted[0], kind="signal", ndim=1),), layout="files")
    return Cohort(name=stem(path.name), root=str(root), samples=samples, schema=schema)


def renamed(cohort: Cohort, wanted: Sequence[str], *, kind: str) -> Cohort:
    """Return a cohort whose only input of a kind has the bundle's name for it; others stay as they are called."""
    of_kind = [spec.name for spec in cohort.schema.inputs if spec.kind == kind]
    if len(of_kind) != 1 or len(wanted) != 1 or of_kind[0] == wanted[0]:
        return cohort
    (old,), (new,) = of_kind, wanted
    samples = tuple(replace(s, inputs={new: s.inputs[old]}) for s in cohort.samples)
    return replace(cohort, samples=samples)


def _refs(path: Path) -> list[tuple[str, Ref]]:
    if path.is_file():
        return _of_file(path, path.name)
    return [found for name in list_files(path).paths for found in _of_file(path / name, name)]


def _of_file(path: Path, name: str) -> list[tuple[str, Ref]]:
    """Return id and ref of every signal in one file; none of a file that no reader knows."""
    try:
        reader = signal_reader_for(path)
    except HounsfieldError:
        return []
    if ending(name) == ".npz":
        arrays = {a: shape for a, (shape, _) in npz_arrays(path).items() if len(shape) in SERIES_AXES}
        parts = [a for a in arrays if not a.lower().startswith("y")]
        return [
            (
                f"{a.removeprefix('X_')}_{i}" if len(parts) > 1 else str(i),
                Ref("ucr", name, (("array", a), ("index", i))),
            )
            for a in parts
            for i in range(arrays[a][0])
        ]
    if reader is None:
        return []
    if reader == "ts":
        return [(str(i), Ref("ts", name, (("index", i),))) for i in range(_count(path))]
    return [(stem(name), Ref(reader, name))]


def _count(path: Path) -> int:
    from hounsfield.data.signal.archive import series_labels

    here = Cohort("", str(path.parent), (), Schema())
    return len(series_labels(here, Ref("ts", path.name)))
