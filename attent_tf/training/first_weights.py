"""What S begins with where the configuration names weights: a backbone from ImageNet, or the whole S of a package."""

from attent_tf.configs import Config
from attent_tf.configs.first_weights import package_of, takes_imagenet_input
from attent_tf.errors import ConfigError
from attent_tf.models import DeepLabV2, PnpSegmentor, find_weights, load_imagenet
from attent_tf.runs import Run, load_run
from attent_tf.runs.networks import fill_from_package
from attent_tf.tasks import Task

_KEY = "segmentation.weights"


def check_first_weights(config: Config, task: Task, channels: int) -> None:
    """Looks whether the package that S is to begin with is there and fits.

    Args:
      config: the configuration of the run that is to be trained.
      task: the task of its records.
      channels: the number of channels of its images.

    Raises:
      ConfigError: the package is of another method's S, of other structures, channels, sizes or networks.
      InputError: it is missing, damaged or made with a later version.
    """
    path = package_of(config.segmentation.weights)
    if path is None:
        return
    given = load_run(path)
    if given.package is None:
        raise ConfigError(f"{_KEY}: expected a package at {path}, found a run folder; make one with attent package")
    own, packaged = config.segmentation, given.config.segmentation
    if takes_imagenet_input(packaged.weights) != takes_imagenet_input(own.weights):
        right = f"imagenet:{path}" if takes_imagenet_input(packaged.weights) else str(path)
        raise ConfigError(
            f"{_KEY}: {path}: expected a model {'with' if takes_imagenet_input(own.weights) else 'without'} ImageNet's input, "
            f"found the other; write {_KEY}={right}"
        )
    pairs = {
        "the structures": (", ".join(task.structure_names), ", ".join(given.task.structure_names)),
        "channels": (channels, given.prepare_options.channels),
        "data.image_size": (config.data.image_size, given.config.data.image_size),
        "segmentation.backbone": (own.backbone, packaged.backbone),
        "segmentation.rates": (list(own.rates), list(packaged.rates)),
    }
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            raise ConfigError(
                f"{_KEY}: {path}: expected {name} {wanted}, found {found}; take a package that fits, or none"
            )


def begin_segmentor(segmentor: DeepLabV2 | PnpSegmentor, config: Config) -> None:
    """Gives S its first weights where the configuration names some.

    Args:
      segmentor: built.
      config: the configuration of the run.

    Raises:
      AttentError: the file is missing or damaged, or holds another network.
    """
    section = config.segmentation
    path = package_of(section.weights)
    if path is not None:
        given = load_run(path)
        fill_from_package(given.package, {_segmentor_of(given): segmentor})
    elif section.weights != "none":
        load_imagenet(segmentor.resnet, find_weights(section.weights, section.backbone))


def _segmentor_of(given: Run) -> str:
    """The role of the network that segments on the first deployed path."""
    return given.method.deployment[0].roles[-1]
