"""The preprocessing job: survey, plan, run the pipeline, publish the folder."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

from attent_tf.counting import counted
from attent_tf.data.manifest import (
    MANIFEST_FILE,
    Manifest,
    ManifestShard,
    RejectedCase,
    case_from_json,
    make_manifest,
    manifest_bytes,
)
from attent_tf.data.splits import TRAIN
from attent_tf.data.verify import check_no_leak
from attent_tf.datasets.cases import natural_key
from attent_tf.datasets.find import CaseProblem
from attent_tf.errors import InputError, RecordsError
from attent_tf.volumes import IntensityStatistics
from beam_preprocess import notes, previews
from beam_preprocess.counters import counters_line
from beam_preprocess.options import PreprocessOptions
from beam_preprocess.plan import PlannedCase
from beam_preprocess.publish import REJECTED_FILE, WARNINGS_FILE, Workplace, check_target, published
from beam_preprocess.runner import new_pipeline, run_noted
from beam_preprocess.slicing import with_training_statistics
from beam_preprocess.survey import Survey, survey


def run(
    options: PreprocessOptions, beam_options: Sequence[str] = (), report: Callable[[str], None] | None = None
) -> Manifest:
    """Turns data folders into a records folder, which appears complete or not at all.

    Args:
      options: the data, the rules and the folder to make.
      beam_options: Beam's own flags, such as `--direct_num_workers=2`.
      report: called with a line for each case that is done or set aside, from another thread, with warnings, and at the
        end with what the workers counted, where the runner tells.

    Returns:
      The manifest of the folder.

    Raises:
      InputError: a data folder or a case is not what it should be, or `out` exists.
      ConfigError: a rule does not fit the data, a Beam option is wrong, or the runner cannot be started.
    """
    report = report or (lambda _: None)
    options.check()
    new_pipeline(beam_options)
    # Scans may take minutes to look through; a folder that may not be made is reported at once.
    check_target(str(options.out), options.overwrite)
    found = survey(options)
    if found.problems and options.on_error == "fail":
        raise _first_of(found.problems)
    _check_left(found, {case.domain for case in found.cases})
    planned, refused = found.planned()
    try:
        with published(str(options.out), options.overwrite) as workplace:
            manifest = _work(planned, refused, found, beam_options, workplace, report)
            with workplace.folder.created(MANIFEST_FILE) as file:
                file.write(manifest_bytes(manifest))
    except OSError as error:
        where = error.filename or options.out
        raise InputError(f"{where}: cannot be written ({error.strerror or error}); choose another --out") from error
    return manifest


def _work(
    planned: list[PlannedCase],
    refused: list[PlannedCase],
    found: Survey,
    beam_options: Sequence[str],
    workplace: Workplace,
    report: Callable[[str], None],
) -> Manifest:
    from beam_preprocess.transforms import build, build_measurement

    options = found.options
    splits = {case.files.case: case.split for case in refused}
    rejected = sorted((_rejection(one, splits.get(one.case, "")) for one in found.problems), key=_rank)
    reasons = {one["case"]: one["reason"] for one in reversed(rejected)}
    for one in rejected:
        report(f"set aside: {one['case'] or one['where']}: {one['message']}")
    unresolved = options.prepare.unresolved()
    training = [case for case in planned if case.files.domain in unresolved and case.split in (TRAIN, "all")]
    if training:
        run_noted(
            new_pipeline(beam_options),
            workplace.work,
            {},
            lambda pipe: build_measurement(pipe, training, options, workplace.work),
        )
        options = with_training_statistics(options, _measured(workplace))
    done = 0

    def tell_case(entry: dict) -> None:
        nonlocal done
        done += 1
        kept = f"{entry['slices']} of {counted(entry['slice_count'], 'slice')}"
        report(f"[{done}/{len(planned)}] {entry['case']}: {entry['domain']}, {entry['split']}, {kept}")
        for line in entry["warnings"]:
            report(f"Warning: {line}")

    def tell_rejected(note: dict) -> None:
        nonlocal done
        done += 1
        report(f"[{done}/{len(planned)}] set aside: {note['case']}: {note['message']}")

    set_aside = [(case, reasons[case.files.case]) for case in refused]
    counters = run_noted(
        new_pipeline(beam_options),
        workplace.work,
        {notes.CASE: tell_case, notes.REJECTED: tell_rejected},
        lambda pipe: build(pipe, planned, set_aside, options, workplace.folder, workplace.work, workplace.previews),
    )
    rejected = sorted([*rejected, *notes.collect(workplace.work, notes.REJECTED)], key=_rank)
    everything = sorted([*planned, *refused], key=lambda case: case.position)
    manifest = _gather(everything, options, found, workplace, rejected, report)
    if counters:
        report(counters_line(counters))
    return manifest


def _measured(workplace: Workplace) -> dict[str, list[IntensityStatistics]]:
    """Returns what workers measured in training cases, by domain."""
    measured: dict[str, list[IntensityStatistics]] = {}
    for note in notes.collect(workplace.work, notes.MEASURE):
        measured.setdefault(note["domain"], []).append(IntensityStatistics(**note["statistics"]))
    return measured


def _gather(
    planned: list[PlannedCase],
    options: PreprocessOptions,
    found: Survey,
    workplace: Workplace,
    rejected: list[dict[str, Any]],
    report: Callable[[str], None],
) -> Manifest:
    """Makes the manifest out of the workers' notes and checks that every case and shard is among them."""
    entries = sorted(notes.collect(workplace.work, notes.CASE), key=lambda entry: entry.pop("position"))
    sheets = [entry.pop("preview", "") for entry in entries]
    warnings = [
        {"case": entry["case"], "domain": entry["domain"], "split": entry["split"], "message": line}
        for entry in entries
        for line in entry.pop("warnings")
    ]
    cases = [case_from_json(entry, f"{options.out}: a worker's note of a case") for entry in entries]
    shards = sorted(
        (ManifestShard(**note) for note in notes.collect(workplace.work, notes.SHARD)), key=lambda shard: shard.file
    )
    lost = {one["case"] for one in rejected}
    wanted = [(case.files.case, case.shard) for case in planned if case.files.case not in lost]
    if [(case.case, case.shard) for case in cases] != wanted or {shard.file for shard in shards} != {
        case.shard for case in planned
    }:
        raise RecordsError(
            f"{options.out}: {len(cases)} of {counted(len(wanted), 'case')} and {counted(len(shards), 'shard')} came back from "
            "the workers; check that all of them see the folder, and run again"
        )
    _check_left(found, {case.domain for case in cases}, rejected)
    for domain, split in sorted({(case.files.domain, case.split) for case in planned}):
        if not any((case.domain, case.split) == (domain, split) for case in cases):
            report(f"Warning: no {domain} case is left in the split {split}; all of them were set aside")
    check_no_leak(cases, str(options.out))
    if options.preview:
        previews.write_index(workplace.previews, options.task, list(zip(cases, sheets, strict=True)), rejected)
    for name, lines in ((REJECTED_FILE, rejected), (WARNINGS_FILE, warnings)):
        if lines:
            with workplace.folder.created(name) as file:
                file.write("".join(json.dumps(one, sort_keys=True) + "\n" for one in lines).encode())
    if warnings:
        report(f"{counted(len(warnings), 'warning')} to look at, also in {WARNINGS_FILE}")
    names = {one["case"]: one for one in reversed(rejected) if one["case"]}
    return make_manifest(
        options.task,
        options.for_manifest(len(shards)),
        cases,
        shards,
        [RejectedCase(name, one["domain"], one["split"], one["reason"]) for name, one in reversed(names.items())],
    )


def _first_of(problems: Sequence[CaseProblem]) -> InputError:
    first = problems[0].problem
    more = f" ({len(problems) - 1} more; attent preprocess --check lists all)" if len(problems) > 1 else ""
    return InputError(first.where, first.expected, first.found, first.advice + more)


def _rejection(one: CaseProblem, split: str) -> dict[str, Any]:
    error = InputError(*dataclasses.astuple(one.problem))
    parts = notes.error_parts(error, one.case)
    return {"case": one.case, "domain": one.domain, "split": split, "reason": one.check} | parts


def _rank(one: dict[str, Any]):
    return natural_key(one["case"]), one["message"]


def _check_left(found: Survey, left: set[str], rejected: Sequence[dict[str, Any]] = ()) -> None:
    """Refuses to go on where a domain that was asked for has no case any more."""
    for domain, root in found.options.folders.items():
        if domain not in left:
            first = next((str(one.problem) for one in found.problems if one.domain == domain), None)
            first = first or next((one["message"] for one in rejected if one["domain"] == domain), "none")
            raise InputError(root, f"a {domain} case that can be used", f"none (the first: {first})", "mend the cases")
