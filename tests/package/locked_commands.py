"""What a user does from scans to a model, and then the import of all that trains; one process, which ends where something fails.

python -m tests.package.locked_commands DATA

It leaves `records`, `run`, `scores` and `model` in the folder in which it is called.
"""

import importlib
import sys

from cli.main import main as attent
from tests.support.loading import modules_of
from tests.support.small_runs import TINY


def _succeed(*words: str) -> None:
    try:
        attent(words, prog_name="attent")
    except SystemExit as end:
        if end.code:
            raise


def main() -> None:
    """Runs the commands on a folder with `chaos` and `malbcv`."""
    data = sys.argv[1]
    settings = [word for setting in TINY for word in ("--set", setting)]
    _succeed("preprocess", "--mri", f"{data}/chaos", "--ct", f"{data}/malbcv", "--out", "records")
    what = ("--direction", "mri2ct", "--method", "source_only", "--config", "demo")
    _succeed("train", "--records", "records", "--out", "run", *what, *settings)
    _succeed("evaluate", "--run", "run", "--records", "records", "--out", "scores")
    _succeed("export", "--run", "run", "--out", "model")
    for module in (*modules_of("attent_tf.models"), *modules_of("attent_tf.training")):
        importlib.import_module(module)


if __name__ == "__main__":
    main()
