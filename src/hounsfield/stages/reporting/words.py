"""The page's vocabulary in both languages, read from ``words.yaml``."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from hounsfield.core.errors import unknown_name


@dataclass(frozen=True)
class Both:
    """One text in English and in Chinese."""

    en: str
    zh: str

    @classmethod
    def same(cls, text: str) -> "Both":
        """Return a text that reads the same in both languages."""
        return cls(text, text)

    def __add__(self, other: "Both") -> "Both":
        return Both(self.en + other.en, self.zh + other.zh)


class MetricWords(BaseModel):
    """How a metric is called and written.

    Attributes
    ----------
    en, zh : str
        Its name.
    short : str
        Abbreviation that both languages use, where there is one.
    format : str
        ``decimal`` (three places), ``signed``, ``percent`` (of a share), ``number`` (in the target's unit) or
        ``count``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    en: str
    zh: str
    short: str = ""
    format: Literal["decimal", "signed", "percent", "number", "count"] = "decimal"

    def name(self) -> Both:
        """Return the name in both languages."""
        return Both(self.en, self.zh)


class Vocabulary(BaseModel):
    """All of ``words.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    words: dict[str, tuple[str, str]]
    metrics: dict[str, MetricWords]


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary, read once from the package."""
    text = files(__package__).joinpath("words.yaml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    metrics = loaded.pop("metrics")
    return Vocabulary(words=loaded, metrics=metrics)


def say(key: str, **slots: "str | int | Both") -> Both:
    """Return one sentence of the vocabulary with its slots filled.

    Parameters
    ----------
    key : str
        Key in ``words.yaml``.
    **slots : str, int or Both
        What stands in the braces; a `Both` gives each language its own.

    Raises
    ------
    UnknownNameError
        If the vocabulary has no such sentence.
    """
    words = vocabulary().words
    if key not in words:
        raise unknown_name("sentence", key, words)
    english = {name: slot.en if isinstance(slot, Both) else slot for name, slot in slots.items()}
    chinese = {name: slot.zh if isinstance(slot, Both) else slot for name, slot in slots.items()}
    return Both(words[key][0].format(**english), words[key][1].format(**chinese))


def say_or(key: str, name: str) -> Both:
    """Return the sentence `key`, or `name` as it is where the vocabulary has none."""
    return say(key) if key in vocabulary().words else Both.same(name)


def metric_words(name: str) -> MetricWords:
    """Return how a metric is called; ``recall:<class>`` keeps its class, an unknown one its own name."""
    base, _, cls = name.partition(":")
    known = vocabulary().metrics.get(base)
    if known is None:
        plain = base.replace("_", " ")
        known = MetricWords(en=plain, zh=plain)
    if not cls:
        return known
    return known.model_copy(update={"en": f"{known.en}: {cls}", "zh": f"{known.zh}：{cls}"})
