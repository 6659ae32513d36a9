import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.reporting.curves import binned, curve_svg
from attent_tf.reporting.history import Curve, families, read_history


def write(tmp_path, text):
    (tmp_path / "history.csv").write_text(text)
    return tmp_path / "history.csv"


def test_numeric_columns_become_curves_and_clocks_do_not(tmp_path):
    path = write(tmp_path, "step,cycle,seconds,note\n1,0.5,9,x\n2,0.25,18,y\n")
    (curve,) = read_history(path)
    assert curve.name == "cycle"
    np.testing.assert_array_equal(curve.steps, [1, 2])
    np.testing.assert_array_equal(curve.values, [0.5, 0.25])


def test_a_loss_that_is_logged_less_often_keeps_its_own_steps(tmp_path):
    path = write(tmp_path, "step,a,validation\n1,1,\n2,2,0.5\n3,nan,\n4,4,0.75\n")
    a, validation = read_history(path)
    np.testing.assert_array_equal(validation.steps, [2, 4])
    np.testing.assert_array_equal(a.values, [1, 2, np.nan, 4])


def test_empty_history_has_no_curves_and_foreign_files_are_refused(tmp_path):
    assert read_history(write(tmp_path, "step,a\n")) == []
    with pytest.raises(InputError, match="expected a column 'step', found epoch, a"):
        read_history(write(tmp_path, "epoch,a\n1,2\n"))


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("cycle_source", "Cycle consistency"),
        ("identity", "Identity"),
        ("D_s", "Discriminators"),
        ("discriminator_entropy", "Discriminators"),
        ("discriminator_entropy_accuracy", "Accuracy of discriminators"),
        ("generator_adversarial_t2s", "Adversarial"),
        ("cross_entropy", "Segmentation"),
        ("segmentation_auxiliary", "Segmentation"),
        ("target_entropy", "Entropy"),
        ("learning_rate", "Learning rate"),
        ("validation_dice", "Validation"),
        ("gradient_norm", "Gradient norm"),
    ],
)
def test_families(name, family):
    assert [title for title, _ in families([Curve(name, np.array([1.0]), np.array([1.0]))])] == [family]


def test_long_curves_are_thinned_to_means_with_their_range():
    steps, values = np.arange(10.0), np.array([1, 3, 2, 2, np.nan, 5, np.nan, np.nan, 0, 8.0])
    middle, mean, low, high = binned(steps, values, 5)
    np.testing.assert_array_equal(middle, [0.5, 2.5, 4.5, 6.5, 8.5])
    np.testing.assert_array_equal(mean, [2, 2, 5, np.nan, 4])
    np.testing.assert_array_equal(low, [1, 2, 5, np.nan, 0])
    np.testing.assert_array_equal(high, [3, 2, 5, np.nan, 8])


def test_short_curves_stay_as_they_are():
    steps, values = np.arange(3.0), np.array([1.0, np.inf, 2.0])
    np.testing.assert_array_equal(binned(steps, values, 5)[1], [1.0, np.nan, 2.0])


def test_svg_takes_the_colours_of_the_page():
    curves = [Curve(name, np.arange(4.0), np.arange(4.0)) for name in ("a", "b")]
    svg = curve_svg(curves, 'A < B & "C"', "one")
    assert svg.startswith('<svg role="img" aria-label="A &lt; B &amp; &quot;C&quot;"')
    assert "var(--series-1)" in svg
    assert "var(--series-2)" in svg
    assert "var(--ink-soft)" in svg
    assert "#0102" not in svg
    assert "#0203" not in svg
    assert "xmlns" not in svg
    assert svg == curve_svg(curves, 'A < B & "C"', "one")
