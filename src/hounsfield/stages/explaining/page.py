"""The page: one HTML file with every picture in it."""

import base64
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hounsfield.core.errors import unknown_name
from hounsfield.stages.explaining.forecast_picture import signed
from hounsfield.stages.explaining.result import Explanations, Pointing
from hounsfield.stages.explaining.words import Both, method_words, say

LANGUAGES = ("en", "zh")


def render_html(found: Explanations, pictures: Mapping[str, bytes], *, lang: str = "en") -> str:
    """Return explanations as one self-contained page.

    Parameters
    ----------
    found : Explanations
    pictures : mapping of str to bytes
        PNG or SVG by the name that `Explained.picture` gives.
    lang : str
        ``en`` or ``zh``: the language that it opens in.

    Raises
    ------
    UnknownNameError
        If the language is neither.
    """
    if lang not in LANGUAGES:
        raise unknown_name("language", lang, LANGUAGES)
    coded = {name: base64.b64encode(data).decode("ascii") for name, data in pictures.items()}
    template = environment().get_template("explain.html.j2")
    return template.render(
        found=found,
        pictures=coded,
        lang=lang,
        opening=opening(found),
        best=best_pointing(found),
        doubts=doubts(found),
        t=lambda key, **slots: both(say(key, found.kind, **slots)),
    )


def opening(found: Explanations) -> tuple[Both, ...]:
    """Return what a reader wants to know first."""
    maps = [m for image in found.images for m in image.maps]
    shown = sum(m.shown for m in maps)
    if not shown:
        return (say("none_at_all"),)
    chance = f"{len(maps) / (found.random_maps + 1):.1f}"
    return (
        say("answer", found.kind, shown=sum(i.explained for i in found.images), all=len(found.images)),
        say("answer_maps", shown=shown, all=len(maps), chance=chance),
    )


def best_pointing(found: Explanations) -> Both | None:
    """Return a sentence on the method that points best; None without masks."""
    games = [g for g in found.pointing if g.method in found.methods]
    if not games:
        return None
    best: Pointing = max(games, key=lambda g: g.rate)
    return say(
        "pointing",
        images=best.images,
        method=method_words(best.method),
        rate=percent(best.rate),
        low=percent(best.low),
        high=percent(best.high),
        chance=percent(best.chance),
        centre=percent(best.centre),
    )


def doubts(found: Explanations) -> tuple[Both, ...]:
    """Return why a reader should doubt what is shown."""
    shown = [m for image in found.images for m in image.maps if m.shown]
    lines = [say("doubt_cause"), say("doubt_chance", random=found.random_maps)]
    if found.kind == "signal":
        lines.append(say("doubt_absence", found.kind))
    counts = {
        "doubt_centre": sum(not m.better_than_centre for m in shown),
        "doubt_same": sum(m.stays_the_same for m in shown),
        "doubt_seen": sum(i.held_out is False for i in found.images),
        "doubt_voiceless": found.voiceless,
    }
    return (*lines, *(say(key, found.kind, count=count) for key, count in counts.items() if count))


def percent(share: float) -> str:
    """Write a share in percent."""
    return f"{100 * share:.0f}%"


def both(text: Both) -> Markup:
    """Return a text in both languages, of which the style sheet shows one; once where they are the same."""
    if text.en == text.zh:
        return Markup("{}").format(text.en)
    return Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh-Hans">{}</span>').format(
        text.en, text.zh
    )


@cache
def environment() -> Environment:
    """Return what all pages of explanations are made with."""
    made = Environment(
        loader=PackageLoader("hounsfield.stages.explaining"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["both"] = both
    made.filters["percent"] = percent
    made.filters["signed"] = signed
    made.globals["method"] = lambda name: both(method_words(name))
    return made
