import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hounsfield.cli.app import app
from tests.stages.explaining.test_page import explanations, scores

Fake = Callable[..., object]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    said: dict[str, object] = {}

    def work(bundle: Path, inputs: list[Path], **options: object) -> object:
        said.update(options, bundle=bundle, inputs=inputs)
        return explanations(scores(shown=True), scores(shown=False))

    monkeypatch.setattr("hounsfield.workflow.explaining.explain", work)
    return said


def test_explain_prints_what_passed(asked: dict[str, object]) -> None:
    found = CliRunner().invoke(app, ["explain", "run", "data", "--number", "2", "--class", "sick", "--pointing", "9"])
    assert found.exit_code == 0, found.output
    assert "1 of 2 images" in found.stdout
    assert "not shown: no better than random" in found.stdout
    assert "What not to believe" in found.stdout
    assert asked["out"] == Path("explanations")


def test_explain_as_json(asked: dict[str, object]) -> None:
    found = CliRunner().invoke(app, ["explain", "run", "a.png", "b.png", "--method", "occlusion", "--json"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["schema_version"] == 1
    assert asked["inputs"] == [Path("a.png"), Path("b.png")]


def test_an_unknown_map_is_named() -> None:
    found = CliRunner().invoke(app, ["explain", "run", "data", "--method", "gradcamm"])
    assert found.exit_code == 2
    assert "gradcam" in found.output
