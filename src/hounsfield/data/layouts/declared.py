"""A folder with a ``cohort.yaml``: what a person declared is taken as said."""

from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast

from hounsfield.core.cohort import INSIDE_KINDS, Cohort, Roles, TargetSpec
from hounsfield.core.errors import CohortError, unknown_name
from hounsfield.data.answers import fold
from hounsfield.data.cohort_file import CohortFile, DeclaredTarget, read_cohort_file, read_samples
from hounsfield.data.layouts import LAYOUTS
from hounsfield.data.layouts.manifest import manifest_cohort
from hounsfield.data.layouts.table import table_cohort

FILE_NAME = "cohort.yaml"


class _Layout(Protocol):
    def claims(self, root: Path, roles: Roles) -> float: ...

    def cohort(self, root: Path, roles: Roles) -> Cohort: ...


class DeclaredLayout:
    """``cohort.yaml`` names the layout, the targets and corrections; with ``samples`` it names every sample."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return 1 where there is a ``cohort.yaml``."""
        return 1.0 if _file_of(root) is not None else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort as declared; what the user says on the command line still wins."""
        path = _file_of(root)
        if path is None:
            raise CohortError("There is no cohort.yaml.", expected=FILE_NAME, next_step="write it with hu inspect")
        file = read_cohort_file(path)
        base = path.parent / file.root
        if not base.is_dir():
            base = path.parent  # both files were copied to the data, where the way from elsewhere leads nowhere
        if file.samples is not None:
            return chosen_targets(read_samples(path.parent / file.samples, file, base), roles)
        if file.layout not in ("", "manifest"):
            if file.layout == "declared":
                raise CohortError("cohort.yaml names itself.", expected="another layout", next_step="correct `layout`")
            if file.layout == "table":
                return _table(base, file, roles)
            layout = cast("type[_Layout]", LAYOUTS.resolve(file.layout))()
            return _with_declared(layout.cohort(base, _corrected(file, roles)), file)
        if not file.layout and file.manifest is None:
            others = [cast("type[_Layout]", LAYOUTS.resolve(n))() for n in LAYOUTS if n != "declared"]
            best = max(others, key=lambda o: o.claims(base, roles))
            if type(best).__name__ == "TableLayout":
                return _table(base, file, roles)
            if type(best).__name__ != "ManifestLayout":
                return _with_declared(best.cohort(base, _corrected(file, roles)), file)
        return manifest_cohort(
            base,
            _roles(file, roles),
            manifest=file.manifest,
            corrections=file.columns,
            declared=_specs(file),
            joined={t.name: t.columns for t in file.targets if t.columns},
        )


def _table(base: Path, file: CohortFile, roles: Roles) -> Cohort:
    return table_cohort(
        base, _roles(file, roles), manifest=file.manifest, corrections=file.columns, declared=_specs(file)
    )


def chosen_targets(cohort: Cohort, roles: Roles) -> Cohort:
    """Return the cohort with only the targets, and the positive class, that the user asked for.

    Raises
    ------
    UnknownNameError
        If a target or class does not exist.
    """
    specs = list(cohort.schema.targets)
    if roles.target:
        by_name = {t.name: t for t in specs}
        for name in roles.target:
            if name not in by_name:
                raise unknown_name("target", name, by_name)
        specs = [by_name[n] for n in roles.target]
    if roles.positive is not None and specs:
        found = {fold(c): c for c in specs[0].classes}.get(fold(roles.positive))
        if found is None:
            raise unknown_name(f"class of {specs[0].name!r}", roles.positive, specs[0].classes)
        specs[0] = specs[0].model_copy(update={"positive": found, "positive_source": "declared"})
    names = {s.name for s in specs}
    samples = tuple(
        replace(
            s,
            targets={k: v for k, v in s.targets.items() if k in names},
            masks={k: v for k, v in s.masks.items() if k in names},
        )
        if not (s.targets.keys() <= names and s.masks.keys() <= names)
        else s
        for s in cohort.samples
    )
    return replace(cohort, samples=samples, schema=cohort.schema.model_copy(update={"targets": tuple(specs)}))


def _file_of(root: Path) -> Path | None:
    if root.is_dir():
        return root / FILE_NAME if (root / FILE_NAME).is_file() else None
    return root if root.suffix in (".yaml", ".yml") and root.is_file() else None


def _roles(file: CohortFile, roles: Roles) -> Roles:
    names = tuple(t.name for t in file.targets if t.kind not in INSIDE_KINDS)
    positive = roles.positive or next((t.positive for t in file.targets[:1] if t.positive), None)
    return replace(roles, target=roles.target or names, positive=positive)


def _corrected(file: CohortFile, roles: Roles) -> Roles:
    return replace(_roles(file, roles), columns=tuple(file.columns.items()))


def _specs(file: CohortFile) -> tuple[TargetSpec, ...]:
    """Return the targets whose kind was declared; the others are inferred."""
    return tuple(
        TargetSpec(name=t.name, kind=t.kind, classes=t.classes, positive=t.positive, unit=t.unit)
        for t in file.targets
        if t.kind is not None
    )


def _with_declared(cohort: Cohort, file: CohortFile) -> Cohort:
    """Put declared kinds and class orders on targets that a layout understood from folders or arrays."""
    by_name = {t.name: t for t in file.targets}
    specs = []
    for spec in cohort.schema.targets:
        said = by_name.get(spec.name) or DeclaredTarget(name=spec.name)
        classes = said.classes or spec.classes
        for name in spec.classes:
            if name not in classes:
                raise unknown_name(f"class of {spec.name!r}", name, classes)
        update = {"kind": said.kind or spec.kind, "classes": classes, "unit": said.unit or spec.unit}
        specs.append(spec.model_copy(update=update))
    return replace(cohort, schema=cohort.schema.model_copy(update={"targets": tuple(specs)}))
