"""Learners: what is fitted to a feed and run on batches; networks and cheap baselines alike.

Enters: a `Feed`, the plan's sections.
Leaves: a `State` of arrays and JSON that a bundle can hold, and raw outputs of heads.
"""

from hounsfield.core.tables import Table

LEARNERS = Table(
    "learner",
    {
        "supervised": "hounsfield.learn.learners.supervised:SUPERVISED",
        "prevalence": "hounsfield.learn.learners.prevalence:PREVALENCE",
        "logistic": "hounsfield.learn.learners.logistic:LOGISTIC",
        "features": "hounsfield.learn.learners.features:FEATURES",
        "selected": "hounsfield.learn.learners.selected:SELECTED",
        "chosen": "hounsfield.learn.learners.chosen:CHOSEN",
        "alone": "hounsfield.learn.learners.selected:ALONE",
        "kernels": "hounsfield.learn.learners.kernels:KERNELS",
        "neighbours": "hounsfield.learn.learners.neighbours:NEIGHBOURS",
        "summaries": "hounsfield.learn.learners.summarised:SUMMARISED",
        "trees": "hounsfield.learn.learners.boosted:BOOSTED",
        "dense": "hounsfield.learn.dense.learner:DENSE",
    },
)
"""Learners by name; adding one is a file and a line here."""
