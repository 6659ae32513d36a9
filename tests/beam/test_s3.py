"""The job on a real object store, over HTTP: scans and records as `s3://`."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import beam_preprocess
from attent_tf.errors import InputError
from attent_tf.shared_folders import shared_folder
from attent_tf.storage import list_files, open_binary
from beam_preprocess import publish
from tests.support.s3_server import BUCKET, download, names, remove, s3_server, upload

pytestmark = pytest.mark.slow

SERVERS = [
    "moto",
    pytest.param("versitygw", marks=pytest.mark.skipif(not shutil.which("versitygw"), reason="no versitygw")),
]


@pytest.fixture(scope="module", params=SERVERS)
def store(request, data, tmp_path_factory):
    """Environment of a server that holds the small data."""
    pytest.importorskip("boto3")
    with s3_server(request.param, tmp_path_factory.mktemp("s3")) as environment:
        for name in ("chaos", "malbcv"):
            upload(environment, data / name, f"data/{name}")
        yield environment


@pytest.fixture
def on_store(store, make_options, monkeypatch):
    """Function that returns options of a job from the store to a folder of it."""
    for key, value in store.items():
        monkeypatch.setenv(key, value)

    def make(name, **changes):
        root = f"s3://{BUCKET}"
        places = {"mri": f"{root}/data/chaos", "ct": f"{root}/data/malbcv", "out": f"{root}/{name}/records"}
        return make_options(**places | changes)

    return make


def _digests(contents):
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def _local(folder):
    paths = (path for path in folder.rglob("*") if path.is_file())
    return _digests({str(path.relative_to(folder)): path.read_bytes() for path in paths})


def test_records_on_the_store_are_those_of_a_local_job(store, on_store, make_options, tmp_path):
    beam_preprocess.run(make_options(preview=True))
    beam_preprocess.run(on_store("same", preview=True))
    assert _digests(download(store, "same/records")) == _local(tmp_path / "records")
    assert list(download(store, "same")) == [f"records/{name}" for name in sorted(_local(tmp_path / "records"))]


def test_a_killed_job_leaves_no_records_and_the_next_one_clears_up(
    store, on_store, make_options, tmp_path, monkeypatch
):
    command = [sys.executable, "-m", "cli.main", "preprocess", "--mri", f"s3://{BUCKET}/data/chaos"]
    places = ["--ct", f"s3://{BUCKET}/data/malbcv", "--out", f"s3://{BUCKET}/killed/records"]
    # What follows `--` reaches the file system too.
    endpoint = [f"--s3_endpoint_url={store['AWS_ENDPOINT_URL_S3']}"]
    environment = os.environ | {key: value for key, value in store.items() if "ENDPOINT" not in key}
    environment.pop("AWS_ENDPOINT_URL_S3", None)
    process = subprocess.Popen(
        [*command, *places, "--", *endpoint],
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        while not any("work/case-" in name for name in names(store, "killed")):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    left = download(store, "killed")
    assert left
    assert not any(name.startswith("records/") for name in left)
    # A job that lives writes to its folder now and then; one that has not for a while is dead.
    beam_preprocess.run(on_store("other"))
    monkeypatch.setattr(publish, "_SECONDS_UNTIL_ABANDONED", 1)
    time.sleep(3)
    beam_preprocess.run(on_store("killed"))
    found = download(store, "killed")
    assert [name for name in found if not name.startswith("records/")] == []
    assert _digests(download(store, "other/records")) == _digests(download(store, "killed/records"))


def test_what_a_living_job_writes_stays(store, on_store):
    out = f"s3://{BUCKET}/alive/records"
    with publish.published(out, overwrite=False) as first:
        with first.work.created("note") as file:
            file.write(b"mine")
        with publish.published(out, overwrite=True), first.work.opened("note") as file:
            assert file.read() == b"mine"


def test_all_files_of_a_process_share_a_client(store, on_store, monkeypatch):
    import boto3

    made = []
    session = boto3.session.Session
    monkeypatch.setattr(boto3.session, "Session", lambda *words, **named: made.append(1) or session(*words, **named))
    root = on_store("any").folders["mri"]
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")  # an environment that no client was made for
    for path in list_files(root)[:5]:
        with open_binary(f"{root}/{path}") as file:
            file.read(1)
    assert len(made) == 1


def test_a_bucket_that_is_not_there_is_one_line(on_store):
    with pytest.raises(InputError) as refused:
        beam_preprocess.run(on_store("any", out="s3://nowhere-at-all/records"))
    assert "s3://nowhere-at-all/records" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_empty_file_is_written(store, on_store):
    """As a shard is of which no case is left."""
    on_store("any")
    with shared_folder(f"s3://{BUCKET}/empty").created("shard"):
        pass
    assert download(store, "empty") == {"shard": b""}


def test_a_whole_bucket_is_no_records_folder(on_store):
    with pytest.raises(InputError, match=f"s3://{BUCKET}: expected a folder within the bucket, found the bucket"):
        beam_preprocess.run(on_store("any", out=f"s3://{BUCKET}"))


def test_a_scan_that_goes_meanwhile_is_named(store, on_store, monkeypatch):
    upload_again = download(store, "data/malbcv")
    key = "RawData/Training/img/img0002.nii.gz"
    found = beam_preprocess.job.survey

    def survey(options):
        surveyed = found(options)
        remove(store, f"data/malbcv/{key}")
        return surveyed

    monkeypatch.setattr(beam_preprocess.job, "survey", survey)
    try:
        with pytest.raises(InputError, match=r"img0002\.nii\.gz") as refused:
            beam_preprocess.run(on_store("gone"))
        assert "\n" not in str(refused.value)
        assert not download(store, "gone")
    finally:
        _put_back(store, key, upload_again[key])


def _put_back(store, key, content):
    from tests.support.s3_server import _client

    _client(store).put_object(Bucket=BUCKET, Key=f"data/malbcv/{key}", Body=content)
