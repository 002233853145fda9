"""The model card that travels in a bundle."""

from hounsfield.core.kinds import input_kind
from hounsfield.core.plan import Plan
from hounsfield.workflow.study import Study
from hounsfield.workflow.warming import SECTION, settled

PREVALENCE = "- Probabilities hold for the prevalence of the validation part."
FORECAST_LIMITS = (
    "- Valid for series of patients and monitors like the training ones. There is no input guard: refused are series "
    "without the variable, in a unit that cannot be converted, or at a rate that is too low, and nothing is flagged.",
    "- Intervals and probabilities hold in the mean over patients like those of the validation part; those of one "
    "patient may hold more or less often than they say.",
)


def card(plan: Plan, known: Study) -> str:
    """Return the card as Markdown: what the model is for, what it saw, how it was made, what it is not.

    Parameters
    ----------
    plan : Plan
    known : Study

    Notes
    -----
    Figures are not repeated here: they stand in the report, beside their intervals and baselines.
    """
    seen = known.fingerprint
    forecast = all(target.kind == "forecast" for target in plan.targets)
    fixed = "chose the weights and calibrated the quantiles" if forecast else "fixed calibration and threshold"
    lines = [
        f"# Model card: {plan.cohort}",
        "",
        "**Research software, not a medical device.** Not for use in the care of patients.",
        "",
        f"- Made by Hounsfield {plan.hounsfield}, task `{plan.task}`, seed {plan.seed}.",
        f"- Trained on {seen.samples} samples of {seen.patients} patients; "
        f"{seen.val_samples} validation samples {fixed}.",
    ]
    lines += [f"- Input `{name}`: {facts.said}." for name, facts in seen.inputs.items()]
    for target in plan.targets:
        counts = ", ".join(f"{k}: {v}" for k, v in seen.targets[target.name].counts.items())
        positive = f"; positive class: {target.positive} ({target.positive_source})" if target.positive else ""
        lines.append(f"- Target `{target.name}` ({target.kind}) {counts}{positive}.")
    lines += _begun(plan)
    lines += ["", "## Known faults of the training data", ""]
    lines += [f"- {w}" for w in known.audit.warnings] or ["- None found by the audit."]
    lines += [
        "",
        "## Limits",
        "",
        *(FORECAST_LIMITS if forecast else (_valid(seen.kinds), PREVALENCE)),
        "- Judge it on your own patients first: `hu evaluate BUNDLE FOLDER`.",
        "",
    ]
    return "\n".join(lines)


def _valid(kinds: tuple[str, ...]) -> str:
    noun = input_kind(kinds[0]).plural if len(kinds) == 1 else "cases"
    return f"- Valid for {noun} like the training {noun}: others are flagged or refused by the input guard."


def _begun(plan: Plan) -> list[str]:
    """Say what the network knew before its first answer."""
    warmup = settled(plan)
    lines = []
    if warmup.encoder:
        fitted = plan.sections[SECTION]["encoder"].evidence
        lines.append(f"- Encoder begun from a local file, SHA-256 `{warmup.encoder}`: {fitted}.")
    if warmup.on:
        lines.append(
            f"- Encoder warmed up without answers for {warmup.steps} steps on the training images and "
            f"{warmup.unlabelled} unlabelled ones. Pictures of the cohort were left out of these; whether they show "
            "patients of the test part cannot be known."
        )
    return lines
