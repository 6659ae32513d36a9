"""The preprocessing job: survey, plan, run the pipeline, publish the folder."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from attent_tf.counting import counted
from attent_tf.data.manifest import MANIFEST_FILE, Manifest, make_manifest, manifest_parts
from attent_tf.data.splits import TRAIN
from attent_tf.data.verify import check_no_leak
from attent_tf.datasets.find import CaseProblem
from attent_tf.errors import InputError, RecordsError
from attent_tf.volumes import IntensityStatistics
from beam_preprocess import notes, previews
from beam_preprocess.counters import counters_line
from beam_preprocess.options import PreprocessOptions
from beam_preprocess.plan import PlannedCase
from beam_preprocess.publish import REJECTED_FILE, WARNINGS_FILE, Workplace, check_target, published
from beam_preprocess.rejections import Rejection, found_before, in_order, rejected_cases
from beam_preprocess.runner import new_pipeline, run_noted
from beam_preprocess.slicing import with_training_statistics
from beam_preprocess.survey import Survey, survey
from beam_preprocess.worker_notes import CaseNote, measure_notes, read_case_note, shard_notes


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
                file.writelines(manifest_parts(manifest))
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
    rejected = in_order([found_before(problem, splits.get(problem.case, "")) for problem in found.problems])
    for rejection in rejected:
        report(f"set aside: {rejection['case'] or rejection['where']}: {rejection['message']}")
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
    # Each note is read once: on an object store, where there are many, that takes longest of all that is done here.
    staged: list[CaseNote] = []

    def place() -> str:
        return f"[{len(staged) + len(rejected) - before}/{len(planned)}]"

    def tell_case(content: dict[str, Any]) -> None:
        note = read_case_note(content)
        staged.append(note)
        case = note.entry
        kept = f"{case.slices} of {counted(case.slice_count, 'slice')}"
        report(f"{place()} {case.case}: {case.domain}, {case.split}, {kept}")
        for line in note.warnings:
            report(f"Warning: {line}")

    def tell_rejected(rejection: Rejection) -> None:
        rejected.append(rejection)
        report(f"{place()} set aside: {rejection['case']}: {rejection['message']}")

    reasons = {case.case: case.reason for case in rejected_cases(rejected)}
    set_aside, before = [(case, reasons[case.files.case]) for case in refused], len(rejected)
    counters = run_noted(
        new_pipeline(beam_options),
        workplace.work,
        {notes.CASE: tell_case, notes.REJECTED: tell_rejected},
        lambda pipe: build(pipe, planned, set_aside, options, workplace.folder, workplace.work, workplace.previews),
    )
    staged.sort(key=lambda note: note.position)
    all_planned = sorted([*planned, *refused], key=lambda case: case.position)
    manifest = _gather(all_planned, staged, options, found, workplace, in_order(rejected), report)
    if counters:
        report(counters_line(counters))
    return manifest


def _measured(workplace: Workplace) -> dict[str, list[IntensityStatistics]]:
    """Returns what workers measured in training cases, by domain."""
    measured: dict[str, list[IntensityStatistics]] = {}
    for note in measure_notes(workplace.work):
        measured.setdefault(note.domain, []).append(note.statistics)
    return measured


def _gather(
    planned: list[PlannedCase],
    staged: list[CaseNote],
    options: PreprocessOptions,
    found: Survey,
    workplace: Workplace,
    rejected: list[Rejection],
    report: Callable[[str], None],
) -> Manifest:
    """Makes the manifest out of the workers' notes and checks that every case and shard is among them."""
    cases = [note.entry for note in staged]
    warnings = [
        {"case": note.entry.case, "domain": note.entry.domain, "split": note.entry.split, "message": line}
        for note in staged
        for line in note.warnings
    ]
    shards = shard_notes(workplace.work)
    lost = {rejection["case"] for rejection in rejected}
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
        previews.write_index(
            workplace.previews, options.task, [(note.entry, note.preview) for note in staged], rejected
        )
    for name, lines in ((REJECTED_FILE, rejected), (WARNINGS_FILE, warnings)):
        if lines:
            with workplace.folder.created(name) as file:
                file.write("".join(json.dumps(line, sort_keys=True) + "\n" for line in lines).encode())
    if warnings:
        report(f"{counted(len(warnings), 'warning')} to look at, also in {WARNINGS_FILE}")
    return make_manifest(options.task, options.for_manifest(len(shards)), cases, shards, rejected_cases(rejected))


def _first_of(problems: Sequence[CaseProblem]) -> InputError:
    first = problems[0].problem
    more = f" ({len(problems) - 1} more; attent preprocess --check lists all)" if len(problems) > 1 else ""
    return InputError(first.where, first.expected, first.found, first.advice + more)


def _check_left(found: Survey, left: set[str], rejected: Sequence[Rejection] = ()) -> None:
    """Refuses to go on where a domain that was asked for has no case any more."""
    for domain, root in found.options.folders.items():
        if domain not in left:
            messages = [str(problem.problem) for problem in found.problems if problem.domain == domain]
            messages += [rejection["message"] for rejection in rejected if rejection["domain"] == domain]
            first = messages[0] if messages else "none"
            raise InputError(
                root, f"a {domain} case that can be used", f"none (the first: {first})", "correct the cases"
            )
