"""What the image is built from is there, is let in, and pins what is tested. `make check-docker` builds and runs the image."""

import re

import pytest
import yaml

from cli.machine import tensorflow
from cli.main import VERBS, main


@pytest.fixture(scope="module")
def dockerfile(root) -> str:
    return (root / "Dockerfile").read_text().replace("\\\n", " ")


def _entries(lock: str) -> dict[str, set[str]]:
    """Returns the hashes of each pin, such as `numpy==2.4.6`."""
    entries = re.split(r"(?m)^(?=\S+==)", lock)[1:]
    return {entry.split()[0]: set(re.findall(r"--hash=(\S+)", entry)) for entry in entries}


def test_image_for_processors_holds_what_is_tested(root):
    tested = _entries((root / "requirements.lock").read_text())
    shipped = _entries((root / "requirements-cpu.lock").read_text())
    assert all(shipped.values())
    (pinned,) = (pin for pin in tested if pin.startswith("tensorflow=="))
    of_tensorflow = {pinned, pinned.replace("tensorflow==", "tensorflow-cpu==")}
    assert tested.keys() ^ shipped.keys() == of_tensorflow, "run `make lock`"
    common = tested.keys() & shipped.keys()
    assert {pin: tested[pin] for pin in common} == {pin: shipped[pin] for pin in common}


def test_lock_of_that_image_names_no_registry(root):
    text = (root / "requirements-cpu.lock").read_text()
    assert "://" not in text
    assert not re.search(r"index-url|find-links|trusted-host|file:", text)


def test_everything_that_is_copied_is_let_in(root, dockerfile):
    let_in = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all((root / name).exists() for name in let_in)
    copied = [words.split()[:-1] for words in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.M)]
    named = {name for names in copied for name in names} - {"."}
    assert named
    assert named <= let_in


def test_packages_are_installed_by_hash_alone(dockerfile):
    installs = re.findall(r"pip install ([^&\n]*)", dockerfile)
    assert len(installs) >= 4
    for options in installs:
        assert "--require-hashes --only-binary :all:" in options or "--no-deps --no-build-isolation" in options


def _expect_verb(words: list[str]) -> None:
    verb, *rest = words
    assert verb in VERBS, verb
    known = {option for parameter in main.get_command(None, verb).params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= known, words


def test_commands_of_the_document_exist(root):
    text = (root / "docs" / "docker.md").read_text().replace("\\\n", " ")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]
    commands = [line.partition(" attent:")[2].split()[1:] for line in lines if line.startswith("docker run")]
    commands = [words for words in commands if words and words[0] not in ("--help", "--logdir")]
    assert len(commands) >= 6
    for words in commands:
        _expect_verb(words)


def test_compose_file_of_the_document(root):
    (block,) = re.findall(r"```yaml\n(.*?)```", (root / "docs" / "docker.md").read_text(), re.S)
    services = yaml.safe_load(block)["services"]
    assert all(each["image"] in ("attent:cpu", "attent:gpu") and each["read_only"] for each in services.values())
    _expect_verb(services["train"]["command"].split())


def test_document_and_images_agree(root, dockerfile):
    text = (root / "docs" / "docker.md").read_text()
    assert re.search(r"^ARG BASE=\S+/(\S+)$", dockerfile, re.M).group(1) in text
    assert re.search(r"^USER (\S+)$", dockerfile, re.M).group(1) in text
    assert tensorflow.LEAST_DRIVERS["12"] in text
