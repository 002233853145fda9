"""Keys that the images of a delivery have, so that a table that writes them another way still joins them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hounsfield.data.files import plain_key
from hounsfield.data.scrubbers.order import KeyKind

ENOUGH = 0.5
"""Share of a column's cells that must be keys of images, from which on it is a column of them."""
LEAST_CHARACTERS = 4
"""Shorter keys are counts as well: they make no column one of keys."""


@dataclass(frozen=True)
class KnownKeys:
    """Patient numbers and accession numbers as the headers of images write them.

    Parameters
    ----------
    spelled : mapping
        Kind of key to a mapping of `plain_key` to the spelling in the headers; a form that two different keys share
        is not in it, since nobody can tell which is meant.
    """

    spelled: Mapping[KeyKind, Mapping[str, str]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, keys: Iterable[tuple[str, str]]) -> "KnownKeys":
        """Return the known keys of pairs of kind and spelling; other kinds are left out."""
        kinds: dict[str, KeyKind] = {"patient": "patient", "accession": "accession"}
        met: dict[KeyKind, dict[str, set[str]]] = {kind: {} for kind in kinds.values()}
        for kind, value in keys:
            text = value.strip(" \0\t\r\n")
            if text and kind in kinds:
                met[kinds[kind]].setdefault(plain_key(text), set()).add(text)
        spelled = {key: {k: next(iter(v)) for k, v in forms.items() if len(v) == 1} for key, forms in met.items()}
        return cls(spelled)

    def spelling(self, kind: KeyKind, text: str) -> str:
        """Return a key as the images write it (``000123`` for ``123`` and ``123.0``), the text itself if none does."""
        return self.spelled.get(kind, {}).get(plain_key(text), text)

    def kind_of(self, cells: Sequence[str]) -> KeyKind | None:
        """Return which keys a column holds, by the overlap of its cells with those of the images; None where neither.

        Parameters
        ----------
        cells : sequence of str
            Without empty ones. Cells of fewer than 4 characters do not count: small numbers are counts as well.
        """
        told = [plain_key(c) for c in cells if len(c.strip()) >= LEAST_CHARACTERS]
        best: tuple[float, KeyKind | None] = (ENOUGH * len(cells), None)
        for kind, forms in self.spelled.items():
            met = float(sum(c in forms for c in told))
            if met and (met > best[0] or (met == best[0] and best[1] is None)):
                best = (met, kind)
        return best[1]
