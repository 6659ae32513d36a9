"""`attent verify` and `attent info` as users type them."""

import json
import shutil

import click.testing
import pytest

from attent_tf.data.manifest import read_manifest
from cli.main import main


@pytest.fixture
def records(small_records, tmp_path):
    shutil.copytree(small_records, tmp_path / "records")
    return tmp_path / "records"


def _attent(*arguments):
    return click.testing.CliRunner().invoke(main, [str(word) for word in arguments])


def test_a_whole_folder_is_said_to_be_whole(records):
    result = _attent("verify", "--records", records)
    assert result.exit_code == 0, result.output
    assert "whole. 5 cases, 28 slices, 5 shards" in result.output
    assert "no patient in two splits" in result.output


def test_every_damaged_shard_is_listed(records):
    shards = [records / shard.file for shard in read_manifest(records).shards]
    for path in (shards[1], shards[3]):
        content = bytearray(path.read_bytes())
        content[1000] ^= 1
        path.write_bytes(bytes(content))
    result = _attent("verify", "--records", records)
    assert result.exit_code == 1
    assert result.output.count("its SHA-256 differs from the manifest's") == 2
    assert shards[1].name in result.output
    assert shards[3].name in result.output
    assert "2 faults" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("cut", [0, 5])
def test_a_shard_that_lost_records_is_refused(records, cut):
    path = records / read_manifest(records).shards[0].file
    path.write_bytes(path.read_bytes()[:-cut] if cut else b"")
    result = _attent("verify", "--records", records)
    assert result.exit_code == 1
    (line,) = [line for line in result.output.splitlines() if path.name in line]
    assert "bytes, found" in line
    assert "Error: " in result.stderr
    assert "1 fault;" in result.stderr


def test_shards_that_are_missing_or_short_hide_no_other_fault(records):
    first, second, third, *_ = (records / shard.file for shard in read_manifest(records).shards)
    first.unlink()
    second.write_bytes(second.read_bytes()[:-9])
    third.write_bytes(b"x" + third.read_bytes()[1:])
    result = _attent("verify", "--records", records)
    assert result.exit_code == 1
    for path, fault in ((first, "it is missing"), (second, "bytes, found"), (third, "SHA-256 differs")):
        (line,) = [line for line in result.stdout.splitlines() if path.name in line]
        assert fault in line
    assert "3 faults;" in result.stderr


def test_stray_shards_are_noted_and_do_no_harm(records):
    (records / "slices-00000-of-00002.tfrecord").write_bytes(b"from another job")
    result = _attent("verify", "--records", records)
    assert result.exit_code == 0
    assert "Note: slices-00000-of-00002.tfrecord is not in the manifest" in result.output


def test_info_shows_domains_and_cases(records):
    result = _attent("info", "--records", records, "--cases")
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines()]
    assert ["ct:", "3", "cases", "(1", "test,", "2", "train),", "3", "labelled,", "16", "of", "18", "slices"] in rows
    assert any(row[:3] == ["malbcv-0002", "ct", "train"] for row in rows)


def test_info_as_json_is_json_alone(records):
    result = _attent("info", "--records", records, "--json")
    content = json.loads(result.stdout)
    assert content["fingerprint"] == read_manifest(records).fingerprint
    # The liver of the small patients is an ellipsoid of 45 × 40 × 30 mm half axes; sampled at 5 mm and cut at the scan's ends.
    low, _, high = content["domains"]["ct"]["organs"]["liver"]["volume_ml"]
    assert 100 < low <= high < 4 / 3 * 3.1416 * 45 * 40 * 30 / 1000


@pytest.mark.parametrize("verb", ["verify", "info"])
def test_a_folder_without_a_manifest_is_one_line(tmp_path, verb):
    result = _attent(verb, "--records", tmp_path)
    assert result.exit_code == 1
    assert "manifest.json is missing" in result.output
    assert "Traceback" not in result.output
