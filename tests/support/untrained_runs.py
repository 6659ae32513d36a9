"""Run folders with random weights: whatever is only about a run's form needs no training."""

import json
import random
from pathlib import Path

import numpy as np
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.methods import SEGMENTOR, TEACHER, TO_SOURCE, TO_TARGET, get_method
from attent_tf.runs import Run, create_or_check
from attent_tf.runs.networks import make_part, stored
from attent_tf.tasks import Task
from attent_tf.volumes import PrepareOptions
from tests.support.abdomen import ABDOMEN
from tests.support.small_runs import TINY


def write_untrained_run(
    folder: Path,
    method: str = "attent",
    direction: str = "mri2ct",
    options: PrepareOptions | None = None,
    settings=(),
    task: Task = ABDOMEN,
) -> Run:
    """Writes a run of tiny networks whose weights, batch norms included, are random; returns it."""
    options = options or PrepareOptions()
    config = load_config("demo", [*TINY, *settings])
    run = Run(folder, get_method(method), direction, config, "0" * 64, options, task)
    create_or_check(run, ())
    # What the noise is added to is drawn too.
    random.seed(0)
    rng = np.random.default_rng(0)
    size = config.data.image_size
    # Of each method the same segmentor, whatever stands before it.
    for stage in reversed(run.method.stages):
        imaging = [part for part in stage.parts if part.role in (TO_SOURCE, TO_TARGET, SEGMENTOR, TEACHER)]
        networks = [make_part(part, config, run.task, direction, options.channels) for part in imaging]
        for network in networks:
            network(tf.zeros((1, size, size, options.channels)))
            for variable in network.variables:
                noise = rng.normal(0, 0.05, variable.shape)
                positive = "variance" in variable.path or "gamma" in variable.path
                variable.assign(1 + np.abs(noise) if positive else np.asarray(variable.value) + noise)
        state = {network.name: stored(network) for network in networks}
        checkpoints = run.stage_folder(stage.id) / "checkpoints"
        tf.train.CheckpointManager(tf.train.Checkpoint(**state), str(checkpoints), 1).save(checkpoint_number=3)
        (run.stage_folder(stage.id) / "stage.json").write_text(json.dumps({"steps": 3}))
    return run
