"""`attent doctor` judges what it finds, and says what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.doctor import as_json_text, as_text, doctor
from cli.machine import beam, folders, hardware, packages, tensorflow
from cli.machine.finding import Finding
from cli.machine.tensorflow import Driver

SEEN = {"version": "2.21.0", "cuda": "12.5.1", "cudnn": "9", "gpus": [{"name": "H", "capability": [9, 0]}]}
UNSEEN = {**SEEN, "gpus": []}
FOR_CPUS = {**UNSEEN, "cuda": "", "cudnn": ""}
DRIVER = Driver("550.54.15", ("H, 79.1 GiB of 79.6 GiB free",))
LIBRARIES = {"nvidia-cuda-runtime-cu12": "12.9.79", "nvidia-cudnn-cu12": "9.28.0", "nvidia-nccl-cu12": "2.32.3"}
GIB = 1024**3
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("version", "state"), [("3.10.14", "wrong"), ("3.11.0", "ok"), ("3.13.5", "ok"), ("3.14.0", "wrong")]
)
def test_python_is_judged_by_the_supported_range(version, state):
    assert packages.python_finding(">=3.11,<3.14", version).state == state


def test_packages_are_judged_one_by_one():
    installed = {"keras": "3.14.0", "numpy": "2.4.6"}
    found = packages.package_findings(
        ["numpy>=2,<3", "keras>=3.15,<4", "pydicom>=3.0.2", 'ruff>=0.15; extra == "dev"'], installed.get
    )
    assert [(each.name, each.state) for each in found] == [("keras", "wrong"), ("numpy", "ok"), ("pydicom", "wrong")]
    assert found[0].advice == 'pip install "keras<4,>=3.15"'
    assert found[2].found.startswith("not installed")


def test_tensorflow_for_processors_stands_in_for_tensorflow():
    (found,) = packages.package_findings(["tensorflow>=2.21,<2.22"], {"tensorflow-cpu": "2.21.0"}.get)
    assert (found.name, found.state) == ("tensorflow-cpu", "ok")
    (old,) = packages.package_findings(["tensorflow>=2.21,<2.22"], {"tensorflow-cpu": "2.20.0"}.get)
    assert old.advice == 'pip install "tensorflow-cpu<2.22,>=2.21"'


ADDONS = 'tfa-nightly==0.23; python_version < "3.12" and extra == "addons"'
EXTRAS = [ADDONS, 'highdicom>=0.27; extra == "dicom"', 'ruff>=0.15; extra == "dev"', "numpy>=2"]


def test_extras_of_the_metadata_are_listed_but_not_those_of_developers():
    found = packages.extra_findings(EXTRAS, {"highdicom": "0.28.2"}.get, python="3.11")
    assert [(each.name, each.found, each.state) for each in found] == [
        ("addons", "tfa-nightly not installed", "note"),
        ("dicom", "highdicom 0.28.2", "ok"),
    ]
    assert found[0].advice == 'only for the normalisation tfa_instance: pip install "tfa-nightly==0.23"'


def test_extra_of_a_wrong_version_is_a_note():
    (found,) = packages.extra_findings(EXTRAS[1:2], {"highdicom": "0.22"}.get)
    assert found.state == "note"
    assert 'pip install "highdicom>=0.27"' in found.advice


def test_extra_without_wheels_is_not_promised():
    (found,) = packages.extra_findings([ADDONS], {}.get, python="3.12")
    assert "tfa-nightly has no wheels for Python 3.12" in found.advice
    assert "pip install" not in found.advice


def test_distribution_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(packages, "DISTRIBUTION", "attent-tf-not-installed")
    (found,) = packages.distribution_findings()
    assert found.state == "wrong"
    assert "pip install" in found.advice


@pytest.mark.parametrize(
    ("flags", "architecture", "state"),
    [("fpu sse2 avx avx2", "x86_64", "ok"), ("fpu sse2", "x86_64", "wrong"), ("", "aarch64", "ok")],
)
def test_processor_without_avx(flags, architecture, state):
    cpuinfo = f"processor : 0\nflags\t\t: {flags}\n" if flags else "processor : 0\n"
    assert hardware.processor_finding(cpuinfo, architecture).state == state


@pytest.mark.parametrize(
    ("quota", "words"),
    [("max 100000\n", "16 cores"), ("150000 100000\n", "2 cores"), ("50000 100000\n", "1 core,"), ("", "16 cores")],
)
def test_cores_end_at_the_limit_of_the_container(quota, words):
    assert hardware.processor_finding("", "x86_64", quota, cores=16).found.startswith(words)


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
    found = hardware.memory_finding(meminfo, limit)
    assert words in found.found
    assert found.state == state


@pytest.mark.parametrize(
    ("size", "gpus", "words", "state"),
    [
        (64 * 1024**2, 0, "64 MiB", "ok"),
        (64 * 1024**2, 1, "64 MiB", "ok"),
        (64 * 1024**2, 2, "64 MiB", "note"),
        (2 * GIB, 2, "2.0 GiB", "ok"),
        (None, 0, "none", "note"),
    ],
)
def test_shared_memory_is_for_several_gpus(size, gpus, words, state):
    found = hardware.shared_memory_finding(size, gpus)
    assert (found.found, found.state) == (words, state)
    assert ("--shm-size" in found.advice) == (state != "ok")


def test_shared_memory_that_is_not_there(tmp_path):
    assert hardware.shared_memory_bytes(str(tmp_path)) > 0
    assert hardware.shared_memory_bytes(str(tmp_path / "absent")) is None


def test_full_disk_is_noted(tmp_path):
    assert folders.disk_finding(tmp_path, free_bytes=GIB).state == "note"
    assert folders.disk_finding(tmp_path, free_bytes=100 * GIB).state == "ok"


def test_folder_of_another_user_is_noted(tmp_path):
    found = folders.disk_finding(tmp_path, free_bytes=100 * GIB, writable=False)
    assert found.state == "note"
    assert "--user" in found.advice


def test_no_place_for_temporary_files_is_wrong(monkeypatch):
    assert folders.temporary_finding().state == "ok"

    def none():
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(folders.tempfile, "gettempdir", none)
    found = folders.temporary_finding()
    assert found.state == "wrong"
    assert "--tmpfs /tmp" in found.advice


def test_home_that_cannot_be_written_is_a_note(tmp_path, monkeypatch):
    assert folders.home_finding(tmp_path).state == "ok"
    assert folders.home_finding(tmp_path / "absent").state == "note"

    def nameless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(folders.Path, "home", nameless)
    found = folders.home_finding()
    assert found.state == "note"
    assert "HOME" in found.advice


@pytest.mark.parametrize(
    ("probe", "driver", "require_gpu", "states"),
    [
        (SEEN, DRIVER, True, {"import": "ok", "libraries": "ok", "driver": "ok", "gpu": "ok"}),
        (SEEN, None, True, {"import": "ok", "libraries": "ok", "gpu": "ok"}),
        (UNSEEN, None, False, {"import": "ok", "gpu": "note"}),
        (UNSEEN, None, True, {"import": "ok", "gpu": "wrong"}),
        (UNSEEN, DRIVER, False, {"import": "ok", "libraries": "note", "driver": "ok", "gpu": "note"}),
        (UNSEEN, DRIVER, True, {"import": "ok", "libraries": "note", "driver": "ok", "gpu": "wrong"}),
        (FOR_CPUS, DRIVER, True, {"import": "ok", "driver": "ok", "gpu": "wrong"}),
        ("loading it ended the process with signal 4", None, False, {"import": "wrong"}),
    ],
)
def test_gpu_is_required_only_when_asked_for(probe, driver, require_gpu, states):
    found = tensorflow.tensorflow_findings(probe, driver, require_gpu, version_of={}.get)
    assert {each.name: each.state for each in found} == states


def _gpu(probe, driver=None, visible=None):
    return tensorflow.tensorflow_findings(probe, driver, False, visible, LIBRARIES.get)[-1]


def test_gpu_that_is_not_seen_says_why():
    assert "--gpus all" in _gpu(UNSEEN).advice
    assert "tensorflow[and-cuda]==2.21.0" in _gpu(UNSEEN, DRIVER).advice
    assert "550.54.15" in _gpu(UNSEEN, DRIVER).found
    assert "CUDA_VISIBLE_DEVICES='' hides all GPUs" in _gpu(UNSEEN, DRIVER, visible="").advice
    assert "has no GPU code" in _gpu(FOR_CPUS, DRIVER).advice


def test_libraries_and_memory_are_named():
    found = {each.name: each for each in tensorflow.tensorflow_findings(SEEN, DRIVER, False, None, LIBRARIES.get)}
    assert found["libraries"].found == "CUDA 12.9.79, cuDNN 9.28.0, NCCL 2.32.3"
    assert found["driver"].found == "550.54.15; H, 79.1 GiB of 79.6 GiB free"
    assert found["gpu"].found == "H (compute capability 9.0)"


@pytest.mark.parametrize(
    ("version", "require_gpu", "state"),
    [
        ("525.60.13", False, "ok"),
        ("570.1", False, "ok"),
        ("470.82.01", False, "note"),
        ("470.82.01", True, "wrong"),
        ("[N/A]", True, "ok"),
    ],
)
def test_driver_has_an_age(version, require_gpu, state):
    found = tensorflow.tensorflow_findings(UNSEEN, Driver(version), require_gpu, version_of=LIBRARIES.get)
    (driver,) = (each for each in found if each.name == "driver")
    assert driver.state == state
    assert ("525.60.13 or later" in driver.advice) == (state != "ok")


def test_old_driver_that_shows_a_gpu_will_do():
    found = tensorflow.tensorflow_findings(SEEN, Driver("470.82.01"), True, version_of=LIBRARIES.get)
    assert {each.state for each in found} == {"ok"}


def test_driver_is_read_from_nvidia_smi_or_the_kernel():
    lines = ["550.54.15, NVIDIA H100 80GB HBM3, 81559, 81000", "550.54.15, GRID A100, [N/A], [N/A]"]
    assert tensorflow.parse_driver(lines, "") == Driver(
        "550.54.15", ("NVIDIA H100 80GB HBM3, 79.1 GiB of 79.6 GiB free", "GRID A100, memory unknown")
    )
    module = (
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\nGCC version: 12\n"
    )
    assert tensorflow.parse_driver([], module) == Driver("535.183.01")
    opened = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build\n"
    assert tensorflow.parse_driver([], opened) == Driver("560.35.03")
    assert tensorflow.parse_driver(["No devices were found"], "") is None


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
    assert beam.java_finding(line).state == state


def test_runners_that_need_java_are_offered_only_with_it():
    assert "FlinkRunner" not in beam.runners_finding(None, {}.get).found
    assert "FlinkRunner" in beam.runners_finding('openjdk version "17.0.15"', {}.get).found
    assert "DataflowRunner" in beam.runners_finding(None, {"google-apitools": "0.5.31"}.get).found


def test_remote_files_name_their_extra():
    found = beam.file_systems_finding({}.get)
    assert found.state == "note"
    assert "s3:// [aws]" in found.advice
    assert beam.file_systems_finding({"boto3": "1.40"}.get).found == "s3://"


def test_java_is_named_below_the_notices_of_its_options(monkeypatch):
    lines = [
        "Picked up JAVA_TOOL_OPTIONS: -Xmx1g",
        'openjdk version "17.0.15" 2025-04-15',
        "OpenJDK Runtime Environment",
    ]
    monkeypatch.setattr(beam, "output", lambda command: lines)
    assert beam.java_version_line() == 'openjdk version "17.0.15" 2025-04-15'


def test_probe_reports_an_import_that_fails(monkeypatch):
    monkeypatch.setattr(tensorflow, "_PROBE", "raise ImportError('libcuda is of another world')")
    assert tensorflow.probe_tensorflow() == "ImportError: libcuda is of another world"


def test_probe_survives_a_crash(monkeypatch):
    monkeypatch.setattr(tensorflow, "_PROBE", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert "signal 4" in tensorflow.probe_tensorflow()


def test_every_line_that_is_not_ok_says_what_to_do():
    text = as_text([Finding("A", "x", "found x"), Finding("A", "y", "found y", "correct y", required=True)])
    lines = text.splitlines()
    assert lines[1:4] == ["A", "  ok     x  found x", "  wrong  y  found y"]
    assert lines[4].strip() == "-> correct y"
    assert lines[-1] == "Not as required: y."


def test_json_is_one_object_with_the_same_verdict():
    content = json.loads(as_json_text([Finding("A", "y", "found y", "correct y", required=True)]))
    assert content["ok"] is False
    assert content["findings"][0]["state"] == "wrong"


@pytest.fixture
def healthy(monkeypatch):
    monkeypatch.setattr(packages, "distribution_findings", list)
    monkeypatch.setattr(tensorflow, "probe_tensorflow", lambda: UNSEEN)
    monkeypatch.setattr(tensorflow, "probe_driver", lambda: None)
    monkeypatch.setattr(beam, "java_version_line", lambda: None)


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize(("arguments", "exit_code"), [([], 0), (["--require-gpu"], 1), (["--json"], 0)])
def test_exit_code_says_whether_the_machine_will_do(arguments, exit_code):
    result = CliRunner().invoke(doctor, arguments)
    assert result.exit_code == exit_code, result.output
    if "--json" in arguments:
        assert json.loads(result.stdout)["ok"] is True


@pytest.mark.slow
def test_it_works_without_a_home_that_can_be_written(tmp_path):
    command = [sys.executable, "-m", "cli.main", "doctor", "--json"]
    environment = os.environ | {"HOME": os.devnull, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    findings = json.loads(done.stdout)["findings"]
    assert {"Python", "Packages", "Machine", "TensorFlow", "Beam"} <= {finding["group"] for finding in findings}
    assert next(finding["state"] for finding in findings if finding["name"] == "home") == "note"


@pytest.mark.slow
def test_probe_of_the_real_tensorflow():
    import importlib.metadata

    assert tensorflow.probe_tensorflow()["version"] == importlib.metadata.version("tensorflow")
