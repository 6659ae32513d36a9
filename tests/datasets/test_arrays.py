"""Files in the form of SIFA's data, each alone: what is read, and one line for whatever is wrong."""

import dataclasses
import zipfile

import numpy as np
import pytest

from attent_tf.datasets import find_cases, load_description, read_case, survey_cases
from attent_tf.datasets.arrays import check_slice, check_volume, read_slice, read_volume
from attent_tf.datasets.check import check_headers, find_duplicates
from attent_tf.datasets.load import description_from_text
from attent_tf.errors import ConfigError, InputError, RecordsError
from attent_tf.tasks import load_task
from attent_tf.tfrecord import example
from attent_tf.tfrecord.framing import frame
from attent_tf.volumes import CaseGeometry, PrepareOptions, prepare, to_canonical
from tests.support.sifa_files import (
    AORTA,
    CORNERS,
    LEFT_ATRIUM,
    LEFT_VENTRICLE,
    MYOCARDIUM,
    drawn_slices,
    slice_features,
    write_domain,
    write_slice,
    write_volume,
)

CARDIAC = load_task("cardiac")
VOXELS, LABELS = drawn_slices(3, seed=0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("sifa")
    write_domain(root, "ct", slices=2, volumes=1)
    write_domain(root, "mr", slices=1, volumes=0)
    return root


def test_cases_are_slices_and_volumes_without_the_test_patients_validation(data):
    found = {files.case: files for files in find_cases(data, CARDIAC, "ct")}
    assert list(found) == ["sifa-ct-1003", "sifa-ct-slice0", "sifa-ct-slice1"]
    assert [files.space for files in found.values()] == ["array", "slice", "slice"]
    assert [files.patient for files in found.values()] == ["sifa-ct-1003", "sifa-ct-unknown", "sifa-ct-unknown"]
    assert all(files.labels == files.images for files in found.values())
    (files,) = find_cases(data, CARDIAC, "mri")
    assert (files.case, files.dataset) == ("sifa-mri-slice0", "sifa-mri")


def test_numbers_become_the_structures_of_their_names(data):
    """SIFA: 1 myocardium, 2 left atrium, 3 left ventricle, 4 aorta; the task has the aorta first."""
    files = find_cases(data, CARDIAC, "ct", "sifa-ct")[1]
    volume = to_canonical(read_case(files))
    for number, name in (
        (MYOCARDIUM, "myocardium"),
        (LEFT_ATRIUM, "left_atrium"),
        (LEFT_VENTRICLE, "left_ventricle"),
        (AORTA, "ascending_aorta"),
    ):
        assert CARDIAC.class_names[volume.labels[(1, *CORNERS[number])]] == name


def test_labels_of_a_slices_neighbours_do_not_count(tmp_path):
    labels = LABELS.copy()
    labels[..., 0], labels[..., 2] = 77, 0.5
    numbers = read_slice(write_slice(tmp_path / "one.tfrecords", VOXELS, labels)).numbers
    np.testing.assert_array_equal(numbers[..., 1], LABELS[..., 1])
    assert not numbers[..., [0, 2]].any()
    # SIFA's description of the form has the middle slice alone, and its sizes say so where three are stored.
    only = write_slice(tmp_path / "only.tfrecords", VOXELS, LABELS[..., 1:2])
    told = write_slice(tmp_path / "told.tfrecords", VOXELS, LABELS, lsize_dim2=1)
    for path in (only, told):
        np.testing.assert_array_equal(read_slice(path).numbers, numbers)
        check_slice(path)


def test_what_the_network_is_shown_stands_as_in_sifas_code(tmp_path):
    """Rows and columns of slices as they are stored, those of volumes after half a turn; nothing is mirrored."""
    arrays = {
        "slice": read_slice(write_slice(tmp_path / "one.tfrecords", VOXELS, LABELS)),
        "volume": read_volume(write_volume(tmp_path / "one.npz", VOXELS, LABELS)),
    }
    np.testing.assert_array_equal(arrays["volume"].voxels, VOXELS[::-1, ::-1])
    for read in arrays.values():
        assert np.linalg.det(read.affine[:3, :3]) == np.linalg.det(arrays["slice"].affine[:3, :3])
    options = PrepareOptions(geometry="resize")
    write_domain(tmp_path, "ct", slices=1, volumes=1)
    for files, seed in zip(find_cases(tmp_path, CARDIAC, "ct"), (100, 0), strict=True):
        shown, numbers = drawn_slices(3, seed)
        volume = read_case(files)
        prepared = prepare(volume, options.with_rules({"ct": files.description.intensity}), task=CARDIAC)
        # evaluate.py and data_loader.py of SIFA: 2 (x + 2.8) / (3.2 + 2.8) - 1.
        expected = np.moveaxis(2 * (shown + 2.8) / 6 - 1, 2, 0)
        np.testing.assert_allclose(prepared.images, expected, atol=1e-6)
        classes = np.array([0, 4, 2, 3, 1])[np.moveaxis(numbers, 2, 0).astype(int)]
        kept = slice(1, 2) if files.is_slice else slice(None)
        np.testing.assert_array_equal(prepared.labels[kept], classes[kept])
        assert (prepared.geometry.space, prepared.geometry.record_spacing_mm) == (files.space, (1, 1, 1))


def test_only_what_is_no_scan_says_so_in_its_geometry(tmp_path):
    path = write_slice(tmp_path / "ct_train_slice0.tfrecords", VOXELS, LABELS)
    (files,) = find_cases(tmp_path, CARDIAC, "ct")
    geometry = prepare(read_case(files), PrepareOptions(geometry="resize")).geometry
    content = geometry.to_json()
    assert content["space"] == "slice"
    assert CaseGeometry.from_json(content) == geometry
    assert "space" not in dataclasses.replace(geometry, space="patient").to_json()
    with pytest.raises(RecordsError, match="one of patient, array, slice"):
        CaseGeometry.from_json(content | {"space": "outer"})
    with pytest.raises(ConfigError, match=f"{path.name} do not say how large their voxels are"):
        prepare(read_case(files))


@pytest.mark.parametrize(("name", "low", "high"), [("sifa-ct", -2.8, 3.2), ("sifa-mri", -1.8, 4.4)])
def test_limits_are_those_of_sifas_code(name, low, high):
    rule = load_description(name).intensity
    assert (rule.kind, rule.low, rule.high) == ("window", low, high)


def _slice_bytes(**changed):
    features = {name: value for name, value in (slice_features(VOXELS, LABELS) | changed).items() if value is not None}
    return frame(example.pack(features))


_WHOLE = _slice_bytes()
_ODD = LABELS.copy()
_ODD[0, 0, 1] = 1.5
_NAN = VOXELS.copy()
_NAN[0, 0, 0] = np.nan

# name, bytes, whether its frame tells it, what the line says.
SLICE_FAULTS = [
    ("cut", _WHOLE[:-100], True, "expected one record, of a slice, found a file cut off or of several records"),
    ("short", _WHOLE[:1000], True, "expected a slice of 1048576 bytes or more, found 1000 bytes"),
    ("empty", b"", True, "found 0 bytes"),
    ("two", _WHOLE * 2, True, "of several records"),
    ("length", b"\1" + _WHOLE[1:], True, "expected a whole TFRecord file, found record 0 has a length whose checksum"),
    (
        "flipped",
        _WHOLE[:5000] + bytes([_WHOLE[5000] ^ 1]) + _WHOLE[5001:],
        False,
        "has content whose checksum does not match",
    ),
    ("other", frame(b"x" * len(_WHOLE)), False, "expected a tf.train.Example of a slice, found other content"),
    ("rows", _slice_bytes(dsize_dim0=128), False, "expected 256 as dsize_dim0, found 128"),
    ("depth", _slice_bytes(lsize_dim2=2), False, "expected 1 or 3 as lsize_dim2, found 2"),
    ("sizeless", _slice_bytes(dsize_dim1=None), False, "expected 256 as dsize_dim1, found none"),
    (
        "imageless",
        _slice_bytes(data_vol=None, more=bytes(2**20)),
        False,
        "expected 786432 bytes of data_vol, found none",
    ),
    ("unlabelled", _slice_bytes(label_vol=None, more=bytes(2**20)), False, "bytes of label_vol, found none"),
    ("number", _slice_bytes(data_vol=3, more=bytes(2**20)), False, "bytes of data_vol, found none"),
    ("halved", _slice_bytes(data_vol=bytes(2**18)), False, "expected 786432 bytes of data_vol, found 262144 bytes"),
    ("fraction", _slice_bytes(label_vol=_ODD.tobytes()), False, "expected whole numbers as labels, found 1.5"),
    ("nan", _slice_bytes(data_vol=_NAN.tobytes()), False, "expected finite intensities, found 1 voxel that is NaN"),
]


@pytest.mark.parametrize(
    ("content", "by_frame", "line"), [row[1:] for row in SLICE_FAULTS], ids=[row[0] for row in SLICE_FAULTS]
)
def test_each_fault_of_a_slice_is_one_line(tmp_path, content, by_frame, line):
    path = tmp_path / "ct_train_slice0.tfrecords"
    path.write_bytes(content)
    with pytest.raises(InputError) as told:
        read_slice(path)
    assert str(told.value).startswith(f"{path}: expected ")
    assert "\n" not in str(told.value)
    (files,) = find_cases(tmp_path, CARDIAC, "ct")
    problems = check_headers(files)
    assert [problem.check for problem in problems] == ["readable"] * by_frame
    assert line in (str(problems[0].problem) if by_frame else str(told.value))


def test_a_label_beyond_the_structures_is_named(tmp_path):
    path = write_slice(tmp_path / "ct_train_slice0.tfrecords", VOXELS, LABELS + 1)
    (files,) = find_cases(tmp_path, CARDIAC, "ct")
    with pytest.raises(InputError, match=r"ct_train_slice0\.tfrecords: expected labels 0\.\.4, found 5;"):
        read_case(files)
    assert files.images == (str(path),)


def _npz(path, *arrays, **named):
    np.savez(path, *arrays, **named)


VOLUME_FAULTS = [
    ("unlabelled", lambda path: _npz(path, VOXELS), "found no arr_1"),
    ("named", lambda path: _npz(path, image=VOXELS, label=LABELS), "found no arr_0"),
    (
        "size",
        lambda path: _npz(path, VOXELS[:128], LABELS[:128]),
        "expected 256 × 256 × slices in arr_0 and arr_1, found 128 × 256 × 3",
    ),
    ("flat", lambda path: _npz(path, VOXELS[..., 0], LABELS[..., 0]), "found 256 × 256 in arr_0"),
    ("apart", lambda path: _npz(path, VOXELS, LABELS[..., :2]), "found 256 × 256 × 2 in arr_1"),
    ("objects", lambda path: _npz(path, np.array([None]), LABELS), "expected numbers in arr_0, found object"),
    ("words", lambda path: _npz(path, VOXELS, LABELS.astype(str)), "expected numbers in arr_1, found <U"),
    ("text", lambda path: path.write_text("an error page"), "expected a whole .npz file, as numpy.savez writes it"),
    ("empty", lambda path: path.write_bytes(b""), "expected a whole .npz file"),
]


@pytest.mark.parametrize(("write", "line"), [row[1:] for row in VOLUME_FAULTS], ids=[row[0] for row in VOLUME_FAULTS])
def test_each_fault_of_a_volumes_form_is_one_line_and_told_without_its_voxels(tmp_path, write, line):
    path = tmp_path / "one.npz"
    write(path)
    for look in (check_volume, read_volume):
        with pytest.raises(InputError) as told:
            look(path)
        assert line in str(told.value)
        assert str(told.value).startswith(f"{path}: ")
        assert "\n" not in str(told.value)


def test_faults_in_a_volumes_voxels_are_one_line(tmp_path):
    for voxels, labels, line in (
        (_NAN, LABELS, "finite intensities"),
        (VOXELS, _ODD, "whole numbers as labels, found 1.5"),
    ):
        path = write_volume(tmp_path / "one.npz", voxels, labels)
        check_volume(path)
        with pytest.raises(InputError, match=f"expected {line}"):
            read_volume(path)
    whole = write_volume(tmp_path / "one.npz", VOXELS, LABELS).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"one\.npz: expected a whole \.npz file"):
        check_volume(path)
    path.write_bytes(whole[:5000] + bytes(64) + whole[5064:])
    with pytest.raises(InputError, match=r"one\.npz: expected a whole \.npz file.*CRC"):
        read_volume(path)


def test_damage_to_the_directory_or_to_a_header_is_one_line(tmp_path):
    """Both make NumPy and zipfile raise what is no ValueError."""
    path = write_volume(tmp_path / "one.npz", VOXELS, LABELS)
    whole = path.read_bytes()
    directory = whole.rindex(b"PK\5\6") + 16
    header = whole.index(b"'shape': (") + 9
    for damaged in (
        whole[:directory] + b"\xff\xff\xff\x7f" + whole[directory + 4 :],
        whole[:header] + b"(" + whole[header:].replace(b")", b" ", 1)[1:],
    ):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"one\.npz: expected a whole \.npz file") as told:
            check_volume(path)
        assert "\n" not in str(told.value)


def test_labels_of_any_type_and_packed_volumes_are_read(tmp_path):
    np.savez_compressed(tmp_path / "one.npz", VOXELS.astype(np.float64), LABELS.astype(np.int16))
    arrays = read_volume(tmp_path / "one.npz")
    np.testing.assert_array_equal(arrays.voxels, VOXELS)
    np.testing.assert_array_equal(arrays.numbers, LABELS)
    assert zipfile.is_zipfile(tmp_path / "one.npz")


def test_a_slice_in_two_folders_is_named(tmp_path):
    for folder in ("a", "b/c"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "ct_train_slice0.tfrecords").write_bytes(b"")
    found = survey_cases(tmp_path, CARDIAC, "ct", "sifa-ct")
    assert "expected one file for a case" in str(found.problems[0].problem)


def test_the_same_slice_twice_does_no_harm_and_the_same_volume_does(tmp_path):
    for name in ("slice0", "slice1"):
        write_slice(tmp_path / f"ct_train_{name}.tfrecords", VOXELS, LABELS)
    assert not find_duplicates(find_cases(tmp_path, CARDIAC, "ct"))
    for name in ("1003", "1008"):
        write_volume(tmp_path / "test_ct_image&labels" / f"{name}.npz", VOXELS, LABELS)
    (problem,) = find_duplicates(find_cases(tmp_path, CARDIAC, "ct"))
    assert problem.case == "sifa-ct-1008"


_OWN = "name: own\nmodality: ct\nimages: 'slices/{case}.tfrecords'\nlabel_values: {a: 1}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (_OWN.replace("label_values: {a: 1}\n", ""), "label_values: expected the numbers that mean structures"),
        (_OWN + "labels: '{case}.png'\n", "expected none, as .tfrecords files hold their labels"),
        (_OWN + "volumes: '{case}.nii'\n", "volumes: expected .npz files beside images in .tfrecords files"),
        (_OWN.replace("tfrecords", "nii") + "volumes: '{case}.npz'\n", "volumes: expected .npz files beside"),
        (_OWN + "volumes: '{patient}/{case}.npz'\n", "expected {patient} in all patterns or in none"),
    ],
)
def test_descriptions_that_cannot_be_meant_are_refused(text, line):
    with pytest.raises(ConfigError) as told:
        description_from_text(text, "own.yaml")
    assert line in str(told.value)


def test_a_task_that_the_labels_do_not_know_is_refused(data):
    with pytest.raises(ConfigError, match="data set sifa-ct: expected labels for each structure of the task abdomen"):
        find_cases(data, load_task("abdomen"), "ct")


@pytest.mark.parametrize(
    ("given", "space", "line"),
    [
        ({"geometry": "physical"}, "array", "--geometry: expected resize"),
        ({"geometry": "resize", "slice_mm": 2.0}, "array", "--slice-mm: expected none"),
        ({"geometry": "resize", "neighbours": 2}, "slice", "--neighbours: expected 0 or 1"),
    ],
)
def test_options_that_need_what_nobody_knows_are_refused(given, space, line):
    options = PrepareOptions(**given)
    options.check_space("patient", "scans")
    with pytest.raises(ConfigError, match=line):
        options.check_space(space, "the files")
    if given.get("neighbours"):
        options.check_space("array", "volumes")
