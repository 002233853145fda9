"""What a run says, logs and seals tells no patient and no path."""

from pathlib import Path

import pytest

from tests.journeys.making import hu, picture, quick, save, write_table

NAME = "Mustermann-Erika"


@pytest.mark.usefixtures("few_steps")
def test_no_patient_and_no_path_in_output_log_or_bundle(tmp_path: Path) -> None:
    folder = tmp_path / f"ward-of-{NAME}" / "data"
    rows = []
    for i in range(30):
        file = f"{NAME}_{i:02d}.png"
        save(folder / file, picture(i, i % 2))
        rows.append([file, f"{NAME}-{i:02d}", ("no", "yes")[i % 2], f"seen with {NAME}"])
    (folder / f"{NAME}_00.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    rows.append([f"{NAME}_99.png", f"{NAME}-99", "yes", ""])
    write_table(folder / "labels.csv", ["image", "patient", "disease", "remark"], rows)
    out = tmp_path / "run"
    result = hu("train", folder, "--minutes", 0.3, "--threads", 1, "--out", out)
    assert result.exit_code == 0, result.stderr
    for said in (result.stderr, result.stdout, (out / "log.jsonl").read_text()):
        assert NAME not in said
        assert str(tmp_path.parent) not in said.replace(str(out), "")
    for sealed in (out / "bundle").rglob("*"):
        if sealed.is_file():
            assert NAME.encode() not in sealed.read_bytes(), sealed.name
            assert str(tmp_path).encode() not in sealed.read_bytes(), sealed.name
    for name in ("plan.yaml", "fingerprint.json"):
        assert NAME not in (out / name).read_text()


def test_no_sample_is_named_in_a_bundle(tmp_path: Path) -> None:
    rows = []
    for i in range(24):
        save(tmp_path / "data" / f"zq{i:03d}vx.png", picture(i, i % 2))
        rows.append([f"zq{i:03d}vx.png", f"kj{i:03d}wy", ("no", "yes")[i % 2]])
    # repeats and contradictions, which the audit names in the report
    save(tmp_path / "data" / "zq900vx.png", picture(0, 0))
    save(tmp_path / "data" / "zq901vx.png", picture(3, 1))
    rows += [["zq900vx.png", "kj900wy", "no"], ["zq901vx.png", "kj901wy", "no"]]
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease"], rows)
    run = quick(tmp_path / "data", tmp_path / "run")
    assert run.report.audit.contradictions
    for file in (run.path / "bundle").rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            for name in [Path(str(r[0])).stem for r in rows] + [str(r[1]) for r in rows]:
                assert name.encode() not in content, file.name
