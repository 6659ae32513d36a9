"""What a job will work on, looked through before any voxel is read."""

import dataclasses
from collections.abc import Callable

from attent_tf.data.split_file import read_split_file
from attent_tf.datasets import CaseFiles, CaseProblem, survey_cases
from attent_tf.datasets.check import check_content, check_headers, find_duplicates, find_repeated_names
from attent_tf.errors import ConfigError, InputError, Problem
from beam_preprocess.options import PreprocessOptions
from beam_preprocess.plan import PlannedCase, plan_cases


@dataclasses.dataclass(frozen=True)
class Survey:
    """The cases of a job.

    Attributes:
      options: the job's, with the intensity rules that its data sets describe.
      named: all cases of which names and pairs are right.
      cases: those of them of which the headers are right too.
      problems: of all other cases, and of folders.
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
        repeated = {one.case for one in find_repeated_names(self.named)}
        planned = self._planned(tuple(files for files in self.named if files.case not in repeated))
        usable = {files.case for files in self.cases}
        return (
            [case for case in planned if case.files.case in usable],
            [case for case in planned if case.files.case not in usable],
        )

    def check_plan(self) -> None:
        """Raises what `planned` would if all of `named` could be used."""
        self._planned(self.named)

    def _planned(self, cases: tuple[CaseFiles, ...]) -> list[PlannedCase]:
        path = self.options.split_file
        return plan_cases(cases, self.options, None if path is None else read_split_file(path))


def survey(options: PreprocessOptions) -> Survey:
    """Finds the cases of a job and checks their names, pairs and headers.

    Args:
      options: the job's.

    Raises:
      InputError: a data folder is missing, empty or of the other domain.
      ConfigError: an option or a description is wrong.
    """
    options.check()
    cases: list[CaseFiles] = []
    problems: list[CaseProblem] = []
    rules = {}
    for domain, root, dataset in (
        ("mri", options.mri, options.mri_dataset),
        ("ct", options.ct, options.ct_dataset),
    ):
        if root is None:
            continue
        found = survey_cases(root, domain, dataset)
        field = f"{domain}_intensity"
        rules[field] = getattr(options, field) or found.description.intensity or options.prepare.intensity_rule(domain)
        cases += found.cases
        problems += found.problems
    problems += find_repeated_names(cases)
    for files in cases:
        problems += check_headers(files, options.orientation_policy)
    problems += find_duplicates(cases)
    broken = {one.case for one in problems}
    return Survey(
        dataclasses.replace(options, prepare=dataclasses.replace(options.prepare, **rules)),
        tuple(cases),
        tuple(files for files in cases if files.case not in broken),
        tuple(problems),
    )


def check(options: PreprocessOptions, report: Callable[[str], None] = lambda _: None) -> tuple[list[CaseProblem], int]:
    """Checks everything that a job would, writes nothing, and stops at nothing.

    Args:
      options: the job's.
      report: called with a line for each case whose voxels are looked at.

    Returns:
      All problems: of names, pairs, headers, splits, voxels, label values and anatomy; and the number of cases looked at.

    Raises:
      InputError: a data folder is missing, empty or of the other domain.
      ConfigError: an option or a description is wrong.
    """
    found = survey(options)
    problems = list(found.problems)
    # With cases missing, a split that fits the data set may seem not to.
    if not any(one.check in ("pairing", "duplicate") for one in found.problems):
        try:
            found.check_plan()
        except (ConfigError, InputError) as error:
            problem = getattr(error, "problem", None) or _split_problem(options, str(error))
            problems.append(CaseProblem("", "", "split", problem))
    for position, files in enumerate(found.cases, start=1):
        report(f"[{position}/{len(found.cases)}] {files.case}")
        problems += check_content(files, options.orientation_policy)
    return problems, len(found.cases) + len({one.case for one in found.problems if one.case})


def _split_problem(options: PreprocessOptions, message: str) -> Problem:
    return Problem(f"--split {options.split}", "a split that fits the cases", message, "choose another rule or list")
