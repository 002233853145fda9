"""What is wrong with the data, over all parts."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from hounsfield.core.cohort import SetAside
from hounsfield.core.report import Figure


class Duplicate(BaseModel):
    """Two samples that show the same picture.

    Attributes
    ----------
    a, b : str
        Sample ids, in the cohort's order.
    kind : str
        ``exact`` (the same pixels) or ``near`` (re-encoded, shifted a little, brighter, ...).
    similarity : float
        Correlation of the aligned pictures, -1 to 1.
    part_a, part_b : str
        Parts they lie in, ``""`` where not yet divided.
    same_answer : bool or None
        Whether the answers agree; None where one is missing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    a: str
    b: str
    kind: Literal["exact", "near"]
    similarity: float
    part_a: str = ""
    part_b: str = ""
    same_answer: bool | None = None


class Shortcut(BaseModel):
    """How well the answer can be guessed without looking at the anatomy.

    Attributes
    ----------
    auroc : Figure
        All cues together, cross-validated, by patient.
    by : dict of str to Figure
        One cue at a time: ``file ending``, ``width``, ``border``, ``mean brightness``, ``column:<name>``, ...
    by_part : dict of str to dict of str to Figure
        The same within each official part, where the data has parts.
    warnings : tuple of str
        The cues whose interval lies above chance by enough to matter, one sentence each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    auroc: Figure
    by: dict[str, Figure]
    by_part: dict[str, dict[str, Figure]] = {}
    warnings: tuple[str, ...] = ()


class Audit(BaseModel):
    """Findings over all parts; they exclude and report, and never feed a planning rule.

    Attributes
    ----------
    samples, patients : int
        Numbers after setting aside.
    balance : dict of str to dict of str to int
        Part (``all`` too) to class to number, for the primary target.
    sizes : dict of str to int
        ``height x width`` to number, the most frequent ones.
    unreadable : tuple of SetAside
        Cases set aside: unreadable, empty, constant or tiny files, missing answers, with the reason.
    duplicates : tuple of Duplicate
        All pairs inside and across parts.
    duplicates_across_parts, contradictions : tuple of (str, str)
        Pairs in two parts; pairs with contradictory answers.
    clusters : tuple of tuple of str
        Samples joined by duplicates; they never straddle parts.
    patients_in_two_parts : int
        How many patients an official division has in more than one part.
    removed_from_training : tuple of SetAside
        Samples that training does without, with the reason.
    flagged_in_test : tuple of SetAside
        Samples of an official test part that are faulty; kept, since that part is never changed.
    in_doubt : tuple of SetAside
        Samples that are used, and should be looked at: leads that contradict each other, with the evidence.
    shortcut : Shortcut or None
        None where the target has no classes to guess.
    warnings : tuple of str
        What a reader must know, one sentence each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    samples: int
    patients: int
    balance: dict[str, dict[str, int]] = {}
    sizes: dict[str, int] = {}
    unreadable: tuple[SetAside, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    duplicates_across_parts: tuple[tuple[str, str], ...] = ()
    contradictions: tuple[tuple[str, str], ...] = ()
    clusters: tuple[tuple[str, ...], ...] = ()
    patients_in_two_parts: int = 0
    removed_from_training: tuple[SetAside, ...] = ()
    flagged_in_test: tuple[SetAside, ...] = ()
    in_doubt: tuple[SetAside, ...] = ()
    shortcut: Shortcut | None = None
    warnings: tuple[str, ...] = ()

    def with_aside(self, aside: tuple[SetAside, ...], said: str) -> "Audit":
        """Return the same with further samples set aside.

        Parameters
        ----------
        aside : tuple of SetAside
            None of them is listed yet.
        said : str
            What a reader must know of it, one sentence.
        """
        return self.model_copy(
            update={
                "samples": self.samples - len(aside),
                "unreadable": (*self.unreadable, *aside),
                "warnings": (*self.warnings, said),
            }
        )
