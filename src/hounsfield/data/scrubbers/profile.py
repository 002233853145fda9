"""What a scrubber asks of the rules of de-identification; they live in `hounsfield.privacy`, which knows no format."""

from collections.abc import Collection
from typing import Literal, Protocol, TypeAlias

Action: TypeAlias = Literal["keep", "remove", "empty", "dummy", "uid", "shift", "clean", "enter"]
"""What is done with an attribute that is there (none is added). ``enter``: a sequence stays, its items are treated."""


class ConfidentialityProfile(Protocol):
    """The standard's table with the options asked for."""

    def action(self, tag: str, vr: str) -> Action:
        """Return what is done with a DICOM attribute: eight hexadecimal digits, upper case, and its kind of value."""
        ...

    def fallback(self, tag: str, vr: str) -> Action:
        """Return what is done where cleaning or shifting leaves nothing."""
        ...

    def clean(self, text: str, forbidden: Collection[str]) -> str:
        """Return the words of a description that may stay; `forbidden` are folded words that may not."""
        ...

    def asks(self, option: str) -> bool:
        """Tell whether an option was chosen."""
        ...

    @property
    def methods(self) -> tuple[str, ...]:
        """What the output says of how it was made."""
        ...

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """Code and meaning of the profile and its options, PS3.16 CID 7050."""
        ...
