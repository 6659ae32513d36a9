"""The table of losses."""

from attent_tf.training.history import History


def test_rows_beyond_the_checkpoint_are_dropped_on_resume(tmp_path):
    path = tmp_path / "history.csv"
    history = History(path, ("a", "b"), 0)
    for step in (10, 20, 30):
        history.append(step, {"a": step / 3, "b": 1.0})
    History(path, ("a", "b"), 20).append(30, {"a": 5.0, "b": 6.0})
    assert path.read_text().splitlines() == ["step,a,b", "10,3.33333,1", "20,6.66667,1", "30,5,6"]


def test_a_row_cut_short_by_a_kill_is_dropped(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("step,a,b\n10,1,2\n20,3")
    History(path, ("a", "b"), 100)
    assert path.read_text() == "step,a,b\n10,1,2\n"
