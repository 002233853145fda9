"""What the report takes over from the audit."""

from hounsfield.core.audit import Audit
from hounsfield.core.cohort import SetAside
from hounsfield.workflow.reports import audit_block


def test_the_report_knows_what_is_set_aside_and_what_is_in_doubt() -> None:
    found = Audit(
        samples=2,
        patients=2,
        unreadable=(SetAside(sample="c", reason="truncated"),),
        in_doubt=(SetAside(sample="a", reason="aVR and aVL swapped"),),
    )
    block = audit_block(found)
    assert block.unreadable == ({"sample": "c", "reason": "truncated"},)
    assert block.in_doubt == ({"sample": "a", "reason": "aVR and aVL swapped"},)
    assert audit_block(Audit(samples=2, patients=2)).in_doubt == ()
