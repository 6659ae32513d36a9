"""An exported model, a list of small scans of which one is broken, and a job that went over them."""

import dataclasses
import re

import numpy as np
import pytest

from attent_tf.cohort import read_cohort
from attent_tf.volumes import write_scan
from beam_preprocess.cohort import CohortOptions, CohortOutcome, run_cohort


@pytest.fixture(scope="session")
def run(untrained_run):
    return untrained_run


@pytest.fixture(scope="session")
def model(untrained_model):
    """The folder of an exported version."""
    return untrained_model


def write_small_ct(path, seed):
    rng = np.random.default_rng(seed)
    voxels = np.full((60, 50, 5), -1000.0, np.float32)
    voxels[10:50, 10:40] = 60.0 + rng.normal(0, 60, (40, 30, 5))
    write_scan(path, np.rint(voxels), np.diag([6.0, 6.0, 5.0, 1.0]), np.int16)


def write_scans(folder):
    """Writes `b`, `a` and `broken` and their list, in this order; returns the list's path."""
    (folder / "scans").mkdir(parents=True)
    for seed, name in enumerate(("b", "a", "broken")):
        write_small_ct(folder / "scans" / f"{name}.nii.gz", seed)
    broken = folder / "scans" / "broken.nii.gz"
    broken.write_bytes(broken.read_bytes()[:2000])
    (folder / "list.csv").write_text("path,case\nscans/b.nii.gz,\nscans/a.nii.gz,first\nscans/broken.nii.gz,\n")
    return folder / "list.csv"


@pytest.fixture(scope="session")
def listed(tmp_path_factory):
    return write_scans(tmp_path_factory.mktemp("data"))


@dataclasses.dataclass(frozen=True)
class Job:
    """What a job did."""

    outcome: CohortOutcome
    lines: list[str]


@pytest.fixture(scope="session")
def work(model):
    """Function that runs the job on a list."""

    def work(listed, out, *beam_options, model=model, **options):
        lines = []
        options = CohortOptions(str(model), str(out), batch_size=5, **options)
        return Job(run_cohort(read_cohort(listed), options, beam_options, lines.append), lines)

    return work


@pytest.fixture(scope="session")
def finished(work, listed, tmp_path_factory):
    """A folder with the results of the list, which no test may change, and what the job said."""
    out = tmp_path_factory.mktemp("results") / "out"
    return out, work(listed, out)


def results(folder):
    """The bytes of all files but those that tell times, and but for the commit, which may be another one meanwhile."""
    sidecars = {"first.json", "b.json"}
    contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in sidecars}
    return {name: re.sub(rb'"commit": "[0-9a-f]{40}"', b'"commit": ""', content) for name, content in contents.items()}
