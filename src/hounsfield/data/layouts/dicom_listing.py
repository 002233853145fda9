"""What a DICOM disk holds, as tables for a person: patients, studies and series with what is used and why, problems."""

from collections import Counter
from collections.abc import Sequence

from hounsfield.core.cohort import Listing
from hounsfield.data.dicom.choosing import Choice, described
from hounsfield.data.dicom.index import Index


def listings(index: Index, choices: Sequence[Choice]) -> tuple[Listing, ...]:
    """Return the tables: patients, series, problems; those without rows are left out."""
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
    found = (patients, _series(choices), _reasons(choices), problems)
    return tuple(listing for listing in found if listing.rows)


def _series(choices: Sequence[Choice]) -> Listing:
    rows = []
    for choice in choices:
        study = choice.study
        head = (study.patient or "(none)", study.date, study.accession)
        if choice.chosen is not None:
            chosen = choice.chosen
            rows.append(
                (*head, chosen.first.series_description, described(chosen), f"used: {choice.reason.partition('; ')[0]}")
            )
        rows += [(*head, s.first.series_description, described(s), "apart: " + reason) for s, reason in choice.apart]
    heads = ("patient", "date", "accession", "series", "what", "used or apart, and why")
    return Listing(title="Studies and their series", heads=heads, rows=tuple(rows))


def _reasons(choices: Sequence[Choice]) -> Listing:
    counted = Counter(reason for c in choices for _, reason in c.apart)
    rows = tuple((reason, str(count)) for reason, count in counted.most_common())
    return Listing(title="Series that are not used", heads=("because", "series"), rows=rows)
