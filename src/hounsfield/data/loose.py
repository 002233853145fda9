"""Images without answers for a bundle: files, folders and DICOM disks, with every input that it wants."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Roles, Sample
from hounsfield.core.errors import HounsfieldError, ReadError, case_id
from hounsfield.data.cohorts import unlabelled
from hounsfield.data.files import folded, stem
from hounsfield.data.layouts.cases import input_names
from hounsfield.data.layouts.described import channels_of, described
from hounsfield.data.layouts.files import cohort_of_files
from hounsfield.data.npz import npz_arrays
from hounsfield.data.rows import unique_ids
from hounsfield.data.volume.facts import READERS as VOLUMES
from hounsfield.data.volume.facts import volume_facts
from hounsfield.data.volume.moments import moment, moments_of

_CHANNEL = re.compile(r"(.+)_(\d{4})\Z")
_UNNAMED = re.compile(r"channel_(\d+)\Z")
_TIES = "_-. "


def loose(paths: Sequence[str | Path], roles: Roles, wanted: Sequence[str]) -> tuple[Cohort, ...]:
    """Return the cases that paths hold, each with the inputs that a bundle wants as far as they are there.

    Parameters
    ----------
    paths : sequence of str or pathlib.Path
        Image files, folders of them, DICOM disks.
    roles : Roles
        What the user said, such as which series are meant.
    wanted : sequence of str
        Names of the bundle's inputs, in its order.

    Returns
    -------
    tuple of Cohort
        One for all files, and one for each DICOM disk where several paths are given.

    Raises
    ------
    CohortError
        If a path does not exist or there is no image.

    Notes
    -----
    Of a bundle with one input every image is a case. Otherwise images of one case are found as the layouts of training
    data have them: by the number of a channel (``case_0000``), by a name that ends in that of an input
    (``case_FLAIR``, ``sub-01_T1w``, ``case/T1w``), as channels of one file, as arrays of one archive, or as series of
    one study.
    """
    from hounsfield.data.layouts.dicom import DicomLayout
    from hounsfield.data.layouts.dicom_inputs import cohort_for_inputs

    places = [Path(p) for p in paths]
    disks = [p for p in places if p.exists() and DicomLayout().claims(p, replace(roles, labels=None)) > 0]
    others = [p for p in places if p not in disks]
    if len(wanted) > 1:
        made = [cohort_for_inputs(p, roles, wanted) for p in disks]
        made += [_cases(cohort_of_files(others), wanted)] if others or not disks else []
        return _apart(made)
    made = [unlabelled([p], roles) for p in disks]
    made += [unlabelled(others, roles)] if others or not disks else []
    return _apart([_renamed(c, wanted[0]) for c in made])


def _apart(cohorts: Sequence[Cohort]) -> tuple[Cohort, ...]:
    """Return cohorts whose cases have different ids: of several the names come first where ids come twice."""
    ids = [s.id for c in cohorts for s in c.samples]
    if len(set(ids)) == len(ids):
        return tuple(cohorts)
    names = unique_ids([c.name for c in cohorts])
    return tuple(
        replace(c, samples=tuple(replace(s, id=f"{name}/{s.id}") for s in c.samples))
        for name, c in zip(names, cohorts, strict=True)
    )


def lacking(sample: Sample, wanted: Sequence[str]) -> ReadError | None:
    """Return the reason why a case cannot be judged: the inputs that it lacks; None where it has all."""
    missing = [name for name in wanted if not sample.inputs.get(name)]
    if not missing:
        return None
    return ReadError(
        f"Case {case_id(sample.id)}: no image for {', '.join(missing)}; the model looks at {', '.join(wanted)}.",
        expected="an image for each input: case_0000, case_0001 and so on, or names that end in an input's name",
        next_step="add the missing images, or name them so",
    )


def _renamed(cohort: Cohort, name: str) -> Cohort:
    samples = tuple(replace(s, inputs={name: next(iter(s.inputs.values()))}) for s in cohort.samples)
    return replace(cohort, samples=samples)


def _cases(cohort: Cohort, wanted: Sequence[str]) -> Cohort:
    """Join the images of one case; what belongs to none stays a case that lacks its inputs."""
    refs = [next(iter(s.inputs.values()))[-1].ref for s in cohort.samples]
    channels = _channel_names(cohort, refs, wanted)
    cases: dict[str, dict[str, Ref]] = {}
    for sample, ref in zip(cohort.samples, refs, strict=True):
        whole = _whole(cohort, ref, wanted)
        if whole:
            cases[sample.id] = whole
            continue
        case, name = _named(ref.path, channels, wanted)
        held = cases.setdefault(case or sample.id, {})
        if name and name not in held:
            held[name] = ref
    samples = tuple(
        Sample(id=case, patient=case, inputs={n: (Reading(held[n]),) for n in wanted if n in held})
        for case, held in _short(cases).items()
    )
    schema = cohort.schema.model_copy(update={"inputs": tuple(InputSpec(name=n) for n in wanted)})
    return replace(cohort, samples=samples, schema=schema)


def _channel_names(cohort: Cohort, refs: Sequence[Ref], wanted: Sequence[str]) -> Mapping[int, str]:
    """Return which input the number of a channel stands for; nothing where that is not told."""
    matches = (_CHANNEL.match(stem(r.path)) for r in refs)
    numbers = sorted({int(m[2]) for m in matches if m is not None})
    if not numbers:
        return {}
    for folder in dict.fromkeys((Path(cohort.root), Path(cohort.root).parent)):
        try:
            told = channels_of(described(folder))
        except HounsfieldError:
            told = []
        if told:
            return {n: name for n, name in enumerate(input_names(told)) if name in wanted}
    plain = {int(m[1]): name for name in wanted if (m := _UNNAMED.match(name)) is not None}
    if len(plain) == len(wanted):
        return plain
    return dict(enumerate(wanted)) if numbers == list(range(len(wanted))) else {}


def _named(path: str, channels: Mapping[int, str], wanted: Sequence[str]) -> tuple[str, str]:
    """Return the case that a file belongs to and the input it is; empty where its name does not say."""
    folder, _, _ = path.rpartition("/")
    name = stem(path)
    match = _CHANNEL.match(name)
    if match is not None and channels:  # a channel that the bundle does not look at belongs to the case all the same
        return f"{folder}/{match[1]}".lstrip("/"), channels.get(int(match[2]), "")
    for one in sorted(wanted, key=len, reverse=True):
        plain, end = folded(name), folded(one)
        if plain == end and folder:
            return folder, one
        before = name[: len(name) - len(one)]
        if plain.endswith(end) and before and before[-1] in _TIES and before.rstrip(_TIES):
            return f"{folder}/{before.rstrip(_TIES)}".lstrip("/"), one
    return "", ""


def _whole(cohort: Cohort, ref: Ref, wanted: Sequence[str]) -> dict[str, Ref]:
    """Return all inputs where one file holds them: as moments or arrays of their names, or channels in their order."""
    try:
        if ref.reader == "npz" and not ref.part:
            arrays = npz_arrays(Path(cohort.root) / ref.path)
            held = {n: Ref("npz", ref.path, (("array", n),)) for n in wanted if n in arrays}
            return held if len(held) == len(wanted) else {}
        if ref.reader in VOLUMES:
            root = Path(cohort.root)
            moments = moments_of(root, ref, asked=True)
            if moments is not None and all(n in moments.names for n in wanted):
                return {n: moment(root, ref, moments.names[n]) for n in wanted}
            told = Ref(ref.reader, ref.path, (("axis4", "channels"),))
            if volume_facts(root, told).channels == len(wanted):
                parts = [(n, (*told.part, ("channel", i))) for i, n in enumerate(wanted)]
                return {n: Ref(ref.reader, ref.path, part) for n, part in parts}
    except ReadError:
        return {}  # it will be refused with this reason when it is read, or lacks what is wanted
    return {}


def _short(cases: Mapping[str, dict[str, Ref]]) -> dict[str, dict[str, Ref]]:
    """Return cases under their own names, without folders, where these are different."""
    names = [c.rpartition("/")[2] for c in cases]
    return dict(zip(names, cases.values(), strict=True)) if len(set(names)) == len(names) else dict(cases)
