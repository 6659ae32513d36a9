"""A description is joined to a task: its names become the task's classes, in the task's order."""

import nibabel
import numpy as np
import pytest

from attent_tf.datasets import find_cases, load_description, read_case
from attent_tf.datasets.labels import classes_of_grey
from attent_tf.datasets.load import description_from_text
from attent_tf.errors import ConfigError, InputError
from attent_tf.tasks import load_task, task_from_mapping

SMALL = task_from_mapping(
    {
        "name": "small",
        "structures": ["spleen", "liver"],
        "domains": {"t1": "mri", "plain": "ct", "late": "ct", "sketch": "other"},
    },
    "small",
)
NUMBERS = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)


def _write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array, np.diag([2.0, 2.0, 2.0, 1.0]))
    image.set_sform(image.affine, code=1)
    nibabel.save(image, path)


def _malbcv(root):
    _write(root / "img" / "img0001.nii.gz", np.arange(8, dtype=np.int16).reshape(2, 2, 2))
    _write(root / "label" / "label0001.nii.gz", NUMBERS)
    return root


def test_numbers_become_the_classes_of_the_task_and_the_rest_background(tmp_path):
    """In MALBCV 1 is the spleen, 2 and 3 are kidneys, which this task has not got, and 6 is the liver."""
    (files,) = find_cases(_malbcv(tmp_path), SMALL, "late")
    volume = read_case(files)
    assert volume.domain == SMALL.domain("late")
    np.testing.assert_array_equal(volume.labels.ravel(), [0, 1, 0, 0, 0, 0, 2, 0])


def test_grey_values_of_other_structures_are_background_and_those_between_bins_refused():
    grey = np.array([[0, 63, 126, 252]], np.uint8)
    chaos = load_description("chaos")
    np.testing.assert_array_equal(classes_of_grey(grey, chaos, SMALL.structure_names, "ground.png"), [[0, 2, 0, 1]])
    with pytest.raises(InputError, match=r"ground\.png: expected grey values 0 or in .* found 100"):
        classes_of_grey(np.array([[100]], np.uint8), chaos, SMALL.structure_names, "ground.png")


def test_masks_of_other_structures_need_not_be_there(tmp_path):
    (tmp_path / "d.yaml").write_text(
        "name: d\nmodality: any\nroot: d\nimages: '{case}/ct.nii.gz'\nmasks:\n  heart: '{case}/heart.nii.gz'\n"
        "  liver: '{case}/liver.nii.gz'\n  spleen: '{case}/spleen.nii.gz'\n"
    )
    _write(tmp_path / "d" / "1" / "ct.nii.gz", NUMBERS)
    _write(tmp_path / "d" / "1" / "liver.nii.gz", (NUMBERS == 6).astype(np.uint8))
    _write(tmp_path / "d" / "1" / "spleen.nii.gz", (NUMBERS == 1).astype(np.uint8))
    (files,) = find_cases(tmp_path / "d.yaml", SMALL, "plain")
    np.testing.assert_array_equal(read_case(files).labels.ravel(), [0, 1, 0, 0, 0, 0, 2, 0])


def test_masks_of_other_structures_in_a_folder_of_all_cases_are_no_strangers(tmp_path):
    (tmp_path / "d.yaml").write_text(
        "name: d\nmodality: any\nroot: d\nimages: 'img/{case}.nii.gz'\nmasks:\n  heart: 'seg/{case}_heart.nii.gz'\n"
        "  liver: 'seg/{case}_liver.nii.gz'\n  spleen: 'seg/{case}_spleen.nii.gz'\n"
    )
    _write(tmp_path / "d" / "img" / "1.nii.gz", NUMBERS)
    for name in ("heart", "liver", "spleen"):
        _write(tmp_path / "d" / "seg" / f"1_{name}.nii.gz", (len(name) == NUMBERS).astype(np.uint8))
    (files,) = find_cases(tmp_path / "d.yaml", SMALL, "plain")
    assert len(files.labels) == 2
    _write(tmp_path / "d" / "seg" / "1_lung.nii.gz", NUMBERS)
    with pytest.raises(InputError, match="1_lung"):
        find_cases(tmp_path / "d.yaml", SMALL, "plain")


def test_a_plain_folder_holds_the_classes_of_whatever_task(tmp_path):
    _write(tmp_path / "images" / "a.nii.gz", NUMBERS)
    _write(tmp_path / "labels" / "a.nii.gz", NUMBERS % 3)
    (files,) = find_cases(tmp_path, SMALL, "t1")
    np.testing.assert_array_equal(read_case(files).labels, NUMBERS % 3)
    _write(tmp_path / "labels" / "a.nii.gz", NUMBERS % 4)
    with pytest.raises(InputError, match=r"a.nii.gz: expected labels 0..2, found 3"):
        read_case(files)


@pytest.mark.parametrize(
    ("task", "dataset", "found"),
    [
        (
            "cardiac",
            "malbcv",
            "^data set malbcv: .* task cardiac; ascending_aorta is missing among spleen, right_kidney, ",
        ),
        (
            "abdomen",
            "typo.yaml",
            "^data set typo: .* task abdomen; left_kidney is missing among .*; did you mean 'leftkidney'?",
        ),
    ],
)
def test_a_structure_that_labels_do_not_name_is_one_line(tmp_path, task, dataset, found):
    (tmp_path / "typo.yaml").write_text(
        "name: typo\nmodality: ct\nimages: 'img/img{case}.nii'\nlabels: 'label/label{case}.nii'\n"
        "label_values: {liver: 1, right_kidney: 2, leftkidney: 3, spleen: 4}\n"
    )
    where = dataset if dataset == "malbcv" else tmp_path / dataset
    with pytest.raises(ConfigError, match=found) as refused:
        find_cases(_malbcv(tmp_path / "data"), load_task(task), "ct", where)
    assert "\n" not in str(refused.value)


def test_the_modality_of_a_data_set_must_be_the_domains_kind(tmp_path):
    _malbcv(tmp_path)
    with pytest.raises(
        InputError,
        match=r"a data set of domain t1, kind mri, found MALBCV.*, which is ct; give it as plain or late or sketch",
    ):
        find_cases(tmp_path, SMALL, "t1")
    assert len(find_cases(tmp_path, SMALL, "sketch")) == 1
    with pytest.raises(ConfigError, match="task small has no domain 't3'; it has t1, plain, late, sketch"):
        find_cases(tmp_path, SMALL, "t3")


def test_a_description_may_name_any_structure():
    text = "name: x\nmodality: mri\nimages: '{case}.nii'\nlabels: 'l/{case}.nii'\nlabel_values: {cochlea: 2, lesion: [1, 3]}\n"
    assert description_from_text(text, "x").structures == ("cochlea", "lesion")
