"""Everything that is wrong with a data set, found before any record is written.

`check_headers` reads no voxel and can look through a whole data set in seconds. What `read_case` would raise first, it reports
in full.
"""

import collections
import contextlib
import dataclasses
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence

from attent_tf.choices import OrientationPolicy
from attent_tf.datasets.arrays import check_slice, check_volume
from attent_tf.datasets.cases import CaseFiles
from attent_tf.datasets.find import CaseProblem
from attent_tf.datasets.reading import case_series
from attent_tf.errors import InputError, Problem, faults_of_scan
from attent_tf.names import clash_key
from attent_tf.storage import is_remote, open_binary
from attent_tf.volumes.dicom_series import find_slices
from attent_tf.volumes.nifti_header import MAX_VOXELS, checked_affine, checked_shape, read_header
from attent_tf.volumes.png import check_grey
from attent_tf.volumes.series_geometry import series_problems
from attent_tf.volumes.stored_grid import StoredGrid, check_same_voxels

_BLOCK_BYTES = 1 << 20


def check_headers(files: CaseFiles, orientation_policy: OrientationPolicy = "strict") -> list[CaseProblem]:
    """Finds what the headers of a case tell: readable, size, affine, spacing, orientation, steps, order, common grid.

    Args:
      files: a case.
      orientation_policy: for NIfTI files whose codes of sform and qform are 0, see `read_nifti`.
    """
    check = _nifti_problems if files.description.is_nifti else _dicom_problems
    if files.description.is_arrays:
        check = _array_problems
    found = []
    try:
        with faults_of_scan(files.images[0]):
            for name, error in check(files, orientation_policy):
                found.append(_case_problem(files, name, error))
    except InputError as error:
        found.append(_case_problem(files, "readable", error))
    return found


def find_duplicates(cases: Sequence[CaseFiles]) -> list[CaseProblem]:
    """Finds scans that occur twice under different names, by the bytes of their first image file.

    Args:
      cases: the cases of all domains and data sets together.
    """
    by_size = collections.defaultdict(list)
    for files in cases:
        # Files of one slice are thousands of one size, and one that is there twice does no harm.
        size = None if files.is_slice else _size(files.images[0])
        if size is not None:
            by_size[size, len(files.images)].append(files)
    problems = []
    for members in by_size.values():
        same = collections.defaultdict(list)
        for files in members if len(members) > 1 else ():
            # What cannot be read is reported where headers are checked.
            with contextlib.suppress(OSError):
                same[_digest(files.images[0])].append(files)
        for twins in same.values():
            for twin in twins[1:]:
                problem = Problem(
                    twin.images[0],
                    "a scan of its own",
                    f"the bytes of {twins[0].images[0]} ({twins[0].case})",
                    "remove one of the two",
                )
                problems.append(CaseProblem(twin.case, twin.domain, "duplicate", problem))
    return problems


def find_repeated_names(cases: Sequence[CaseFiles]) -> list[CaseProblem]:
    """Finds identifiers that several cases share, or that files on some systems cannot both have (`A` and `a`)."""
    by_name = collections.defaultdict(list)
    for files in cases:
        by_name[clash_key(files.case)].append(files)
    problems = []
    for _, members in sorted(by_name.items()):
        if len(members) > 1:
            advice = "rename or remove one"
            if len({files.domain for files in members}) > 1:
                advice += ", or read one of the folders by a description with another name"
            places = " and ".join(f"{files.images[0]} ({files.domain})" for files in members)
            for name, domain in {files.case: files.domain for files in reversed(members)}.items():
                problem = Problem(name, "each case once, whatever the capitals", places, advice)
                problems.append(CaseProblem(name, domain, "duplicate", problem))
    return problems


def problems_table(problems: Iterable[CaseProblem]) -> list[str]:
    """Returns problems as lines for people: by case, each with what was expected, what was found and what to do."""
    lines = []
    by_case = collections.defaultdict(list)
    for found in problems:
        by_case[found.case].append(found)
    for case, members in by_case.items():
        lines.append(case or "(folder)")
        for found in members:
            lines.append(f"  {found.check:<11} {found.problem.where}")
            lines.append(f"  {'':<11}   expected  {found.problem.expected}")
            lines.append(f"  {'':<11}   found     {found.problem.found}")
            lines.append(f"  {'':<11}   to do     {found.problem.advice}")
    return lines


def problems_json(problems: Iterable[CaseProblem]) -> list[dict[str, str]]:
    """Returns problems as JSON objects: `case`, `domain`, `check`, `where`, `expected`, `found`, `advice`."""
    return [
        {"case": found.case, "domain": found.domain, "check": found.check} | dataclasses.asdict(found.problem)
        for found in problems
    ]


def _nifti_problems(files: CaseFiles, policy: str) -> Iterator[tuple[str, InputError]]:
    grids = []
    for path in (*files.images, *files.labels):
        step = "readable"
        try:
            header = read_header(path)
            step = "size"
            shape = checked_shape(path, header, MAX_VOXELS)
            step = "affine"
            grids.append(StoredGrid(path, shape, checked_affine(path, header, policy)))
        except InputError as error:
            if step == "affine" and ("orientation" in error.problem.expected or "sform" in error.problem.expected):
                step = "orientation"
            elif step == "affine" and "voxel sizes" in error.problem.expected:
                step = "spacing"
            yield step, error
    if grids and grids[0].path == files.images[0]:
        for labels in grids[1:]:
            try:
                check_same_voxels(labels, grids[0])
            except InputError as error:
                yield "grid", error


def _array_problems(files: CaseFiles, policy: str) -> Iterator[tuple[str, InputError]]:
    del policy
    try:
        (check_slice if files.is_slice else check_volume)(files.images[0])
    except InputError as error:
        yield "readable", error


def _dicom_problems(files: CaseFiles, policy: str) -> Iterator[tuple[str, InputError]]:
    del policy
    found = find_slices(files.images)
    sizes = {header.path: (header.rows, header.columns) for header in found.headers}
    for error in found.errors:
        yield "readable", error
    for image, path in zip(files.images, files.labels, strict=bool(files.labels)):
        try:
            if image in sizes:
                check_grey(path, sizes[image])
        except InputError as error:
            yield "readable", error
    if found.errors:
        return
    try:
        chosen = case_series(files, found)
    except InputError as error:
        yield "series", error
        return
    for error in series_problems(chosen.headers, files.path):
        yield ("order" if "order" in error.problem.expected else "step"), error


def _case_problem(files: CaseFiles, check: str, error: InputError) -> CaseProblem:
    return CaseProblem(files.case, files.domain, check, error.problem)


def _size(path: str) -> int | None:
    """Size of a file in bytes; None if it cannot be had cheaply."""
    try:
        return None if is_remote(path) else os.path.getsize(path)
    except OSError:
        return None


def _digest(path: str) -> bytes:
    digest = hashlib.sha256()
    with open_binary(path) as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.digest()
