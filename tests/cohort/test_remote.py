"""A cohort whose list, scans and results lie on an object store."""

import shutil

import pytest

from attent_tf.cohort import read_cohort
from beam_preprocess.cohort import CohortOptions, run_cohort
from tests.cohort.conftest import results
from tests.support.object_store import SCHEME, ObjectStore
from tests.support.s3_server import BUCKET, download, s3_server, upload

ROOT = f"{SCHEME}://bucket"


def _told(contents, root, local):
    """Results without their sidecars, as if the scans lay below `local`."""
    return {
        name: content.replace(root.encode(), str(local).encode())
        for name, content in contents.items()
        if name not in ("first.json", "b.json")
    }


@pytest.fixture
def stored(listed):
    ObjectStore.objects.clear()
    for path in listed.parent.rglob("*"):
        if path.is_file():
            ObjectStore.objects[f"{ROOT}/data/{path.relative_to(listed.parent)}"] = path.read_bytes()
    yield ObjectStore.objects
    ObjectStore.objects.clear()


def _run(listed, out, model):
    return run_cohort(read_cohort(listed), CohortOptions(str(model), out, batch_size=5))


@pytest.mark.slow
def test_results_on_the_store_are_those_of_a_local_job(stored, model, listed, finished):
    listing, out = f"{ROOT}/data/list.csv", f"{ROOT}/results"
    # As a killed job leaves them.
    stored[f"{out}/.work-dead/case-1.json"] = stored[f"{out}/.part-1-b.json"] = b"{"
    first = _run(listing, out, model)
    assert (first.done, first.skipped, len(first.failed)) == (2, 0, 1)
    assert first.failed[0]["reason"].startswith(f"{ROOT}/data/scans/broken.nii.gz: ")
    found = {path.removeprefix(f"{out}/"): content for path, content in stored.items() if path.startswith(f"{out}/")}
    assert found.keys() == {path.name for path in finished[0].iterdir()}
    expected = results(finished[0])
    assert {name: found[name] for name in ("b.nii.gz", "first.nii.gz")} == {
        name: expected[name] for name in ("b.nii.gz", "first.nii.gz")
    }
    again = _run(listing, out, model)
    assert (again.done, again.skipped) == (2, 2)


@pytest.mark.slow
@pytest.mark.parametrize("program", ["moto", "versitygw"])
def test_results_on_s3_are_those_of_a_local_job(program, model, listed, finished, tmp_path, monkeypatch):
    pytest.importorskip("boto3")
    if program != "moto" and not shutil.which(program):
        pytest.skip(f"no {program}")
    with s3_server(program, tmp_path) as environment:
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        upload(environment, listed.parent, "data")
        outcome = _run(f"s3://{BUCKET}/data/list.csv", f"s3://{BUCKET}/results", model)
        found = download(environment, "results")
    assert (outcome.done, len(outcome.failed)) == (2, 1)
    told, expected = _told(found, f"s3://{BUCKET}/data", listed.parent), results(finished[0])
    assert told.keys() == expected.keys()
    assert {name: told[name] for name in told if name.endswith(".nii.gz")} == {
        name: expected[name] for name in expected if name.endswith(".nii.gz")
    }
    assert told["cohort.csv"] == expected["cohort.csv"]
