"""Which DICOM files make a scan: one series, without what lies beside it.

A series is known by its SeriesInstanceUID. Anonymised slices may have none, or one each; those are known by their series numbers
where these tell, and are one series otherwise. Acquisitions of one series belong together.
"""

import collections
import dataclasses
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import numpy as np

from attent_tf.counting import counted
from attent_tf.errors import InputError
from attent_tf.tasks import Domain
from attent_tf.volumes.dicom import NoSliceError, SliceHeader, read_slice_headers, read_slices

_MODALITY_OF_KIND = {"mri": "MR", "ct": "CT"}

# Of other modalities are words such as OT, which anonymised and converted slices have too.
_OF_SCANNERS = (*_MODALITY_OF_KIND.values(), "PT", "NM", "US", "XA", "CR", "DX", "MG", "RF")

# An identifier is made of these. What else stands in its place may be a name, and is not shown.
_UID = re.compile(r"[0-9.]{1,64}")

_MOST_NAMED = 6


@dataclasses.dataclass(frozen=True)
class FoundSlices:
    """The slices that files hold, and what else was in them.

    Attributes:
      headers: the headers of all slices, in the order of the files.
      objects: what is said of each DICOM file that is something else.
      errors: what is said of each file that cannot be read.
    """

    headers: tuple[SliceHeader, ...]
    objects: tuple[NoSliceError, ...]
    errors: tuple[InputError, ...]


@dataclasses.dataclass(frozen=True)
class Series:
    """The slices of a scan.

    Attributes:
      headers: the headers in the order of the files.
      warnings: at most one line for the user, on what was left out.
    """

    headers: tuple[SliceHeader, ...]
    warnings: tuple[str, ...]


def find_slices(paths: Sequence[str | os.PathLike]) -> FoundSlices:
    """Reads the headers of files; pixels are not looked at."""
    headers, objects, errors = [], [], []
    for path in paths:
        try:
            headers += read_slice_headers(path)
        except NoSliceError as error:
            objects.append(error)
        except InputError as error:
            errors.append(error)
    return FoundSlices(tuple(headers), tuple(objects), tuple(errors))


def choose_series(
    found: FoundSlices,
    domain: Domain,
    where: str | os.PathLike,
    series: str | None = None,
    others: Sequence[str | os.PathLike] = (),
) -> Series:
    """Chooses the slices that make a scan.

    Args:
      found: what the files hold.
      domain: the domain that it is read as.
      where: what messages call the scan: its folder.
      series: SeriesInstanceUID or number of the one that is wanted, or None where there is one.
      others: files beside them that are no DICOM.

    Raises:
      InputError: a file cannot be read, there are no slices, slices of several series or none of the wanted one, or they are
        of another modality.
    """
    for error in found.errors:
        raise error
    if not found.headers:
        raise _no_slices(found, where)
    headers = [header for header in found.headers if not header.is_localizer] or list(found.headers)
    localizers = {header.path for header in found.headers} - {header.path for header in headers}
    groups = _by_series(headers)
    if series is not None:
        headers = _wanted(groups, series, where)
    elif len(groups) > 1:
        advice = "put each into a folder of its own, or choose one by --series (segment, translate) or a column series (cohorts)"
        raise InputError(where, "slices of one series", _named(groups.values()), advice)
    for header in headers:
        _check_modality(header, domain)
    left_out = [("no DICOM", path) for path in others]
    left_out += [(error.problem.found, error.problem.where) for error in found.objects]
    left_out += [("a localizer", path) for path in sorted(localizers)]
    return Series(tuple(headers), _warnings(left_out, where))


def read_voxels(headers: Sequence[SliceHeader]) -> np.ndarray:
    """Reads the pixels of slices of one size.

    Returns:
      [slice, row, column] float32, in the order given.

    Raises:
      InputError: the pixels of a file cannot be read.
    """
    # Each slice goes to its place at once: a list of slices that is then stacked takes twice the memory.
    voxels = np.empty((len(headers), headers[0].rows, headers[0].columns), np.float32)
    places = collections.defaultdict(dict)
    for place, header in enumerate(headers):
        places[header.path][header.frame] = place
    for path, positions in places.items():
        for header, pixels in read_slices(path, positions):
            voxels[positions[header.frame]] = pixels
    return voxels


def _no_slices(found: FoundSlices, where: str | os.PathLike) -> InputError:
    if len(found.objects) == 1:
        return found.objects[0]
    if not found.objects:
        return InputError(where, "DICOM slices", "no such files", "give the folder that holds them")
    kinds = ((error.problem.found, error.problem.where) for error in found.objects)
    return InputError(where, "slices of a scan", _counted(kinds), "give the folder of the series itself")


def _by_series(headers: Sequence[SliceHeader]) -> dict[object, list[SliceHeader]]:
    """Slices by what tells their series; one group where nothing does."""
    by_uid, by_number = collections.defaultdict(list), collections.defaultdict(list)
    for header in headers:
        by_uid[header.series_uid].append(header)
        by_number[header.series_number].append(header)
    if len(by_uid) < len(headers) and by_uid.keys() != {""}:
        return by_uid
    if len(by_number) < len(headers) and None not in by_number:
        return by_number
    return {None: list(headers)}


def _wanted(groups: dict[object, list[SliceHeader]], series: str, where: str | os.PathLike) -> list[SliceHeader]:
    """The slices of the series that is asked for by its UID, or by a number that no other one has."""
    matching = [
        members
        for members in groups.values()
        if all(header.series_uid == series for header in members)
        or all(str(header.series_number) == series for header in members)
    ]
    if len(matching) == 1:
        return matching[0]
    found = _named(matching or groups.values())
    raise InputError(where, f"one series {series}", found, "choose one of these by its UID")


def _named(groups: Iterable[Sequence[SliceHeader]]) -> str:
    """Several series in words: each by its UID, its number if there is one, and how many slices it has."""
    groups = list(groups)
    named = []
    for members in groups[:_MOST_NAMED]:
        uids, numbers = ({getattr(header, name) for header in members} for name in ("series_uid", "series_number"))
        uid, number = (next(iter(values)) if len(values) == 1 else None for values in (uids, numbers))
        shown = uid if uid and _UID.fullmatch(uid) else "one without a UID"
        named.append(f"{shown}{'' if number is None else f' (number {number})'}: {counted(len(members), 'slice')}")
    if len(groups) > _MOST_NAMED:
        named.append(f"{len(groups) - _MOST_NAMED} more")
    return f"{len(groups)} series, {', '.join(named)}"


def _check_modality(header: SliceHeader, domain: Domain) -> None:
    wanted = _MODALITY_OF_KIND.get(domain.kind)
    if wanted and header.modality in _OF_SCANNERS and header.modality != wanted:
        known = header.modality in _MODALITY_OF_KIND.values()
        advice = "give it as a domain of that kind" if known else f"give slices of modality {wanted}"
        raise InputError(header.shown, f"a slice of domain {domain.name}", f"modality {header.modality}", advice)


def _warnings(left_out: Sequence[tuple[str, str | os.PathLike]], where: str | os.PathLike) -> tuple[str, ...]:
    if not left_out:
        return ()
    files = counted(len(left_out), "file that is no slice", "files that are no slices")
    return (f"{where}: left out {files} of the scan: {_counted(left_out)}",)


def _counted(kinds: Iterable[tuple[str, str | os.PathLike]]) -> str:
    """`3 such as Thumbs.db (no DICOM)`: how many files there are of each kind, with one of them."""
    files = collections.defaultdict(list)
    for kind, path in kinds:
        files[kind].append(PurePath(path).name)
    return ", ".join(
        f"{names[0]} ({kind})" if len(names) == 1 else f"{len(names)} such as {names[0]} ({kind})"
        for kind, names in files.items()
    )
