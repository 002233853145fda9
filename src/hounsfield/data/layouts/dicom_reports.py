"""Reports on a DICOM disk: which studies have one, what they answer in codes and numbers, and their text when asked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, Listing, Sample, SetAside, TargetSpec
from hounsfield.core.errors import ReadError
from hounsfield.data.answers import make_answers
from hounsfield.data.dicom.archives import archive_kind
from hounsfield.data.dicom.entries import Entry, place_of
from hounsfield.data.dicom.index import Index, index_of
from hounsfield.data.dicom.marked import clause_of
from hounsfield.data.dicom.report_answers import Report, Said, concept_key, is_report, read_report, read_report_text

RECORD = "reports"
"""What the number of a study's reports is called among the records of a sample."""
Place = tuple[str, str, str]
"""Patient, issuer and study."""


@dataclass(frozen=True)
class Reports:
    """The reports of a disk.

    Parameters
    ----------
    by_study : mapping of Place to tuple of Report
        The latest last; complete ones after partial ones.
    aside : tuple of SetAside
        Those that cannot be read, each with the reason.
    """

    by_study: Mapping[Place, tuple[Report, ...]] = field(default_factory=dict, repr=False)
    aside: tuple[SetAside, ...] = ()

    @property
    def files(self) -> int:
        """How many reports can be read."""
        return sum(len(r) for r in self.by_study.values())

    def shown(self) -> list[str]:
        """Return the names of all concepts that are answered."""
        said = (s for several in self.by_study.values() for r in several for s in r.said)
        return sorted({s.concept.meaning or s.concept.value for s in said})

    def names(self, asked: str) -> bool:
        """Tell whether a report answers this concept, named by the meaning or the value of its code."""
        key = concept_key(asked)
        return bool(key) and any(key in s.keys for rs in self.by_study.values() for r in rs for s in r.said)


def reports_on_disk(index: Index, root: Path) -> Reports:
    """Read what the reports of a disk answer.

    Parameters
    ----------
    index : Index
    root : pathlib.Path
        Folder that its paths are relative to.
    """
    found: dict[Place, list[Report]] = {}
    aside = []
    for entry in {(e.sop_uid or e.path + e.member): e for e in index.entries if is_report(e)}.values():
        try:
            report = read_report(root, entry)
        except ReadError as error:
            aside.append(SetAside(sample=place_of(entry), reason=clause_of(error)))
        else:
            found.setdefault(_place(entry), []).append(report)
    ordered = {
        place: tuple(sorted(several, key=lambda r: (r.complete, r.when, r.entry.sop_uid)))
        for place, several in found.items()
    }
    return Reports(ordered, tuple(aside))


def with_reports(cohort: Cohort, index: Index, reports: Reports) -> Cohort:
    """Return a cohort that tells how many reports its studies have, and what these answer; never what stands in them.

    Parameters
    ----------
    cohort : Cohort
    index : Index
    reports : Reports

    Notes
    -----
    The number of a sample's reports is a record: the shortcut probe looks whether having one gives the answer away.
    """
    if not reports.files and not reports.aside:
        return cohort
    of_sample = _of_samples(cohort.samples, index, reports)
    counts = [len(of_sample[s.id]) for s in cohort.samples]
    samples = cohort.samples
    if len(set(counts)) > 1:
        samples = tuple(
            replace(s, records={**s.records, RECORD: float(n)}) for s, n in zip(samples, counts, strict=True)
        )
    told = (
        f"{sum(n > 0 for n in counts)} of {len(counts)} samples have reports ({reports.files} on the disk); their text "
        "is looked at by nothing and written only when asked for."
    )
    concepts = _concepts(reports)
    if concepts:
        told += " What they answer in codes and numbers can be the answer: --target NAME."
    listing = Listing("Answers in structured reports", ("concept", "answered by", "studies", "unit"), concepts)
    schema = cohort.schema.model_copy(update={"notes": (*cohort.schema.notes, told)})
    listings = (*cohort.listings, *((listing,) if concepts else ()))
    return replace(
        cohort, samples=samples, schema=schema, listings=listings, set_aside=(*cohort.set_aside, *reports.aside)
    )


def with_report_answers(
    cohort: Cohort, index: Index, reports: Reports, asked: Sequence[str], *, positive: str | None = None
) -> Cohort:
    """Return a cohort whose samples are answered by reports.

    Parameters
    ----------
    cohort : Cohort
        Without other answers samples that no report answers are set aside.
    index : Index
    reports : Reports
    asked : sequence of str
        Concepts that the user named.
    positive : str or None
        The positive class of the first of them.

    Notes
    -----
    The latest complete report of the study that answers is believed. One that answers a concept with different values,
    as for several lesions, does not answer it: which of them is meant is not said.

    Raises
    ------
    CohortError
        If the answers are neither classes nor numbers.
    """
    of_sample = _of_samples(cohort.samples, index, reports)
    specs: list[TargetSpec] = []
    notes: list[str] = []
    unsure: list[str] = []
    samples = cohort.samples
    for number, name in enumerate(asked):
        heard = [_heard(of_sample[s.id], concept_key(name)) for s in samples]
        units = Counter(s.unit for s in heard if isinstance(s, Said) and s.numeric)
        column = tuple(s.value if isinstance(s, Said) else None for s in heard)
        unit = next(iter(units)) if len(units) == 1 else ""
        known = [s.part != "test" for s in samples] if any(s.part != "test" for s in samples) else None
        numbers = all(s.numeric for s in heard if isinstance(s, Said)) and bool(units)
        declared = TargetSpec(name=name, kind="number", unit=unit) if numbers else None
        made = make_answers(name, column, declared=declared, positive=None if number else positive, known=known)
        specs.append(made.spec)
        samples = tuple(
            replace(s, targets={**s.targets, name: value}) for s, value in zip(samples, made.values, strict=True)
        )
        answered = sum(v is not None for v in made.values)
        notes += [f"{name}: answered by the reports of {answered} of {len(samples)} samples.", *made.notes]
        unsure += made.unsure
        several = sum(s == _SEVERAL for s in heard)
        if several:
            unsure.append(f"{name}: {several} reports answer it with different values and count as no answer.")
        if len(units) > 1:
            told = ", ".join(f"{n} in {u or 'no unit'}" for u, n in units.most_common())
            unsure.append(f"{name}: the reports use different units: {told}.")
    aside = []
    if not cohort.schema.targets:
        silent = [s for s in samples if all(s.targets.get(n) is None for n in asked)]
        aside = [SetAside(sample=s.id, reason="no report answers") for s in silent]
        samples = tuple(s for s in samples if s not in silent)
    schema = cohort.schema.model_copy(
        update={
            "targets": (*cohort.schema.targets, *specs),
            "notes": (*cohort.schema.notes, *notes),
            "unsure": (*cohort.schema.unsure, *unsure),
        }
    )
    return replace(cohort, samples=samples, schema=schema, set_aside=(*cohort.set_aside, *aside))


def report_texts(cohort: Cohort) -> dict[str, str]:
    """Return the text of the reports of each sample's study, by sample id; those without any are left out.

    Parameters
    ----------
    cohort : Cohort
        Of a DICOM disk that was indexed in this process.

    Notes
    -----
    Free text, in which names stand: for a file that the user asked for by name, and for nothing else.
    """
    root = Path(cohort.root)
    archive = root / cohort.name
    index = index_of(archive if archive.is_file() and archive_kind(archive) else root)
    found = {}
    for sample, reports in _of_samples(cohort.samples, index, reports_on_disk(index, root)).items():
        texts = [t for r in reports if (t := _text(root, r.entry))]
        if texts:
            found[sample] = "\n\n".join(texts)
    return found


_SEVERAL = "several"


def _heard(reports: Sequence[Report], key: str) -> Said | str | None:
    """Return what the latest report that answers says; `_SEVERAL` where it says several things."""
    for report in reversed(reports):
        said = [s for s in report.said if key in s.keys]
        if said:
            return said[0] if len({(s.value.casefold(), s.unit) for s in said}) == 1 else _SEVERAL
    return None


def _of_samples(samples: Sequence[Sample], index: Index, reports: Reports) -> dict[str, tuple[Report, ...]]:
    """Return the reports of each sample's study: of several visits the latest that has any."""
    by_place = {(e.path, e.member): _place(e) for e in index.entries}
    found: dict[str, tuple[Report, ...]] = {}
    for sample in samples:
        refs = [r.ref for r in reversed(next(iter(sample.inputs.values())))]
        places = [by_place.get((r.path, str(dict(r.part).get("member", "")))) for r in refs]
        held = (reports.by_study.get(p, ()) for p in places if p is not None)
        found[sample.id] = next((h for h in held if h), ())
    return found


def _place(entry: Entry) -> Place:
    return entry.patient_id, entry.issuer, entry.study_uid


def _concepts(reports: Reports) -> tuple[tuple[str, ...], ...]:
    """Return concepts that reports answer, by how many studies, the most frequent first."""
    studies: dict[str, set[Place]] = {}
    units: dict[str, set[str]] = {}
    kinds: dict[str, set[str]] = {}
    shown: dict[str, str] = {}
    for place, several in reports.by_study.items():
        for said in (s for r in several for s in r.said):
            key = said.keys[0] or said.keys[1]
            shown.setdefault(key, said.concept.meaning or said.concept.value)
            studies.setdefault(key, set()).add(place)
            kinds.setdefault(key, set()).add("a number" if said.numeric else "a code")
            units.setdefault(key, set()).update({said.unit} - {""})
    return tuple(
        (shown[k], " or ".join(sorted(kinds[k])), str(len(studies[k])), ", ".join(sorted(units[k])))
        for k in sorted(studies, key=lambda k: (-len(studies[k]), k))
    )


def _text(root: Path, entry: Entry) -> str:
    try:
        return read_report_text(root, entry)
    except ReadError:
        return ""  # a PDF, or a report without content: it has no text
