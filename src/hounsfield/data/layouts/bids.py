"""BIDS: ``sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz``, answers in ``participants.tsv``."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, Ref, Roles, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.data.files import VOLUME_ENDINGS, Files, ending, list_files, reader_by_ending, stem
from hounsfield.data.layouts.cases import Case, Found, answers_beside, cohort_of_cases
from hounsfield.data.layouts.described import MASK

_IMAGED = ("anat", "pet")
"""Data types that are looked at; series over time and fields are not pictures of one moment."""
_OTHER = ("func", "dwi", "fmap", "perf", "meg", "eeg", "ieeg")
_MASKS = ("mask", "dseg")
_SUBJECT = re.compile(r"^sub-[0-9A-Za-z]+$")


@dataclass(frozen=True)
class _Named:
    """A file whose name follows the standard."""

    path: str
    entities: dict[str, str]
    suffix: str
    datatype: str

    @property
    def case(self) -> tuple[str, str]:
        return self.entities.get("sub", ""), self.entities.get("ses", "")

    @property
    def rank(self) -> tuple[int, str]:
        """Plain files first, then in the order of their names: run 1 before run 2."""
        return len(self.entities), self.path


class BidsLayout:
    """Folders of subjects, and of their sessions where there are several.

    References
    ----------
    Gorgolewski et al., "The brain imaging data structure", Scientific Data 3, 2016; bids-specification 1.10.
    """

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .97 for folders of subjects beside a description or participants, .8 for folders with images alone."""
        try:
            if not root.is_dir():
                return 0.0
            subjects = [p for p in root.iterdir() if _SUBJECT.match(p.name) and p.is_dir()]
            if not subjects:
                return 0.0
            told = any((root / n).is_file() for n in ("dataset_description.json", "participants.tsv"))
            images = any(p.is_dir() for s in subjects for pattern in ("anat", "ses-*/anat") for p in s.glob(pattern))
        except OSError:
            return 0.0
        return (0.97 if told else 0.85) if images else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort: one sample per subject and session, one input per sequence.

        Raises
        ------
        CohortError
            If it cannot be understood.
        """
        files = list_files(root)
        here = Files(files.root, tuple(p for p in files.paths if "/" not in p))
        return cohort_of_cases(_found(files), files, roles, told=answers_beside(here, roles))


def _found(files: Files) -> Found:
    images: dict[tuple[str, str], dict[str, list[_Named]]] = {}
    masks: dict[tuple[str, str], list[_Named]] = {}
    unused: dict[str, int] = {}
    for path in files.images:
        named = _named(path)
        if named is None:
            continue
        derived = path.startswith("derivatives/")
        if named.suffix in _MASKS and named.datatype in _IMAGED:
            masks.setdefault(named.case, []).append(named)
        elif derived:
            continue
        elif named.datatype in _IMAGED:
            images.setdefault(named.case, {}).setdefault(named.suffix, []).append(named)
        elif named.datatype in _OTHER:
            unused[named.datatype] = unused.get(named.datatype, 0) + 1
    if not images:
        raise CohortError(
            "The subjects have no anatomical images.",
            expected="files such as sub-01/anat/sub-01_T1w.nii.gz",
            next_step="check the folder",
        )
    visits = any(session for _, session in images)
    cases = []
    several = 0
    for (subject, session), found in sorted(images.items()):
        best = {suffix: min(named, key=lambda n: n.rank) for suffix, named in sorted(found.items())}
        several += sum(len(named) > 1 for named in found.values())
        outlined = sorted(masks.get((subject, session), ()), key=lambda n: n.rank)
        cases.append(
            Case(
                id=f"sub-{subject}_ses-{session}" if session else f"sub-{subject}",
                inputs={suffix: Ref(reader_by_ending(n.path), n.path) for suffix, n in best.items()},
                masks={MASK: Ref(reader_by_ending(outlined[0].path), outlined[0].path)} if outlined else {},
                patient=f"sub-{subject}",
                session=session,
                keys=(f"sub-{subject}", subject),
            )
        )
    notes = [f"{len({c.patient for c in cases})} subjects, {len(cases)} {'sessions' if visits else 'cases'}."]
    if unused:
        notes.append(f"Not looked at: {', '.join(f'{n} files of {t}' for t, n in sorted(unused.items()))}.")
    unsure = []
    if several:
        unsure.append(
            f"{several} times there are several images of one sequence; the plainest name, first run, is used."
        )
    # two subjects that differ in leading zeros only must not be taken for one
    plain = {c.keys[1].lstrip("0") for c in cases}
    if len(plain) < len({c.keys[1] for c in cases}):
        cases = [replace(c, keys=c.keys[:1]) for c in cases]
    return Found(
        layout="bids",
        cases=tuple(cases),
        masks=(TargetSpec(name=MASK, kind="mask"),) if any(c.masks for c in cases) else (),
        modalities={n: _modality(n) for c in cases for n in c.inputs},
        notes=tuple(notes),
        unsure=tuple(unsure),
    )


def _modality(suffix: str) -> str:
    return "PT" if suffix == "pet" else "CT" if suffix.casefold() == "ct" else "MR"


def _named(path: str) -> _Named | None:
    """Return what a path says; None where it is not named as the standard asks."""
    if ending(path) not in VOLUME_ENDINGS:
        return None
    folders, _, name = path.rpartition("/")
    *pairs, suffix = stem(name).split("_")
    entities = dict(p.split("-", 1) for p in pairs if "-" in p)
    if "sub" not in entities or len(entities) != len(pairs) or f"sub-{entities['sub']}" not in folders.split("/"):
        return None
    return _Named(path, entities, suffix, folders.rsplit("/", 1)[-1])
