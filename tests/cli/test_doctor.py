"""`attent doctor` judges what it finds, and says what to do."""

import json

import pytest
from click.testing import CliRunner

from cli import machine
from cli.doctor import as_json_text, as_text, doctor
from cli.machine import Finding

SEEN = {"version": "2.21.0", "cuda": "12.5.1", "cudnn": "9", "gpus": [{"name": "H", "capability": [9, 0]}]}
UNSEEN = {**SEEN, "gpus": []}


@pytest.mark.parametrize(
    ("version", "state"), [("3.10.14", "wrong"), ("3.11.0", "ok"), ("3.13.5", "ok"), ("3.14.0", "wrong")]
)
def test_python_is_judged_by_the_supported_range(version, state):
    assert machine.python_finding(">=3.11,<3.14", version).state == state


def test_packages_are_judged_one_by_one():
    installed = {"keras": "3.14.0", "numpy": "2.4.6"}
    found = machine.package_findings(
        ["numpy>=2,<3", "keras>=3.15,<4", "pydicom>=3.0.2", 'ruff>=0.15; extra == "dev"'], installed.get
    )
    assert [(each.name, each.state) for each in found] == [("keras", "wrong"), ("numpy", "ok"), ("pydicom", "wrong")]
    assert found[0].advice == 'pip install "keras<4,>=3.15"'
    assert found[2].found.startswith("not installed")


def test_distribution_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(machine, "DISTRIBUTION", "attent-tf-not-installed")
    (found,) = machine.distribution_findings()
    assert found.state == "wrong"
    assert "pip install" in found.advice


@pytest.mark.parametrize(
    ("flags", "architecture", "state"),
    [("fpu sse2 avx avx2", "x86_64", "ok"), ("fpu sse2", "x86_64", "wrong"), ("", "aarch64", "ok")],
)
def test_processor_without_avx(flags, architecture, state):
    cpuinfo = f"processor : 0\nflags\t\t: {flags}\n" if flags else "processor : 0\n"
    assert machine.processor_finding(cpuinfo, architecture).state == state


@pytest.mark.parametrize(
    ("limit", "words", "state"),
    [
        ("max\n", "12.0 GiB of 16.0 GiB", "ok"),
        ("8589934592\n", "8.0 GiB of 8.0 GiB", "ok"),
        ("2147483648\n", "2.0 GiB of 2.0 GiB", "note"),
        ("", "12.0 GiB of 16.0 GiB", "ok"),
    ],
)
def test_memory_ends_at_the_limit_of_the_container(limit, words, state):
    meminfo = f"MemTotal: {16 * 1024**2} kB\nMemFree: 1 kB\nMemAvailable: {12 * 1024**2} kB\n"
    found = machine.memory_finding(meminfo, limit)
    assert words in found.found
    assert found.state == state


def test_full_disk_is_noted(tmp_path):
    assert machine.disk_finding(tmp_path, free_bytes=1024**3).state == "note"
    assert machine.disk_finding(tmp_path, free_bytes=100 * 1024**3).state == "ok"


@pytest.mark.parametrize(
    ("probe", "driver", "require_gpu", "states"),
    [
        (SEEN, "550.54", True, ["ok", "ok"]),
        (UNSEEN, None, False, ["ok", "note"]),
        (UNSEEN, None, True, ["ok", "wrong"]),
        (UNSEEN, "550.54", False, ["ok", "note"]),
        (UNSEEN, "550.54", True, ["ok", "wrong"]),
        ("loading it ended the process with signal 4", None, False, ["wrong"]),
    ],
)
def test_gpu_is_required_only_when_asked_for(probe, driver, require_gpu, states):
    found = machine.tensorflow_findings(probe, driver, require_gpu)
    assert [each.state for each in found] == states


def test_driver_without_a_visible_gpu_is_said():
    gpu = machine.tensorflow_findings(UNSEEN, "550.54", require_gpu=False)[1]
    assert "550.54" in gpu.found
    assert "tensorflow[and-cuda]==2.21.0" in gpu.advice


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ('openjdk version "17.0.15" 2025-04-15', "ok"),
        ('openjdk version "11.0.2"', "ok"),
        ('java version "1.8.0_381"', "note"),
        ('openjdk version "21" 2023-09-19', "ok"),
        (None, "note"),
    ],
)
def test_java_is_optional_and_has_an_age(line, state):
    assert machine.java_finding(line).state == state


def test_addons_are_not_promised_where_they_have_no_wheels():
    assert "pip install" in machine.addons_finding(None, python=(3, 11)).advice
    assert "pip install" not in machine.addons_finding(None, python=(3, 12)).advice


def test_probe_reports_an_import_that_fails(monkeypatch):
    monkeypatch.setattr(machine, "_PROBE", "raise ImportError('libcuda is of another world')")
    assert machine.probe_tensorflow() == "ImportError: libcuda is of another world"


def test_probe_survives_a_crash(monkeypatch):
    monkeypatch.setattr(machine, "_PROBE", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert "signal 4" in machine.probe_tensorflow()


def test_every_line_that_is_not_ok_says_what_to_do():
    text = as_text([Finding("A", "x", "found x"), Finding("A", "y", "found y", "mend y", required=True)])
    lines = text.splitlines()
    assert lines[1:4] == ["A", "  ok     x  found x", "  wrong  y  found y"]
    assert lines[4].strip() == "-> mend y"
    assert lines[-1] == "Not as required: y."


def test_json_is_one_object_with_the_same_verdict():
    content = json.loads(as_json_text([Finding("A", "y", "found y", "mend y", required=True)]))
    assert content["ok"] is False
    assert content["findings"][0]["state"] == "wrong"


@pytest.fixture
def healthy(monkeypatch):
    monkeypatch.setattr(machine, "distribution_findings", list)
    monkeypatch.setattr(machine, "probe_tensorflow", lambda: UNSEEN)
    monkeypatch.setattr(machine, "driver_version", lambda: None)
    monkeypatch.setattr(machine, "java_version_line", lambda: None)


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(("arguments", "exit_code"), [([], 0), (["--require-gpu"], 1), (["--json"], 0)])
def test_exit_code_says_whether_the_machine_will_do(arguments, exit_code):
    result = CliRunner().invoke(doctor, arguments)
    assert result.exit_code == exit_code, result.output
    if "--json" in arguments:
        assert json.loads(result.stdout)["ok"] is True


@pytest.mark.slow
def test_probe_of_the_real_tensorflow():
    import importlib.metadata

    assert machine.probe_tensorflow()["version"] == importlib.metadata.version("tensorflow")
