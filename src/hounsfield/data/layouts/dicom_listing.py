"""What a DICOM disk holds, as tables for a person: patients, studies and series with what is used and why, problems."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hounsfield.core.cohort import Listing
from hounsfield.data.dicom.assembling import assemble
from hounsfield.data.dicom.choosing import Choice, described
from hounsfield.data.dicom.groups import Series
from hounsfield.data.dicom.index import Index
from hounsfield.data.dicom.phases import phases_of
from hounsfield.data.dicom.query import Query
from hounsfield.data.dicom.used import uptake_of, used_of


def listings(index: Index, choices: Sequence[Choice], root: Path, query: Query | None = None) -> tuple[Listing, ...]:
    """Return the tables: patients, series, what is unusual about those that are used, problems.

    Parameters
    ----------
    index : Index
    choices : sequence of Choice
    root : pathlib.Path
        The indexed folder.
    query : Query or None
        What the user asked for.

    Returns
    -------
    tuple of Listing
        Those without rows are left out.
    """
    patients = Listing(
        title="Patients on the disk",
        heads=("patient", "issuer", "studies", "series", "images"),
        rows=tuple(
            (
                p.id or "(none)",
                p.issuer,
                str(len(p.studies)),
                str(sum(len(s.series) for s in p.studies)),
                str(sum(x.images for s in p.studies for x in s.series)),
            )
            for p in sorted(index.patients(), key=lambda p: (p.id, p.issuer))
        ),
    )
    problems = Listing(
        title="Files with problems",
        heads=("file", "reason"),
        rows=tuple((p.sample, p.reason) for p in index.problems),
    )
    found = (patients, _series(choices), _findings(choices, root, query), _reasons(choices), problems)
    return tuple(listing for listing in found if listing.rows)


def _series(choices: Sequence[Choice]) -> Listing:
    rows = []
    for choice in choices:
        if choice.chosen is not None:
            used = f"used: {choice.reason.partition('; ')[0]}"
            rows.append((*_head(choice), choice.chosen.first.series_description, _what(choice.chosen), used))
        rows += [
            (*_head(choice), s.first.series_description, _what(s), "apart: " + reason) for s, reason in choice.apart
        ]
    heads = ("patient", "date", "accession", "series", "what", "used or apart, and why")
    return Listing(title="Studies and their series", heads=heads, rows=tuple(rows))


def _head(choice: Choice) -> tuple[str, str, str]:
    study = choice.study
    return study.patient or "(none)", study.date, study.accession


def _what(series: Series) -> str:
    """Return a series in a few words, with its phases as far as the index alone tells of them."""
    told = [p.told for p in phases_of(assemble(series.entries).volumes)]
    return ", ".join((described(series), *told))


def _findings(choices: Sequence[Choice], root: Path, query: Query | None) -> Listing:
    """Say of the series that are used which phase is looked at, what is unusual, and what the values of a PET are."""
    rows = []
    for choice in choices:
        series = choice.chosen
        if series is None:
            continue
        used = used_of(series, root, query)
        told = ([f"looked at: {used.reason}"] if used.reason else []) + list(used.notes)
        if series.first.modality == "PT":
            told.append(uptake_of(series, root).told)
        rows += [(*_head(choice), series.first.series_description, text) for text in told]
    heads = ("patient", "date", "accession", "series", "what to know")
    return Listing(title="Of the series that are used", heads=heads, rows=tuple(rows))


def _reasons(choices: Sequence[Choice]) -> Listing:
    counted = Counter(reason for c in choices for _, reason in c.apart)
    rows = tuple((reason, str(count)) for reason, count in counted.most_common())
    return Listing(title="Series that are not used", heads=("because", "series"), rows=rows)
