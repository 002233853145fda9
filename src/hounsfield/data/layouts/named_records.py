"""Records that are names in a table and no files: whatever they are called, a name is no path."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from hounsfield.data.files import EXACT, WHOLE, Match, folded, plain_key
from hounsfield.data.layouts.records import RecordFiles, record_name


@dataclass(frozen=True)
class NamedRecords(RecordFiles):
    r"""Records by name, in the place of files.

    A name that would mean something among files (``A/1``, ``..``, ``a\3``, ``x.csv``) is written so that it does not.

    Parameters
    ----------
    names : mapping of str to str
        What stands for a record among files to its name.
    """

    names: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, root: Path, paths: tuple[str, ...], escaping: tuple[str, ...], names: Iterable[str]) -> "NamedRecords":
        """Return the files of a folder with records of these names.

        Parameters
        ----------
        root : pathlib.Path
        paths, escaping : tuple of str
            As of `Files`.
        names : iterable of str
        """
        standing = {_standing(n): n for n in names}
        return cls(root, paths, escaping, tuple(standing), names=standing)

    @cached_property
    def _by_text(self) -> dict[str, str]:
        return {**{s: s for s in self.names}, **{n: s for s, n in self.names.items()}}

    @cached_property
    def _by_key(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for standing, name in self.names.items():
            found.setdefault(plain_key(folded(name)), []).append(standing)
        return found

    def exact(self, text: str, folder: str = "") -> str | None:
        """Return the record of this name."""
        return self._by_text.get(text.strip())

    def match(self, text: str, folder: str = "") -> Match:
        """Return the records that a text may mean: of exactly this name, or of one that differs in case and zeros."""
        found = self.exact(text)
        if found is not None:
            return Match((found,), EXACT)
        return Match(tuple(self._by_key.get(plain_key(folded(text.strip())), ())), WHOLE)

    def relative(self, cell: str) -> str | None:
        """Return what a cell of a table says; a name leads nowhere."""
        return cell

    def shown(self, text: str) -> str:
        """Return the name of a record for what stands for it, with the ``#2`` of one that comes again."""
        if text in self.names:
            return self.names[text]
        base, mark, number = text.rpartition("#")
        return f"{self.names[base]}#{number}" if mark and number.isdigit() and base in self.names else text


def _standing(name: str) -> str:
    plain = not set(name) & set("/\\%") and record_name(name) == name and name.strip(". ") != ""
    return name if plain else quote(name, safe="").replace(".", "%2E")
