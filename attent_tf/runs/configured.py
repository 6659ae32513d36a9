"""The networks as a configuration has them, for the parts of methods (`attent_tf.methods.Part`).

Each function takes the configuration, the number of classes C, the channels of the images and a name, and returns a network that
is not built yet. Those of networks that can be given their encoder take it as well.
"""

from attent_tf.configs import Config
from attent_tf.configs.first_weights import takes_imagenet_input
from attent_tf.models.critics import FeatureCritic, MaskCritic
from attent_tf.models.deeplab import DeepLabV2
from attent_tf.models.generator import Generator
from attent_tf.models.generator_encoder import GeneratorEncoder
from attent_tf.models.map_discriminator import MapDiscriminator
from attent_tf.models.patch_discriminator import PatchDiscriminator
from attent_tf.models.pixel_discriminator import PixelDiscriminator
from attent_tf.models.pnp_segmentor import PnpEncoder, PnpSegmentor
from attent_tf.models.resnet import DilatedResNet


def gated_generator(
    config: Config, num_classes: int, channels: int, name: str, encoder: GeneratorEncoder | None = None
) -> Generator:
    """Makes a generator with attention gates (Eq. 1)."""
    del num_classes
    return _generator(config, channels, name, "attention", encoder)


def plain_generator(
    config: Config, num_classes: int, channels: int, name: str, encoder: GeneratorEncoder | None = None
) -> Generator:
    """Makes the generator of the classic CycleGAN."""
    del num_classes
    return _generator(config, channels, name, "none", encoder)


def patch_discriminator(config: Config, num_classes: int, channels: int, name: str) -> PatchDiscriminator:
    """Makes an image discriminator."""
    del num_classes, channels
    return PatchDiscriminator(config.translation.discriminator_filters, config.translation.normalization, name=name)


def segmentor(
    config: Config, num_classes: int, channels: int, name: str, encoder: DilatedResNet | PnpEncoder | None = None
) -> DeepLabV2 | PnpSegmentor:
    """Makes the segmentor S."""
    del channels
    section = config.segmentation
    if section.backbone == "pnp_adanet":
        return PnpSegmentor(num_classes, encoder=encoder, name=name)
    imagenet_input = takes_imagenet_input(section.weights)
    return DeepLabV2(num_classes, encoder or section.backbone, section.rates, imagenet_input, name=name)


def map_discriminator(config: Config, num_classes: int, channels: int, name: str) -> MapDiscriminator:
    """Makes a discriminator of entropy maps, softmax outputs or features."""
    del num_classes, channels
    return MapDiscriminator(config.segmentation.discriminator_filters, name=name)


def pixel_discriminator(config: Config, num_classes: int, channels: int, name: str) -> PixelDiscriminator:
    """Makes CyCADA's discriminator of scores."""
    del num_classes, channels
    return PixelDiscriminator(config.cycada.discriminator_filters, config.cycada.discriminator_dropout, name=name)


def feature_critic(config: Config, num_classes: int, channels: int, name: str) -> FeatureCritic:
    """Makes PnP-AdaNet's critic of features."""
    del num_classes, channels
    return FeatureCritic(config.pnp_adanet.critic_filters, config.pnp_adanet.critic_dropout, name=name)


def mask_critic(config: Config, num_classes: int, channels: int, name: str) -> MaskCritic:
    """Makes PnP-AdaNet's critic of masks."""
    del num_classes, channels
    return MaskCritic(config.pnp_adanet.mask_critic_filters, config.pnp_adanet.critic_dropout, name=name)


def _generator(config, channels, name, skips, encoder):
    section = config.translation
    return Generator(
        filters=section.filters,
        residual_blocks=section.residual_blocks,
        skips=skips,
        gate_gain=section.gate_gain,
        upsample_kernel=section.upsample_kernel,
        normalization=section.normalization,
        channels=channels,
        encoder=encoder,
        name=name,
    )
