"""`attent preprocess` as users type it."""

import re

import click.testing
import pytest

from attent_tf.data.manifest import read_manifest
from attent_tf.volumes import PrepareOptions
from cli.main import main
from tests.support.abdomen import CT, MRI


def _invoke(*arguments):
    return click.testing.CliRunner().invoke(main, ["preprocess", *map(str, arguments)])


def test_summary_and_folder(data, tmp_path):
    out = tmp_path / "records"
    result = _invoke("--mri", data / "chaos", "--ct", data / "malbcv", "--out", out, "--shards", 3)
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines()]
    assert ["domain", "cases", "train", "test", "slices", "shards"] in rows
    # The two training CTs lose their slice of air, the test CT keeps it; the second shard holds a case of each domain.
    assert ["ct", "3", "2", "1", "16", "2"] in rows
    assert ["mri", "2", "1", "1", "12", "2"] in rows
    assert result.output.splitlines()[-1] == f"Records are in {out}"
    assert len(read_manifest(out).cases) == 5


def test_options_reach_the_manifest(data, tmp_path):
    out = tmp_path / "records"
    arguments = ["--split", "none", "--seed", 4, "--slices", "all", "--geometry", "resize", "--pixel-mm", 2]
    result = _invoke("--mri", data / "chaos", "--out", out, *arguments, "--", "--direct_num_workers=1")
    assert result.exit_code == 0, result.output
    assert "every case both trains and tests" in result.output
    options = read_manifest(out).options
    assert options == {
        "split": "none",
        "seed": 4,
        "slices": "all",
        "preparation": PrepareOptions(
            "resize", pixel_mm=2.0, intensity={"mri": MRI.intensity, "ct": CT.intensity}
        ).to_json(),
        "orientation_policy": "strict",
        "shards": 2,
    }


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), "--domain (or --mri, --ct): expected at least one data folder"),
        (("--ct", "nowhere"), "nowhere"),
        (("--ct", "nowhere", "--pixel-mm", 0), "pixel_mm"),
        (("--ct", "nowhere", "--", "--fast"), "--fast is not an option of Beam"),
    ],
)
def test_wrong_use_is_one_line(tmp_path, arguments, found):
    result = _invoke("--out", tmp_path / "records", *arguments)
    assert result.exit_code != 0
    (line,) = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert found in line
    assert "Traceback" not in result.output
    assert not (tmp_path / "records").exists()


def test_beams_log_stays_off_the_terminal(data, tmp_path, capfd):
    path = tmp_path / "ct" / "images" / "a.nii"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no scan")
    result = _invoke("--ct", tmp_path / "ct", "--out", tmp_path / "records", "--split", "none")
    assert result.exit_code == 1
    assert "a.nii" in result.output
    assert "Traceback" not in result.output + capfd.readouterr().err


def test_help_has_examples():
    output = _invoke("--help").output
    assert "Examples:" in output
    assert "--direct_num_workers" in output


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        (
            ("--runner=FlinkRunner", "--flink_job_server_jar=/nowhere/job-server.jar"),
            "--runner=FlinkRunner: .*nowhere/job-server.jar",
        ),
        (
            ("--runner=PortableRunner", "--job_endpoint=localhost:1", "--job_server_timeout=1"),
            "--runner=PortableRunner",
        ),
    ],
)
def test_a_runner_that_cannot_be_had_is_one_line(data, tmp_path, flags, found):
    result = _invoke("--ct", data / "malbcv", "--out", tmp_path / "records", "--split", "none", "--", *flags)
    assert result.exit_code == 1
    (line,) = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert re.search(found, line)
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())
