import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attent_tf.errors import ConfigError, InputError, RecordsError
from attent_tf.tasks import parse_rule
from attent_tf.volumes import CaseGeometry, PrepareOptions, prepare, restore_image
from tests.support.abdomen import ABDOMEN
from tests.support.from_grid import restore_labels

ORDERS = st.permutations(("RL", "AP", "SI")).flatmap(lambda order: st.tuples(*map(st.sampled_from, order)))
ROOM_MM = (160.0, 240.0)


@st.composite
def scans(draw, square: bool = True):
    """Axis codes, shape, spacing and place of a scan that covers the patient of `conftest`."""
    row_mm = draw(st.floats(2.4, 4.5))
    column_mm = row_mm if square else draw(st.floats(2.4, 4.5))
    shape = (
        draw(st.integers(9, 14)),
        int(ROOM_MM[0] / row_mm) + draw(st.integers(0, 8)),
        int(ROOM_MM[1] / column_mm) + draw(st.integers(0, 8)),
    )
    return {
        "codes": "".join(draw(ORDERS)),
        "shape_spl": shape,
        "spacing_spl": (draw(st.floats(6.0, 9.0)), row_mm, column_mm),
        "domain": draw(st.sampled_from(("ct", "mri"))),
        "shift_mm": tuple(draw(st.floats(-200, 200)) for _ in range(3)),
    }


def _world_of_record(volume, geometry, index):
    """[n, 3] (slice, row, column) on the grid to RAS+ millimetres, from the edges of the stored field alone."""
    corners = np.array(np.meshgrid(*[(0, size - 1) for size in volume.shape])).reshape(3, -1).T
    corners = corners @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    right, front, foot = corners[:, 0].max(), corners[:, 1].max(), corners[:, 2].min()
    grid = geometry.grid
    slice_mm, row_mm, column_mm = geometry.record_spacing_mm
    row_mm, column_mm = row_mm / grid.row_scale, column_mm / grid.column_scale
    return np.stack(
        [
            right - (grid.column_origin + grid.column_scale * index[:, 2]) * column_mm,
            front - (grid.row_origin + grid.row_scale * index[:, 1]) * row_mm,
            foot + index[:, 0] * slice_mm,
        ],
        axis=1,
    )


def _centre(mask):
    return np.argwhere(mask).mean(axis=0)


@settings(max_examples=20, deadline=None)
@given(scan=scans())
def test_labels_come_back_exactly_where_pixels_have_the_same_size(tools, scan):
    volume = tools.patient(**scan)
    case = prepare(volume, PrepareOptions(size=128, pixel_mm=scan["spacing_spl"][1]))
    restored = restore_labels(case.labels, case.geometry)
    assert restored.dtype == np.uint8
    assert restored.shape == volume.shape
    for organ in range(1, 5):
        assert tools.dice(restored == organ, volume.labels == organ) >= 0.98


@settings(max_examples=12, deadline=None)
@given(scan=scans(square=False), geometry=st.sampled_from(("physical", "resize")), pixel_mm=st.floats(1.8, 5.0))
def test_every_record_pixel_shows_its_own_place(tools, scan, geometry, pixel_mm):
    volume = tools.patient(**{**scan, "domain": "mri"})
    index = np.stack(np.indices(volume.shape), axis=-1)
    world = (index @ volume.affine[:3, :3].T + volume.affine[:3, 3]).astype(np.float32)
    for axis in range(3):
        # The intensity of a voxel is its position, so a record pixel must read as the position it stands for.
        case = prepare(
            dataclasses.replace(volume, voxels=world[..., axis], labels=None), PrepareOptions(geometry, 96, pixel_mm)
        )
        record = np.argwhere((np.abs(case.images) < 0.99) & _deep_inside(case.geometry))
        assert len(record) > 1000
        expected = _world_of_record(volume, case.geometry, record)[:, axis]
        seen = case.geometry.intensity.restore(case.images[tuple(record.T)])
        pixel_here_mm = max(scan["spacing_spl"][2 - axis], case.geometry.record_spacing_mm[2 - axis])
        assert np.abs(seen - expected).max() < 0.1 * pixel_here_mm


def _deep_inside(geometry):
    """[slice, size, size] bool: two pixels, record's or slice's, away from the border of the slice."""
    grid = geometry.grid
    slices, rows, columns = geometry.canonical_shape
    inside = []
    for origin, scale, count in (
        (grid.row_origin, grid.row_scale, rows),
        (grid.column_origin, grid.column_scale, columns),
    ):
        position, margin = origin + scale * np.arange(grid.size), 2 * max(1.0, scale)
        inside.append((position > margin) & (position < count - 1 - margin))
    return np.broadcast_to(inside[0][:, None] & inside[1], (slices, grid.size, grid.size))


@settings(max_examples=12, deadline=None)
@given(scan=scans(square=False), geometry=st.sampled_from(("physical", "resize")), pixel_mm=st.floats(1.8, 3.2))
def test_organs_keep_their_place_whatever_the_grid(tools, scan, geometry, pixel_mm):
    volume = tools.patient(**scan)
    case = prepare(volume, PrepareOptions(geometry, size=160, pixel_mm=pixel_mm))
    restored = restore_labels(case.labels, case.geometry)
    for organ in range(1, 5):
        stored_mm = _centre(volume.labels == organ) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
        on_grid_mm = _world_of_record(volume, case.geometry, _centre(case.labels == organ)[None])[0]
        # The borders of organs as small as ten pixels move by parts of a pixel; their middle by less.
        assert np.abs(on_grid_mm - stored_mm).max() < 1.0
        assert tools.dice(restored == organ, volume.labels == organ) > 0.9
    columns = [_centre(case.labels == organ)[2] for organ in (1, 4)]
    assert columns[0] < 80 < columns[1], "the liver stays at the left of the picture"


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PSL"])
def test_a_single_voxel_is_found_at_its_place(tools, codes):
    volume = tools.patient(codes, shape_spl=(9, 50, 70), spacing_spl=(8.0, 3.0, 3.0), domain="mri")
    voxels = volume.voxels.copy()
    voxels[3, 5, 7] = 5000.0
    case = prepare(dataclasses.replace(volume, voxels=voxels), PrepareOptions(size=96, pixel_mm=3.0))
    base = prepare(volume, PrepareOptions(size=96, pixel_mm=3.0))
    changed = np.argwhere(np.abs(case.images - base.images) > 0.5)
    assert len(changed) == 1
    expected = volume.affine[:3, :3] @ (3, 5, 7) + volume.affine[:3, 3]
    np.testing.assert_allclose(_world_of_record(volume, case.geometry, changed)[0], expected, atol=1e-6)


def test_images_are_normalised_and_black_outside_the_scan(tools):
    volume = tools.patient("LAS", spacing_spl=(8.0, 3.5, 3.5))
    case = prepare(volume, PrepareOptions(size=96, pixel_mm=3.5))
    assert case.images.dtype == np.float32
    assert case.images.shape == (14, 96, 96)
    assert (case.images[:, :10] == -1).all()
    liver, kidney = case.images[case.labels == 1], case.images[case.labels == 2]
    np.testing.assert_allclose(np.concatenate([liver, kidney]), (110 + 160) / 200 - 1, atol=1e-6)
    assert case.images.min() == -1
    assert case.images.max() == 1


def test_the_defaults_are_256_pixels_of_1_6_mm_on_the_body(tools):
    case = prepare(tools.patient("RAS", shape_spl=(2, 56, 72)))
    assert case.images.shape == (2, 256, 256)
    np.testing.assert_allclose(case.geometry.record_spacing_mm, (8.0, 1.6, 1.6))


def test_a_scan_without_labels_is_prepared_like_one_with(tools):
    volume = tools.patient("PIL")
    with_labels, without = prepare(volume), prepare(dataclasses.replace(volume, labels=None))
    assert without.labels is None
    assert without.geometry == with_labels.geometry
    np.testing.assert_array_equal(without.images, with_labels.images)


def test_a_mirrored_scan_is_refused(tools):
    volume = tools.patient("RAS")
    with pytest.raises(InputError, match=r"patient-RAS.*axes read as LAS"):
        prepare(dataclasses.replace(volume, affine=np.diag([-1.0, 1.0, 1.0, 1.0]) @ volume.affine), task=ABDOMEN)


def test_a_scan_without_a_body_is_refused(tools):
    volume = tools.patient("RAS")
    blank = dataclasses.replace(volume, voxels=volume.voxels.clip(-2000.0, -999.0))
    with pytest.raises(InputError, match=r"Hounsfield units, found none in -1000 to -999"):
        prepare(blank)


@pytest.mark.parametrize("domain", ["ct", "mri"])
@pytest.mark.parametrize("value", [0, -1000, 40])
def test_a_scan_of_one_value_is_refused_with_its_file(tools, domain, value):
    volume = tools.patient("RAS", domain=domain)
    same = dataclasses.replace(volume, voxels=np.full(volume.shape, value, np.int16), path="folder/scan.nii")
    with pytest.raises(
        InputError, match=rf"^folder/scan.nii: expected a scan with contrast, found {value} in all voxels"
    ):
        prepare(same)


@pytest.mark.parametrize("window", ["700:900", "-2000:-1000"], ids=["nothing but -1 left", "nothing but +1 left"])
def test_a_scan_of_which_nothing_lies_within_the_window_is_refused(tools, window):
    volume = tools.patient("RAS")
    assert (volume.voxels.min(), volume.voxels.max()) == (-1000, 700)
    expected = f"expected intensities within {window.replace(':', ' to ')}, found -1000 to 700"
    with pytest.raises(InputError, match=expected):
        prepare(volume, PrepareOptions(intensity={"ct": parse_rule(f"window:{window}")}))


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SAR"])
def test_an_image_comes_back_on_the_voxels_of_the_scan(tools, codes):
    volume = tools.patient(codes, spacing_spl=(8.0, 3.5, 3.5), domain="mri")
    case = prepare(volume, PrepareOptions(size=48, pixel_mm=3.5))
    raw = case.geometry.intensity.restore(case.images)
    back = restore_image(raw, case.geometry, voxels_outside=-5.0)
    assert back.dtype == np.float32
    inside = back != -5.0
    assert 0 < np.count_nonzero(~inside) < back.size / 2, "a grid of 48 pixels leaves some of 56 × 72 out"
    np.testing.assert_allclose(back[inside], np.clip(volume.voxels, 2, 400)[inside], atol=1e-3)
    kept = restore_image(raw, case.geometry, voxels_outside=volume.voxels)
    np.testing.assert_array_equal(kept[~inside], volume.voxels[~inside])
    np.testing.assert_array_equal(kept[inside], back[inside])


@pytest.mark.parametrize("shape", [(13, 32, 32), (14, 31, 32)])
def test_an_image_of_another_case_is_refused(tools, shape):
    geometry = prepare(tools.patient("RAS"), PrepareOptions(size=32)).geometry
    with pytest.raises(ValueError, match="shape"):
        restore_image(np.zeros(shape, np.float32), geometry, voxels_outside=0.0)


def test_geometry_survives_json_to_the_last_bit(tools):
    geometry = prepare(tools.patient("LPS", spacing_spl=(7.7, 1.1 + 1 / 3, 1.7)), PrepareOptions("resize")).geometry
    text = json.dumps(geometry.to_json(), allow_nan=False)
    assert CaseGeometry.from_json(json.loads(text)) == geometry
    assert set(json.loads(text)) == {
        "stored_shape",
        "stored_affine",
        "grid",
        "geometry",
        "record_spacing_mm",
        "intensity",
        "neighbours",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("grid", {"size": 256}),
        ("stored_affine", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        ("stored_shape", [4, 5]),
        ("geometry", "square"),
        ("intensity", {"rule": "window:0:1", "low": float("nan"), "high": 1.0}),
        ("record_spacing_mm", None),
    ],
)
def test_a_damaged_geometry_is_reported(tools, field, value):
    content = prepare(tools.patient("RAS"), PrepareOptions(size=32)).geometry.to_json()
    content[field] = value
    with pytest.raises(RecordsError, match="geometry of a case"):
        CaseGeometry.from_json(content)


@pytest.mark.parametrize("wrong", [{"geometry": "square"}, {"size": 0}, {"pixel_mm": 0.0}, {"pixel_mm": float("nan")}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        PrepareOptions(**wrong)
