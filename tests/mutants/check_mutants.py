"""How many small changes of a module its own tests notice (mutation testing, with mutmut).

Run: make mutants, or python -m tests.mutants.check_mutants attent_tf/data/splits.py
Needs `pip install mutmut`. Everything happens in a copy of the checkout, which is removed. What survives is printed with its
change; survivors that are known, and why they are left, stand in tests/mutants/survivors.md.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("attent_tf", "beam_preprocess", "cli")
# What tests of the modules below read beside them.
_BESIDE = ("benchmarks", "docs", "tests", "pyproject.toml", "setup.py", "README.md")

# Module -> the tests that are to notice its changes.
TESTS = {
    "attent_tf/data/splits.py": ("tests/data/test_splits.py",),
    "attent_tf/metrics/overlap.py": ("tests/metrics/test_overlap.py", "tests/metrics/test_conventions.py"),
    "attent_tf/metrics/boxes.py": ("tests/metrics/test_boxes.py",),
    "attent_tf/metrics/bootstrap.py": ("tests/metrics/test_bootstrap.py",),
    "attent_tf/metrics/paired_statistics.py": ("tests/metrics/test_paired_statistics.py",),
    "attent_tf/metrics/scores.py": ("tests/metrics/test_scores.py", "tests/metrics/test_conventions.py"),
    "attent_tf/metrics/significance.py": ("tests/metrics/test_significance.py",),
    "attent_tf/metrics/surface.py": ("tests/metrics/test_surface.py", "tests/metrics/test_conventions.py"),
    "attent_tf/metrics/surface_distances.py": ("tests/metrics/test_surface.py", "tests/metrics/test_oracles.py"),
    "attent_tf/metrics/surface_elements.py": ("tests/metrics/test_surface.py", "tests/metrics/test_oracles.py"),
    "attent_tf/metrics/voxel_axes.py": ("tests/metrics/test_voxel_axes.py",),
    "attent_tf/volumes/grid.py": ("tests/volumes/test_grid.py", "tests/volumes/test_prepare.py"),
    "attent_tf/volumes/orientation.py": ("tests/volumes/test_orientation.py",),
    "attent_tf/losses/adversarial.py": ("tests/losses",),
    "attent_tf/losses/entropy.py": ("tests/losses",),
    "attent_tf/losses/reconstruction.py": ("tests/losses",),
    "attent_tf/losses/segmentation.py": ("tests/losses",),
}

# Mutants run in forks of a process that has only collected the tests: what a module keeps (functools.cache) is not filled yet.
_SETTINGS = """
[tool.mutmut]
source_paths = [{packages}]
only_mutate = ["{module}"]
also_copy = [{beside}]
process_isolation = "forkserver"
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist"]
pytest_add_cli_args_test_selection = [{tests}]
"""


def check(module: str, minutes: float) -> None:
    """Changes one module, a mutant at a time, and prints what mutmut found.

    Args:
        module: a key of `TESTS`.
        minutes: how long mutmut may run. It begins with the mutants whose tests are quickest; those that it did not reach
            are printed as `not checked`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        for name in (*_PACKAGES, *_BESIDE):
            source = _ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, Path(scratch) / name)
        packages, beside, tests = (
            ", ".join(f'"{name}"' for name in names) for names in (_PACKAGES, _BESIDE, TESTS[module])
        )
        with (Path(scratch) / "pyproject.toml").open("a", encoding="utf-8") as settings:
            settings.write(_SETTINGS.format(module=module, packages=packages, beside=beside, tests=tests))
        # The copy is what is to be imported.
        paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and Path(path) != _ROOT]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        print(f"== {module}", flush=True)
        mutmut = [sys.executable, "-m", "mutmut"]
        with subprocess.Popen(
            [*mutmut, "run", "--max-children", "1"], cwd=scratch, env=environment, start_new_session=True
        ) as run:
            try:
                run.wait(minutes * 60)
            except subprocess.TimeoutExpired:
                print(f"\nstopped after {minutes:g} minutes")
            finally:
                if run.poll() is None:
                    os.killpg(run.pid, signal.SIGKILL)  # the tests of a mutant are processes of their own
        found = subprocess.run(
            [*mutmut, "results"], cwd=scratch, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        print(found.stdout, flush=True)
        for line in found.stdout.splitlines():
            name, _, outcome = line.strip().partition(": ")
            if outcome == "survived":
                subprocess.run([*mutmut, "show", name], cwd=scratch, env=environment, check=True)


def main() -> None:
    """Checks the modules that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", help=f"of {', '.join(TESTS)}; default: all")
    parser.add_argument("--minutes", type=float, default=12, help="how long each module may take; default: %(default)s")
    options = parser.parse_args()
    modules = options.modules or list(TESTS)
    if unknown := sorted(set(modules) - TESTS.keys()):
        parser.error(f"expected modules of the list, found {', '.join(unknown)}")
    for module in modules:
        check(module, options.minutes)


if __name__ == "__main__":
    main()
