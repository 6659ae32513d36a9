"""`load_chain` takes packages and refuses what is no model; the rest is tested where runs, exports and servers are."""

import numpy as np
import pytest

import attent_tf as at
from attent_tf.errors import InputError
from tests.support.untrained_runs import write_untrained_run


@pytest.mark.parametrize("name", ["nothing", "file", "folder"])
def test_what_is_no_model_is_refused(name, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    found = {"nothing": "nothing", "file": "a file", "folder": "neither there"}[name]
    with pytest.raises(
        InputError, match=rf"{name}: expected a run folder \(run.json\), a package or .*, found {found}; take what"
    ):
        at.load_chain(tmp_path / name)


@pytest.mark.slow
def test_a_package_gives_the_labels_of_its_run(tmp_path):
    from attent_tf.export.package import write_package

    run = write_untrained_run(tmp_path / "run")
    # Whatever the file is called.
    package = write_package(run, tmp_path / "model.attent").path.rename(tmp_path / "model")
    x, y = np.meshgrid(np.linspace(-1.2, 1.2, 60), np.linspace(-1.2, 1.2, 50), indexing="ij")
    voxels = np.repeat(np.where(x**2 + y**2 < 1, 40.0, -1000.0)[..., None], 3, axis=2)
    affine = np.diag([4.0, 4.0, 5.0, 1.0])
    found = [
        at.segment_volume(at.load_chain(model), voxels, affine, postprocess=False, progress=at.SilentObserver())
        for model in (run, package)
    ]
    assert found[0].any()
    np.testing.assert_array_equal(*found)
