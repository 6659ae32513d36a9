"""Property: however a scan is stored, its labels survive the way through a record and back, and the liver stays on the right."""

import itertools

import hypothesis
import hypothesis.strategies as st
import nibabel
import numpy as np
import pytest

from attent_tf.data.schema import decode, encode
from attent_tf.volumes import PrepareOptions, Volume, prepare
from beam_preprocess.slicing import slice_records
from tests.support.abdomen import ABDOMEN, CT, LIVER, ORGANS
from tests.support.from_grid import restore_labels
from tests.support.records import manifest_case

pytestmark = pytest.mark.slow

# Patient's RAS+ millimetres: centre and half axes of a body and of liver, right kidney, left kidney and spleen.
BODY = ((0, 0, 0), (150, 100, 500))
PLACES = (
    ((62, 20, 0), (50, 42, 45)),
    ((48, -42, 0), (24, 22, 40)),
    ((-48, -42, 0), (24, 22, 40)),
    ((-85, 5, 0), (28, 32, 40)),
)


def _patient(orientation, spacing_mm, shape, oblique_degrees, shift_mm):
    """An affine with axes in any order and direction, and the patient sampled on its voxels."""
    order, signs = orientation
    linear = np.zeros((3, 3))
    for axis, (world, sign) in enumerate(zip(order, signs, strict=True)):
        linear[world, axis] = sign * spacing_mm[axis]
    angle = np.deg2rad(oblique_degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ linear
    affine[:3, 3] = shift_mm - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    grid = np.stack(np.meshgrid(*(np.arange(size) for size in shape), indexing="ij"), -1)
    # The patient lies in the middle of the scan, wherever the scanner counts from, and as oblique as the slices.
    world = (grid @ affine[:3, :3].T + affine[:3, 3] - shift_mm) @ turn

    def inside(centre, half):
        return (((world - centre) / half) ** 2).sum(-1) < 1

    labels = np.zeros(shape, np.uint8)
    for index, place in enumerate(PLACES, start=1):
        labels[inside(*place)] = index
    voxels = np.where(labels > 0, 120.0, np.where(inside(*BODY), 40.0, -1000.0)).astype(np.float32)
    return Volume(voxels, affine, "case-1", CT, labels)


orientations = st.tuples(st.permutations(range(3)), st.tuples(*[st.sampled_from((1, -1))] * 3))


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(
    orientation=orientations,
    in_plane_mm=st.floats(1.8, 3.0),
    step_mm=st.floats(2.0, 9.0),
    ratio=st.floats(0.8, 1.25),
    oblique_degrees=st.floats(-20, 20),
    shift_mm=st.tuples(*[st.floats(-300, 300)] * 3),
)
def test_labels_survive_and_the_liver_stays_right(orientation, in_plane_mm, step_mm, ratio, oblique_degrees, shift_mm):
    order, _ = orientation
    # The axis that runs along the patient has the slice step; the others cover the body at their own spacing.
    spacing = [step_mm if world == 2 else in_plane_mm * (ratio if world == 1 else 1.0) for world in order]
    extent_mm = {0: 330.0, 1: 230.0, 2: 110.0}
    shape = tuple(int(np.ceil(extent_mm[world] / spacing[axis])) for axis, world in enumerate(order))
    volume = _patient(orientation, spacing, shape, oblique_degrees, np.array(shift_mm))
    prepared = prepare(volume, PrepareOptions(pixel_mm=min(in_plane_mm, in_plane_mm * ratio)))

    entry = manifest_case("case-1", "ct", prepared)
    payloads = [encode(record, ABDOMEN) for record in slice_records(prepared, np.arange(len(prepared.images)), entry)]
    records = [decode(payload, ABDOMEN) for payload in payloads]
    liver_columns = np.concatenate([np.nonzero(record.label == LIVER)[1] for record in records])
    # Columns count from the patient's right.
    assert liver_columns.mean() < prepared.geometry.grid.size / 2

    restored = restore_labels(np.stack([record.label for record in records]), records[0].geometry)
    assert restored.shape == volume.shape
    for index in range(1, len(ORGANS) + 1):
        found, expected = restored == index, volume.labels == index
        dice = 2 * (found & expected).sum() / (found.sum() + expected.sum())
        assert dice >= 0.98, f"{ORGANS[index - 1]}: {dice:.3f}"
    centre = nibabel.affines.apply_affine(volume.affine, np.argwhere(restored == LIVER).mean(axis=0)) - shift_mm
    assert centre[0] > 0


def test_every_orientation_is_drawn():
    """48 ways to store a scan; a property that never met some of them would prove little."""
    ways = set(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))
    assert len(ways) == 48
    seen = set()

    @hypothesis.settings(max_examples=2000, database=None, derandomize=True)
    @hypothesis.given(orientations)
    def draw(orientation):
        seen.add((tuple(orientation[0]), orientation[1]))

    draw()
    assert seen == ways
