"""Configurations and data so small that a method trains in seconds."""

import contextlib

from tests.support.folders import CT_ORIENTATIONS, write_ct, write_mr
from tests.support.jobs import abdomen_options

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
    "sifa.steps=6",
    "sifa.batch_size=2",
    "sifa.filters=2",
    "sifa.residual_blocks=1",
    "sifa.encoder_filters=2",
    "sifa.encoder_widest=8",
    "sifa.discriminator_filters=2",
    "sifa.pool_size=2",
    "synseg.steps=6",
    "cycada.steps=4",
    "cycada.batch_size=4",
    "cycada.gate_accuracy=0.0",
    "cycada.discriminator_filters=4",
    "pnp_adanet.steps=6",
    "pnp_adanet.critic_warmup_steps=2",
    "pnp_adanet.critic_steps=1",
    "pnp_adanet.critic_filters=2",
    "pnp_adanet.mask_critic_filters=2",
    "statistics.steps=4",
    "statistics.batch_size=4",
    "self_training.steps=4",
    "self_training.batch_size=4",
    "self_training.labels.every=3",
    "self_training.labels.least_agreement=0.0",
    "self_training.labels.least_share=0.0",
    "self_training.labels.largest_share=1000.0",
    "log_every=2",
    "checkpoint_every=2",
    "panel_every=4",
)


class SilentObserver:
    """Keeps what a user would have been told."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)

    def stage(self, title, total, initial):
        del title, total, initial
        return contextlib.nullcontext(_Bar(self))

    def advance(self, count):
        """Hears of `count` more steps."""


class InterruptingObserver(SilentObserver):
    """Stops the program once a run has gone past some steps, as Ctrl-C would."""

    def __init__(self, after):
        super().__init__()
        self._left = after

    def advance(self, count):
        self._left -= count
        if self._left < 0:
            raise KeyboardInterrupt


class _Bar:
    def __init__(self, observer):
        self._observer = observer

    def update(self, count=1):
        self._observer.advance(count)

    def set_postfix_str(self, note):
        pass


def write_small_data(root):
    """Writes `chaos` (patients 1, 2) and `malbcv` (1, 2, 10), which the published split parts into test and training."""
    for number, upwards in ((1, True), (2, False)):
        write_mr(root / "chaos", number, upwards)
    for number, codes in zip((1, 2, 10), CT_ORIENTATIONS, strict=True):
        write_ct(root / "malbcv", number, codes)
    return root


def make_small_records(root):
    """Writes the small data and preprocesses it with the published split; returns the records folder."""
    from beam_preprocess import run

    write_small_data(root)
    records = root / "records"
    run(abdomen_options(out=str(records), mri=str(root / "chaos"), ct=str(root / "malbcv")))
    return records
