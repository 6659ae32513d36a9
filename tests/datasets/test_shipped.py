"""Each description that ships, on a folder as its data set lays it out."""

import nibabel
import numpy as np
import pytest

from attent_tf.datasets import SHIPPED, find_cases, load_description, read_case
from attent_tf.tasks import load_task, task_from_mapping

ABDOMEN, CARDIAC = load_task("abdomen"), load_task("cardiac")
EAR = task_from_mapping(
    {"name": "ear", "structures": ["tumour", "cochlea"], "domains": {"t1": "mri", "t2": "mri"}}, "ear"
)
# The fifteen of AMOS, in its order.
AMOS = task_from_mapping(
    {
        "name": "fifteen",
        "structures": [
            *("spleen", "right_kidney", "left_kidney", "gallbladder", "esophagus", "liver", "stomach", "aorta"),
            *("inferior_vena_cava", "pancreas", "right_adrenal_gland", "left_adrenal_gland", "duodenum"),
            *("urinary_bladder", "prostate"),
        ],
        "domains": {"ct": "ct", "mri": "mri"},
    },
    "fifteen",
)
# Numbers of MM-WHS, and what the four structures of `cardiac` become; the right chambers and the pulmonary artery are background.
_HEART = ([0, 205, 420, 500, 550, 600, 820, 850], [0, 4, 2, 3, 0, 0, 1, 0])
_SIXTEEN = (range(16), range(16))

# description, task, domain, image and labels of two cases, numbers in the label map, the classes that they become.
LABEL_MAPS = [
    ("amos-ct", AMOS, "ct", "amos22/imagesTr/amos_{}", "amos22/labelsTr/amos_{}", ("0001", "0500"), *_SIXTEEN),
    ("amos-mri", AMOS, "mri", "imagesTr/amos_{}", "labelsTr/amos_{}", ("0507", "0600"), *_SIXTEEN),
    (
        "amos-ct",
        ABDOMEN,
        "ct",
        "imagesTr/amos_{}",
        "labelsTr/amos_{}",
        ("0001", "0500"),
        [1, 2, 3, 6, 15],
        [4, 2, 3, 1, 0],
    ),
    ("mmwhs-ct", CARDIAC, "ct", "ct_train/ct_train_{}_image", "ct_train/ct_train_{}_label", ("1001", "1020"), *_HEART),
    ("mmwhs-mri", CARDIAC, "mri", "mr_train_{}_image", "mr_train_{}_label", ("1001", "1010"), *_HEART),
    ("mmwhs-mri", CARDIAC, "mri", "mr_train_{}_image", "mr_train_{}_label", ("1001", "1010"), [420, 421], [2, 2]),
    (
        *("crossmoda-t1", EAR, "t1", "training_source/crossmoda2022_{}_ceT1", "training_source/crossmoda2022_{}_Label"),
        *(("etz_0", "ldn_1"), range(3), range(3)),
    ),
    (
        *("crossmoda-t1", EAR, "t1", "source_training/crossmoda_{}_ceT1", "source_training/crossmoda_{}_Label"),
        *(("1", "105"), range(3), range(3)),
    ),
]


def _write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array, np.diag([2.0, 2.0, 3.0, 1.0]))
    image.set_sform(image.affine, code=1)
    nibabel.save(image, path.with_name(path.name + ".nii.gz"))


@pytest.mark.parametrize(
    ("name", "task", "domain", "image", "labels", "cases", "numbers", "classes"),
    LABEL_MAPS,
    ids=[f"{row[0]}-{row[1].name}-{len(row[6])}" for row in LABEL_MAPS],
)
def test_label_maps_become_the_tasks_classes(tmp_path, name, task, domain, image, labels, cases, numbers, classes):
    held = np.array(numbers, np.int16).reshape(-1, 1, 1)
    for case in cases:
        _write(tmp_path / image.format(case), np.arange(held.size, dtype=np.int16).reshape(held.shape))
        _write(tmp_path / labels.format(case), held)
    if name.startswith("amos"):
        # Of the other modality, under the numbers that AMOS keeps for it.
        other = "0501" if name == "amos-ct" else "0499"
        for pattern in (image, labels):
            _write(tmp_path / pattern.format(other), held)
    found = find_cases(tmp_path, task, domain, name)
    assert [files.images[0] for files in found] == [str(tmp_path / f"{image.format(case)}.nii.gz") for case in cases]
    assert len({files.patient for files in found}) == 2
    for files in found:
        np.testing.assert_array_equal(read_case(files).labels.ravel(), list(classes))


def test_the_target_domain_of_crossmoda_has_no_labels(tmp_path):
    for name in ("target_training/crossmoda_106_hrT2", "target_validation/crossmoda_211_hrT2"):
        _write(tmp_path / name, np.zeros((2, 2, 2), np.int16))
    (files,) = find_cases(tmp_path, EAR, "t2", "crossmoda-t2")
    assert (files.case, files.labels) == ("crossmoda-t2-crossmoda_106", ())


@pytest.mark.parametrize(("kind", "image", "classes"), [("ct", "ct", 117), ("mri", "mri", 50)])
def test_masks_of_totalsegmentator_are_read_where_the_task_names_them(tmp_path, kind, image, classes):
    description = load_description(f"totalsegmentator-{kind}")
    assert len(description.masks) == classes
    numbers = np.arange(5, dtype=np.uint8).reshape(5, 1, 1)
    for number, (_, pattern) in enumerate(description.masks):
        # A mask that no task asks for may be damaged.
        path = tmp_path / pattern.format(case="s0001").removesuffix(".nii.gz")
        wanted = {"liver": 1, "kidney_right": 2, "kidney_left": 3, "spleen": 4}.get(path.name, 0)
        _write(path, (numbers == wanted).astype(np.uint8) if wanted else np.full((1, 1, 1), number, np.uint8))
    _write(tmp_path / "s0001" / image, numbers.astype(np.int16))
    (files,) = find_cases(tmp_path, ABDOMEN, kind, f"totalsegmentator-{kind}")
    assert files.case == f"totalsegmentator-{kind}-s0001"
    np.testing.assert_array_equal(read_case(files).labels.ravel(), range(5))


def test_names_of_structures_are_the_same_in_all_that_show_them():
    named = {name: set(load_description(name).structures) for name in SHIPPED}
    assert set(AMOS.structure_names) == named["amos-ct"] == named["amos-mri"]
    for name in ("totalsegmentator-ct", "totalsegmentator-mri"):
        assert named[name] >= named["amos-ct"] | set(ABDOMEN.structure_names)
    assert named["mmwhs-ct"] == named["mmwhs-mri"] >= set(CARDIAC.structure_names)
