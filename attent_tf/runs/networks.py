"""The networks of a run: made as its method and configuration say, and filled from its checkpoints."""

import os
import pkgutil
from collections.abc import Mapping

import keras
import tensorflow as tf

from attent_tf.configs import Config
from attent_tf.errors import ConfigError, RunError
from attent_tf.methods import Part, Stage, part_name
from attent_tf.runs.description import stage_description
from attent_tf.runs.package import Package
from attent_tf.runs.run import Run
from attent_tf.tasks import Task


def make_part(
    part: Part,
    config: Config,
    task: Task,
    direction: str,
    channels: int = 1,
    made: Mapping[str, keras.Model] | None = None,
) -> keras.Model:
    """Makes a network; it is built by its first call.

    Args:
      part: a part of a method.
      config: the configuration of the run.
      task: whose classes it tells apart.
      direction: a direction of the task, for its name.
      channels: the number of channels of the images.
      made: by role, networks of the same stage; if that is among them whose encoder the part has, it is the same encoder.
    """
    name = part_name(part.role, *task.source_and_target(direction))
    owner = (made or {}).get(part.encoder_of)
    shared = {} if owner is None else {"encoder": owner.encoder}
    return pkgutil.resolve_name(part.network)(config, task.num_classes, channels, name, **shared)


def load_parts(run: Run, *roles: str) -> list[keras.Model]:
    """Loads networks that take images, each from the newest checkpoint of the last stage that has it.

    Args:
      run: a trained run.
      roles: the roles of the networks, in the order in which they are made and returned.

    Raises:
      RunError: the method has no such network, a stage has no checkpoint, or it is damaged or of another model.
    """
    size, channels = run.config.data.image_size, run.prepare_options.channels
    try:
        stages = {role: run.method.stage_of(role) for role in roles}
    except ConfigError as error:
        raise RunError(f"{run.folder}: {error}") from error
    parts = {role: run.method.part(role) for role in roles}
    made: dict[str, dict[str, keras.Model]] = {stage.id: {} for stage in stages.values()}
    # A network whose encoder others have is made before them.
    for role in sorted(roles, key=lambda role: stages[role].roles.index(role) if parts[role].encoder_of else -1):
        beside = made[stages[role].id]
        beside[role] = make_part(parts[role], run.config, run.task, run.direction, channels, beside)
    networks = [made[stages[role].id][role] for role in roles]
    for network in networks:
        network(tf.zeros((1, size, size, channels)))
    if run.package is not None:
        fill_from_package(run.package, dict(zip(roles, networks, strict=True)))
        return networks
    for stage, by_role in made.items():
        restore_networks(run, stage, {network.name: network for network in by_role.values()})
    return networks


def begin_parts(run: Run, stage: Stage, networks: dict[str, keras.Model]) -> None:
    """Gives networks of a stage that begins the weights of those parts of earlier stages that they begin as.

    Args:
      run: whose earlier stages are complete.
      stage: the stage that begins.
      networks: its networks by role, built.

    Raises:
      RunError: as `load_parts`.
    """
    for part in stage.parts:
        if part.begins_as:
            earlier, role = part.begins_as
            restore_networks(run, earlier, {part_name(role, run.source, run.target): networks[part.role]})


def trained_steps(run: Run, stage: str) -> tuple[int, int]:
    """Returns how many updates of a stage its newest checkpoint holds, and how many it was to have; (0, 0) before it began."""
    if run.package is not None:
        return run.package.steps(stage)
    path = _newest_checkpoint(run, stage)
    if path is None:
        return 0, 0
    return int(path.rsplit("-", 1)[1]), stage_description(run.folder, stage).steps


def check_complete(run: Run, stage: str) -> None:
    """Raises RunError unless a stage was trained to its end."""
    done, planned = trained_steps(run, stage)
    if not planned or done < planned:
        state = f"stopped at step {done} of {planned}" if planned else "has not begun"
        raise RunError(f"{run.folder}: the {stage} stage {state}; run attent train with --stage all")


def stored(part: keras.Model | keras.optimizers.Optimizer) -> list[tf.Variable]:
    """Returns all variables of a network or an optimizer, in the order in which checkpoints hold them."""
    return [variable.value for variable in part.variables]


def named_variables(role: str, network: keras.Model) -> dict[str, tf.Variable]:
    """Returns all variables of a network by the names that packages give them: its role and their place in it."""
    named: dict[str, tf.Variable] = {}
    for variable in network.variables:
        name = f"{role}/{variable.path.partition('/')[2]}"
        # Layers that Keras named alike are told apart by their order.
        alike = sum(taken.partition("#")[0] == name for taken in named)
        named[f"{name}#{alike + 1}" if alike else name] = variable.value
    return named


def fill_from_package(package: Package, networks: dict[str, keras.Model]) -> None:
    """Fills networks, given by their roles in the package's model.

    Raises:
      InputError: see `Package.weights`.
      RunError: the package lacks a network, or has another in its place.
    """
    weights = package.weights()
    for role, network in networks.items():
        wanted = named_variables(role, network)
        found = {name: values for name, values in weights.items() if name.startswith(f"{role}/")}
        if not found:
            raise RunError(
                f"{package.path}: expected the network {role}, found none; make the package again from its run"
            )
        for name in sorted(wanted.keys() | found.keys()):
            want, have = (
                f"{values.dtype.name} {list(values.shape)}" if values is not None else "nothing"
                for values in (wanted.get(name), found.get(name))
            )
            if want != have:
                raise RunError(
                    f"{package.path}: weights of another architecture: expected {want} as {name}, found {have}; use "
                    "the backbone, filters, rates, structures and channels that attent info says"
                )
        for name, variable in wanted.items():
            variable.assign(found[name])


def restore_networks(run: Run, stage: str, networks: dict[str, keras.Model]) -> None:
    """Fills networks, given by their names in the stage's newest checkpoint.

    Raises:
      RunError: the stage has no checkpoint, or it is damaged or of another model.
    """
    path = _newest_checkpoint(run, stage)
    if path is None:
        raise RunError(f"{run.folder}: the {stage} stage has no checkpoint; run attent train --stage {stage}")
    checkpoint = tf.train.Checkpoint(**{name: stored(network) for name, network in networks.items()})
    try:
        status = checkpoint.restore(path)
        status.expect_partial().assert_existing_objects_matched()
    except AssertionError as error:
        raise RunError(f"{path}: weights of another model; run.json or the checkpoint was changed") from error
    except (IndexError, ValueError, tf.errors.OpError) as error:
        raise RunError(f"{path}: damaged checkpoint ({type(error).__name__}); train again") from error


def _newest_checkpoint(run: Run, stage: str) -> str | None:
    path: str | None = tf.train.latest_checkpoint(os.fspath(run.stage_folder(stage) / "checkpoints"))
    return path
