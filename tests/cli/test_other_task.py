"""Tasks of two and of fifteen structures between two domains that are neither MRI nor CT by name, from records to a report."""

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
from tests.support.small_tasks import LARGE, SMALL

pytestmark = [pytest.mark.slow, pytest.mark.eager]

OPTIONS = PrepareOptions(size=32, pixel_mm=12.8)
# Grey values of air, body, `bright` and `dark`; in the target `bright` is no longer so.
GREYS = {"t1": (-1.0, 0.0, 0.9, -0.7), "t2": (-1.0, 0.4, -0.5, 0.9)}


def _case(name, domain, split, rng, count=2):
    """A body with `count` blocks side by side, of which every other one is `bright`."""
    labels = np.zeros((4, 32, 32), np.uint8)
    kinds = np.zeros(labels.shape, int)
    kinds[:, 6:26, 1:31] = 1
    width = 30 // count
    for index in range(count):
        block = (slice(None), slice(12, 18), slice(1 + index * width, (index + 1) * width))
        labels[block], kinds[block] = index + 1, 2 + index % 2
    images = np.take(GREYS[domain], kinds) + rng.normal(0, 0.05, kinds.shape)
    return HandCase(name, domain, split, np.clip(images, -1, 1).astype(np.float32), labels)


def _trained(folder, task, steps):
    """Writes records with test cases of the target and trains on them."""
    rng = np.random.default_rng(0)
    cases = [
        _case(f"{domain}-{number}", domain, split, rng, len(task.structures))
        for domain in task.domain_names
        for number, split in ((1, "train"), (2, "train"), (3, "test"))
    ]
    records = write_hand_records(folder / "records", cases, task, OPTIONS)
    settings = [*TINY, f"translation.steps={steps}", f"segmentation.steps={steps}"]
    train(records, folder / "run", "attent", "t12t2", load_config("demo", settings), SilentObserver())


def _check_scores(folder, task):
    """Evaluates the run, and looks for every structure in scores, terminal and report."""
    told = _attent("evaluate", "--run", folder / "run", "--records", folder / "records", "--out", folder / "scores")
    document = json.loads((folder / "scores" / "metrics.json").read_text())
    assert document["task"] == task_to_mapping(task)
    assert [case["case"] for case in document["cases"]] == ["t2-3"]
    assert list(document["organs"]) == list(task.structure_names)
    page = (folder / "scores" / "report" / "index.html").read_text()
    assert "T1" in page
    assert "T2" in page
    for name, title in task.titles.items():
        assert document["cases"][0]["volume_ml"][name]["reference"] > 0
        assert title in page
        assert title in told
    assert "Liver" not in page + told


def _attent(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a trained run, its exported model and a scan."""
    folder, rng = tmp_path_factory.mktemp("other-task"), np.random.default_rng(1)
    _trained(folder, SMALL, 4)
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


def test_scores_and_report_show_the_structures_of_the_task(place):
    _check_scores(place, SMALL)


def test_fifteen_structures_from_records_to_an_exported_model(tmp_path):
    _trained(tmp_path, LARGE, 2)
    _check_scores(tmp_path, LARGE)
    _attent("export", "--run", tmp_path / "run", "--out", tmp_path / "model")
    contract = read_contract(tmp_path / "model" / "1")
    assert (contract.task, contract.target) == (LARGE, "t2")
    content = json.loads((tmp_path / "model" / "1" / "metadata.json").read_text())
    assert content["signatures"]["serving_default"]["outputs"]["probabilities"]["shape"] == [-1, 32, 32, 16]
