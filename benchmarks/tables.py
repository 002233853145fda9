"""Write the measured figures into the READMEs, from ``results/`` alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

TOP = Path(__file__).parents[1]
RESULTS = TOP / "benchmarks" / "results"
BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"
HEADS = {
    "README.md": "| data | task | budget | measured (test part) | beside it |",
    "README.zh-CN.md": "| 数据 | 任务 | 预算 | 测得（测试集） | 对照 |",
}
WORDS = {
    "README.md": {"logistic": "logistic regression AUC", "textbook": "textbook CNN AUC", "took": "took", "min": "min"},
    "README.zh-CN.md": {"logistic": "逻辑回归 AUC", "textbook": "教科书 CNN AUC", "took": "用时", "min": "分钟"},
}
Figures = Mapping[str, Mapping[str, float | None]]


def table(page: str) -> str:
    """Return the table for one page, with a row per result of seed 0."""
    words = WORDS[page]
    rows = [HEADS[page], "|---|---|---|---|---|"]
    for path in sorted(RESULTS.glob("*-seed0.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        figures = cast(Figures, found["figures"])
        minutes = found["command"].split("--minutes ")[1].split()[0]
        beside = [f"{words['logistic']} {span(found['baselines']['logistic']['metrics'], 'auroc')}"]
        if "textbook" in found:
            beside.append(f"{words['textbook']} {span(found['textbook'], 'auroc')}")
        took = found["cost"]["seconds"] / 60
        rows.append(
            f"| {found['data']} | `classify` | {minutes} {words['min']}, {words['took']} {took:.1f} "
            f"| AUC {span(figures, 'auroc')}, accuracy {span(figures, 'accuracy')} | {'; '.join(beside)} |"
        )
    return "\n".join(rows)


def span(figures: Figures, name: str) -> str:
    """Return a figure with its interval."""
    found = figures[name]
    value, low, high = (found[k] for k in ("value", "low", "high"))
    return f"{value:.3f} ({low:.3f}–{high:.3f})"


def filled(page: str) -> str:
    """Return a page with its table written anew."""
    text = (TOP / page).read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table(page)}\n{END}{after}"


def main() -> None:
    """Rewrite both pages."""
    for page in HEADS:
        (TOP / page).write_text(filled(page), encoding="utf-8")


if __name__ == "__main__":
    main()
