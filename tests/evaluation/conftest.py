"""Small cases, of which evaluation folders are made."""

import numpy as np
import pytest

from attent_tf.evaluation.case_result import CaseResult


@pytest.fixture
def make_case():
    """Makes a small case whose organs are boxes; `missed` organs are not predicted."""

    def make(case="chaos-1", missed=(), reference=True, translated=True, seed=0):
        random = np.random.default_rng(seed)
        shape = (4, 16, 20)
        labels = np.zeros(shape, np.uint8)
        for index, corner in ((1, 1), (2, 6), (3, 11), (4, 15)):
            labels[1:3, 4:9, corner : corner + 3] = index
        prediction = np.where(np.isin(labels, list(missed)), 0, labels).astype(np.uint8)
        return CaseResult(
            case=case,
            image=random.uniform(-1, 1, shape).astype(np.float32),
            entropy=random.uniform(0, 1, shape).astype(np.float32),
            prediction=prediction,
            spacing_mm=(5.0, 1.5, 1.5),
            translated=random.uniform(-1, 1, shape).astype(np.float32) if translated else None,
            reference=labels if reference else None,
        )

    return make
