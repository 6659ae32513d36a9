"""A task of two structures between two domains that are neither MRI nor CT by name, from records to label maps."""

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf.configs import load_config
from attent_tf.deployment import read_contract
from attent_tf.runs import load_run
from attent_tf.tasks import task_to_mapping
from attent_tf.training.train import train
from attent_tf.volumes import PrepareOptions, write_scan
from cli.main import main
from tests.support.hand_records import HandCase, write_hand_records
from tests.support.small_runs import TINY, SilentObserver
from tests.support.small_tasks import SMALL

pytestmark = pytest.mark.slow

OPTIONS = PrepareOptions(size=32, pixel_mm=12.8)
# Grey values of air, body, `bright` and `dark`; in the target `bright` is no longer so.
GREYS = {"t1": (-1.0, 0.0, 0.9, -0.7), "t2": (-1.0, 0.4, -0.5, 0.9)}


def _case(name, domain, split, rng):
    labels = np.zeros((4, 32, 32), np.uint8)
    kinds = np.zeros(labels.shape, int)
    kinds[:, 6:26, 4:28] = 1
    for index, column in ((1, 8), (2, 18)):
        labels[:, 12:18, column : column + 6] = index
    kinds[labels > 0] = labels[labels > 0] + 1
    images = np.take(GREYS[domain], kinds) + rng.normal(0, 0.05, kinds.shape)
    return HandCase(name, domain, split, np.clip(images, -1, 1).astype(np.float32), labels)


def _attent(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a trained run, its exported model and a scan."""
    folder, rng = tmp_path_factory.mktemp("other-task"), np.random.default_rng(0)
    cases = [_case(f"{domain}-{number}", domain, "train", rng) for domain in SMALL.domain_names for number in (1, 2)]
    records = write_hand_records(folder / "records", cases, SMALL, OPTIONS)
    settings = [*TINY, "translation.steps=4", "segmentation.steps=4"]
    train(records, folder / "run", "attent", "t12t2", load_config("demo", settings), SilentObserver())
    voxels = np.zeros((40, 36, 5), np.float32)
    voxels[8:32, 8:28] = 100 + rng.normal(0, 20, (24, 20, 5))
    write_scan(folder / "scan.nii.gz", np.rint(voxels), np.diag([8.0, 8.0, 5.0, 1.0]), np.int16)
    told = _attent("export", "--run", folder / "run", "--out", folder / "model", "--optimize")
    assert "on 8 synthetic slices" in told
    return folder


def test_the_run_keeps_its_task(place):
    run = load_run(place / "run")
    assert (run.task, run.source, run.target) == (SMALL, "t1", "t2")
    check = json.loads((run.folder / "translation_check.json").read_text())
    assert check["source"] == [0.5, 0.5]


def test_the_exported_model_says_its_classes_and_domains(place):
    content = json.loads((place / "model" / "1" / "metadata.json").read_text())
    assert content["task"] == task_to_mapping(SMALL)
    assert content["classes"] == ["background", "bright", "dark"]
    assert content["signatures"]["serving_default"]["outputs"]["probabilities"]["shape"] == [-1, 32, 32, 3]
    assert content["input"]["modality"] == "t2"
    assert read_contract(place / "model" / "1").target == "t2"
    card = (place / "model" / "1" / "MODEL_CARD.md").read_text()
    assert card.startswith("# AttENT, T1 → T2, version 1\n\nSegments bright, dark in T2 slices (Small).")


def test_a_scan_is_segmented_by_the_run(place, tmp_path):
    words = (
        "--input",
        place / "scan.nii.gz",
        "--out",
        tmp_path / "labels.nii.gz",
        "--report",
        tmp_path / "report.json",
    )
    told = _attent("segment", "--run", place / "run", *words, "--entropy", "--probabilities")
    assert [line.split()[0] for line in told.splitlines() if line.endswith(" mL")] == ["bright", "dark"]
    (scan,) = json.loads((tmp_path / "report.json").read_text())["scans"]
    assert list(scan["organs"]) == ["bright", "dark"]
    assert 0 <= scan["mean_entropy"] <= 1


def test_a_list_of_scans_is_segmented_by_the_exported_model(place, tmp_path):
    (place / "list.csv").write_text("path\nscan.nii.gz\n")
    _attent("segment", "--cohort", place / "list.csv", "--model", place / "model" / "1", "--out", tmp_path / "out")
    with (tmp_path / "out" / "cohort.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert list(row) == ["case", "path", "labels", "bright_ml", "dark_ml", "mean_entropy", "warnings"]


def test_a_scan_is_shown_in_the_style_of_the_source(place, tmp_path):
    words = ("--input", place / "scan.nii.gz", "--out", tmp_path / "as_t1.nii.gz")
    assert "Wrote" in _attent("translate", "--run", place / "run", *words)
