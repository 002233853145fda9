"""The vocabulary: both languages, the same slots, nothing unused or missing."""

import re
from importlib.resources import files
from string import Formatter

import pytest

from hounsfield.core.errors import UnknownNameError
from hounsfield.core.report import MAIN_METRIC
from hounsfield.stages.reporting.words import Both, metric_words, say, say_or, vocabulary


def test_both_languages_have_the_same_slots() -> None:
    for key, pair in vocabulary().words.items():
        slots = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in pair]
        assert slots[0] == slots[1], key
        assert re.search(r"[\u4e00-\u9fff\uff00-\uffef]", pair[1]), key
        assert not re.search(r"[\u4e00-\u9fff]", pair[0]), key


def test_every_sentence_is_used() -> None:
    package = files("hounsfield.stages.reporting")
    texts = [entry.read_text(encoding="utf-8") for entry in package.iterdir() if entry.name.endswith(".py")]
    texts += [entry.read_text(encoding="utf-8") for entry in package.joinpath("templates").iterdir()]
    everything = "\n".join(texts)
    families = ("part_", "rule_", "kind_", "baseline_")
    loose = {"better", "worse", "ties", "warning", "note"}
    unused = [
        key
        for key in vocabulary().words
        if f'"{key}"' not in everything and not key.startswith(families) and key not in loose
    ]
    assert unused == []


def test_slots_take_each_language_its_own() -> None:
    text = say("judged_on", part=Both("test part", "测试集"), samples=3, patients=2)
    assert text.en == "Judged on test part: 3 samples of 2 patients."
    assert "测试集" in text.zh
    assert say_or("part_nowhere", "nowhere") == Both("nowhere", "nowhere")
    with pytest.raises(UnknownNameError, match="judged_on"):
        say("judged_onn")


def test_metrics_have_names() -> None:
    assert metric_words("recall:COVID").en == "Recall: COVID"
    assert metric_words("something_new").en == "something new"
    for metric in set(MAIN_METRIC.values()) - {"dice"}:
        assert metric in vocabulary().metrics
