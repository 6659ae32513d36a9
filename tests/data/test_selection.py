"""Which slices of a training case are kept."""

import numpy as np
import pytest

from attent_tf.data.selection import body_shares, choose_slices
from attent_tf.errors import ConfigError, InputError


@pytest.fixture
def case():
    """Ten slices: a body of a quarter of the field in 2 to 7 with a gap at 4, an organ in 3 and 6, noise elsewhere."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, -0.9, (10, 20, 20)).astype(np.float32)
    images[[2, 3, 5, 6, 7], 5:15, 5:15] = 0.0
    labels = np.zeros((10, 20, 20), np.uint8)
    labels[3, 8, 8], labels[6, 9, 9] = 4, 1
    return images, labels


def test_share_of_the_field(case):
    np.testing.assert_allclose(body_shares(case[0])[[0, 2, 4, 7]], [0, 0.25, 0, 0.25])


def test_body_drops_the_ends_and_keeps_gaps(case):
    np.testing.assert_array_equal(choose_slices(*case, "body", "x"), [2, 3, 4, 5, 6, 7])


def test_body_does_not_look_at_labels(case):
    images, labels = case
    kept = choose_slices(images, labels, "body", "x")
    np.testing.assert_array_equal(choose_slices(images, None, "body", "x"), kept)
    np.testing.assert_array_equal(choose_slices(images, np.ones_like(labels), "body", "x"), kept)


def test_body_needs_a_twentieth_of_the_field(case):
    images = case[0]
    images[0, 0, :19] = images[1, 0, :] = 0.0
    assert choose_slices(images, None, "body", "x")[0] == 1


def test_organs_keeps_slices_with_any_organ(case):
    np.testing.assert_array_equal(choose_slices(*case, "organs", "x"), [3, 6])


def test_all_keeps_all(case):
    np.testing.assert_array_equal(choose_slices(*case, "all", "x"), np.arange(10))


def test_what_leaves_nothing_is_an_error_that_names_the_file(case):
    images, labels = case
    with pytest.raises(InputError, match=r"scan.nii: expected labels, .*found none; use --slices body"):
        choose_slices(images, None, "organs", "scan.nii")
    with pytest.raises(InputError, match=r"scan.nii: expected a labelled structure"):
        choose_slices(images, np.zeros_like(labels), "organs", "scan.nii")
    with pytest.raises(InputError, match=r"scan.nii: expected a slice that shows a body"):
        choose_slices(np.full_like(images, -1), None, "body", "scan.nii")
    with pytest.raises(ConfigError, match="found 'every'"):
        choose_slices(*case, "every", "scan.nii")
