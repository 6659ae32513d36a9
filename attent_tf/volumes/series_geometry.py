"""Slices in an order to one grid: they make a volume, or what keeps them from it.

A volume is what its geometry says: SliceThickness is not the distance of slices.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from attent_tf.counting import counted
from attent_tf.errors import InputError
from attent_tf.volumes.dicom import SliceHeader
from attent_tf.volumes.nifti_header import MAX_VOXELS

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])

# Slice positions may stray from even steps by this part of a step: less than any missing slice, more than rounding.
_STEP_TOLERANCE = 0.1


def series_affine(headers: Sequence[SliceHeader], series: str) -> np.ndarray:
    """Returns the [4, 4] float64 affine of slices in the order given, to millimetres in RAS+.

    Raises:
      InputError: the slices do not make one volume in this order; the first of `series_problems`.
    """
    for problem in series_problems(headers, series):
        raise problem
    first = headers[0]
    step_mm = (headers[-1].position_mm - first.position_mm) / (len(headers) - 1)
    affine = np.eye(4)
    affine[:3, :3] = _LPS_TO_RAS @ np.column_stack([*(first.directions * first.spacing_mm[:, None]), step_mm])
    affine[:3, 3] = _LPS_TO_RAS @ first.position_mm
    return affine


def series_problems(headers: Sequence[SliceHeader], series: str) -> Iterator[InputError]:
    """Yields what keeps slices from making one volume in this order.

    Args:
      headers: the headers of the slices.
      series: what a message calls them: a case or a folder.
    """
    if len(headers) < 2:
        yield InputError(series, "at least 2 DICOM slices", f"{len(headers)}", "give the whole series")
        return
    first = headers[0]
    mixed = []
    for quantity, values, same in (
        ("size", [(header.rows, header.columns) for header in headers], lambda a, b: a == b),
        (
            "orientation",
            [header.directions.round(4).tolist() for header in headers],
            lambda a, b: np.allclose(a, b, atol=1e-3),
        ),
        (
            "pixel spacing",
            [header.spacing_mm.tolist() for header in headers],
            lambda a, b: np.allclose(a, b, rtol=1e-3),
        ),
    ):
        for header, value in zip(headers, values, strict=True):
            if not same(value, values[0]):
                found = f"{values[0]} in {first.shown} and {value} in {header.shown}"
                mixed.append(InputError(series, f"slices of one {quantity}", found, "give one series"))
                break
    yield from mixed
    voxels = sum(header.rows * header.columns for header in headers)
    if voxels > MAX_VOXELS:
        found = f"{voxels} in {counted(len(headers), 'slice')}"
        yield InputError(series, f"at most {MAX_VOXELS} voxels", found, "give one series, or crop it")
    # Positions of slices that are not parallel have no order.
    if not any("orientation" in fault.problem.expected for fault in mixed):
        yield from _step_problems(headers, series)


def _step_problems(headers: Sequence[SliceHeader], series: str) -> Iterator[InputError]:
    heights = np.array([header.height_mm for header in headers])
    steps = np.diff(heights)
    same = np.flatnonzero(np.abs(steps) < 1e-3)
    if same.size:
        found = f"{headers[same[0]].shown} and {headers[same[0] + 1].shown} at {heights[same[0]]:.2f} mm"
        differing = _differing_traits(headers)
        if differing:
            found += f", of several {' and '.join(differing)}"
        advice = "export one of them as a series of its own" if differing else "remove the duplicate slices"
        yield InputError(series, "one slice at each position", found, advice)
        return
    turned = np.flatnonzero(np.sign(steps) != np.sign(steps[0]))
    if turned.size:
        found = f"that {headers[turned[0] + 1].shown} turns back along the patient"
        advice = "correct the file names or the positions"
        yield InputError(series, "slices in the order of their positions", found, advice)
        return
    positions = np.array([header.position_mm for header in headers])
    step = (positions[-1] - positions[0]) / (len(headers) - 1)
    stray = np.linalg.norm(positions - (positions[0] + np.arange(len(headers))[:, None] * step), axis=1)
    worst = int(stray.argmax())
    length = float(np.linalg.norm(step))
    if stray[worst] > _STEP_TOLERANCE * length:
        found = f"{headers[worst].shown} {stray[worst]:.2f} mm off"
        yield InputError(series, f"slices at even steps of {length:.2f} mm", found, "look for a missing slice")


def _differing_traits(headers: Sequence[SliceHeader]) -> list[str]:
    """Names of what tells frames apart, such as time points."""
    values: dict[str, set[str]] = {}
    for header in headers:
        for name, value in header.traits:
            values.setdefault(name, set()).add(value)
    return [name for name, found in values.items() if len(found) > 1]
