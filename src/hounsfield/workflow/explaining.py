"""Explain: where in an image or a signal the answer comes from, shown only where a map is better than random ones."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from hounsfield.bundle.atomic import storage_error, write_bytes, write_json, write_text
from hounsfield.bundle.run_folder import find_bundle
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import Cohort, Sample
from hounsfield.core.errors import CohortError, HounsfieldError, InputError, RunExistsError, unknown_name
from hounsfield.core.image import Image
from hounsfield.core.kinds import BY_STRETCHES, Content, input_kind
from hounsfield.core.progress import SILENT, Progress, Step
from hounsfield.core.signal import Signal
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.learn.explain import METHODS
from hounsfield.learn.explain.curves import curves, ends_of
from hounsfield.learn.explain.maps import map_of, methods_for
from hounsfield.learn.explain.question import question_of
from hounsfield.learn.explain.view import View, Voice, explained_input, view_of, voices_of
from hounsfield.learn.explain.weights import SHARES, fresh_voices, randomised
from hounsfield.learn.model import member_job
from hounsfield.learn.prepare.image import ImagePreparation, prepare
from hounsfield.learn.prepare.protocol import Preparation
from hounsfield.learn.prepare.signal import SignalPreparation
from hounsfield.stages.explaining.controls import alike, centre_blob, coarseness, random_field
from hounsfield.stages.explaining.faithfulness import LEVEL, RANDOM, Curves, Verdict, chance, compare
from hounsfield.stages.explaining.page import render_html
from hounsfield.stages.explaining.pointing import TOLERANCE, Pointed, peak_of, point
from hounsfield.stages.explaining.result import (
    Explained,
    Explanations,
    MapScores,
    Pointing,
    map_scores,
    pointing_of,
)
from hounsfield.workflow.explaining_cases import Case, Gathered, choose, gather, judged, weights_of
from hounsfield.workflow.explaining_pictures import image_picture, peak_seconds, picture_name, signal_picture
from hounsfield.workflow.fitting import NETWORK
from hounsfield.workflow.forecast.unserved import refuse_forecast
from hounsfield.workflow.judging import calibrations, of_model
from hounsfield.workflow.opening import of_fold, open_bundle
from hounsfield.workflow.planning import settle
from hounsfield.workflow.predictions import written_answer
from hounsfield.workflow.record_blocks import kind_of
from hounsfield.workflow.study import learned_by, seen_digest
from hounsfield.workflow.survey import latest, latest_header, latest_image, reading_header
from hounsfield.workflow.wishes import Wishes

JSON, PAGE = "explain.json", "explain.html"


@dataclass(frozen=True)
class ExplainWishes:
    """What a user asks of explanations.

    Parameters
    ----------
    number : int
        Errors, and right answers, that are explained; without answers twice as many images.
    answer : str or None
        Class, label or level to explain; what the model says if None.
    methods : tuple of str
        Maps by name; all if empty.
    pointing : int
        Images with a mask over which the pointing game is played, beside those explained.

    Raises
    ------
    InputError
        If a number is out of range or a method unknown.
    """

    number: int = 4
    answer: str | None = None
    methods: tuple[str, ...] = ()
    pointing: int = 0

    def __post_init__(self) -> None:
        for name in self.methods:
            if name not in METHODS:
                raise unknown_name("map", name, METHODS)
        if self.number < 1 or self.pointing < 0:
            raise InputError(
                f"--number is {self.number} and --pointing {self.pointing}.",
                expected="at least 1, and at least 0",
                next_step="correct the number",
            )

    @property
    def chosen(self) -> tuple[str, ...]:
        """Methods in the order of the table."""
        return tuple(n for n in METHODS if not self.methods or n in self.methods)


def explain(
    bundle: str | Path,
    inputs: Sequence[str | Path],
    *,
    out: Path | None = None,
    wishes: Wishes = Wishes(),
    asked: ExplainWishes = ExplainWishes(),
    progress: Progress = SILENT,
) -> Explanations:
    """Explain what a bundle says of images or signals.

    Parameters
    ----------
    bundle : str or Path
        Run folder or bundle.
    inputs : sequence of str or Path
        The cohort that the bundle was trained on (its test part, or all folds by members that have not seen the image),
        another one with answers, files or folders of images, or of signals.
    out : Path or None
        Folder for ``explain.json``, ``explain.html`` and a picture of each case, PNG or SVG; None writes nothing.
    wishes : Wishes
        Column overrides and ``lang``.
    asked : ExplainWishes
    progress : Progress

    Returns
    -------
    Explanations

    Raises
    ------
    BundleError
        If the bundle cannot be used, or none of its inputs has places that a map could mark.
    InputError
        If there is nothing to explain, no such class, or no such map of this kind of input.
    RunExistsError
        If `out` holds explanations already.
    """
    began = time.perf_counter()
    check_free(out)
    settle(wishes)
    contents = open_bundle(bundle)
    refuse_forecast(contents, "explain")
    preparation = member_job(contents.members[0]).preparation
    kind = preparation[explained_input(preparation)].kind_name
    networks = sum(member.learner == "supervised" for member in contents.members)
    asked = replace(asked, methods=methods_for(kind, asked.methods, networks=networks))
    target = contents.plan.targets[0]
    if asked.answer is not None and asked.answer not in target.classes:
        raise unknown_name("class", asked.answer, target.classes)
    gathered = gather(contents, [Path(p) for p in inputs], wishes, progress=progress)
    cases, left = judged(contents, gathered, progress=progress)
    if not cases:
        first = left[0].reason if left else "none"
        raise CohortError(
            f"None of the {len(gathered.samples)} {input_kind(kind).plural} can be judged; the first: {first}",
            expected=f"{input_kind(kind).plural} like those that the model was trained on",
            next_step="check that this is the right model for the data",
        )
    work = Explainer(contents, gathered, asked, learned_by(find_bundle(Path(bundle)).parent))
    chosen = choose(cases, asked.number)
    games: dict[str, list[Pointed]] = {}
    found: list[Shown] = []
    with progress.step("Explaining", float(len(chosen))) as shown:
        for place, case in enumerate(chosen):
            found.append(work.explained(case, place, games, shown))
    also = [c for c in cases if c not in chosen]
    work.point(also, games, progress)
    result = Explanations(
        hounsfield=contents.plan.hounsfield,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        cohort=gathered.cohort.name,
        part=gathered.part,
        kind="signal" if kind == "signal" else "image",
        target=target.name,
        classes=target.classes,
        methods=asked.chosen,
        random_maps=RANDOM,
        members=max(len(v) for v in work.voices.values()),
        voiceless=max(sum(v.network is None for v in voices) for voices in work.voices.values()),
        images=tuple(f.scores for f in found),
        pointing=_rates(games),
        mask=work.mask_name if games else "",
        tolerance=TOLERANCE,
        left_out=left,
        seconds=round(time.perf_counter() - began, 1),
    )
    if out is not None:
        pictures = {f.scores.picture: f.picture for f in found}
        write_explained(out, result, pictures, page=render_html(result, pictures, lang=wishes.lang))
    return result


@dataclass(frozen=True)
class Shown:
    """One explained case: its scores and its picture, PNG of an image and SVG of a signal."""

    scores: Explained
    picture: bytes = field(repr=False)


class Views:
    """A bundle's members ready to look at one case after another.

    Parameters
    ----------
    contents : BundleContents
    cohort : Cohort
    """

    def __init__(self, contents: BundleContents, cohort: Cohort) -> None:
        self.voices: dict[int, tuple[Voice, ...]] = {}
        self._contents = contents
        self._cohort = cohort
        self._fixed = calibrations(contents)

    def of(self, case: Case, answer: str | None) -> View:
        """Return a case before the members that may judge it.

        Parameters
        ----------
        case : Case
        answer : str or None
            Class, label or level to explain; what the model says if None.
        """
        target = self._contents.plan.targets[0]
        if case.fold not in self.voices:
            one = of_fold(self._contents, case.fold)
            self.voices[case.fold] = voices_of(one.members, weights_of(one, target))
        voices = self.voices[case.fold]
        decoding = of_model(self._fixed, NETWORK, case.fold).decodings[target.name]
        question = question_of(target, case.said, case.raw, temperature=decoding.temperature, wanted=answer)
        stored: dict[str, AnyArray] = {
            name: spec.prepared(latest(self._cohort, case.sample, name, wanted=spec.wanted))
            for name, spec in voices[0].job.preparation.items()
        }
        return view_of(voices, stored, question)


class Explainer:
    """What explaining one case after another needs.

    Parameters
    ----------
    contents : BundleContents
    gathered : Gathered
    asked : ExplainWishes
        With the maps that the kind of input has.
    learned : frozenset of str or None
        See `held_out`.
    """

    def __init__(
        self, contents: BundleContents, gathered: Gathered, asked: ExplainWishes, learned: frozenset[str] | None
    ) -> None:
        self.asked = asked
        self._views = Views(contents, gathered.cohort)
        self._gathered = gathered
        self._learned = learned
        self._seed = contents.plan.seed
        self.mask_name = next((name for s in gathered.samples for name in s.masks), "")

    @property
    def voices(self) -> Mapping[int, tuple[Voice, ...]]:
        """Members of every fold that was looked at."""
        return self._views.voices

    def view(self, case: Case) -> View:
        """Return a case before the members that may judge it."""
        return self._views.of(case, self.asked.answer)

    def maps(self, view: View) -> dict[str, Float64Array]:
        """Return all maps of a view that are asked for."""
        return {name: map_of(name, view) for name in self.asked.chosen}

    def explained(self, case: Case, place: int, games: dict[str, list[Pointed]], shown: Step) -> Shown:
        """Explain one case, play the pointing game on it, and draw it."""
        view = self.view(case)
        asked = view.preparation
        content = asked.shown(latest(self._gathered.cohort, case.sample, view.name, wanted=asked.wanted))
        mask = self.mask(case.sample, view.preparation)
        ends = ends_of(view)
        maps = self.maps(view)
        effect = abs(ends.whole - ends.blank)
        untrained = untrained_effects(view, seed=self._seed)
        p_effect = chance(effect, untrained) if len(untrained) else 0.0
        verdicts = verdicts_of(view, maps, seed=self._seed, place=place)
        alone = self._randomised(view, maps)
        scores: list[MapScores] = []
        for name, values in maps.items():
            scores.append(
                map_scores(
                    name,
                    verdicts[name],
                    randomised=alone[name],
                    depends=p_effect < LEVEL,
                    peak=peak_of(values),
                    in_mask=None if mask is None else bool(mask[peak_of(values)]),
                ).model_copy(update={"peak_s": peak_seconds(content, view.preparation, peak_of(values))})
            )
            if mask is not None:
                game = point(values, mask)
                games.setdefault(name, []).append(game)
                if scores[-1].shown:
                    games.setdefault(f"{name} shown", []).append(game)
        shown.advance()
        linked = view.question.linked(np.array([ends.whole, ends.blank]))
        result = Explained(
            sample=case.sample.id,
            picture=picture_name(view.preparation.kind_name, case.sample.id, place),
            answer=view.question.answer,
            predicted=written_answer(case.called),
            truth=written_answer(case.truth),
            correct=None if case.error is None or isinstance(case.truth, float) else not case.error,
            score=float(linked[0]),
            blank=float(linked[1]),
            effect=effect,
            untrained=float(np.median(untrained)) if len(untrained) else 0.0,
            p_effect=p_effect,
            held_out=held_out(self._gathered, case.sample, self._learned),
            flags=case.flags,
            maps=tuple(scores),
        )
        return Shown(result, _picture(result, view, content, maps=maps, mask=mask))

    def point(self, cases: Sequence[Case], games: dict[str, list[Pointed]], progress: Progress) -> None:
        """Play the pointing game on further cases, drawn at random."""
        with_mask = [c for c in cases if self.mask_name in c.sample.masks]
        if not self.asked.pointing or not with_mask:
            return
        order = stream(self._seed, "explain pointing").permutation(len(with_mask))
        wanted = min(self.asked.pointing, len(with_mask))
        played = 0
        with progress.step("Pointing game", float(wanted)) as shown:
            for number in order:
                view = self.view(with_mask[int(number)])
                mask = self.mask(with_mask[int(number)].sample, view.preparation)
                if mask is None:
                    continue
                for name, values in self.maps(view).items():
                    games.setdefault(name, []).append(point(values, mask))
                shown.advance()
                played += 1
                if played == wanted:
                    break

    def mask(self, sample: Sample, spec: Preparation) -> BoolArray | None:
        """Return a sample's mask at the network's input size; None where there is none or nothing is outlined."""
        ref = sample.masks.get(self.mask_name)
        if ref is None or not isinstance(spec, ImagePreparation):
            return None
        from hounsfield.data.masks import read_mask

        plain = spec.model_copy(
            update={"scale": "window", "low": 0.0, "high": 1.0, "channels": 1, "storage": "float16"}
        )
        try:
            seen = latest_image(self._gathered.cohort, sample, next(iter(sample.inputs)))
            values = read_mask(self._gathered.cohort, ref, seen).array.astype(np.float32).max(axis=0, keepdims=True)
            inside = prepare(Image((values > 0.5 * values.max()).astype(np.uint8), seen.grid), plain)[0]
        except HounsfieldError:
            return None
        found: BoolArray = np.asarray(inside, dtype=np.float32) > 0.5
        return found if found.any() else None

    def _randomised(self, view: View, maps: Mapping[str, Float64Array]) -> dict[str, list[float]]:
        """Return how alike each map is to those of the same networks with ever more fresh weights."""
        found: dict[str, list[float]] = {name: [] for name in maps}
        if all(v.network is None for v in view.voices):
            return found
        for share in SHARES:
            other = view.heard(randomised(view.voices, share=share, seed=self._seed))
            for name, values in maps.items():
                found[name].append(alike(values, map_of(name, other)))
        return found


def held_out(gathered: Gathered, sample: Sample, learned: frozenset[str] | None) -> bool | None:
    """Return whether the members that judge a sample have not seen it; None where nothing says it.

    Parameters
    ----------
    gathered : Gathered
    sample : Sample
    learned : frozenset of str or None
        What `hounsfield.workflow.study.learned_by` says of the run.
    """
    if gathered.part in ("test", "cv"):
        return True
    if learned is None:
        return None
    from hounsfield.stages.auditing.kinds import glancer
    from hounsfield.stages.auditing.thumbnails import glance

    cohort: Cohort = gathered.cohort
    names = list(sample.inputs)
    name = next((n for n in names if kind_of(cohort, n) == "image"), names[0])
    kind = kind_of(cohort, name)
    if kind == "image":
        seen = glance(sample.id, latest_image(cohort, sample, name), latest_header(cohort, sample, name))
    else:
        spec = next((s for s in cohort.schema.inputs if s.name == name), cohort.schema.inputs[0])
        content, header = latest(cohort, sample, name, wanted=BY_STRETCHES), reading_header(cohort, sample, name)
        seen = glancer(kind).glance(sample.id, content, header, spec)
    return seen_digest(seen.digest) not in learned


def untrained_effects(view: View, *, seed: int) -> Float64Array:
    """Return by how much the answer of untrained networks changes between image and blurred image, one each."""
    found = [ends_of(view.heard(voices)) for voices in fresh_voices(view.voices, count=RANDOM, seed=seed)]
    return np.array([abs(e.whole - e.blank) for e in found])


def verdicts_of(view: View, maps: Mapping[str, Float64Array], *, seed: int, place: int) -> dict[str, Verdict]:
    """Return every map of a view beside random ones as coarse as it is.

    Parameters
    ----------
    view : View
    maps : mapping of str to numpy.ndarray
    seed : int
    place : int
        Number of the image, which addresses the random maps.
    """
    ends = ends_of(view)
    centre = Curves(*curves(view, ends, centre_blob(view.size)))
    random: dict[float, list[Curves]] = {}
    found = {}
    for name, values in maps.items():
        width = coarseness(values)
        if width not in random:
            fields = stream(seed, f"explain random maps {width:g}", 0, place)
            random[width] = [Curves(*curves(view, ends, random_field(view.size, width, fields))) for _ in range(RANDOM)]
        found[name] = compare(Curves(*curves(view, ends, values)), random[width], centre=centre)
    return found


def _rates(games: Mapping[str, Sequence[Pointed]]) -> tuple[Pointing, ...]:
    return tuple(pointing_of(name, played) for name, played in sorted(games.items()))


def _picture(
    found: Explained, view: View, content: Content, *, maps: Mapping[str, Float64Array], mask: BoolArray | None
) -> bytes:
    spec = view.preparation
    if isinstance(content, Signal) and isinstance(spec, SignalPreparation):
        return signal_picture(found, content, spec, maps)
    return image_picture(found, view.image, maps, mask)


def check_free(out: Path | None) -> None:
    """Raise `RunExistsError` where a folder holds explanations already."""
    there = (
        []
        if out is None or not out.is_dir()
        else sorted(
            p.name
            for p in out.iterdir()
            if p.name in (JSON, PAGE) or (p.name.startswith(("image-", "trace-")) and p.suffix in (".png", ".svg"))
        )
    )
    if there:
        raise RunExistsError(
            f"The output folder holds explanations already: {', '.join(there[:3])}{', ...' if len(there) > 3 else ''}.",
            expected="a folder without them",
            next_step="choose another --out, or move them away",
        )


def write_explained(out: Path, found: BaseModel, pictures: Mapping[str, bytes], *, page: str) -> None:
    """Write a document, its page and its pictures into a folder."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error("The output folder", error) from error
    for name, data in pictures.items():
        write_bytes(out / name, data)
    write_text(out / PAGE, page)
    write_json(out / JSON, found)
