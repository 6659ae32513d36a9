import json

import pytest

from attent_tf.errors import ConfigError
from attent_tf.scoring.label_map import label_map_from, load_label_map
from tests.support.abdomen import ABDOMEN, ORGANS


def _values(side):
    return dict(side.description.label_values)


def test_by_default_both_sides_hold_our_classes_under_the_same_names():
    label_map = load_label_map(None, ABDOMEN)
    for side in (label_map.predictions, label_map.references):
        assert side.patterns == ((None, "{case}.nii.gz"),)
        assert _values(side) == {"liver": (1,), "right_kidney": (2,), "left_kidney": (3,), "spleen": (4,)}
        assert side.known == {1, 2, 3, 4}
    assert label_map.structures == ORGANS


def test_what_stands_at_the_top_holds_for_both_and_a_side_replaces_it():
    content = {
        "label_values": {"liver": 6, "spleen": 1},
        "last_label": 13,
        "predictions": {"labels": "{case}_seg.nii.gz", "label_values": {"liver": [1, 2], "spleen": 3}},
    }
    label_map = label_map_from(content, ABDOMEN, "map.yaml")
    assert _values(label_map.predictions) == {"liver": (1, 2), "spleen": (3,)}
    assert _values(label_map.references) == {"liver": (6,), "spleen": (1,)}
    assert label_map.references.known is None
    assert label_map.structures == ("liver", "spleen")


def test_masks_replace_label_maps():
    content = {
        "label_values": {"liver": 1, "spleen": 2},
        "predictions": {"masks": {"liver": "{case}/liver.nii.gz", "spleen": "{case}/spleen.nii.gz"}},
    }
    label_map = label_map_from(content, ABDOMEN, "map.yaml")
    assert [organ for organ, _ in label_map.predictions.patterns] == ["liver", "spleen"]
    assert label_map.references.patterns == ((None, "{case}.nii.gz"),)


@pytest.mark.parametrize(
    "labels",
    [
        {"background": 0, "liver": 5, "kidney_right": 2, "colon": 9},
        {"0": "background", "5": "liver", "2": "kidney_right", "9": "colon"},
    ],
)
def test_names_come_from_the_dataset_file_of_nnunet(tmp_path, labels):
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}))
    text = "predictions: {label_names: dataset.json, label_values: {liver: liver, right_kidney: kidney_right}}\n"
    (tmp_path / "map.yaml").write_text(text)
    side = load_label_map(tmp_path / "map.yaml", ABDOMEN).predictions
    assert _values(side) == {"liver": (5,), "right_kidney": (2,)}
    # Other named labels may occur and mean nothing here.
    assert side.known == {2, 5, 9}


def test_names_that_are_ours_need_no_values():
    content = {"label_names": {"background": 0, "spleen": 3, "liver": [1, 2], "tumour": 2}}
    assert _values(label_map_from(content, ABDOMEN, "map.yaml").references) == {"liver": (1, 2), "spleen": (3,)}


def test_a_side_may_be_a_described_data_set():
    side = label_map_from({"references": "malbcv"}, ABDOMEN, "map.yaml").references
    assert side.description.labels == "label/label{case}.nii.gz"
    assert (_values(side)["liver"], side.known) == ((6,), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1", "map.yaml: expected keys such as predictions"),
        (
            "predictions: {label_value: {liver: 1}}",
            "map.yaml: predictions: unknown key 'label_value'; did you mean 'label_val",
        ),
        ("predictions: {predictions: {}}", "map.yaml: predictions: unknown key 'predictions'"),
        ("prediction: {}", "map.yaml: unknown key 'prediction'; did you mean 'predictions'"),
        ("label_values: {livr: 1}", "'livr' is no structure of the task abdomen; did you mean 'liver'?"),
        (
            "label_values: {liver: big}",
            "label_values: liver: expected numbers, or label_names that say what names mean, found",
        ),
        ("{label_names: {liver: 1}, label_values: {liver: livr}}", "liver: expected one of liver, found 'livr'"),
        ("label_values: {liver: -1}", "label_values: liver: entry 0: expected a whole number from 0, found -1"),
        ("label_values: {liver: 1, spleen: 1}", "expected each number to mean one structure"),
        ("label_names: nowhere.json", "expected a dataset.json, No such file"),
        ("label_names: {liver: 1.5}", "expected a whole number from 0 for 'liver', found 1.5"),
        ("labels: label.nii.gz", "labels: expected a path with {case}"),
        ("labels: '{case}.png'", "expected label maps that end in .nii or .nii.gz, found '{case}.png'"),
        ("references: chaos", "expected label maps that end in .nii or .nii.gz"),
        ("references: dicom", "expected a description with labels or masks; dicom has none"),
        ("references: 3", "references: expected keys, or the name of a description, found 3"),
        (
            "{predictions: {label_values: {liver: 1}}, references: {label_values: {spleen: 1}}}",
            "a structure of the task abdomen that both sides name",
        ),
        ("a: [", "not valid YAML"),
    ],
)
def test_wrong_maps_are_one_line(tmp_path, text, message):
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_label_map(tmp_path / "map.yaml", ABDOMEN)
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_missing_map_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="expected a label map, No such file"):
        load_label_map(tmp_path / "map.yaml", ABDOMEN)
