"""A records folder so small that a stage trains in seconds."""

import dataclasses

import numpy as np
import pytest

from attent_tf.configs import load_config

TINY = (
    "data.image_size=32",
    "translation.steps=6",
    "translation.filters=4",
    "translation.discriminator_filters=4",
    "translation.residual_blocks=1",
    "translation.identity_steps=3",
    "translation.pool_size=2",
    "segmentation.steps=6",
    "segmentation.batch_size=4",
    "segmentation.aligner_warmup_steps=2",
    "segmentation.discriminator_filters=4",
    "segmentation.rates=[1, 2]",
    "log_every=2",
    "checkpoint_every=2",
    "panel_every=4",
)


@pytest.fixture(scope="session")
def tiny_config():
    return load_config("demo", TINY)


class SilentObserver:
    """Keeps what a user would have been told."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)

    def stage(self, title, total, initial):
        import contextlib

        class Bar:
            def update(self, count=1):
                pass

            def set_postfix_str(self, note):
                pass

        del title, total, initial
        return contextlib.nullcontext(Bar())


@pytest.fixture
def observer():
    return SilentObserver()
