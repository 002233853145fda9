"""Every line of every table leads to something."""

import importlib
import pkgutil
from pathlib import Path

import pytest

import hounsfield
from hounsfield.core.tables import Table


def _tables() -> dict[str, Table]:
    found: dict[str, Table] = {}
    for module in pkgutil.walk_packages(hounsfield.__path__, "hounsfield."):
        if module.name.endswith("__main__"):
            continue
        content = vars(importlib.import_module(module.name))
        found.update({value.kind: value for value in content.values() if isinstance(value, Table)})
    return found


TABLES = _tables()


def test_there_is_a_table_for_each_kind_of_part() -> None:
    assert {"task", "target kind", "network", "learner", "reader", "layout"} <= set(TABLES)


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, table in sorted(TABLES.items()) for name in table],
    ids=str,
)
def test_every_line_resolves(kind: str, name: str) -> None:
    assert TABLES[kind].resolve(name) is not None


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_contributing_names_every_table(kind: str) -> None:
    text = (Path(__file__).resolve().parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"**A {kind}**" in text or f"({kind})" in text or f"(a {kind})" in text
