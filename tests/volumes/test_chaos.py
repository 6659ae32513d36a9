import pickle

import numpy as np
import pytest
from PIL import Image

from attent_tf.datasets import find_cases, load_description, read_case
from attent_tf.datasets.labels import classes_of_grey
from attent_tf.errors import InputError
from tests.support.abdomen import ABDOMEN, LEFT_KIDNEY, LIVER, ORGANS, RIGHT_KIDNEY, SPLEEN

ROWS, COLUMNS = 4, 6


def _write_patient(tools, mr, patient, count=3, step_mm=8.0, ground=True, name="IMG-0004-{:05d}"):
    """Pixels that tell slice, row and column; the liver in the first row, the spleen in the last column."""
    sequence = mr / patient / "T2SPIR"
    base = 10 * np.arange(ROWS)[:, None] + np.arange(COLUMNS)
    slices = [tools.dicom_slice(base + 100 * n, (0.0, 0.0, step_mm * n)) for n in range(count)]
    tools.save_series(sequence / "DICOM_anon", slices, name + ".dcm")
    if ground:
        (sequence / "Ground").mkdir()
        for number in range(1, count + 1):
            grey = np.zeros((ROWS, COLUMNS), np.uint8)
            grey[0, :] = 63
            grey[:, -1] = 252 if number == 1 else 0
            Image.fromarray(grey).save(sequence / "Ground" / f"{name.format(number)}.png")
    return sequence


@pytest.fixture
def chaos(tools, tmp_path):
    mr = tmp_path / "CHAOS" / "Train_Sets" / "MR"
    for patient in ("10", "2", "1"):
        _write_patient(tools, mr, patient)
    return tmp_path / "CHAOS"


@pytest.mark.parametrize("part", ["", "Train_Sets", "Train_Sets/MR"])
def test_cases_are_found_from_each_level_in_order(chaos, part):
    cases = find_cases(chaos / part, ABDOMEN, "mri")
    assert [files.case for files in cases] == ["chaos-1", "chaos-2", "chaos-10"]
    for files in cases:
        assert (files.domain, files.dataset) == ("mri", "chaos")
        assert [path.rsplit("-", 1)[1] for path in files.images] == ["00001.dcm", "00002.dcm", "00003.dcm"]
        assert [path.rsplit("-", 1)[1] for path in files.labels] == ["00001.png", "00002.png", "00003.png"]
        assert pickle.loads(pickle.dumps(files)) == files


def test_the_patients_folder_may_have_another_name(chaos):
    (chaos / "Train_Sets" / "MR").rename(chaos / "patients")
    assert len(find_cases(chaos / "patients", ABDOMEN, "mri")) == 3


def test_files_left_by_archives_are_no_slices(chaos):
    folder = chaos / "Train_Sets" / "MR" / "1" / "T2SPIR"
    (folder / "DICOM_anon" / "._IMG-0004-00001.dcm").write_bytes(b"")
    (folder / "Ground" / ".DS_Store").write_bytes(b"")
    (folder / "Ground" / "Thumbs.db").write_bytes(b"")
    assert len(find_cases(chaos, ABDOMEN, "mri")[0].images) == 3


def test_pixels_and_labels_lie_on_each_other(chaos):
    volume = read_case(find_cases(chaos, ABDOMEN, "mri")[0])
    assert volume.case == "chaos-1"
    assert volume.shape == (COLUMNS, ROWS, 3)
    column, row, slice_ = 5, 2, 1
    assert volume.voxels[column, row, slice_] == 100 * slice_ + 10 * row + column
    assert volume.labels.dtype == np.uint8
    assert (volume.labels[:-1, 0] == LIVER).all()
    assert (volume.labels[-1, :, 0] == SPLEEN).all()
    assert (volume.labels[:, 1:, 1:] == 0).all()


def test_the_slice_step_is_measured_not_believed(chaos):
    # SliceThickness says 3.2 mm.
    assert read_case(find_cases(chaos, ABDOMEN, "mri")[0]).spacing_mm == pytest.approx((1.5, 2.0, 8.0))


def test_slices_follow_file_names_downwards_too(tools, tmp_path):
    mr = tmp_path / "MR"
    _write_patient(tools, mr, "1", step_mm=-6.5)
    volume = read_case(find_cases(mr, ABDOMEN, "mri")[0])
    assert volume.axis_codes == "LPI"
    assert [volume.voxels[0, 0, n] for n in range(3)] == [0, 100, 200]


def test_numbers_count_not_their_digits(tools, tmp_path):
    # As text, slice 10 would come before slice 2.
    _write_patient(tools, tmp_path / "MR", "1", count=11, name="IMG-{}")
    volume = read_case(find_cases(tmp_path / "MR", ABDOMEN, "mri")[0])
    np.testing.assert_array_equal(volume.voxels[0, 0], 100 * np.arange(11))


def test_names_against_positions_are_reported_with_the_folder(chaos):
    folder = chaos / "Train_Sets" / "MR" / "2" / "T2SPIR" / "DICOM_anon"
    first, second = folder / "IMG-0004-00001.dcm", folder / "IMG-0004-00002.dcm"
    aside = folder / "aside"
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    with pytest.raises(InputError, match=r"MR/2/T2SPIR/DICOM_anon: .*order of their positions"):
        read_case(find_cases(chaos, ABDOMEN, "mri")[1])


def test_grey_values_are_bins():
    grey = np.array([[0, 56, 63, 70], [111, 126, 135, 176], [189, 200, 241, 255]], np.uint8)
    expected = [
        [0, LIVER, LIVER, LIVER],
        [RIGHT_KIDNEY, RIGHT_KIDNEY, RIGHT_KIDNEY, LEFT_KIDNEY],
        [LEFT_KIDNEY, LEFT_KIDNEY, SPLEEN, SPLEEN],
    ]
    np.testing.assert_array_equal(classes_of_grey(grey, load_description("chaos"), ORGANS, "ground.png"), expected)


@pytest.mark.parametrize("value", [1, 55, 71, 110, 136, 175, 201, 240])
def test_grey_values_between_bins_are_refused(value):
    with pytest.raises(InputError, match=rf"^ground\.png: .*found {value};"):
        classes_of_grey(np.array([[0, 63, value]], np.uint8), load_description("chaos"), ORGANS, "ground.png")


def test_a_png_of_one_bit_is_read(chaos):
    path = chaos / "Train_Sets" / "MR" / "1" / "T2SPIR" / "Ground" / "IMG-0004-00002.png"
    Image.new("1", (COLUMNS, ROWS)).save(path)
    assert not read_case(find_cases(chaos, ABDOMEN, "mri")[0]).labels[:, :, 1].any()


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (Image.new("RGB", (COLUMNS, ROWS)), "mode RGB"),
        (Image.new("L", (ROWS, COLUMNS)), r"expected 4 × 6 pixels .* found 6 × 4"),
        (Image.new("L", (COLUMNS, ROWS), 90), "found 90"),
    ],
)
def test_a_png_that_cannot_be_its_labels_is_refused(chaos, image, found):
    image.save(chaos / "Train_Sets" / "MR" / "1" / "T2SPIR" / "Ground" / "IMG-0004-00002.png")
    with pytest.raises(InputError, match=rf"IMG-0004-00002\.png: .*{found}"):
        read_case(find_cases(chaos, ABDOMEN, "mri")[0])


def test_a_broken_png_is_refused(chaos):
    path = chaos / "Train_Sets" / "MR" / "1" / "T2SPIR" / "Ground" / "IMG-0004-00002.png"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match=r"IMG-0004-00002\.png"):
        read_case(find_cases(chaos, ABDOMEN, "mri")[0])


@pytest.mark.parametrize("folder", ["DICOM_anon", "Ground"])
def test_a_slice_without_its_counterpart_is_named(chaos, folder):
    sequence = chaos / "Train_Sets" / "MR" / "10" / "T2SPIR"
    suffix = {"DICOM_anon": "dcm", "Ground": "png"}
    other = {"DICOM_anon": "Ground", "Ground": "DICOM_anon"}[folder]
    (sequence / folder / f"IMG-0004-00002.{suffix[folder]}").unlink()
    with pytest.raises(
        InputError, match=rf"10/T2SPIR/{other}/IMG-0004-00002\.{suffix[other]}: .*of the same name, found none"
    ):
        find_cases(chaos, ABDOMEN, "mri")


def test_a_patient_without_the_sequence_is_named(chaos):
    (chaos / "Train_Sets" / "MR" / "3" / "T1DUAL").mkdir(parents=True)
    with pytest.raises(InputError, match=r"MR/3: expected T2SPIR/DICOM_anon/\*\.dcm in the folder"):
        find_cases(chaos, ABDOMEN, "mri")


def test_a_patient_without_slices_is_named(chaos):
    (chaos / "Train_Sets" / "MR" / "3" / "T2SPIR" / "DICOM_anon").mkdir(parents=True)
    with pytest.raises(InputError, match=r"MR/3/T2SPIR/(DICOM_anon|Ground)|MR/3: expected"):
        find_cases(chaos, ABDOMEN, "mri")


def test_patients_without_any_ground_truth_are_unlabelled(tools, tmp_path):
    for patient in ("4", "6"):
        _write_patient(tools, tmp_path / "Test_Sets" / "MR", patient, ground=False)
    cases = find_cases(tmp_path / "Test_Sets", ABDOMEN, "mri")
    assert [files.labels for files in cases] == [(), ()]
    assert read_case(cases[0]).labels is None


def test_one_patient_without_ground_truth_is_named(tools, chaos):
    _write_patient(tools, chaos / "Train_Sets" / "MR", "5", ground=False)
    with pytest.raises(
        InputError, match=r"MR/5/T2SPIR/DICOM_anon/.*: expected its labels 5/T2SPIR/Ground/\*\.png, found none"
    ):
        find_cases(chaos, ABDOMEN, "mri")


def test_chaos_is_not_ct(chaos):
    with pytest.raises(InputError, match="give it as mri"):
        find_cases(chaos, ABDOMEN, "ct")


def test_an_empty_folder_of_patients_is_said(tmp_path):
    (tmp_path / "Train_Sets" / "MR").mkdir(parents=True)
    with pytest.raises(InputError, match=r"expected a data set, .*T2SPIR"):
        find_cases(tmp_path, ABDOMEN, "mri")
