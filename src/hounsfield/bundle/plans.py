"""plan.yaml: a plan that a person reads, edits and hands back."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from hounsfield.bundle.atomic import write_text
from hounsfield.bundle.yaml_text import YamlError, parse_yaml, yaml_text
from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import PlanError, nearest
from hounsfield.core.plan import Budget, Decision, Plan
from hounsfield.core.types import Json

_SCHEMA_VERSION = 1
_LARGEST_BYTES = 4 * 2**20
_HEADER = (
    "# Every decision of this run: value, rule that decided, evidence. Change a value and train with this file:\n"
    "#     hu train plan.yaml\n"
)


def plan_text(plan: Plan) -> str:
    """Return a plan as readable YAML, the same text for the same plan."""
    return _HEADER + yaml_text(plan.model_dump(mode="json"))


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan to `path`, whole or not at all."""
    write_text(path, plan_text(plan))


def read_plan(path: Path) -> Plan:
    """Return the plan that `path` holds.

    Raises
    ------
    PlanError
        If the file cannot be read, is not YAML, has an unknown or repeated key (the nearest known one is named), a
        value that does not fit, or the schema version of a newer Hounsfield.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise PlanError(f"{path.name} is too large for a plan.", expected=f"less than {_LARGEST_BYTES >> 20} MiB")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(
            f"{path.name} cannot be read as a plan.",
            expected="a plan.yaml in UTF-8",
            next_step="write one: hu plan PATH --out plan.yaml",
        ) from error
    return parse_plan(text, path.name)


def parse_plan(text: str, name: str = "plan.yaml") -> Plan:
    """Return the plan that a YAML text holds; `name` is for messages. See `read_plan`."""
    try:
        value = parse_yaml(text)
    except YamlError as error:
        raise PlanError(
            f"{name} is not a plan in YAML: {error}.",
            expected="plain YAML: keys, values, lists",
            next_step="correct that line, or write the plan anew: hu plan PATH --out plan.yaml",
        ) from error
    if not isinstance(value, dict) or "schema_version" not in value:
        raise PlanError(
            f"{name} is not a plan.",
            expected="a file that opens with schema_version, hounsfield, cohort, ...",
            next_step="write one: hu plan PATH --out plan.yaml",
        )
    version = value["schema_version"]
    if version != _SCHEMA_VERSION or isinstance(version, bool):
        raise PlanError(
            f"{name} has the schema version {version!r}; it was written by a newer Hounsfield.",
            expected=f"schema version {_SCHEMA_VERSION}",
            next_step="update Hounsfield: pip install --upgrade hounsfield",
        )
    _check_keys(name, value)
    try:
        return Plan.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise PlanError(
            f"{name}: {where or 'the plan'} does not fit: {first['msg']}.",
            expected="what hu plan wrote there, or a value of the same type",
            next_step=f"correct {where or 'it'} in {name}",
        ) from error


def _check_keys(name: str, value: dict[str, Json]) -> None:
    _known(name, "the head", value, Plan.model_fields)
    if isinstance(value.get("budget"), dict):
        _known(name, "budget", value["budget"], Budget.model_fields)
    targets = value.get("targets")
    for place, target in enumerate(targets if isinstance(targets, list) else []):
        _known(name, f"target {place + 1}", target, TargetSpec.model_fields)
    sections = value.get("sections")
    for section, decisions in (sections if isinstance(sections, dict) else {}).items():
        for key, decision in (decisions if isinstance(decisions, dict) else {}).items():
            _known(name, f"{section}.{key}", decision, Decision.model_fields)


def _known(name: str, where: str, found: Json, known: Iterable[str]) -> None:
    known = list(known)
    if not isinstance(found, dict):
        raise PlanError(
            f"{name}: {where} is {found!r}.",
            expected=f"the keys {', '.join(known)}",
            next_step=f"write 'value: {found}' on a line of its own below {where}",
        )
    for key in found:
        if key not in known:
            near = nearest(key, known)
            raise PlanError(
                f"{name}: {where} has the unknown key {key!r}.",
                expected=f"one of {', '.join(known)}",
                next_step=f"write {near!r} instead of {key!r}" if near else f"take {key!r} out of {name}",
            )
