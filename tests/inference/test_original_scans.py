"""Scores on the scan's own voxels are taken on the scan that the records were made from, and on no other."""

import dataclasses

import numpy as np
import pytest

from attent_tf.data.manifest import ManifestCase
from attent_tf.datasets import find_cases, input_digest, read_case
from attent_tf.errors import InputError
from attent_tf.inference.original_scans import OriginalScans, find_originals, read_original
from attent_tf.volumes import prepare, to_canonical
from tests.support.abdomen import ABDOMEN
from tests.support.folders import write_ct


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("ct")
    write_ct(root, 1, "LPS")
    return root


@pytest.fixture(scope="module")
def case(folder):
    """The entry that a manifest would have of the one scan."""
    (files,) = find_cases(folder, ABDOMEN, "ct")
    volume = read_case(files)
    prepared = prepare(volume)
    count = len(prepared.images)
    return ManifestCase(
        case=files.case,
        patient=files.patient,
        domain="ct",
        dataset=files.dataset,
        split="test",
        labelled=True,
        slices=count,
        slice_count=count,
        uses_labels_for_selection=False,
        sha256=input_digest(volume),
        shard="slices-00000-of-00001.tfrecord",
        geometry=prepared.geometry,
    )


def test_the_scan_comes_in_canonical_orientation_with_its_labels(folder, case):
    files = find_originals(OriginalScans(str(folder)), ABDOMEN, [case])[case.case]
    original = read_original(files, case)
    expected = to_canonical(read_case(files))
    np.testing.assert_array_equal(original.labels, expected.labels)
    assert original.axis_codes == "SPL"
    assert original.shape == case.geometry.canonical_shape
    assert original.labels.any()


def test_the_layout_is_that_of_the_records_unless_another_is_named(folder, case):
    """Records of a data set that ships are looked for by its description, not by what a folder looks like."""
    elsewhere = dataclasses.replace(case, dataset="chaos")
    with pytest.raises(InputError, match="expected images of chaos"):
        find_originals(OriginalScans(str(folder), "chaos"), ABDOMEN, [case])
    with pytest.raises(InputError, match="expected images of chaos"):
        find_originals(OriginalScans(str(folder)), ABDOMEN, [elsewhere])
    assert find_originals(OriginalScans(str(folder), "malbcv"), ABDOMEN, [elsewhere])
    own = dataclasses.replace(case, dataset="mine")
    assert find_originals(OriginalScans(str(folder)), ABDOMEN, [own])


@pytest.mark.parametrize("change", ["place", "size", "content"])
def test_another_scan_is_refused(folder, case, change):
    files = find_originals(OriginalScans(str(folder)), ABDOMEN, [case])[case.case]
    geometry = case.geometry
    if change == "place":
        moved = np.array(geometry.stored_affine)
        moved[0, 3] += 0.5
        other = dataclasses.replace(
            case, geometry=dataclasses.replace(geometry, stored_affine=tuple(map(tuple, moved)))
        )
    elif change == "size":
        shape = (1, *geometry.stored_shape[1:])
        other = dataclasses.replace(case, geometry=dataclasses.replace(geometry, stored_shape=shape))
    else:
        other = dataclasses.replace(case, sha256="0" * 64)
    expected = "other voxels or labels on the same grid" if change == "content" else "another grid"
    with pytest.raises(InputError, match=expected):
        read_original(files, other)


def test_a_case_that_is_not_there_is_named(folder, case):
    other = dataclasses.replace(case, case="malbcv-0009")
    with pytest.raises(
        InputError, match=r"expected the case malbcv-0009 of the records, found others \(1\), such as malbcv-0001"
    ):
        find_originals(OriginalScans(str(folder)), ABDOMEN, [other])
