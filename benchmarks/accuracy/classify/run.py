"""Train on each data set under its budget and write what the report says; resumable at any moment."""

import argparse

import hounsfield as hf
from benchmarks.accuracy.classify.judged import dumped, summary
from benchmarks.accuracy.classify.resplit import resplits
from benchmarks.accuracy.classify.sets import DataSet, command, read_sets, run_folder, trained
from benchmarks.record import read_result, write_result


def main() -> None:
    """Run what was asked for."""
    sets = read_sets()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=list(sets), default=list(sets))
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 0")
    parser.add_argument("--resplits", type=int, default=0, help="random re-splits, in place of the seeds")
    parser.add_argument("--minutes", type=float, default=None, help="of each run; else the set's own budget")
    parser.add_argument("--again", action="store_true", help="also where a result of other code is there")
    wanted = parser.parse_args()
    for name in wanted.only:
        entry = sets[name] if wanted.minutes is None else sets[name].model_copy(update={"minutes": wanted.minutes})
        if not entry.source.exists():
            print(f"{name}: skipped, the data are not on this machine")
        elif wanted.resplits:
            if entry.resplit:
                resplits(name, entry, count=wanted.resplits, again=wanted.again)
        else:
            for seed in range(wanted.seeds):
                one(name, entry, seed, again=wanted.again)


def one(name: str, entry: DataSet, seed: int, *, again: bool) -> None:
    """Make the result of one set and seed, unless it is there."""
    print(f"{name}, seed {seed}", flush=True)
    out = run_folder(name, seed=seed, minutes=entry.minutes)
    there = read_result(f"{name}-seed{seed}")
    if there is not None and there.get("command") == command(entry, seed) and "code" in there:
        if not again:
            print(f"  there already, of commit {there['commit']}")
            return
        if out.name.endswith(str(there["code"])):
            print("  there already, of this very code")
            return
    report = trained(entry.source, out, minutes=entry.minutes, seed=seed, folds=entry.folds, network=None)
    result = summary(report, out, name, entry, seed)
    if entry.textbook:
        other = run_folder(f"{name}-textbook", seed=seed, minutes=None)
        textbook = trained(entry.source, other, minutes=None, seed=seed, folds=entry.folds, network="textbook")
        difference = hf.compare(out, other).difference
        main_one = difference["auroc"]
        result["textbook"] = dumped(textbook.parts[textbook.judged_part].metrics)
        result["network_minus_textbook"] = dumped(difference)
        result["textbook_excluded"] = bool(main_one.low is not None and main_one.low > 0)
    write_result(f"{name}-seed{seed}", result)


if __name__ == "__main__":
    main()
