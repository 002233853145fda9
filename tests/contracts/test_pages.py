"""README and pages agree with each other and with the package."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import hounsfield

ROOT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.zh-CN.md")
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))


def _between(text: str, name: str) -> str:
    found = re.search(rf"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->", text, flags=re.DOTALL)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize("name", READMES)
def test_readme_is_short_and_says_what_it_is_not(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 120
    assert "make demo" in text
    assert "make test" in text
    assert "not a medical device" in text or "不是医疗器械" in text


def test_both_readmes_show_the_same_python_and_figures() -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in READMES]
    assert _between(texts[0], "python") == _between(texts[1], "python")
    numbers = [re.findall(r"\d+\.\d+", _between(text, "figures")) for text in texts]
    assert numbers[0] == numbers[1]


def _python_blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_on_a_page_calls_the_package_as_it_is(page: Path) -> None:
    for block in _python_blocks(page):
        if "import hounsfield" not in block:
            continue
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "hf"):
                    continue
                verb = getattr(hounsfield, node.func.attr)
                keywords = {keyword.arg: None for keyword in node.keywords if keyword.arg is not None}
                inspect.signature(verb).bind(*node.args, **keywords)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


def test_paths_named_in_contributing_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:src|tests|docs|benchmarks)/[^`<>]*)`", text):
        assert (ROOT / name.split(":", 1)[0]).exists(), name
    for name, attribute in re.findall(r"`((?:core|learn|data)/[\w/]+\.py):(\w+)`", text):
        assert re.search(
            rf"^(class|def) {attribute}\b", (ROOT / "src/hounsfield" / name).read_text(encoding="utf-8"), re.M
        )
