"""The job on one real CT and one real MR: scans out of records lie where they were."""

from pathlib import Path

import numpy as np
import pytest

import beam_preprocess
from attent_tf.data.reader import read_case_records
from attent_tf.data.verify import verify
from attent_tf.datasets import find_cases, read_case
from attent_tf.volumes import PrepareOptions
from tests.support.abdomen import ABDOMEN
from tests.support.from_grid import restore_labels
from tests.support.jobs import abdomen_options

REAL = Path(__file__).parents[3] / "shared" / "data" / "real"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not REAL.is_dir(), reason=f"the real scans are not at {REAL}"),
]


def test_labels_come_back_on_the_voxels_of_the_files(tmp_path):
    out = tmp_path / "records"
    # Both scans have pixels of 3 mm.
    prepare = PrepareOptions(size=128, pixel_mm=3.0)
    options = abdomen_options(
        out=str(out), mri=str(REAL / "chaos"), ct=str(REAL / "malbcv"), split="none", prepare=prepare
    )
    beam_preprocess.run(options)
    manifest = verify(out)
    assert [case.case for case in manifest.cases] == ["malbcv-0001", "chaos-1"]
    for case in manifest.cases:
        (files,) = find_cases(
            options.folders["ct"] if case.domain == "ct" else options.folders["mri"], ABDOMEN, case.domain
        )
        volume = read_case(files)
        labels = np.stack([record.label for record in read_case_records(out, manifest, case.case)])
        restored = restore_labels(labels, case.geometry)
        organs = np.unique(volume.labels[volume.labels > 0])
        assert len(organs) >= 3
        for organ in organs:
            found, expected = restored == organ, volume.labels == organ
            assert 2 * (found & expected).sum() / (found.sum() + expected.sum()) >= 0.98
