import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from attent_tf.data.split_file import read_split_file
from attent_tf.data.splits import assign_splits
from attent_tf.errors import InputError
from attent_tf.phantom import write_phantom
from attent_tf.phantom.chaos import chaos_numbers
from attent_tf.phantom.malbcv import malbcv_numbers
from attent_tf.phantom.writing import write_subject
from tests.support.abdomen import ABDOMEN

CHAOS_NUMBERS = {1, 2, 3, 5, 8, 10, 13, 15, 19, 20, 21, 22, 31, 32, 33, 34, 36, 37, 38, 39}


def _bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_the_folders_are_laid_out_as_the_data_sets_are(phantom_folder):
    series = phantom_folder / "chaos" / "Train_Sets" / "MR" / "1" / "T2SPIR"
    dicom = sorted(path.stem for path in (series / "DICOM_anon").iterdir())
    ground = sorted(path.stem for path in (series / "Ground").iterdir())
    assert dicom == ground
    assert 26 <= len(dicom) <= 36
    assert all(re.fullmatch(r"IMG-\d{4}-\d{5}", stem) for stem in dicom)
    training = phantom_folder / "malbcv" / "RawData" / "Training"
    names = sorted(str(path.relative_to(training)) for path in training.rglob("*.nii.gz"))
    assert names == ["img/img0001.nii.gz", "label/label0001.nii.gz"]
    assert sorted(path.name for path in phantom_folder.iterdir()) == ["chaos", "malbcv"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(phantom_folder, tmp_path):
    write_subject(tmp_path, "chaos", 1, 5)
    assert _bytes(tmp_path / "chaos") == _bytes(phantom_folder / "chaos")


@pytest.mark.slow
def test_neither_the_number_of_subjects_nor_of_processes_changes_a_subject(phantom_folder, tmp_path):
    reported = []
    write_phantom(tmp_path / "out", subjects=2, seed=5, report=reported.append, workers=2)
    written = _bytes(tmp_path / "out")
    assert sorted(reported) == ["chaos-1", "chaos-2", "malbcv-0001", "malbcv-0002"]
    for name, content in _bytes(phantom_folder).items():
        assert written[name] == content


@pytest.mark.slow
def test_another_seed_gives_another_subject(phantom_folder, tmp_path):
    write_subject(tmp_path, "chaos", 1, 6)
    assert not set(_bytes(tmp_path / "chaos").values()) & {
        content for name, content in _bytes(phantom_folder / "chaos").items() if name.endswith(".dcm")
    }


def test_subjects_are_numbered_as_the_data_sets_are():
    assert set(chaos_numbers(20)) == CHAOS_NUMBERS
    assert set(malbcv_numbers(30)) == set(range(1, 11)) | set(range(21, 41))
    for numbers in (chaos_numbers, malbcv_numbers):
        assert numbers(45)[:12] == numbers(12)
        assert len(set(numbers(45))) == 45


def test_a_small_phantom_has_test_and_training_subjects_of_the_published_split():
    for numbers, test in ((chaos_numbers, {1, 13, 32, 38}), (malbcv_numbers, {1, 9, 30, 32, 33, 39})):
        assert len(test & set(numbers(2))) == 1
        assert len(test & set(numbers(12))) == 3


def test_an_occupied_folder_is_refused_and_left_alone(tmp_path):
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(InputError, match="does not exist yet or is empty"):
        write_phantom(tmp_path, subjects=1, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


@pytest.mark.parametrize(("options", "name"), [({"subjects": 0}, "subjects"), ({"seed": -1}, "seed")])
def test_impossible_numbers_are_refused_before_anything_is_written(tmp_path, options, name):
    with pytest.raises(InputError, match=f"^{name}: expected"):
        write_phantom(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_an_interrupted_phantom_leaves_nothing(tmp_path, monkeypatch):
    def fail(folder, number, rng):
        (folder / "half").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr("attent_tf.phantom.writing._WRITERS", {"chaos": fail, "malbcv": fail})
    with pytest.raises(KeyboardInterrupt):
        write_phantom(tmp_path / "out", subjects=1, workers=1)
    assert list(tmp_path.iterdir()) == []


def _volumes_ml(folder, domain):
    from attent_tf.datasets import find_cases, read_case

    scan = read_case(find_cases(folder, ABDOMEN, domain)[0])
    return [np.count_nonzero(scan.labels == k) * np.prod(scan.spacing_mm) / 1000 for k in range(1, 5)]


@pytest.mark.slow
def test_each_modality_has_its_own_patients(phantom_folder):
    assert not np.allclose(
        _volumes_ml(phantom_folder / "chaos", "mri"), _volumes_ml(phantom_folder / "malbcv", "ct"), rtol=0.02
    )


@pytest.mark.slow
def test_a_body_can_be_drawn_in_the_other_modality(phantom_folder, tmp_path):
    assert write_subject(tmp_path, "malbcv", 9, 5, anatomy_of=("chaos", 1)) == "malbcv-0009"
    drawn, body = _volumes_ml(tmp_path / "malbcv", "ct"), _volumes_ml(phantom_folder / "chaos", "mri")
    # Slices of 5 and of 5 to 9 mm.
    np.testing.assert_allclose(drawn, body, rtol=0.05)


def _split_of(name):
    return read_split_file(Path(__file__).resolve().parents[2] / "benchmarks" / name)


def _cases(subjects):
    chaos = {f"chaos-{number}" for number in chaos_numbers(subjects)}
    return chaos, {f"malbcv-{number:04}" for number in malbcv_numbers(subjects)}


def test_the_split_of_the_published_benchmark_tests_on_six_of_the_phantoms_fourteen_subjects():
    split = _split_of("phantom_split.yaml")
    for cases in _cases(14):
        assert sorted(split[case] for case in cases) == ["test"] * 6 + ["train"] * 8
    assert split.keys() == set.union(*_cases(14))


def test_the_larger_development_phantom_learns_from_those_that_the_smaller_one_learns_from():
    split = _split_of("development_split.yaml")
    smaller = [
        SimpleNamespace(case=case, patient=case, domain=domain, dataset=case.split("-")[0], is_slice=False)
        for domain, cases in zip(("mri", "ct"), _cases(12), strict=True)
        for case in cases
    ]
    ratio = assign_splits(smaller, "ratio", seed=1)
    assert {case for case in split if split[case] == "train"} == {case for case in ratio if ratio[case] == "train"}
    assert split.keys() == set.union(*_cases(22))
