"""What a job will work on, looked through before any record is written."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable

from attent_tf.data.split_file import read_split_file
from attent_tf.data.splits import ALL, TRAIN
from attent_tf.data.verify import check_no_leak
from attent_tf.datasets import CaseFiles, CaseProblem, survey_cases
from attent_tf.datasets.check import check_headers, find_duplicates, find_repeated_names
from attent_tf.errors import AttentError, ConfigError, InputError, Problem, RecordsError
from attent_tf.storage import answers, is_remote
from beam_preprocess import notes, slicing
from beam_preprocess.options import PreprocessOptions
from beam_preprocess.plan import PlannedCase, plan_cases


@dataclasses.dataclass(frozen=True)
class Survey:
    """The cases of a job.

    Attributes:
      options: the job's, with the intensity rules that its data sets describe.
      named: all cases of which names and pairs are right.
      cases: those of them whose headers are right too.
      problems: problems of all other cases, and of folders.
    """

    options: PreprocessOptions
    named: tuple[CaseFiles, ...]
    cases: tuple[CaseFiles, ...]
    problems: tuple[CaseProblem, ...]

    def planned(self) -> tuple[list[PlannedCase], list[PlannedCase]]:
        """Gives each case its split and shard; raises as `plan_cases` and `read_split_file`.

        Returns:
          What to work on, and what has a place in the plan and is set aside already. Without the latter, one bad file
          would move other patients from one split to the other.
        """
        repeated = {problem.case for problem in find_repeated_names(self.named)}
        planned = self._planned(tuple(files for files in self.named if files.case not in repeated))
        usable = {files.case for files in self.cases}
        return (
            [case for case in planned if case.files.case in usable],
            [case for case in planned if case.files.case not in usable],
        )

    def _planned(self, cases: tuple[CaseFiles, ...]) -> list[PlannedCase]:
        path = self.options.split_file
        return plan_cases(cases, self.options, None if path is None else read_split_file(path))


@dataclasses.dataclass(frozen=True)
class CaseWarning:
    """Something about a case that can be used, which the user has to hear.

    Attributes:
      case: its identifier.
      domain: name of its domain.
      message: one line.
    """

    case: str
    domain: str
    message: str


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """What `check` found.

    Attributes:
      problems: problems with names, pairs, headers, splits, voxels, label values and anatomy.
      warnings: warnings about cases that can be used.
      cases: number of cases looked at.
    """

    problems: tuple[CaseProblem, ...]
    warnings: tuple[CaseWarning, ...]
    cases: int


def survey(options: PreprocessOptions) -> Survey:
    """Finds the cases of a job and checks their names, pairs and headers.

    Args:
      options: the job's.

    Raises:
      InputError: a data folder is missing, empty or of another kind than its domain.
      ConfigError: an option or a description is wrong.
    """
    options.check()
    cases: list[CaseFiles] = []
    problems: list[CaseProblem] = []
    # Of all domains, so that the manifest says every rule by itself; in the order of the task.
    rules = {domain.name: options.prepare.intensity_rule(domain) for domain in options.task.domains}
    for name in (name for name in options.task.domain_names if name in options.folders):
        found = survey_cases(options.folders[name], options.task, name, options.datasets.get(name))
        rules[name] = options.intensity.get(name) or found.description.intensity or rules[name]
        cases += found.cases
        problems += found.problems
    for space, name in sorted({(files.space, files.dataset) for files in cases}):
        options.prepare.check_space(space, f"the files of {name}")
    problems += find_repeated_names(cases)
    headers = functools.partial(check_headers, orientation_policy=options.orientation_policy)
    # pydicom is told things for a whole process, which threads must not share.
    side_by_side = any(map(is_remote, options.folders.values())) and all(case.description.is_nifti for case in cases)
    for found_there in answers(headers, cases, side_by_side):
        problems += found_there
    problems += find_duplicates(cases)
    broken = {problem.case for problem in problems}
    return Survey(
        dataclasses.replace(options, prepare=options.prepare.with_rules(rules)),
        tuple(cases),
        tuple(files for files in cases if files.case not in broken),
        tuple(problems),
    )


def check(options: PreprocessOptions, report: Callable[[str], None] = lambda _: None) -> CheckReport:
    """Checks everything that a job would, writes nothing, and stops at nothing.

    Args:
      options: the job's.
      report: called with a line for each case whose voxels are looked at.

    Raises:
      InputError: a data folder is missing, empty or of another kind than its domain.
      ConfigError: an option or a description is wrong.
    """
    found = survey(options)
    problems = list(found.problems)
    try:
        planned, _ = found.planned()
    except (ConfigError, InputError) as error:
        # With cases missing, a split that fits the data set may seem not to.
        if not any(problem.check in ("pairing", "duplicate") for problem in problems):
            problem = getattr(error, "problem", None) or _split_problem(options, str(error))
            problems.append(CaseProblem("", "", "split", problem))
        planned = [PlannedCase(files, ALL, "all", position, "") for position, files in enumerate(found.cases)]
    prepare_options, faults = _measured(planned, found.options)
    problems += faults
    warnings, entries = [], []
    for position, case in enumerate(planned, start=1):
        report(f"[{position}/{len(planned)}] {case.files.case}")
        try:
            read = slicing.read_and_prepare(case, prepare_options)
        except Exception as error:
            problems.append(_case_problem(case, error))
            continue
        warnings += [CaseWarning(case.files.case, case.files.domain, line) for line in read.warnings]
        entries.append(read.entry)
        # Its images would stay while the next case is read.
        del read
    try:
        check_no_leak(entries, "the data")
    except RecordsError as error:
        problems.append(CaseProblem("", "", "split", _split_problem(options, str(error))))
    count = len(found.cases) + len({problem.case for problem in found.problems if problem.case})
    return CheckReport(tuple(problems), tuple(warnings), count)


def _measured(planned: list[PlannedCase], options: PreprocessOptions) -> tuple[PreprocessOptions, list[CaseProblem]]:
    """Measures training cases where a rule asks for it, and tells if they cannot be used together."""
    rules = {name: options.prepare.intensity[name] for name in options.prepare.unresolved()}
    measured = {name: [] for name in rules}
    for case in planned:
        if case.files.domain in rules and case.split in (TRAIN, ALL):
            # What is wrong with the case is reported where it is prepared.
            with contextlib.suppress(AttentError, OSError):
                measured[case.files.domain].append(slicing.measure(case, options))
    try:
        return slicing.with_training_statistics(options, measured), []
    except InputError as error:
        by_itself = {name: dataclasses.replace(rule, statistics="volume") for name, rule in rules.items()}
        return dataclasses.replace(options, prepare=options.prepare.with_rules(by_itself)), [
            CaseProblem("", "", "intensity", error.problem)
        ]


def _case_problem(case: PlannedCase, error: Exception) -> CaseProblem:
    """What a job would set the case aside for; a defect of the library goes on as it is."""
    if not notes.is_fault_of_case(error):
        raise error
    files, parts = case.files, notes.error_parts(error, case.files.case)
    problem = getattr(error, "problem", None) or Problem(
        files.path, "a case that can be used", parts["message"], "correct it and run again"
    )
    return CaseProblem(files.case, files.domain, notes.reason_of(parts), problem)


def _split_problem(options: PreprocessOptions, message: str) -> Problem:
    return Problem(f"--split {options.split}", "a split that fits the cases", message, "choose another rule or list")
