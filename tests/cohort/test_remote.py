"""A cohort whose list, scans and results lie on an object store."""

import contextlib
import os
import re
import shutil
import signal
import time

import pytest

from attent_tf.cohort import read_cohort
from beam_preprocess.cohort import CohortOptions, run_cohort
from tests.cohort.conftest import results, write_scans, write_small_ct
from tests.support.object_store import SCHEME, ObjectStore
from tests.support.programs import Program
from tests.support.s3_server import BUCKET, download, names, s3_server, upload

ROOT = f"{SCHEME}://bucket"


def _told(contents, root, local):
    """Results without sidecars, which tell times, and commits, as if the scans lay below `local`."""
    told = {name: content for name, content in contents.items() if not re.fullmatch(r"(b|first|scan\d)\.json", name)}
    placed = {name: content.replace(root.encode(), str(local).encode()) for name, content in told.items()}
    return {name: re.sub(rb'"commit": "[0-9a-f]{40}"', b'"commit": ""', content) for name, content in placed.items()}


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


@pytest.fixture(params=["moto", "versitygw"])
def s3(request, tmp_path_factory, monkeypatch):
    """Environment of a server, which is this process's own too."""
    pytest.importorskip("boto3")
    if request.param != "moto" and not shutil.which(request.param):
        pytest.skip(f"no {request.param}")
    with s3_server(request.param, tmp_path_factory.mktemp("s3")) as environment:
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        yield environment


@pytest.mark.slow
def test_a_job_on_s3_that_is_killed_is_taken_up_and_ends_with_the_same_bytes(s3, model, work, tmp_path):
    listed = write_scans(tmp_path / "data")
    with listed.open("a") as file:
        for seed in range(3, 7):
            write_small_ct(listed.parent / "scans" / f"scan{seed}.nii.gz", seed)
            file.write(f"scans/scan{seed}.nii.gz,\n")
    upload(s3, listed.parent, "data")
    listing = f"s3://{BUCKET}/data/list.csv"
    for attempt in range(5):
        out = f"s3://{BUCKET}/killed-{attempt}"
        left = _killed_when_a_scan_is_done(s3, [listing, "--model", str(model), "--out", out], f"killed-{attempt}")
        # On a busy machine the job may be over before this process has looked.
        if "cohort.json" not in left:
            break
    assert "cohort.json" not in left
    assert any(name.startswith(".work-") for name in left)
    begun = [name for name in left if re.fullmatch(r"(b|first|scan\d)\.json", name)]
    assert 0 < len(begun) < 6

    outcome = _run(listing, out, model)
    assert (outcome.done, len(outcome.failed)) == (6, 1)
    assert outcome.skipped >= len(begun)
    told = _told(download(s3, f"killed-{attempt}"), f"s3://{BUCKET}/data", listed.parent)
    work(listed, tmp_path / "out")
    assert told == _told(_contents(tmp_path / "out"), "", "")


def _killed_when_a_scan_is_done(store, words, prefix):
    """Starts a job, kills it when it has done a scan, and returns the names of what is left."""
    process = Program("cli.main", "segment", "--batch-size", "5", "--cohort", *words, own_session=True)
    try:
        while process.poll() is None:
            if any(re.match(r"\.work-[^/]*/case-", name) for name in names(store, prefix)):
                break
            time.sleep(0.01)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=60)
    # 3 where it was over before, because one of the scans is broken.
    assert process.returncode in (-signal.SIGKILL, 3), said
    return names(store, prefix)


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_results_on_s3_are_those_of_a_local_job(s3, model, listed, finished):
    upload(s3, listed.parent, "data")
    outcome = _run(f"s3://{BUCKET}/data/list.csv", f"s3://{BUCKET}/results", model)
    found = download(s3, "results")
    assert (outcome.done, len(outcome.failed)) == (2, 1)
    told, expected = _told(found, f"s3://{BUCKET}/data", listed.parent), results(finished[0])
    assert told.keys() == expected.keys()
    assert {name: told[name] for name in told if name.endswith(".nii.gz")} == {
        name: expected[name] for name in expected if name.endswith(".nii.gz")
    }
    assert told["cohort.csv"] == expected["cohort.csv"]
