"""What is said of a run: to the caller, in the output by case only, and beside the key with the inputs' names."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from hounsfield.bundle.atomic import write_bytes, write_json
from hounsfield.core.types import Json
from hounsfield.privacy._generated.confidentiality import EDITION
from hounsfield.privacy.profile import REMOVE_FACES, Profile
from hounsfield.privacy.scanner import Scanner
from hounsfield.privacy.watched import Clean, words_of
from hounsfield.workflow.deidentify_ledger import Treated
from hounsfield.workflow.deidentify_places import Places
from hounsfield.workflow.pseudonym_key import write_private

_ELSEWHERE = "see the list beside the key"
TABLE, SUMMARY = "deidentified.csv", "deidentified.json"


class Deidentified(BaseModel):
    """What was done.

    Attributes
    ----------
    out, key, links : str
        Names of the output folder, of the key and of the table that links inputs to outputs, both kept apart.
    files, written, withheld : int
    formats : dict of str to int
        Files written of each format.
    reasons : dict of str to int
        Files withheld for each reason.
    leaks : dict of str to list of str
        By case: the places where the second pass found something. Those files are withheld.
    options : tuple of str
    edition : str
        Of the standard whose rules were used.
    patterns : int
        Spellings that the second pass looked for.
    searched_to_the_end : bool
        False where a limit ended the second pass before the end.
    unsearched : tuple of str
        Why, a phrase for each limit that was reached.
    notes : tuple of str
        What was asked for and is not offered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    out: str
    key: str
    links: str
    files: int
    written: int
    withheld: int
    formats: dict[str, int]
    reasons: dict[str, int]
    leaks: dict[str, list[str]]
    options: tuple[str, ...]
    edition: str
    patterns: int
    searched_to_the_end: bool
    unsearched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def summary(
    places: Places, entries: Sequence[Treated], leaks: dict[str, list[str]], profile: Profile, scanner: Scanner
) -> Deidentified:
    """Return what a run did, in numbers and reasons."""
    written = [e for e in entries if e.name]
    reasons = Counter(_short(e.reason) for e in entries if not e.name)
    return Deidentified(
        out=places.out.name,
        key=places.key.name,
        links=places.links.name,
        files=len(entries),
        written=len(written),
        withheld=len(entries) - len(written),
        formats=dict(sorted(Counter(e.format for e in written).items())),
        reasons=dict(reasons.most_common()),
        leaks=leaks,
        options=tuple(sorted(profile.options)),
        edition=EDITION,
        patterns=scanner.patterns,
        searched_to_the_end=not scanner.unsearched,
        unsearched=scanner.unsearched,
        notes=_notes(written, profile),
    )


def _notes(written: Sequence[Treated], profile: Profile) -> tuple[str, ...]:
    if not profile.asks(REMOVE_FACES):
        return ()
    faceless = sum("face" in e.removed for e in written)
    return (
        f"Faces were taken out of {faceless:,} files. Of CT and MR nothing else was written; pictures, contours and "
        "surfaces of other files may show faces: look at them.",
    )


def _short(reason: str) -> str:
    return "the second pass found an identifier" if reason.startswith("the second pass") else reason


def write_tables(places: Places, entries: Sequence[Treated], done: Deidentified, scanner: Scanner) -> None:
    """Write what became of every file: into the output by case only, and beside the key with the inputs' names."""
    said = {text: text for e in entries for text in (e.reason, "; ".join(e.removed))}
    # our own sentences hold words of removed texts; one in which a name or number of a patient stands is told elsewhere
    ours = Clean(named=words_of(said))
    said |= {text: _ELSEWHERE for text in said if text and scanner.leaks(text.encode(), clean=ours)}
    rows = [(e.case, e.name, _outcome(e), e.format, said[e.reason], said["; ".join(e.removed)]) for e in entries]
    content = _csv([("case", "output", "outcome", "format", "reason", "removed"), *rows])
    write_bytes(places.staging / TABLE, content)
    # names of outside files may identify; leaks are in the table, by case
    write_json(places.staging / SUMMARY, _public(done))
    places.links.unlink(missing_ok=True)
    links = [(e.case, e.path, e.name, e.reason) for e in entries]
    write_private(places.links, _csv([("case", "input", "output", "reason"), *links]))


def _outcome(entry: Treated) -> str:
    return "written" if entry.name else "withheld"


def _public(done: Deidentified) -> Json:
    return {
        "schema_version": 1,
        "options": list(done.options),
        "edition": done.edition,
        "files": f"{done.files:,}",
        "written": f"{done.written:,}",
        "withheld": f"{done.withheld:,}",
        "formats": {name: f"{count:,}" for name, count in done.formats.items()},
        "reasons": {reason: f"{count:,}" for reason, count in done.reasons.items()},
        "second_pass": {
            "files_with_findings": f"{len(done.leaks):,}",
            "searched_to_the_end": done.searched_to_the_end,
            "unsearched": list(done.unsearched),
        },
        "notes": list(done.notes),
    }


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "surrogateescape")
