"""The report: typed blocks that a page and a JSON file are rendered from."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from hounsfield.core.cohort import TargetKind, TargetSpec

MAIN_METRIC: dict[TargetKind, str] = {
    "categorical": "auroc",
    "multilabel": "auroc",
    "ordinal": "quadratic_kappa",
    "number": "mae",
    "mask": "dice",
    "boxes": "box_ap30",
    "forecast": "mae",
}
"""The metric that a headline, a comparison and a recommendation speak of."""

LOWER_IS_BETTER = frozenset(
    {
        "mae",
        "rmse",
        "pinball",
        "brier",
        "calibration_error",
        "hd95_mm",
        "assd_mm",
        "volume_error",
        "volume_error_ml",
        "quality_error",
        "missed_rate",
        "false_positive_rate",
    }
)
"""Metrics of which less is better."""


class Block(BaseModel):
    """Base of all blocks of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(Block):
    """A figure with its interval.

    Attributes
    ----------
    value, low, high : float or None
        None where undefined; `note` then says why.
    note : str
        Why undefined, or how it is to be read.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


class Curve(Block):
    """Points of a curve, with an optional band, for drawing."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    count: tuple[int, ...] = ()


class Subgroup(Block):
    """Figures of the samples that share an attribute."""

    attribute: str
    value: str
    samples: int
    patients: int
    metrics: dict[str, Figure]


class ClassCoverage(Block):
    """How often the prediction set holds the truth, for the samples of one class.

    Attributes
    ----------
    cases : int
        Calibration cases behind the limit; 0 where they differ from fold to fold.
    samples : int
        Judged samples of the class.
    coverage : float or None
    low, high : float or None
        Where the true coverage lies in 95 % of draws of the calibration cases (exact, Beta); None over folds.
    seen_low, seen_high : float or None
        Where the coverage observed on this many samples lies (beta-binomial).
    within : bool or None
        Whether the coverage lies in the second interval.
    always : bool
        Too few calibration cases to rule the class out: it is in every set.
    """

    cases: int
    samples: int
    coverage: float | None
    low: float | None = None
    high: float | None = None
    seen_low: float | None = None
    seen_high: float | None = None
    within: bool | None = None
    always: bool = False


class SetFigures(Block):
    """How good the prediction sets are.

    Attributes
    ----------
    level : float
        Wanted coverage.
    coverage : float
        Share of samples (of labels, where there are several) whose set holds the truth.
    per_patient : float
        The same, each patient counting once.
    size : float or None
        Mean number of classes in a set; mean width for a number, None where it has no bounds; share of unsure labels.
    single, empty : float
        Share of sets with one class, and with none.
    classes : dict of str to ClassCoverage
        By class, level, or label (``label`` and ``label:no``); ``""`` for a number.
    """

    level: float
    coverage: float
    per_patient: float
    size: float | None
    single: float
    empty: float
    classes: dict[str, ClassCoverage]


class PartFigures(Block):
    """How well one target was answered on one part.

    Attributes
    ----------
    samples, patients : int
    metrics : dict of str to Figure
        ``auroc``, ``accuracy``, ... (see the metric reference); ``recall:<class>`` and ``auroc:<class>`` too.
    patient_metrics : dict of str to Figure
        The same per patient, where a patient has several samples.
    uncalibrated : dict of str to Figure
        Calibration figures before temperature scaling.
    confusion : tuple of tuple of int
        Rows truth, columns what was called, in the order of the target's classes.
    curves : dict of str to Curve
        ``roc``, ``roc:<class>``, ``reliability``, ``reliability_uncalibrated``, ``decision``, ``decision_all``,
        ``scatter``.
    subgroups : tuple of Subgroup
    folds : tuple of dict of str to float or None
        Metric values per fold, for part ``cv``.
    without_faulty : dict of str to Figure
        Metrics without the samples that the audit flagged in an official test part.
    patients_judged, patients_skipped : int
        Patients behind `patient_metrics`; patients left out of it because their samples' answers differ.
    classes : dict of str to int
        Samples per class, label or level.
    not_run : int
        Samples with an answer that could not be run; they are in no figure.
    refused : int
        Judged samples that the input guard refuses: in the figures, but a user gets no answer for them.
    sets : SetFigures or None
        Coverage and size of the prediction sets.
    """

    samples: int
    patients: int
    metrics: dict[str, Figure]
    patient_metrics: dict[str, Figure] = {}
    uncalibrated: dict[str, Figure] = {}
    confusion: tuple[tuple[int, ...], ...] = ()
    curves: dict[str, Curve] = {}
    subgroups: tuple[Subgroup, ...] = ()
    folds: tuple[dict[str, float | None], ...] = ()
    without_faulty: dict[str, Figure] = {}
    patients_judged: int = 0
    patients_skipped: int = 0
    classes: dict[str, int] = {}
    not_run: int = 0
    refused: int = 0
    sets: SetFigures | None = None


class Baseline(Block):
    """A cheap model on the same split.

    Attributes
    ----------
    metrics : dict of str to Figure
        On the part that the report judges (``test`` or ``cv``).
    difference : dict of str to Figure
        Network minus baseline, paired patient-level bootstrap.
    ties : bool
        Whether the interval of the main difference includes 0; False where it is undefined.
    """

    metrics: dict[str, Figure]
    difference: dict[str, Figure] = {}
    ties: bool = False


class OperatingPointBlock(Block):
    """The threshold in use, how it was fixed, and on how many validation samples.

    Attributes
    ----------
    threshold : float
        Of the model that the bundle ships.
    folds : tuple of float
        Of each fold's own model, fixed on its own validation samples: part ``cv`` is judged with these.
    """

    threshold: float
    rule: str
    samples: int
    sensitivity: float | None = None
    specificity: float | None = None
    folds: tuple[float, ...] = ()


class ClassPoint(Block):
    """One class against the rest, at a threshold that validation samples fixed; what is called is another matter.

    Attributes
    ----------
    threshold : float
        Of the model that the bundle ships, on the probability of the class.
    rule : str
        What it was chosen for; ``default`` where the validation part lacks the class or all others.
    positives, negatives : int
        Validation samples of the class, and of the others, that it was chosen on.
    folds : tuple of float
        Of each fold's own model: part ``cv`` is judged with these.
    cases : int
        Judged samples of the class.
    metrics : dict of str to Figure
        ``sensitivity``, ``specificity``, ``ppv`` and ``npv`` on the judged part.
    """

    threshold: float
    rule: str
    positives: int
    negatives: int
    folds: tuple[float, ...] = ()
    cases: int = 0
    metrics: dict[str, Figure] = {}


class Picture(Block):
    """A small picture in the report: base64 PNG, never in the bundle."""

    sample: str
    part: str
    truth: str
    predicted: str
    probability: float
    png: str


class TracePicture(Block):
    """A signal with what speaks for the answer along time drawn over it, never in the bundle.

    Attributes
    ----------
    sample, part, truth, predicted : str
    answer : str
        What is explained: a class, ``at least <level>``, ``above average``.
    score, blank : float
        Probability of it (a number: standard deviations from the average), and what is left of it for the mean alone.
    p : float or None
        How often random maps say as well what matters; None where none was made.
    shown : bool
        Whether the map passed and is drawn.
    reason : str
        Why not, else ``""``.
    svg : str
        Base64; a user unit is a millimetre.
    """

    sample: str
    part: str
    truth: str
    predicted: str
    answer: str
    score: float
    blank: float
    p: float | None
    shown: bool
    reason: str
    svg: str


class SecondLook(Block):
    """A sample whose given answer a model that has not seen it contradicts with confidence."""

    sample: str
    part: str
    given: str
    suggested: str
    given_probability: float
    suggested_probability: float


class TargetReport(Block):
    """One target, judged.

    Attributes
    ----------
    recommended : str
        ``network`` or the name of a baseline; ``""`` where no baseline could be compared.
    class_points : dict of str to ClassPoint
        Of more than two classes, and of labels, a threshold for each; empty for other targets and older bundles.
    class_factors : dict of str to float
        Of more than two classes: the one with the largest probability times factor is called; empty where that is the
        most probable one.
    fold_class_factors : tuple of dict of str to float
        Of each fold's own model: part ``cv`` is judged with these.
    second_look : tuple of SecondLook
        Suspected label errors of the validation part or out of fold, most doubtful first; nothing was removed.
    second_look_of : int
        Samples that were looked at for it.
    """

    target: TargetSpec
    parts: dict[str, PartFigures]
    baselines: dict[str, Baseline] = {}
    operating_point: OperatingPointBlock | None = None
    class_points: dict[str, ClassPoint] = {}
    class_factors: dict[str, float] = {}
    fold_class_factors: tuple[dict[str, float], ...] = ()
    temperature: float | None = None
    recommended: str = "network"
    second_look: tuple[SecondLook, ...] = ()
    second_look_of: int = 0


class Caveat(Block):
    """Something not to believe, in both languages; `level` orders them."""

    level: Literal["warning", "note"]
    en: str
    zh: str


class Cost(Block):
    """What was predicted and what it took."""

    predicted_seconds: float | None = None
    seconds: float | None = None
    predicted_seconds_per_step: float | None = None
    seconds_per_step: float | None = None
    predicted_peak_mib: float | None = None
    peak_mib: float | None = None
    steps: int = 0
    stopped_by_clock: bool = False


class PlanLine(Block):
    """One decision, for the table of reasons."""

    section: str
    key: str
    value: str
    rule: str
    evidence: str


class ShortcutBlock(Block):
    """See `hounsfield.core.audit.Shortcut`."""

    auroc: Figure
    by: dict[str, Figure]
    warnings: tuple[str, ...] = ()


class AuditBlock(Block):
    """See `hounsfield.core.audit.Audit`."""

    unreadable: tuple[dict[str, str], ...] = ()
    duplicates_across_parts: tuple[tuple[str, str], ...] = ()
    contradictions: tuple[tuple[str, str], ...] = ()
    removed_from_training: tuple[dict[str, str], ...] = ()
    flagged_in_test: tuple[dict[str, str], ...] = ()
    in_doubt: tuple[dict[str, str], ...] = ()
    near_duplicates: int = 0
    clusters: int = 0
    balance: dict[str, dict[str, int]] = {}
    warnings: tuple[str, ...] = ()


class LearningPoint(Block):
    """How well a model did that learned from a share of the training patients.

    Attributes
    ----------
    share : float
        Of the training samples, 0 to 1.
    samples, patients : int
        Mean over the runs, rounded.
    runs : int
        Subsets of this share that were drawn and fitted.
    figure : Figure
        Mean over the runs, with an interval over held-out patients and runs.
    """

    share: float
    samples: int
    patients: int
    runs: int
    figure: Figure


class LearningCurve(Block):
    """What more data would bring, from fits to shares of the training part; never scored on a test part.

    Attributes
    ----------
    target, metric : str
    model : str
        ``network`` or the name of a baseline.
    part : str
        Where the fits were scored: ``val`` or ``cv`` (out of fold).
    points : tuple of LearningPoint
        Ascending.
    fitted : Curve or None
        The inverse power law over the number of training samples, to twice the present, with a 95 % band.
    now, double, gain : Figure
        The law at the present number of training samples, at twice that, and the second less the first.
    """

    target: str
    metric: str
    model: str
    part: str
    points: tuple[LearningPoint, ...]
    fitted: Curve | None
    now: Figure
    double: Figure
    gain: Figure


class RepeatedModel(Block):
    """One model in a repeated cross-validation.

    Attributes
    ----------
    model : str
        Name of the learner.
    mean : Figure
        Mean over all folds of the figure within each, with Nadeau and Bengio's interval.
    pooled : Figure
        Of each patient's mean answer over the repeats, with a patient-level bootstrap interval.
    by_repeat : tuple of float or None
        Of each repeat's pooled answers: how much chance in dividing matters.
    difference, pooled_difference : Figure or None
        Less the reference, of both estimates.
    variables : dict of str to float
        Share of the fits in which a variable was chosen, of the most frequent ones.
    """

    model: str
    mean: Figure
    pooled: Figure
    by_repeat: tuple[float | None, ...] = ()
    difference: Figure | None = None
    pooled_difference: Figure | None = None
    variables: dict[str, float] = {}


class Repeated(Block):
    """Repeated nested cross-validation of what learns from rows, everything fitted in each fold.

    Attributes
    ----------
    target, metric : str
    folds, repeats : int
    samples, patients : int
        Held out once in each repeat.
    reference : str
        Model that the others are compared with; ``""`` for none.
    models : tuple of RepeatedModel
    """

    target: str
    metric: str
    folds: int
    repeats: int
    samples: int
    patients: int
    reference: str = ""
    models: tuple[RepeatedModel, ...] = ()


class Report(Block):
    """What a reader gets, and what ``report.json`` holds.

    Attributes
    ----------
    target, parts, baselines
        Of the primary target, repeated here so that a reader finds them at the top.
    targets : dict of str to TargetReport
        All targets.
    judged_part : str
        ``test`` or ``cv``: the part that the headline speaks of.
    expected_interval : str
        The interval that this number of samples can give, said before training.
    history : dict of str to tuple of float
        Training curves by name, for the picture only; no figure comes from them.
    learning : tuple of LearningCurve
        What more data would bring, of the primary target, one for each model that it was measured for.
    repeated : Repeated or None
        Repeated nested cross-validation of the primary target, for small cohorts with rows.
    typical : tuple of Picture
        Of masks: judged cases in the middle of the range, the one at the median Dice first.
    traces : tuple of TracePicture
        Of signals: surest errors, then surest right answers, and what speaks for them along time.
    """

    schema_version: Literal[1] = 1
    hounsfield: str
    task: str
    cohort: str
    created: str
    seed: int
    target: TargetSpec
    parts: dict[str, PartFigures]
    baselines: dict[str, Baseline]
    shortcut: ShortcutBlock | None
    audit: AuditBlock
    cost: Cost
    environment: dict[str, str]
    targets: dict[str, TargetReport]
    judged_part: str
    split_rule: str = ""
    split_rule_zh: str = ""
    expected_interval: str = ""
    caveats: tuple[Caveat, ...] = ()
    plan: tuple[PlanLine, ...] = ()
    history: dict[str, tuple[float, ...]] = {}
    learning: tuple[LearningCurve, ...] = ()
    repeated: Repeated | None = None
    errors: tuple[Picture, ...] = ()
    typical: tuple[Picture, ...] = ()
    traces: tuple[TracePicture, ...] = ()
    alternatives: tuple[dict[str, str], ...] = ()
