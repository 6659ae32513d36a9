"""What `metadata.json` says is what its types say."""

import json
from pathlib import Path

import pytest

from attent_tf.configs import load_config
from attent_tf.deployment.contract import read_contract
from attent_tf.deployment.signature import expected_signatures
from attent_tf.export.metadata import (
    InputEntry,
    Metadata,
    OptimizationEntry,
    SignatureEntry,
    TrainingEntry,
    make_metadata,
)
from attent_tf.methods import get_method
from attent_tf.runs import Run
from attent_tf.volumes import PrepareOptions
from tests.support.abdomen import ABDOMEN

_OPTIMIZED = {
    "weights": "float16",
    "sample": "phantom",
    "slices": 8,
    "largest_change_of_a_probability": 1e-5,
    "share_of_pixels_with_another_label": 0.0,
    "seconds_plain": 1.0,
    "seconds_optimized": 0.5,
    "speedup": 2.0,
}


@pytest.fixture
def run():
    options = PrepareOptions().with_rules({domain.name: domain.intensity for domain in ABDOMEN.domains})
    return Run(Path("run"), get_method("attent"), "mri2ct", load_config("demo"), "0" * 64, options, ABDOMEN)


def _made(run, optimization=None):
    steps = {"translation": (3, 5), "segmentation": (5, 5)}
    return make_metadata(run, 2, expected_signatures(256, 1, 5), "f" * 64, steps, optimization)


def test_it_has_the_keys_of_its_types(run):
    metadata = _made(run, _OPTIMIZED)
    assert metadata.keys() == Metadata.__required_keys__
    assert metadata["input"].keys() == InputEntry.__required_keys__
    assert metadata["training"].keys() == TrainingEntry.__required_keys__
    assert metadata["optimization"].keys() == OptimizationEntry.__required_keys__
    assert all(entry.keys() == SignatureEntry.__required_keys__ for entry in metadata["signatures"].values())
    assert metadata["signatures"]["translate"]["inputs"] == {"image": {"dtype": "DT_FLOAT", "shape": [-1, 256, 256, 1]}}
    assert metadata["training"]["steps"] == {"translation": 3, "segmentation": 5}
    assert metadata["training"]["planned_steps"] == {"translation": 5, "segmentation": 5}


def test_it_is_read_as_the_contract_of_the_run(run, tmp_path):
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(_made(run)))
    contract = read_contract(path)
    assert contract.optimized is None
    shared = ("method", "direction", "task", "target", "records")
    assert {key: contract.describe()[key] for key in shared} == {key: run.describe()[key] for key in shared}
    path.write_text(json.dumps(_made(run, _OPTIMIZED)))
    assert read_contract(path).optimized == "float16"
