"""Classify a folder: simulate a small CT cohort, look at it, plan, train, predict."""

import tempfile
from pathlib import Path

import hounsfield as hf
from hounsfield.workflow.demo import write_cohort


def main(minutes: float = 1.0) -> list[str]:
    """Run the whole flow and return what is said of two test images."""
    with tempfile.TemporaryDirectory() as folder:
        cohort = Path(folder) / "ct"
        write_cohort(cohort, patients=60, slices=3, size=64)

        seen = hf.inspect(cohort)
        print("targets:", ", ".join(f"{t.name} ({t.kind})" for t in seen.cohort.schema.targets))
        print("contradictions found:", len(seen.audit.contradictions))

        run = hf.train(cohort, out=Path(folder) / "run", minutes=minutes, threads=1)
        figure = run.report.parts["test"].metrics["auroc"]
        print(f"AUC {figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})")

        images = sorted((cohort / "disk" / "PA000060").rglob("IM*"))[:2]  # DICOM files without an ending
        return [f"{p.sample}: {p.targets['lesion'].value}" for p in hf.predict(run.path, images) if p.targets]


if __name__ == "__main__":
    for line in main():
        print(line)
