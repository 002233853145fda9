"""One explicit table per kind of part: name to import path, resolved when it is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module

from hounsfield.core.errors import unknown_name


@dataclass(frozen=True)
class Table:
    """Names of parts of one kind and where each is imported from.

    Parameters
    ----------
    kind : str
        What the entries are, as messages say it: ``"network"``, ``"layout"``.
    entries : dict of str to str
        Name to ``"package.module:attribute"``, or to ``"package.module"`` where the part is a module. Adding a part is
        adding one line here.

    Notes
    -----
    Nothing is imported until `resolve`, so that a heavy part costs only those who use it. No folder is
    scanned and no import has side effects.
    """

    kind: str
    entries: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def names(self) -> tuple[str, ...]:
        """Return all names in table order."""
        return tuple(self.entries)

    def resolve(self, name: str) -> object:
        """Import and return the part called `name`.

        Raises
        ------
        UnknownNameError
            If the table has no such name; the nearest is named.
        """
        if name not in self.entries:
            raise unknown_name(self.kind, name, self.entries)
        module, _, attribute = self.entries[name].partition(":")
        found = import_module(module)
        return getattr(found, attribute) if attribute else found
