"""Rules: pure functions from facts to a decision, one file per group.

Enters: `Facts` with the decisions made so far.
Leaves: one `Decision` each.
"""

from collections.abc import Callable

from hounsfield.core.plan import Decision, Facts

Rule = Callable[[Facts], Decision]
