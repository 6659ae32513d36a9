"""Numbers of a records folder, against numbers worked out by hand."""

import json

import numpy as np
import pytest

from attent_tf.data.manifest import read_manifest
from attent_tf.data.reader import read_case_records
from attent_tf.data.statistics import folder_statistics


@pytest.fixture
def found(folder):
    return folder_statistics(folder, read_manifest(folder))


def test_cases_are_counted_by_domain_and_split(found):
    assert found["domains"].keys() == {"ct", "mri"}
    assert found["domains"]["ct"]["cases"] == {"test": 1, "train": 1}
    assert (found["domains"]["ct"]["labelled"], found["domains"]["ct"]["slices"]) == (1, 6)
    assert found["domains"]["mri"]["cases"] == {"train": 1}


def test_volumes_are_pixels_times_their_size(folder, found):
    manifest = read_manifest(folder)
    records = read_case_records(folder, manifest, "malbcv-0001")
    pixels = sum(int((record.label == 1).sum()) for record in records)
    # Records of 5.0 × 1.5 × 1.65 mm.
    expected = pixels * 5.0 * 1.5 * 1.65 / 1000
    organ = found["domains"]["ct"]["organs"]["liver"]
    assert organ["volume_ml"] == pytest.approx([expected] * 3)
    assert organ["pixel_share"] == pytest.approx(pixels / (3 * 16 * 16))
    assert (organ["cases"], organ["slices"]) == (1, 3)
    assert found["cases"][0]["organs_ml"]["liver"] == pytest.approx(expected)
    assert found["cases"][1]["organs_ml"] is None


def test_intensities_are_those_of_all_images_of_a_domain(folder, found):
    manifest = read_manifest(folder)
    images = np.stack(
        [
            record.image
            for case in ("malbcv-0001", "malbcv-0002")
            for record in read_case_records(folder, manifest, case)
        ]
    )
    intensity = found["domains"]["ct"]["intensity"]
    assert intensity["mean"] == pytest.approx(images.mean(), abs=1e-6)
    assert intensity["std"] == pytest.approx(images.std(), abs=1e-6)
    for point, value in intensity["percentiles"].items():
        # Bins are 1/256 wide.
        assert value == pytest.approx(np.percentile(images, int(point)), abs=0.01)


def test_ranges_are_smallest_median_and_largest(found):
    assert found["domains"]["ct"]["spacing_mm"] == {"slice": [5.0] * 3, "row": [1.5] * 3, "column": [1.65] * 3}
    assert found["domains"]["ct"]["stored_shapes"] == [[20, 18, 9], [20, 18, 10]]


def test_distances_of_the_scans_are_those_of_their_affine(found):
    # The grid's pixels are 1.25 and 1.5 pixels of the scan.
    for axis, step_mm in (("slice", 5.0), ("row", 1.5 / 1.25), ("column", 1.65 / 1.5)):
        assert found["domains"]["ct"]["scan_spacing_mm"][axis] == pytest.approx([step_mm] * 3)


def test_slices_are_counted_out_of_all_that_were_prepared(found):
    # The two CT cases have 9 and 10 prepared slices, of which 3 each are kept.
    ct = found["domains"]["ct"]
    assert (ct["slices"], ct["slice_count"]) == (6, 19)


def test_it_is_strict_json(found):
    assert json.loads(json.dumps(found, allow_nan=False)) == found
