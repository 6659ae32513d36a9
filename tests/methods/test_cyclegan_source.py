"""CycleGAN as the tables of other papers mean it: S learns on source slices in target style and meets raw target slices."""

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import uses
from attent_tf.data.slices import SliceArrays
from attent_tf.methods import SEGMENTOR, TO_TARGET, Path, get_method
from attent_tf.runs.networks import load_parts
from attent_tf.runs.reuse import shared_stage
from attent_tf.training import shown_slices
from tests.support.small_runs import SilentObserver
from tests.support.untrained_runs import write_untrained_run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("direction", ["mri2ct", "ct2mri"])
def test_s_is_shown_source_slices_in_target_style_with_their_own_labels(direction, tmp_path, monkeypatch):
    run = write_untrained_run(tmp_path / "run", "cyclegan_source", direction)
    rng = np.random.default_rng(0)
    read = SliceArrays(rng.uniform(-1, 1, (3, 32, 32, 1)).astype(np.float32), rng.integers(0, 5, (3, 32, 32), np.uint8))
    asked = []
    monkeypatch.setattr(shown_slices, "load_slices", lambda *where, labels: asked.append((where[2], labels)) or read)
    stage = run.method.stage("segmentation")
    shown = shown_slices.ShownSlices(run, stage, "", None, SilentObserver())
    (labelled,) = stage.inputs
    found = shown.load(labelled)
    (to_target,) = load_parts(run, TO_TARGET)
    assert to_target.name == {"mri2ct": "mri_to_ct", "ct2mri": "ct_to_mri"}[direction]
    np.testing.assert_allclose(found.images, to_target(tf.constant(read.images)), atol=1e-5)
    assert not np.allclose(found.images, read.images, atol=1e-2)
    np.testing.assert_array_equal(found.labels, read.labels)
    # The target is watched as it is, without labels.
    np.testing.assert_array_equal(shown.load(stage.watched).images, read.images)
    assert asked == [(run.source, True), (run.target, False)]


def test_it_shares_the_plain_cyclegan_and_deploys_s_alone(tmp_path):
    method = get_method("cyclegan_source")
    assert method.deployment == (Path((SEGMENTOR,)),)
    assert not method.translates
    donor = write_untrained_run(tmp_path / "donor", "cyclegan", "ct2mri")
    run = write_untrained_run(tmp_path / "run", "cyclegan_source", "mri2ct")
    assert shared_stage(run, donor) == method.stages[0] == get_method("cyclegan").stages[0]
    assert not uses(method, "translation.gate_gain")
    assert not uses(method, "segmentation.cycled_source")
