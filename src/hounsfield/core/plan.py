"""Every decision of a run: value, rule, evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import TypeAliasType

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import PlanError, nearest
from hounsfield.core.fingerprint import Fingerprint

PlanValue = TypeAliasType("PlanValue", "bool | int | float | str | list[PlanValue] | dict[str, PlanValue] | None")
"""What a decision may hold: JSON values."""

Model = TypeVar("Model", bound=BaseModel)


class Decision(BaseModel):
    """One decision of the plan.

    Attributes
    ----------
    value : JSON value
        What was decided.
    rule : str
        The rule that decided, one clause, with its source.
    evidence : str
        The facts that it was applied to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    value: PlanValue
    rule: str = ""
    evidence: str = ""


class Budget(BaseModel):
    """What the run may use.

    Attributes
    ----------
    minutes : float or None
        Upper bound of total wall time, report included; None: the plan takes what it judges enough.
    threads : int
        Torch threads.
    device : str
        ``cpu`` or ``cuda``.
    memory_gib : float
        Memory of the machine.
    processes : int
        Processes that share a batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    minutes: float | None = None
    threads: int = 1
    device: str = "cpu"
    memory_gib: float = 8.0
    processes: int = 1


class Machine(BaseModel):
    """What the machine can do.

    Attributes
    ----------
    cores : int
    bfloat16 : bool
        The processor (AMX or AVX-512 BF16) or GPU multiplies bfloat16 in hardware.
    device : str
        ``cpu`` or ``cuda``.
    memory_gib : float
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    cores: int = 1
    bfloat16: bool = False
    device: str = "cpu"
    memory_gib: float = 8.0


@dataclass(frozen=True)
class Facts:
    """What a rule may look at: the training part's fingerprint, budget, machine, wishes, earlier decisions.

    Parameters
    ----------
    fingerprint : Fingerprint
    budget : Budget
    machine : Machine
    targets : tuple of TargetSpec
        What is asked.
    network : str or None
        Network that the user asked for by name.
    wishes : mapping of str to str
        Other explicit wishes of the user, such as ``sensitivity``.
    decided : mapping of (section, key) to value
        Decisions made so far.
    """

    fingerprint: Fingerprint
    budget: Budget
    machine: Machine
    targets: tuple[TargetSpec, ...]
    network: str | None
    wishes: Mapping[str, str]
    decided: Mapping[tuple[str, str], PlanValue]


class Plan(BaseModel):
    """Every decision of a run: a fixed head and sections declared by task, network and input kind.

    Attributes
    ----------
    hounsfield : str
        Version that wrote the plan.
    cohort, cohort_digest : str
        Name of the cohort's folder or file, and digest of its samples, answers and parts without test answers.
    source : str
        Where the cohort lies, relative to the folder of ``plan.yaml``; empty in runs and bundles.
    task : str
    targets : tuple of TargetSpec
    roles : dict of str to str or list of str
        What the user said of the data, so that they can be understood alike again: ``target``, ``image``, ``group``,
        ``split``, ``positive``, ``labels`` (file name only), ``task``; what was not said is absent.
    seed : int
    folds : int
        0, or the number of folds.
    budget : Budget
    sections : dict of str to dict of str to Decision
        ``preparation``, ``network``, ``augmentation``, ``optimisation``, ``operating_point``, ``baselines``, ``cost``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    hounsfield: str
    cohort: str
    cohort_digest: str
    source: str = ""
    task: str
    targets: tuple[TargetSpec, ...]
    roles: dict[str, str | list[str]] = {}
    seed: int = 0
    folds: int = 0
    budget: Budget = Budget()
    sections: dict[str, dict[str, Decision]]

    def value(self, section: str, key: str) -> PlanValue:
        """Return the value of one decision."""
        return self.sections[section][key].value

    def section(self, name: str, model: type[Model]) -> Model:
        """Return a section's values as its declared model.

        Raises
        ------
        PlanError
            If the section is missing, a key is unknown (the nearest is named) or a value does not fit.
        """
        if name not in self.sections:
            raise PlanError(f"The plan has no section {name!r}.", expected=", ".join(sorted(self.sections)))
        values = {key: decision.value for key, decision in self.sections[name].items()}
        return checked(name, values, model)

    def with_section(self, name: str, decisions: Mapping[str, Decision]) -> "Plan":
        """Return a plan with one section replaced or added."""
        return self.model_copy(update={"sections": {**self.sections, name: dict(decisions)}})


def checked(name: str, values: Mapping[str, PlanValue], model: type[Model]) -> Model:
    """Validate a section's values against its model.

    Raises
    ------
    PlanError
        Names the section, the key, what was found, and the nearest known key.
    """
    known = list(model.model_fields)
    for key in values:
        if key not in known:
            near = nearest(key, known)
            raise PlanError(
                f"Section {name!r} of the plan has the unknown key {key!r}.",
                expected=f"one of {', '.join(known)}",
                next_step=f"write {near!r} instead of {key!r}" if near else f"take {key!r} out of plan.yaml",
            )
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise PlanError(
            f"Section {name!r} of the plan: {where or 'the section'} does not fit: {first['msg']}.",
            expected=f"see the description of {where or name!r} in the reference of plans",
            next_step="correct the value in plan.yaml",
        ) from error
