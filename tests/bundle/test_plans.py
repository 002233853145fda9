from pathlib import Path

import pytest

from hounsfield.bundle.plans import parse_plan, plan_text, read_plan, write_plan
from hounsfield.core.errors import PlanError
from hounsfield.core.plan import Plan


def test_a_plan_is_read_back_to_the_bit(tmp_path: Path, plan: Plan) -> None:
    write_plan(tmp_path / "plan.yaml", plan)
    assert read_plan(tmp_path / "plan.yaml") == plan


def test_a_plan_is_readable(plan: Plan) -> None:
    text = plan_text(plan)
    assert "      value: [128, 128]\n      rule: 'median size: rounded'\n" in text
    assert "小队列" in text
    assert max(len(line) for line in text.splitlines()) < 230


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed:", "sead:", "'seed'"),
        ("  minutes:", "  minuts:", "'minutes'"),
        ("      rule: r\n", "      ruel: r\n", "'rule'"),
        ("  positive:", "  positiv:", "'positive'"),
        ("schema_version: 1", "schema_version: 2", "newer Hounsfield"),
        ("seed: 0", "seed: many", "seed does not fit"),
        ("seed: 0", "seed: 0\nseed: 1", "stands twice"),
        ("schema_version: 1", "", "not a plan"),
    ],
)
def test_faults_are_named(plan: Plan, old: str, new: str, said: str) -> None:
    text = plan_text(plan)
    assert old in text
    with pytest.raises(PlanError, match=said):
        parse_plan(text.replace(old, new, 1))


def test_a_bare_value_is_explained(plan: Plan) -> None:
    text = plan_text(plan)
    start = text.index("    channels:")
    end = text.index("  optimisation:")
    with pytest.raises(PlanError, match=r"write 'value: 3'"):
        parse_plan(text[:start] + "    channels: 3\n" + text[end:])


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        read_plan(tmp_path / "absent.yaml")
    (tmp_path / "png.yaml").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(PlanError):
        read_plan(tmp_path / "png.yaml")
    (tmp_path / "list.yaml").write_text("[1, 2]")
    with pytest.raises(PlanError, match="not a plan"):
        read_plan(tmp_path / "list.yaml")
