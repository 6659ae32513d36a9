"""Which slices of a folder make a scan: one series, whatever else lies there."""

import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.volumes import read_scan
from tests.support.abdomen import ABDOMEN, CT
from tests.support.dicom_folders import UID, body, heights, slice_dataset, write_series

ONE, TWO = body(4, seed=1), body(4, seed=2)


def _interleaved(folder):
    write_series(folder, ONE, heights(4), "1")
    write_series(folder, TWO, heights(4, start_mm=2.5), "2", first=11)


def _one_above_the_other(folder):
    write_series(folder, ONE, heights(4), "1")
    write_series(folder, TWO, heights(4, start_mm=20.0), "2", first=11)


def _at_other_positions(folder):
    write_series(folder, ONE, heights(4), "1")
    write_series(folder, TWO, heights(4, start_mm=400.0), "2", first=11)


def _at_the_same_positions(folder):
    write_series(folder, ONE, heights(4), "1")
    write_series(folder, TWO, heights(4), "2", first=11)


LAYOUTS = [_interleaved, _one_above_the_other, _at_other_positions, _at_the_same_positions]


def _refused(folder, domain="ct", **options):
    with pytest.raises(InputError) as caught:
        read_scan(folder, ABDOMEN.domain(domain), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("write", LAYOUTS)
def test_several_series_are_refused_by_their_names_and_counts(tmp_path, write):
    write(tmp_path)
    assert _refused(tmp_path) == (
        f"{tmp_path}: expected slices of one series, found 2 series, {UID}1 (number 1): 4 slices, {UID}2 (number 2): 4 slices; "
        "put each into a folder of its own, or choose one by --series (segment, translate) or a column series (cohorts)"
    )


@pytest.mark.parametrize("write", LAYOUTS)
@pytest.mark.parametrize("series", [UID + "2", "2"])
def test_one_of_them_can_be_chosen_by_identifier_or_number(tmp_path, write, series):
    write(tmp_path)
    alone = tmp_path / "alone"
    write(alone)
    for path in alone.glob("IM000*"):
        path.unlink()
    chosen, expected = read_scan(tmp_path, CT, series=series), read_scan(alone, CT)
    np.testing.assert_array_equal(chosen.voxels, TWO.transpose(2, 1, 0))
    np.testing.assert_array_equal(chosen.affine, expected.affine)
    assert chosen.warnings == ()


def test_a_series_that_is_not_there_is_told_with_those_that_are(tmp_path):
    _interleaved(tmp_path)
    line = _refused(tmp_path, series=UID + "3")
    assert f"expected one series {UID}3, found 2 series, {UID}1 (number 1): 4 slices, {UID}2" in line


def test_a_number_that_two_series_have_chooses_neither(tmp_path):
    write_series(tmp_path, ONE, series="1")
    write_series(
        tmp_path, TWO, heights(4, 2.5), "2", first=11, edit=lambda dataset, _: setattr(dataset, "SeriesNumber", 1)
    )
    assert "choose one of these by its UID" in _refused(tmp_path, series="1")
    np.testing.assert_array_equal(read_scan(tmp_path, CT, series=UID + "1").voxels, ONE.transpose(2, 1, 0))


def test_one_stray_slice_of_another_series_is_no_part_of_the_scan(tmp_path):
    write_series(tmp_path, ONE)
    write_series(tmp_path, TWO[:1], [20.0], "2", first=11)
    assert "(number 1): 4 slices, " in (line := _refused(tmp_path))
    assert "(number 2): 1 slice;" in line


def test_many_series_are_counted_and_not_all_named(tmp_path):
    for series in range(1, 10):
        write_series(tmp_path, ONE[:2], heights(2, 40.0 * series), str(series), first=10 * series)
    line = _refused(tmp_path)
    assert "found 9 series" in line
    assert f"{UID}6 (number 6): 2 slices, 3 more;" in line


def test_slices_with_an_identifier_each_are_one_scan_as_in_chaos(tmp_path):
    def own_uid(one, place):
        one.SeriesInstanceUID = f"{UID}5.{place}"

    write_series(tmp_path, ONE, edit=own_uid)
    np.testing.assert_array_equal(read_scan(tmp_path, CT).voxels, ONE.transpose(2, 1, 0))


def test_the_identifier_of_one_slice_is_not_that_of_the_scan(tmp_path):
    def own_uid(one, place):
        one.SeriesInstanceUID = f"{UID}5.{place}"

    write_series(tmp_path, ONE, edit=own_uid)
    line = _refused(tmp_path, series=f"{UID}5.0")
    assert "found 1 series, one without a UID (number 1): 4 slices" in line
    assert read_scan(tmp_path, CT, series="1").shape == (60, 50, 4)


def test_slices_without_identifiers_and_numbers_are_one_scan(tmp_path):
    write_series(tmp_path, ONE, series=None)
    np.testing.assert_array_equal(read_scan(tmp_path, CT).voxels, ONE.transpose(2, 1, 0))


def test_two_acquisitions_of_one_series_belong_together(tmp_path):
    def acquisition(one, place):
        one.AcquisitionNumber = 1 + place % 2

    write_series(tmp_path, ONE, edit=acquisition)
    np.testing.assert_array_equal(read_scan(tmp_path, CT).voxels, ONE.transpose(2, 1, 0))


@pytest.mark.parametrize("anonymised", ["without", "one each"])
def test_where_identifiers_tell_nothing_series_numbers_do(tmp_path, anonymised):
    def without_uid(one, place):
        del one.SeriesInstanceUID

    def own_uid(one, place):
        one.SeriesInstanceUID = f"{UID}5.{one.SeriesNumber}.{place}"

    edit = without_uid if anonymised == "without" else own_uid
    write_series(tmp_path, ONE, edit=edit)
    write_series(tmp_path, TWO, heights(4, 2.5), "2", first=11, edit=edit)
    line = _refused(tmp_path)
    assert "one without a UID (number 1): 4 slices, one without a UID (number 2): 4 slices" in line
    np.testing.assert_array_equal(read_scan(tmp_path, CT, series="2").voxels, TWO.transpose(2, 1, 0))


def test_a_series_number_that_cannot_be_read_keeps_no_scan_from_being_read(tmp_path):
    paths = write_series(tmp_path, ONE, series="7")
    content = paths[0].read_bytes()
    assert content.count(b"IS\x02\x007 ") == 1
    paths[0].write_bytes(content.replace(b"IS\x02\x007 ", b"IS\x02\x00no"))
    assert read_scan(tmp_path, CT).shape == (60, 50, 4)


def test_what_stands_in_the_place_of_an_identifier_is_not_shown(tmp_path, recwarn):
    for series, name in (("1", "Doe^Jane"), ("2", "Doe^John")):
        paths = write_series(tmp_path, ONE, heights(4, 100.0 * int(series)), series, first=10 * int(series))
        for path in paths:
            path.write_bytes(
                path.read_bytes().replace(_padded(UID + series), name.ljust(len(_padded(UID + series))).encode())
            )
    line = _refused(tmp_path)
    assert "one without a UID (number 1): 4 slices" in line
    assert "Doe" not in line


def _padded(uid):
    return uid.encode() + b"\0" * (len(uid) % 2)


def test_localizers_are_left_out_and_told(tmp_path):
    def localizer(one, _):
        one.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        one.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]

    write_series(tmp_path, ONE)
    write_series(tmp_path, TWO[:2], [0.0, 90.0], "2", first=11, edit=localizer)
    volume = read_scan(tmp_path, CT)
    np.testing.assert_array_equal(volume.voxels, ONE.transpose(2, 1, 0))
    assert volume.warnings == (
        f"{tmp_path}: left out 2 files that are no slices of the scan: 2 such as IM0011.dcm (a localizer)",
    )


def test_localizers_alone_are_refused_as_slices(tmp_path):
    def localizer(one, place):
        one.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        one.ImageOrientationPatient = [0, 1, 0, 0, 0, -1] if place else [1, 0, 0, 0, 0, -1]

    write_series(tmp_path, ONE[:2], edit=localizer)
    assert "slices of one orientation" in _refused(tmp_path)


def test_a_series_of_the_other_modality_beside_it_is_no_matter_once_one_is_chosen(tmp_path):
    write_series(tmp_path, ONE)
    write_series(tmp_path, TWO, heights(4, 2.5), "2", "MR", first=11)
    assert "found 2 series" in _refused(tmp_path)
    np.testing.assert_array_equal(read_scan(tmp_path, CT, series="1").voxels, ONE.transpose(2, 1, 0))
    line = _refused(tmp_path, series="2")
    assert "IM0011.dcm: expected a slice of domain ct, found modality MR; give it as a domain of that kind" in line


@pytest.mark.parametrize("modality", ["PT", "NM", "US"])
def test_other_scanners_are_refused_and_words_of_converters_are_not(tmp_path, modality):
    write_series(tmp_path / "scan", ONE, edit=lambda dataset, _: setattr(dataset, "Modality", modality))
    assert f"found modality {modality}; give slices of modality CT" in _refused(tmp_path / "scan")
    write_series(tmp_path / "converted", ONE, edit=lambda dataset, _: setattr(dataset, "Modality", "OT"))
    assert read_scan(tmp_path / "converted", CT).shape == (60, 50, 4)


def test_a_file_has_no_series_to_choose_from(tmp_path):
    (tmp_path / "a.nii").touch()
    assert "expected a folder of DICOM slices with the series 1, found a file" in _refused(
        tmp_path / "a.nii", series="1"
    )


def test_a_slice_alone_is_no_scan(tmp_path):
    slice_dataset(ONE[0], 0.0).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    assert "expected at least 2 DICOM slices, found 1" in _refused(tmp_path)
