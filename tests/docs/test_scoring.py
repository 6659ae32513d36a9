"""Every command of docs/scoring-and-comparing.md, on folders that are called as there."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import main
from tests.support.label_folders import labels, write

_PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scoring-and-comparing.md").read_text()
_BTCV = np.array([0, 6, 2, 3, 1], np.uint8)
_TOTAL = np.array([0, 5, 2, 3, 1], np.uint8)
_MASKS = ("liver", "kidney_right", "kidney_left", "spleen")


def _write_folders(root):
    for number in range(3):
        case, shift = f"case_{number}", number % 2
        write(root / "predictions" / f"{case}.nii.gz", labels(shift))
        write(root / "references" / f"{case}.nii.gz", labels())
        write(root / "labelsTs" / f"{case}.nii.gz", _BTCV[labels()] + (labels() == 0) * np.uint8(13))
        write(root / "imagesTs" / f"{case}_0000.nii.gz", (labels() * 30).astype(np.int16))
        write(root / "nnunet" / f"{case}.nii.gz", labels(shift))
        write(root / "totalseg-ml" / f"{case}_total.nii.gz", _TOTAL[labels(1)] + (labels(1) == 0) * np.uint8(51))
        for organ, name in enumerate(_MASKS, start=1):
            write(root / "totalseg" / case / f"{name}.nii.gz", (labels(1) == organ).astype(np.uint8))
        write(root / "totalseg" / case / "heart.nii.gz", np.zeros_like(labels()))
    names = {"background": 0, **{name: number for number, name in enumerate(_MASKS, start=1)}}
    (root / "nnunet" / "dataset.json").write_text(json.dumps({"labels": names}))
    for block in re.findall(r"```yaml\n(.*?)```", _PAGE, re.DOTALL):
        (root / re.match(r"# (\S+)", block)[1]).write_text(block)


@pytest.mark.slow
def test_every_command_of_the_page_runs(tmp_path, monkeypatch):
    _write_folders(tmp_path)
    monkeypatch.chdir(tmp_path)
    commands = [line for block in re.findall(r"```sh\n(.*?)```", _PAGE, re.DOTALL) for line in block.splitlines()]
    assert len(commands) == 8
    for line in commands:
        result = CliRunner().invoke(main, shlex.split(line)[1:])
        assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
    averages = {
        name: json.loads((tmp_path / "scores" / name / "metrics.json").read_text())["average"]["dice"]
        for name in ("ours", "nnunet", "totalseg", "totalseg-ml")
    }
    # A shift by one of four voxels gives Dice 75.
    assert averages == pytest.approx({"ours": 275 / 3, "nnunet": 275 / 3, "totalseg": 75.0, "totalseg-ml": 75.0})
    assert (tmp_path / "scores" / "nnunet" / "report" / "index.html").is_file()
    assert (tmp_path / "comparison" / "comparison.svg").is_file()


def test_the_page_names_every_key_and_exit_code():
    from attent_tf.scoring import EXIT_INCOMPLETE
    from attent_tf.scoring.label_map import _IMAGE_KEYS, _SIDE_KEYS, SIDES

    for key in (*_SIDE_KEYS, *_IMAGE_KEYS, *SIDES):
        assert f"`{key}`" in _PAGE, key
    assert f"| {EXIT_INCOMPLETE} | scored, and at least one file is listed" in _PAGE
