"""The main figure in plain words, and what it hides."""

from collections.abc import Iterator, Sequence

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.counts import FEW, VAIN, Share, share_of, vain_marks
from hounsfield.core.report import MAIN_METRIC, Figure, PartFigures
from hounsfield.stages.reporting.numbers import in_unit, with_interval, written
from hounsfield.stages.reporting.words import Both, say

CHANCE = {"auroc": 0.5, "quadratic_kappa": 0.0}
LOPSIDED = 0.6
"""Share of the commonest class above which the share of right answers is set beside what always naming it gives."""
MOST_NAMED = 5


def share_of_pairs(auc: float) -> str:
    """Write a share in percent; never "100%" where some pair was ranked wrong."""
    return f"{100 * auc:.0f}%" if auc in (0.0, 1.0) or 0.5 <= 100 * auc < 99.5 else f"{min(100 * auc, 99.9):.1f}%"


def in_words(target: TargetSpec, figures: PartFigures, main: Figure) -> Iterator[Both]:
    """Return the main figure in words, then what is decided: found and missed, right and wrong.

    Parameters
    ----------
    target : TargetSpec
    figures : PartFigures
        Of the part that the report judges.
    main : Figure
        The main one of them.
    """
    metric = MAIN_METRIC[target.kind]
    if main.value is None:
        yield say("undefined", reason=main.note or "–")
        return
    two = target.kind == "categorical" and len(target.classes) == 2
    if metric == "auroc" and two:
        yield say("pairs_binary", positive=target.positive or target.classes[-1], share=share_of_pairs(main.value))
    elif metric == "auroc":
        yield say("pairs_macro", share=share_of_pairs(main.value))
    elif metric == "quadratic_kappa":
        yield say("kappa_words")
    elif metric == "dice":
        yield from _marked(figures)
    elif metric == "mae":
        yield say("mae_words", value=in_unit(written(main.value, "number"), target.unit))
    chance = CHANCE.get(metric)
    if chance is not None and main.low is not None and main.high is not None and main.low <= chance <= main.high:
        yield say("chance_inside")
    yield from _decisions(target, figures, two=two)


def _marked(figures: PartFigures) -> Iterator[Both]:
    """Say in plain words what a Dice hides: what is missed, and what is marked in vain."""
    outlined, marked = figures.metrics.get("sensitivity"), figures.metrics.get("precision")
    holding = [count for count in figures.classes.values() if count]
    few = bool(holding) and min(holding) < FEW
    if outlined and marked and outlined.value is not None and marked.value is not None:
        found, right = round(100 * outlined.value), round(100 * marked.value)
        slots = {"found": found, "missed": 100 - found, "right": right}
        if few:
            yield say("dice_words_few", where=_where(holding), total=figures.samples, **slots)
        else:
            yield say("dice_words", **slots)
    unseen = share_of(figures.metrics.get("missed_rate"), holding[0]) if len(figures.classes) == 1 and few else None
    if unseen and unseen.counted:
        yield say("dice_unseen", unseen=unseen.hits, of=unseen.of)
    yield from _in_vain(figures)


def _in_vain(figures: PartFigures) -> Iterator[Both]:
    vain, mean = vain_marks(figures), figures.metrics.get(VAIN)
    counted = {name: share for name, share in vain.items() if share.counted}
    few = any(share.few or share.hidden for share in counted.values())
    if len(figures.classes) == 1 and few:
        only = next(iter(vain.values()))
        yield say("dice_alarms_few", alarms=only.hits, of=only.of)
    elif len(figures.classes) > 1 and counted and (few or mean is None or mean.value is None):
        # of several structures the mean over them may be undefined, and hides which one
        each = [f"“{name}” {share.hits}/{share.of}" for name, share in counted.items()][:MOST_NAMED]
        yield say("dice_alarms_each", each=Both(", ".join(each), "，".join(each)))
    elif mean and mean.value is not None:
        yield say("dice_alarms", alarms=round(100 * mean.value))


def _where(holding: Sequence[int]) -> Both:
    if len(holding) == 1:
        return say("dice_where", of=holding[0])
    return say("dice_where_each", low=min(holding), high=max(holding))


def _decisions(target: TargetSpec, figures: PartFigures, *, two: bool) -> Iterator[Both]:
    positive = target.positive or target.classes[-1] if target.classes else ""
    with_it = figures.classes.get(positive, 0)
    found = share_of(figures.metrics.get("sensitivity"), with_it)
    quiet = share_of(figures.metrics.get("specificity"), sum(figures.classes.values()) - with_it)
    if two and found and quiet:
        yield _frequencies(positive, found, quiet)
    at_point = figures.metrics.get("accuracy_at_operating_point")
    right = share_of(at_point or figures.metrics.get("accuracy"), figures.samples)
    if right is None or target.kind not in ("categorical", "ordinal"):
        return
    beside = _beside_commonest(figures, right)
    if beside is not None:
        yield beside
    elif not (two and found and quiet):
        yield say("share_right", right=_of_studies(right))


def _beside_commonest(figures: PartFigures, right: Share) -> Both | None:
    """Return the share of right answers beside what always naming the commonest class gives, where that is much."""
    present = {name: count for name, count in figures.classes.items() if count}
    total = sum(present.values())
    if len(present) < 2 or max(present.values()) <= LOPSIDED * total:
        return None
    name = max(present, key=lambda each: present[each])
    balanced = figures.metrics.get("balanced_accuracy")
    if balanced is None or balanced.value is None:
        return None
    return say(
        "beside_commonest",
        right=_of_studies(right),
        name=name,
        always=_of_studies(Share(present[name] / total, total)),
        balanced=with_interval(balanced, "percent"),
        even=f"{100 / len(present):.0f}%",
    )


def _frequencies(positive: str, found: Share, quiet: Share) -> Both:
    if found.counted and quiet.counted and any(share.few or share.hidden for share in (found, quiet)):
        return say(
            "frequencies_counted",
            positive=positive,
            of=found.of,
            found=found.hits,
            missed=found.misses,
            without=quiet.of,
            alarms=quiet.misses,
        )
    hits = round(100 * found.value)
    alarms = 100 - round(100 * quiet.value)
    return say("frequencies", positive=positive, found=hits, missed=100 - hits, alarms=alarms)


def _of_studies(share: Share) -> Both:
    if share.few:
        return Both(f"{share.hits} of {share.of} studies", f"{share.of} 例中的 {share.hits} 例")
    text = share_of_pairs(share.value)
    return Both(f"{text} of the studies", text)
