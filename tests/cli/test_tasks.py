"""Commands with another task than the abdomen: label files are scored by it, and folders say which one they are of."""

import json

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf.configs import Config
from attent_tf.methods import get_method
from attent_tf.runs import Run, create_or_check
from attent_tf.tasks import task_to_mapping
from attent_tf.volumes import PrepareOptions
from cli.main import main
from tests.support.amos_task import AMOS, columns_of_structures
from tests.support.hand_records import HandCase, write_hand_records


def _attent(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def task_file(tmp_path):
    path = tmp_path / "amos.yaml"
    path.write_text(json.dumps(task_to_mapping(AMOS)))
    return path


@pytest.fixture
def folders(tmp_path):
    """A folder of predictions that lack the liver and the bladder, and one of references."""
    labels = columns_of_structures(AMOS)
    found = np.where(np.isin(labels, [AMOS.class_names.index(name) for name in ("liver", "bladder")]), 0, labels)
    for folder, values in (("predictions", found), ("references", labels)):
        (tmp_path / folder).mkdir()
        image = nibabel.Nifti1Image(values.astype(np.uint8), np.diag([5.0, 1.5, 1.5, 1]))
        nibabel.save(image, tmp_path / folder / "a.nii.gz")
    return tmp_path / "predictions", tmp_path / "references"


def test_label_files_are_scored_by_the_task_that_is_named(task_file, folders, tmp_path):
    words = ("--predictions", folders[0], "--references", folders[1], "--out", tmp_path / "out")
    done = _attent("evaluate", *words, "--task", task_file)
    assert done.exit_code == 0, done.output
    head = next(line for line in done.output.splitlines() if line.startswith("Dice %"))
    assert "Gallbladder" in head
    assert "a: liver, bladder missed" in done.output
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["task"] == task_to_mapping(AMOS)
    # The bladder is missed as well, and not scored.
    assert metrics["average"]["dice"] == pytest.approx(100 * 12 / 13)


def test_without_a_task_labels_are_the_abdomens(folders, tmp_path):
    done = _attent("evaluate", "--predictions", folders[0], "--references", folders[1], "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "labels out of 0, 1, 2, 3, 4" in done.output


def test_a_task_that_is_not_there_is_one_line(folders, tmp_path):
    words = ("--predictions", folders[0], "--references", folders[1], "--out", tmp_path / "out")
    done = _attent("evaluate", *words, "--task", "cardiak")
    assert done.exit_code == 1
    assert "did you mean 'cardiac'" in done.output
    assert (
        "cannot be used with --run"
        in _attent("evaluate", "--run", "x", "--records", "y", "--out", "z", "--task", "a").output
    )


def test_info_tells_the_task_of_records(tmp_path):
    images = np.linspace(-1, 1, 2 * 64 * 64, dtype=np.float32).reshape(2, 64, 64)
    labels = columns_of_structures(AMOS, (4, 64, 64))[1:3]
    write_hand_records(tmp_path / "records", [HandCase("a", "t1", "train", images, labels)], AMOS)
    done = _attent("info", "--records", tmp_path / "records", "--cases")
    assert done.exit_code == 0, done.output
    assert "task amos: Fifteen organs" in done.output
    assert "14 Bladder (not scored), 15 Prostate or uterus (not scored)" in done.output
    assert "domains: t1 (mri), t2 (mri)" in done.output
    content = json.loads(_attent("info", "--records", tmp_path / "records", "--json").stdout)
    assert content["task"] == task_to_mapping(AMOS)


def test_info_tells_the_task_of_a_run(tmp_path):
    run = Run(tmp_path / "run", get_method("attent"), "t12t2", Config(), "0" * 64, PrepareOptions(), AMOS)
    create_or_check(run, ())
    done = _attent("info", "--run", tmp_path / "run")
    assert done.exit_code == 0, done.output
    assert "task amos: Fifteen organs" in done.output
    assert "direction: t12t2" in done.output
    content = json.loads(_attent("info", "--run", tmp_path / "run", "--json").stdout)
    assert (content["task"]["name"], content["target"]) == ("amos", "t2")


def test_info_wants_one_folder():
    assert _attent("info").exit_code == 2
    assert (
        "Give one of --records, --run, --model and a package" in _attent("info", "--records", "a", "--run", "b").output
    )
    assert "--cases goes with --records" in _attent("info", "--run", "b", "--cases").output


@pytest.mark.parametrize(
    ("option", "file"), [("--records", "manifest.json"), ("--run", "run.json"), ("--model", "metadata.json")]
)
def test_info_of_a_folder_without_its_option_names_the_option(tmp_path, option, file):
    (tmp_path / file).touch()
    result = _attent("info", tmp_path)
    assert result.exit_code == 2
    assert f"found a folder with {file}; say {option} {tmp_path}" in " ".join(result.output.split())
