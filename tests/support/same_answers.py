"""Two ways of computing one answer: with other batches, on another device, from an export, over a server.

Sums in another order round otherwise, so where two classes are as probable up to rounding, either may be called the largest.
"""

import numpy as np

from attent_tf.volumes import restore_image

ROUNDING = 1e-5


def assert_same_answers(found, expected, tolerance=ROUNDING, names=("probabilities",)):
    """Checks arrays everywhere to a tolerance, and labels wherever rounding cannot decide them.

    Args:
      found, expected: mappings or objects with `labels`, `probabilities` [..., classes] and all other `names`.
      tolerance: by how much a value of the one may differ from that of the other.
      names: of the arrays to compare beside the labels.
    """
    for name in names:
        np.testing.assert_allclose(_of(found, name), _of(expected, name), atol=tolerance, rtol=0, err_msg=name)
    assert_same_labels(_of(found, "labels"), _of(expected, "labels"), _of(expected, "probabilities"), tolerance)


def assert_same_labels(found, expected, probabilities, tolerance=ROUNDING):
    """Checks labels wherever the two largest probabilities lie further apart than rounding can bring them together.

    Args:
      found, expected: [...] class indices.
      probabilities: [..., classes] on which either was decided; all 0 where there is no answer but background.
      tolerance: by how much a probability of the one may differ from that of the other.
    """
    found, expected, probabilities = (np.asarray(array) for array in (found, expected, probabilities))
    assert found.shape == expected.shape == probabilities.shape[:-1]
    second, largest = np.moveaxis(np.partition(probabilities, -2, axis=-1)[..., -2:], -1, 0)
    decided = (largest - second > 2 * tolerance) | (largest == 0)
    # Otherwise labels would hardly be compared at all.
    assert decided.mean() > 0.9, decided.mean()
    np.testing.assert_array_equal(found[decided], expected[decided])


def probabilities_on_scan(chain, prepared, batch_size=1):
    """Returns [i, j, k, classes] probabilities of a prepared scan on its own voxels, 0 outside of the prepared slices."""
    from attent_tf.inference.batches import run_slices
    from attent_tf.volumes import stack_neighbours

    stacked = stack_neighbours(prepared.images, None, prepared.geometry.neighbours)
    slices = np.concatenate([np.asarray(output.probabilities) for _, output in run_slices(chain, stacked, batch_size)])
    return np.stack([restore_image(share, prepared.geometry, 0.0) for share in np.moveaxis(slices, -1, 0)], axis=-1)


def _of(answer, name):
    return np.asarray(answer[name] if isinstance(answer, dict) else getattr(answer, name))
