"""Networks that come with a protocol of their own: decisions that are not ours to make."""

from hounsfield.core.plan import Decision, PlanValue

_TEXTBOOK: dict[str, dict[str, PlanValue]] = {
    "preparation.*": {
        "size": [128, 128],
        "channels": 3,
        "fit": "stretch",
        "scale": "window",
        "low": 0.0,
        "high": 255.0,
        "mean": 0.0,
        "std": 1.0,
        "storage": "uint8",
    },
    "augmentation": {},
    "optimisation": {
        "batch": 32,
        "epochs": 5,
        "optimiser": "adam",
        "learning_rate": 1e-3,
        "schedule": "constant",
        "warmup": 0.0,
        "weight_decay": 0.0,
        "clip": 0.0,
        "averaging": 0.0,
        "precision": "float32",
        "selection": "last",
        "smoothing": 0.0,
        "class_weights": [],
    },
    "ensemble": {"members": 1, "variant": {}, "workers": 1, "features": False, "views": []},
}

RECIPES: dict[str, dict[str, dict[str, PlanValue]]] = {"textbook": _TEXTBOOK}
"""Network family to section to key to value; ``preparation.*`` is for every image input."""


def recipe(network: str | None) -> dict[str, dict[str, Decision]]:
    """Return the decisions that a network's protocol makes.

    Parameters
    ----------
    network : str or None
        Network family.

    Returns
    -------
    dict
        Section to key to decision; empty where the rules decide.
    """
    found = RECIPES.get(network or "", {})
    why = "as its article says" if network == "textbook" else "as its protocol says"
    return {
        section: {
            key: Decision(value=value, rule=why, evidence=f"--network {network}") for key, value in values.items()
        }
        for section, values in found.items()
    }
