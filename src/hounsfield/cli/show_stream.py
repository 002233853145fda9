"""A live series as it goes on: one line for each answer."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from hounsfield.cli.show_predictions import prediction_json, prediction_line

if TYPE_CHECKING:
    from hounsfield.workflow.streaming import Said


def print_stream(answers: "Iterable[Said]", out: TextIO) -> None:
    """Print one JSON object a line, each as soon as it is known."""
    for said in answers:
        place = {"series": said.series, "steps": said.steps, "time_s": said.time_s}
        out.write(json.dumps({**place, **_object(said)}) + "\n")
        out.flush()


def show_stream(answers: "Iterable[Said]", out: TextIO) -> None:
    """Print one line for each answer: when, of which record, what."""
    count = 0
    for said in answers:
        count += 1
        when = f"step {said.steps}" if said.time_s is None else clock(said.time_s)
        print(f"{when}  {prediction_line(said.prediction)}", file=out, flush=True)
    print(f"{count} answers. Research software, not a medical device.", file=out)


def clock(seconds: float) -> str:
    """Write a time in a record: ``1:02:03.50``."""
    minutes, rest = divmod(round(abs(seconds), 2), 60.0)
    hours, minutes = divmod(minutes, 60.0)
    sign = "-" if round(seconds, 2) < 0 else ""
    return f"{sign}{hours:.0f}:{minutes:02.0f}:{rest:05.2f}"


def _object(said: "Said") -> dict[str, object]:
    found = prediction_json(said.prediction)
    return dict(found) if isinstance(found, dict) else {}
