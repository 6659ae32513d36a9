"""What a benchmark has still to do, told without doing it."""

import json

from click.testing import CliRunner

from attent_tf.benchmarking import forecast, forecast_lines, plan_runs
from attent_tf.tasks import load_task
from cli.main import main
from tests.support.hand_records import write_hand_records

_METHODS = ("source_only", "pixel", "attent")


def _stage(folder, stage, **facts):
    path = folder / stage / "stage.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"steps": 6, **facts}))


def test_of_an_empty_folder_all_is_to_do_and_no_time_is_known(tmp_path):
    lines = forecast_lines(forecast(tmp_path / "none", plan_runs(load_task(), _METHODS, ["mri2ct"], [0])))
    assert lines == [
        "source_only, mri2ct, seed 0: segmentation; time not known yet",
        "pixel, mri2ct, seed 0: translation, segmentation; time not known yet",
        "attent, mri2ct, seed 0: translation taken over, segmentation; time not known yet",
        "3 of 3 runs to do; 3 runs whose time is not known yet",
    ]
    assert not (tmp_path / "none").exists()


def test_times_of_finished_stages_are_expected_of_the_same_stages(tmp_path):
    plan = plan_runs(load_task(), _METHODS, ["mri2ct"], [0, 1])
    first = tmp_path / "runs/mri2ct/source_only/seed-0"
    _stage(first, "segmentation", seconds=600.0)
    (first / "evaluation").mkdir()
    (first / "evaluation/metrics.json").write_text("{}")
    pixel = tmp_path / "runs/mri2ct/pixel/seed-0"
    _stage(pixel, "translation", seconds=3600.0)
    _stage(pixel, "segmentation")
    found = {(item.run.method, item.run.seed): item for item in forecast(tmp_path, plan)}
    assert found["source_only", 0].done
    assert found["source_only", 1].seconds == 600.0
    # Its translation is over, and of its segmentation no time is known.
    assert found["pixel", 0].stages == ("segmentation",)
    assert found["pixel", 0].seconds is None
    assert found["attent", 1].shared == ("translation",)
    lines = forecast_lines(list(found.values()))
    assert lines[0] == "source_only, mri2ct, seed 0: there already"
    assert lines[3] == "source_only, mri2ct, seed 1: segmentation; about 10 min"
    assert lines[-1] == "5 of 6 runs to do; about 10 min, and 4 runs whose time is not known yet"


def test_the_command_lists_and_does_nothing(tmp_path):
    records = write_hand_records(tmp_path / "records", [])
    words = ["benchmark", "--records", str(records), "--out", str(tmp_path / "out"), "--config", "demo", "--dry-run"]
    done = CliRunner().invoke(main, [*words, "--methods", "source_only", "--seeds", "1"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == "2 of 2 runs to do; 2 runs whose time is not known yet"
    assert not (tmp_path / "out").exists()
