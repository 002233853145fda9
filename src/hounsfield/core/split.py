"""Parts and folds of a cohort."""

from pydantic import BaseModel, ConfigDict

from hounsfield.core.cohort import SetAside

INNER_SHARE = 0.15
"""Share of a fold's training samples held back for calibration and threshold."""


class Split(BaseModel):
    """Which sample belongs where.

    Attributes
    ----------
    parts : dict of str to str
        Sample id to ``train``, ``val``, ``test`` or ``out`` (takes no part).
    groups : dict of str to str
        Sample id to group: patients joined with duplicate clusters. No group straddles parts, unless an
        official division does; then `grouped` is False.
    folds : dict of str to int
        Sample id to fold, where folds were asked for.
    left_out : tuple of SetAside
        Samples with part ``out`` and the reason.
    official : tuple of str
        Parts that the data brought along.
    grouped : bool
        Whether "no patient in two parts" holds.
    rule : str
        How the division was made, one sentence.
    rule_zh : str
        The same in Chinese.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    parts: dict[str, str]
    groups: dict[str, str]
    folds: dict[str, int] = {}
    left_out: tuple[SetAside, ...] = ()
    official: tuple[str, ...] = ()
    grouped: bool = True
    rule: str = ""
    rule_zh: str = ""

    def ids(self, part: str) -> tuple[str, ...]:
        """Return the sample ids of one part, in the cohort's order."""
        return tuple(k for k, v in self.parts.items() if v == part)
