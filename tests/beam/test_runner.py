"""Beam's options as users write them, and what importing the package loads."""

import subprocess
import sys

import pytest

from attent_tf.errors import ConfigError
from beam_preprocess.runner import new_pipeline


def _options(pipeline, kind):
    from apache_beam.options import pipeline_options

    return pipeline.options.view_as(getattr(pipeline_options, kind))


@pytest.mark.parametrize("flags", [[], ["--runner=DirectRunner"], ["--runner", "direct"]])
def test_local_jobs_need_no_network(flags):
    assert type(new_pipeline(flags).runner).__name__ == "FnApiRunner"


def test_options_reach_beam():
    pipeline = new_pipeline(
        ["--direct_num_workers", "3", "--direct_running_mode=multi_processing", "--no_save_main_session"]
    )
    assert _options(pipeline, "DirectOptions").direct_num_workers == 3
    assert _options(pipeline, "DirectOptions").direct_running_mode == "multi_processing"


def test_other_runners_may_have_options_of_their_own():
    pipeline = new_pipeline(["--runner=PortableRunner", "--job_endpoint=localhost:1", "--server_option=4"])
    assert type(pipeline.runner).__name__ == "PortableRunner"
    assert pipeline.options.get_all_options(retain_unknown_options=True)["server_option"] == "4"


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        (["--direct_num_worker=2"], "--direct_num_worker is not an option of Beam"),
        (["--direct_num_workers=two"], "argument --direct_num_workers: invalid int value: 'two'"),
        (["--direct_running_mode=fast"], "invalid choice: 'fast'"),
        (["records"], "expected --name=value; received 'records'"),
        (["--direct_num_workers=2", "records"], "expected --name=value; received 'records'"),
        (["-f"], "expected --name=value; received '-f'"),
        (["--runner=Fast"], "--runner=Fast: Beam has no such runner"),
        (["--runner=no.such.Runner"], "--runner=no.such.Runner: Beam has no such runner"),
    ],
)
def test_wrong_options_are_one_line(flags, found, capfd):
    with pytest.raises(ConfigError, match=found) as refused:
        new_pipeline(flags)
    assert "\n" not in str(refused.value)
    assert capfd.readouterr().err == ""


def test_imports_load_no_tensorflow_and_beam_only_when_a_job_runs():
    code = """
import sys
import beam_preprocess, attent_tf.data.reader, attent_tf.data.verify
print({"tensorflow", "apache_beam"} & set(sys.modules))
import beam_preprocess.transforms
print({"tensorflow", "apache_beam"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["set()", "{'apache_beam'}"]
