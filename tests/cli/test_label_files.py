"""`attent evaluate` on label files, and `attent compare`, as a user runs them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import main
from tests.support.abdomen import ORGANS
from tests.support.label_folders import labels, write, write_pair


def _attent(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def _one_line(result, code=1):
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


@pytest.fixture
def folders(tmp_path):
    for case in range(1, 5):
        write_pair(tmp_path, f"case_{case}", shift=case % 3)
    return tmp_path


def _evaluate(folders, out="out", *more):
    sides = ("--predictions", folders / "predictions", "--references", folders / "references")
    return _attent("evaluate", *sides, "--out", folders / out, *more)


def test_all_scored_ends_with_0_and_prints_the_table_and_the_protocol(folders):
    result = _evaluate(folders)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert any(line.split() == ["predictions", *["75.00"] * 5, *_assd(folders)] for line in lines), result.stdout
    assert any(line.startswith("Liver") and "75.00" in line and "…" in line for line in lines)
    said = " ".join(result.stdout.split())
    for text in (
        "Eq. 10",
        "Each case is scored on the voxels of its reference file",
        "bootstrap over cases",
        "without scans; see --images",
    ):
        assert text in said
    assert "Could not be scored" not in result.stdout


def _assd(folders):
    average = json.loads((folders / "out" / "metrics.json").read_text())["average"]
    return [f"{average[key]:.2f}" for key in ("assd_voxel", "assd_mm")]


def test_what_could_not_be_scored_is_listed_and_ends_with_3(folders):
    (folders / "predictions" / "case_2.nii.gz").unlink()
    write(folders / "references" / "case_3.nii.gz", labels() * 0.4, dtype=np.float32)
    write(folders / "predictions" / "case_4.nii.gz", labels(without=(4,)))
    result = _evaluate(folders)
    assert result.exit_code == 3, result.output
    listed = result.stdout[result.stdout.index("Could not be scored as they stand (2):") :].splitlines()[1:3]
    assert listed[0].startswith("  case_2, prediction: ")
    assert listed[0].endswith("[an empty prediction]")
    assert listed[1].startswith("  case_3, reference: ")
    assert listed[1].endswith("[not scored]")
    assert "  case_4: spleen missed (Dice 0, infinite distance)" in result.stdout


def test_a_label_map_names_files_and_numbers(folders):
    for case in range(1, 5):
        (folders / "references" / f"case_{case}.nii.gz").rename(folders / "references" / f"gt_{case}.nii.gz")
    (folders / "map.yaml").write_text(
        "predictions: {labels: 'case_{case}.nii.gz'}\nreferences: {labels: 'gt_{case}.nii.gz'}\n"
    )
    result = _evaluate(folders, "mapped", "--labels", folders / "map.yaml", "--name", "nnU-Net")
    assert result.exit_code == 0, result.output
    assert "nnU-Net" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Missing option '--run'; give --run and --records, or --predictions and --references."),
        (("--run", "r"), "Missing option '--records'"),
        (("--predictions", "p"), "Missing option '--references'"),
        (("--predictions", "p", "--references", "q", "--run", "r"), "--run cannot be used with --predictions."),
        (("--run", "r", "--records", "q", "--labels", "m"), "--labels cannot be used with --run."),
        (
            ("--run", "r", "--records", "q", "--orientation-policy", "trust_affine"),
            "--orientation-policy cannot be used with --run",
        ),
    ],
)
def test_halves_and_mixtures_of_options_are_refused(words, message):
    assert message in _one_line(_attent("evaluate", "--out", "o", *words), code=2)


@pytest.mark.slow
def test_wrong_folders_and_maps_are_one_line(folders):
    assert "expected the folder of a data set" in _one_line(
        _attent(
            "evaluate", "--predictions", folders / "x", "--references", folders / "references", "--out", folders / "o"
        )
    )
    assert "expected a label map, No such file" in _one_line(_evaluate(folders, "o", "--labels", folders / "no.yaml"))
    _evaluate(folders)
    assert "does not exist yet" in _one_line(_evaluate(folders))
    assert _evaluate(folders, "out", "--overwrite").exit_code == 0


@pytest.fixture
def runs(folders):
    """Evaluations `one` and `two` of the same four cases; `two` misses the spleen of one."""
    assert _evaluate(folders, "one", "--name", "one").exit_code == 0
    for case in range(1, 5):
        write(folders / "predictions" / f"case_{case}.nii.gz", labels(1 + case % 2, without=(4,) if case == 1 else ()))
    assert _evaluate(folders, "two", "--name", "two").exit_code == 0
    return folders


def test_compare_prints_scores_differences_and_p_values(runs):
    result = _attent("compare", runs / "one", runs / "two")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Dice, % over 4 cases, protocol ")
    (liver,) = [
        line for line in result.stdout.splitlines() if line.startswith("Liver         one − two") and "…" in line
    ]
    # Shifts of 1, 2, 0, 1 voxels against 2, 1, 2, 1: differences of 25, -25, 50 and 0.
    assert "+12.50" in liver
    assert "Holm's method over the 5 differences" in " ".join(result.stdout.split())


@pytest.mark.slow
def test_compare_writes_everything_and_the_same_each_time(runs):
    for name in ("a", "b"):
        words = ("compare", runs / "one", runs / "two", "--metric", "assd_mm", "--out", runs / name)
        assert _attent(*words).exit_code == 0
    files = ["cases.csv", "comparison.json", "comparison.png", "comparison.svg", "differences.csv", "scores.csv"]
    assert sorted(path.name for path in (runs / "a").iterdir()) == files
    for name in files:
        assert (runs / "a" / name).read_bytes() == (runs / "b" / name).read_bytes()
    assert "does not exist yet" in _one_line(_attent("compare", runs / "one", runs / "two", "--out", runs / "a"))


@pytest.mark.slow
def test_compare_prints_json_that_says_what_is_infinite(runs):
    words = ("compare", runs / "one", runs / "two", "--metric", "assd_mm", "--json")
    document = json.loads(_attent(*words).stdout)
    assert [run["label"] for run in document["runs"]] == ["one", "two"]
    by_column = {difference["column"]: difference["statistics"] for difference in document["differences"]}
    assert by_column["spleen"]["mean_difference"] == "-inf"
    assert by_column["spleen"]["t_p"] is None
    assert by_column["spleen"]["n_infinite"] == 1
    assert set(by_column) == {*ORGANS, "average"}


@pytest.mark.slow
def test_compare_refuses_other_cases_protocols_and_references_in_one_line(runs):
    assert "expected the protocol of one" in _one_line(_compare_with(runs, "slices", "--protocol", "released_2d"))
    (runs / "predictions" / "case_4.nii.gz").unlink()
    (runs / "references" / "case_4.nii.gz").unlink()
    result = _compare_with(runs, "fewer")
    assert "that case case_4 is not in all; compare the 3 common ones with --common-cases" in _one_line(result)
    common = _attent("compare", runs / "one", runs / "fewer", "--common-cases")
    assert common.exit_code == 0
    assert "Left out, as some runs lack them: case_4." in common.stdout
    write(runs / "references" / "case_1.nii.gz", labels(without=(1,)))
    _compare_with(runs, "other")
    line = _one_line(_attent("compare", runs / "fewer", runs / "other"))
    assert "expected the references of" in line
    assert "case case_1, liver" in line


def _compare_with(runs, name, *more):
    assert _evaluate(runs, name, "--name", name, *more).exit_code == 0
    return _attent("compare", runs / "one", runs / name)


@pytest.mark.slow
def test_compare_needs_two_runs_and_evaluations(runs):
    assert "at least two" in _one_line(_attent("compare", runs / "one"))
    assert "expected an evaluation (metrics.json)" in _one_line(_attent("compare", runs / "one", runs / "predictions"))
    assert "Missing argument 'RUN RUN...'" in _one_line(_attent("compare"), code=2)
