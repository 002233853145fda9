"""Explanations in a terminal: what passed, and where to look."""

from pathlib import Path

from hounsfield.cli.output import line, table
from hounsfield.stages.explaining.boxes_result import COLUMNS, Boxes, rows
from hounsfield.stages.explaining.boxes_result import opening as boxes_opening
from hounsfield.stages.explaining.forecast_page import counted, part_words
from hounsfield.stages.explaining.forecast_page import doubts as forecast_doubts
from hounsfield.stages.explaining.forecast_page import opening as forecast_opening
from hounsfield.stages.explaining.forecast_picture import signed
from hounsfield.stages.explaining.forecast_result import ExplainedForecast, ForecastExplanations
from hounsfield.stages.explaining.page import best_pointing, doubts, opening
from hounsfield.stages.explaining.result import Explained, Explanations, MapScores
from hounsfield.stages.explaining.words import method_words

MOST_PARTS = 3
"""Of what moved a forecast, so many are printed; the page has all that count."""


def show_explanations(found: Explanations, out: Path) -> None:
    """Print the opening, a line per image, the doubts, and where the page lies."""
    for words in opening(found):
        line(words.en)
    pointing = best_pointing(found)
    if pointing is not None:
        line(pointing.en)
    line()
    rows = [_row(image, found) for image in found.images]
    table(
        "Signals" if found.kind == "signal" else "Images",
        ["sample", "model says", "truth", *(method_words(m).en for m in found.methods)],
        rows,
    )
    line("What not to believe:")
    for words in doubts(found):
        line(f"  - {words.en}")
    line()
    line(f"Page: {out / 'explain.html'}")


def show_boxes(found: Boxes, out: Path) -> None:
    """Print what the boxes are worth, and where they lie."""
    for words in boxes_opening(found):
        line(words)
    line()
    if found.figures:
        table("Boxes on outlined images, 95% intervals", ["where", *COLUMNS.values()], rows(found))
    if any(i.shown for i in found.images):
        line(f"Boxes: {out / 'coco.json'}, pictures: {out / 'overlays'}")
    line(f"Scores: {out / 'boxes.json'}")


def show_forecasts(found: ForecastExplanations, out: Path) -> None:
    """Print the opening, a line for each question of each forecast, the doubts, and where the page lies."""
    for words in forecast_opening(found):
        line(words.en)
    line()
    rows = [row for one in found.forecasts for row in _questions(one, found)]
    unit = f", {found.unit}" if found.unit else ""
    head = ["series", "question", "said (interval)", "came", "because of"]
    table(f"Forecasts of {found.variable}{unit}", head, rows)
    line("What not to believe:")
    for words in forecast_doubts(found):
        line(f"  - {words.en}")
    line()
    line(f"Page: {out / 'explain.html'}")


def _questions(one: ExplainedForecast, found: ForecastExplanations) -> list[list[str]]:
    rows = []
    for place, question in enumerate(one.questions):
        parts = sorted((m for m in counted(one) if m.counts[place]), key=lambda m: -abs(m.moved[place]))[:MOST_PARTS]
        told = "; ".join(f"{part_words(m, found.variable).en} {signed(m.moved[place])}" for m in parts)
        said = f"{question.median:.4g} ({question.low:.4g} to {question.high:.4g})"
        came = "" if question.came is None else f"{question.came:.4g}"
        sample = one.sample if place == 0 else ""
        rows.append([sample, question.name, said, came, told or "the present reading alone"])
    return rows


def _row(image: Explained, found: Explanations) -> list[str]:
    said = image.predicted if image.answer == image.predicted else f"{image.predicted} (explained: {image.answer})"
    maps = {m.method: m for m in image.maps}
    return [image.sample, said, image.truth, *(_cell(maps[m]) for m in found.methods)]


def _cell(scores: MapScores) -> str:
    if not scores.shown:
        return f"not shown: {scores.reason}"
    where = "" if scores.in_mask is None else ", inside" if scores.in_mask else ", outside"
    where += "" if scores.peak_s is None else f", highest at {scores.peak_s:.2f} s"
    return f"p {scores.p:.2f}{where}{', same with random weights' if scores.stays_the_same else ''}"
