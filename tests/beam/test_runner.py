"""Beam's options as users write them, and what importing the package loads."""

import subprocess
import sys
import types

import pytest

from attent_tf.errors import ConfigError
from beam_preprocess import run
from beam_preprocess.runner import new_pipeline, reason_of
from tests.support.jobs import abdomen_options
from tests.support.loading import loaded_by_imports


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
        (["records"], "expected --name=value, found 'records'"),
        (["--direct_num_workers=2", "records"], "expected --name=value, found 'records'"),
        (["-f"], "expected --name=value, found '-f'"),
        (["--runner=Fast"], "--runner=Fast: Beam has no such runner"),
        (["--runner=no.such.Runner"], "--runner=no.such.Runner: Beam has no such runner"),
    ],
)
def test_wrong_options_are_one_line(flags, found, capfd):
    with pytest.raises(ConfigError, match=found) as refused:
        new_pipeline(flags)
    assert "\n" not in str(refused.value)
    assert capfd.readouterr().err == ""


def _no_java(tmp_path):
    return ["--runner=FlinkRunner", f"--job_server_java_launcher={tmp_path}/java"]


def test_flink_without_java_is_one_line(tmp_path):
    with pytest.raises(
        ConfigError, match=r"--runner=FlinkRunner: expected Java .*; install Java, or name a job server"
    ):
        new_pipeline(_no_java(tmp_path))


def test_flink_on_a_running_job_server_needs_no_java(tmp_path):
    new_pipeline([*_no_java(tmp_path), "--job_endpoint=localhost:1"])
    new_pipeline([*_no_java(tmp_path), "--flink_submit_uber_jar", "--flink_master=localhost:1"])


@pytest.mark.parametrize(("runner", "option"), [("Flink", "flink_job_server_jar"), ("Spark", "spark_job_server_jar")])
def test_a_jar_that_is_not_there_is_one_line(tmp_path, runner, option):
    flags = [f"--runner={runner}Runner", f"--job_server_java_launcher={sys.executable}"]
    with pytest.raises(
        ConfigError,
        match=rf"--runner={runner}Runner: expected a jar as --{option}, found no file .*server\.jar; check the path",
    ):
        new_pipeline([*flags, f"--{option}={tmp_path}/server.jar"])


@pytest.mark.slow
def test_a_job_server_that_does_not_start_is_one_line(data, tmp_path):
    """A launcher that exits at once, as Java does with a file that is no jar."""
    launcher, jar, out = tmp_path / "java", tmp_path / "server.jar", tmp_path / "out" / "records"
    launcher.write_text("#!/bin/sh\nexit 1\n")
    launcher.chmod(0o755)
    jar.write_text("no jar")
    command = [sys.executable, "-m", "cli.main", "preprocess", "--mri", str(data / "chaos"), "--split", "none"]
    flags = ["--runner=FlinkRunner", f"--job_server_java_launcher={launcher}", f"--flink_job_server_jar={jar}"]
    done = subprocess.run([*command, "--out", str(out), "--", *flags], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Error: --runner=FlinkRunner: the job could not be run there (Service failed to start up with error 1); check its "
        "options and job server, and see Beam's own messages with --verbose"
    ]
    assert not list(out.parent.iterdir())


@pytest.mark.slow
def test_a_job_server_that_does_not_answer_is_one_line(data, tmp_path):
    options = abdomen_options(out=str(tmp_path / "records"), mri=str(data / "chaos"), split="none")
    flags = ["--runner=PortableRunner", "--job_endpoint=localhost:1", "--job_server_timeout=1"]
    with pytest.raises(ConfigError, match=r"--runner=PortableRunner: the job could not be run there \(FutureTimeout"):
        run(options, [*flags, "--environment_type=LOOPBACK"])
    assert not list(tmp_path.iterdir())


def test_a_notebook_makes_what_a_program_makes_and_needs_no_more(make_options, made, tmp_path, monkeypatch):
    shell = types.SimpleNamespace(config={"IPKernelApp": {}}, execution_count=3)
    notebook = types.ModuleType("IPython")
    notebook.get_ipython = lambda: shell
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setitem(sys.modules, "pandas", None)
    run(make_options())
    _, elsewhere = made
    mine, theirs = (
        {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        for folder in (tmp_path / "records", elsewhere)
    )
    assert mine == theirs


@pytest.mark.slow
def test_imports_load_no_tensorflow_and_beam_only_when_a_job_runs():
    names = ["beam_preprocess", "attent_tf.data.reader", "attent_tf.data.verify", "beam_preprocess.transforms"]
    *first, last = loaded_by_imports(names).values()
    heavy = {"tensorflow", "apache_beam"}
    assert not set().union(*first) & heavy
    assert last & heavy == {"apache_beam"}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("Job failed.\n\tat org.apache.flink.Main", "Job failed."),
        ("", "RuntimeError"),
        (
            "Pipeline failed: Error from a worker: Traceback (most recent call last):\n"
            '  File "a.py", line 1, in run\n    boom()\nValueError: first\n\n'
            "During handling of the above exception, another exception occurred:\n\n"
            "Traceback (most recent call last):\n"
            "  File \"b.py\", line 2, in f\n    raise\nOSError: no room [while running 'Stage']\n\n\tat java.base/Thread.run",
            "a worker met OSError: no room [while running 'Stage']",
        ),
        (
            'Traceback (most recent call last):\n  File "a.py", line 1, in run\n',
            "a worker met an error that did not reach the main program",
        ),
    ],
)
def test_the_line_of_a_runners_error_is_the_last_of_the_workers_traceback(told, reason):
    assert reason_of(RuntimeError(told)) == reason
