"""``cohort.yaml``: what the data are asked stays, paths get the names of the output, everything told in words goes."""

from pathlib import Path

import yaml

from hounsfield.core.errors import CohortError, ReadError, UnknownNameError
from hounsfield.data.cohort_file import CohortFile, read_cohort_file
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.naming import named_words, pseudonymous_path
from hounsfield.data.scrubbers.order import ScrubOrder
from hounsfield.data.scrubbers.table_columns import identifies_alone

NAMES = ("cohort.yaml", "cohort.yml")
MAX_BYTES = 16 << 20
_GONE = ("name", "notes", "unsure", "understood", "side_tables", "set_aside")
_PATHS = ("root", "manifest", "samples")
_MOST_DIGITS = 5


class DeclaredScrubber:
    """Writes the file again with targets, inputs, parts and column roles, and with the new names of its tables.

    Notes
    -----
    Names of columns and classes stay as they stay in the tables; where one looks like a value (a number, a date, a name
    with carets) the file is withheld. Names of cases, notes, and what a program said of the columns go: without them
    the cohort is the same.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the name: the file has no signature."""
        return name.lower() in NAMES and b"\0" not in head

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the declaration without names; raise ReadError where it is none."""
        if source.stat().st_size > MAX_BYTES:
            return Scrubbed(None, withheld="a cohort.yaml of more than 16 MiB")
        try:
            file = read_cohort_file(source)
        except (CohortError, UnknownNameError, ReadError) as error:
            raise ReadError(
                "cohort.yaml cannot be understood.", expected="as hu inspect writes it", next_step="write it again"
            ) from error
        words = _kept_words(file)
        if any(identifies_alone(w) or sum(c.isdigit() for c in w) > _MOST_DIGITS for w in words):
            return Scrubbed(None, withheld="a column or class in cohort.yaml looks like a value", texts=words)
        paths = {n: getattr(file, n) for n in _PATHS}
        if any(p and ".." in Path(p).parts for p in paths.values()):
            return Scrubbed(None, withheld="cohort.yaml leads out of its folder")
        content = file.model_dump(mode="json", exclude_defaults=True, exclude=set(_GONE))
        content |= {n: pseudonymous_path(p, order.pseudonyms) for n, p in paths.items() if n in content}
        made = yaml.safe_dump({"schema_version": 1, **content}, sort_keys=False, allow_unicode=True, width=120)
        told = [w for p in paths.values() if p for w in named_words(p)]
        told += [file.name, *file.notes, *file.unsure, *file.side_tables]
        told += [t for a in file.set_aside for t in (*named_words(a.sample), a.reason)]
        removed = tuple(n for n in _GONE if getattr(file, n))
        return Scrubbed(made.encode(), "", removed, (), tuple(t for t in told if t), kept=words)


def _kept_words(file: CohortFile) -> tuple[str, ...]:
    """Return every word that a person chose and that stays."""
    found = [*file.columns, *file.numbers, *file.official_parts, file.layout]
    for target in file.targets:
        found += [target.name, target.unit, target.positive or "", *target.classes, *target.columns]
    found += [text for i in file.inputs for text in (i.name, i.kind, i.modality)]
    return tuple(dict.fromkeys(w for w in found if w))
