"""The commands that the documents show, run as they stand on small data; what is changed is listed in `SMALLER`."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from attent_tf.configs import config_to_yaml, load_config
from attent_tf.data.manifest import read_manifest
from attent_tf.methods import get_method
from attent_tf.tasks import load_task
from cli.main import main
from tests.support.small_runs import TINY, write_small_data

_ROOT = Path(__file__).resolve().parents[2]

# Pages whose commands are run here, in a folder with CHAOS, MALBCV and scan.nii.gz; True: with records and a run as well.
PAGES = {
    "README.md": False,
    "docs/getting-started.md": False,
    "docs/preprocessing-at-scale.md": False,
    "docs/evaluation-protocols.md": True,
    "docs/training.md": True,
    "docs/results.md": False,
    "docs/results-first-phantom.md": False,
    "docs/trials.md": False,
    "docs/without-labels.md": True,
    "docs/nnunet.md": True,
    "docs/packages.md": True,
}

# Pages whose commands other tests run.
ELSEWHERE = {
    "docs/cohorts.md": "tests/cohort/test_documented.py",
    "docs/datasets.md": "tests/datasets/test_documented.py",
    "docs/scoring-and-comparing.md": "tests/docs/test_scoring.py",
    "docs/segmenting-scans.md": "tests/cli/test_scans.py",
    "docs/docker.md": "tests/package/test_docker.py",
    "docs/onnx.md": "tests/export/test_onnx.py",
    "docs/serving.md": "tests/serving/test_remote.py",
}

# Pages whose trainings take hours: a benchmark is planned as it stands, of a training it is seen that it would be accepted.
PLANNED = {"docs/results.md", "docs/results-first-phantom.md", "docs/trials.md"}

# Pages that show several ways of making the same data, each from nothing.
SEVERAL_WAYS = {"docs/preprocessing-at-scale.md"}

# What cannot be had in a test, by the text that gives it away.
NOT_HERE = {
    "attent demo": "run by tests/cli/test_demo.py",
    "FlinkRunner": "needs a cluster; tests/portability",
    "PortableRunner": "needs a cluster; tests/portability",
    "SparkRunner": "needs a master; tests/portability",
    "s3://": "run by tests/beam/test_s3.py",
    "DataflowRunner": "needs a cloud account",
    "TF_CONFIG": "run by tests/training/test_multi_worker.py",
}

# The only changes to a command: sizes.
SMALLER = (
    (r"--config recommended", "--config tiny.yaml"),
    (r"--config demo( --set \S+)+", "--config tiny.yaml"),
    (r"--subjects 14", "--subjects 2"),
    # tests/phantom/test_writing.py holds the file against the phantom's subjects.
    (r"--split file --split-file \S+", "--split none"),
    (r"^attent benchmark (.*)", r"attent benchmark \1 --seeds 1 --methods source_only --directions mri2ct"),
    (r"--direct_num_workers=8", "--direct_num_workers=2"),
)


def commands(page: Path) -> list[str]:
    """The commands in a page's blocks, one line each, without comments."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = "\n".join(text for kind, text in blocks if kind in ("", "sh")).replace("\\\n", " ").splitlines()
    return [line.split(" #")[0].strip() for line in lines if re.match(r"(TF_CONFIG=.* )?(\.venv/bin/)?attent ", line)]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    made = write_small_data(tmp_path_factory.mktemp("data"))
    shutil.move(made / "chaos", folder / "CHAOS")
    shutil.move(made / "malbcv", folder / "MALBCV")
    shutil.copy(next((folder / "MALBCV").rglob("img0010.nii.gz")), folder / "scan.nii.gz")
    (folder / "tiny.yaml").write_text(config_to_yaml(load_config("demo", TINY)))
    return folder


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Function that runs a command that trains, and where another page had it for the same records, puts the same run there."""
    kept = {}

    def train(command):
        words = shlex.split(command)
        records, out = (Path(words[words.index(option) + 1]) for option in ("--records", "--out"))
        key = command, read_manifest(records).fingerprint
        if key in kept and not out.exists():
            shutil.copytree(kept[key], out)
            return
        _run(command)
        if key not in kept:
            kept[key] = shutil.copytree(out, tmp_path_factory.mktemp("kept") / "run")

    return train


@pytest.fixture(scope="module")
def trained(base, train, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "sandbox"
    shutil.copytree(base, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        _run("attent preprocess --mri CHAOS --ct MALBCV --out records")
        train("attent train --records records --out runs/attent --direction mri2ct --method attent --config tiny.yaml")
    return folder


def _run(command):
    words = shlex.split(command.removeprefix(".venv/bin/"))[1:]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, f"{command}\n{result.output[-2000:]}\n{result.exception!r}"


def _plan(command):
    verb, *words = shlex.split(command)[1:]
    if verb == "benchmark":
        _run(f"{command} --dry-run")
        return
    asked = main.get_command(None, verb).make_context(verb, words).params
    get_method(asked["method"])
    load_task().source_and_target(asked["direction"])
    load_config(asked["config_name"], asked["overrides"])


@pytest.mark.slow
@pytest.mark.eager
@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_run_one_after_the_other(page, request, base, train, tmp_path, monkeypatch):
    sandbox = tmp_path / "sandbox"
    shutil.copytree(request.getfixturevalue("trained") if PAGES[page] else base, sandbox)
    monkeypatch.chdir(sandbox)
    done = set()
    for command in commands(_ROOT / page):
        if page in PLANNED and re.match(r"attent (benchmark|train) ", command):
            _plan(command)
            done.add(command)
            continue
        for pattern, smaller in SMALLER:
            command = re.sub(pattern, smaller, command)
        if command in done or any(text in command for text in NOT_HERE):
            continue
        if page in SEVERAL_WAYS and re.match(r"attent (phantom|preprocess) ", command):
            words = shlex.split(command)
            shutil.rmtree(words[words.index("--out") + 1], ignore_errors=True)
        (train if command.startswith("attent train ") else _run)(command)
        done.add(command)
    assert done


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_of_a_page_is_one_of_the_configuration(page):
    """`SMALLER` takes settings out of the commands that are run, so a misspelt one would pass there."""
    for command in commands(_ROOT / page):
        load_config("demo", re.findall(r"--set (\S+)", command))


def test_every_page_with_commands_is_run_by_some_test():
    pages = {page.relative_to(_ROOT).as_posix() for page in (_ROOT / "README.md", *(_ROOT / "docs").glob("*.md"))}
    shown = {page for page in pages if commands(_ROOT / page)}
    assert shown == PAGES.keys() | ELSEWHERE.keys()
    for test in ELSEWHERE.values():
        assert (_ROOT / test).is_file(), test
