"""The networks of SIFA as a configuration has them, as `attent_tf.runs.configured` has those of other methods."""

from attent_tf.configs import Config
from attent_tf.models.patch_discriminator import PatchDiscriminator
from attent_tf.models.sifa_decoder import SifaDecoder
from attent_tf.models.sifa_encoder import SifaEncoder
from attent_tf.models.sifa_generator import SifaGenerator
from attent_tf.models.sifa_segmentor import SifaSegmentor

# The first version shows its networks each slice three times, as channels.
_COPIES = 3


def generator_1(config: Config, num_classes: int, channels: int, name: str) -> SifaGenerator:
    """Makes g_A of the first version."""
    del num_classes
    return _generator(config, channels, name, _COPIES)


def generator_2(config: Config, num_classes: int, channels: int, name: str) -> SifaGenerator:
    """Makes g_A of the second version."""
    del num_classes
    return _generator(config, channels, name, 1)


def segmentor_1(
    config: Config, num_classes: int, channels: int, name: str, encoder: SifaEncoder | None = None
) -> SifaSegmentor:
    """Makes e_B and s_B of the first version."""
    del channels
    options = {"dropout": config.sifa.dropout, "copies": _COPIES, "lower_head": False}
    return _segmentor(config, num_classes, name, encoder, **options)


def segmentor_2(
    config: Config, num_classes: int, channels: int, name: str, encoder: SifaEncoder | None = None
) -> SifaSegmentor:
    """Makes e_B, s_B and s_B_ll of the second version."""
    del channels
    return _segmentor(config, num_classes, name, encoder)


def decoder(config: Config, num_classes: int, channels: int, name: str) -> SifaDecoder:
    """Makes de_B."""
    del num_classes
    return SifaDecoder(config.sifa.filters, channels=channels, name=name)


def patch_discriminator(config: Config, num_classes: int, channels: int, name: str) -> PatchDiscriminator:
    """Makes d_B, d_P or d_P_ll."""
    del num_classes, channels
    return PatchDiscriminator(config.sifa.discriminator_filters, name=name)


def twofold_discriminator(config: Config, num_classes: int, channels: int, name: str) -> PatchDiscriminator:
    """Makes d_A."""
    del num_classes, channels
    return PatchDiscriminator(config.sifa.discriminator_filters, judgements=2, name=name)


def _generator(config, channels, name, copies):
    return SifaGenerator(config.sifa.filters, config.sifa.residual_blocks, channels, copies, name=name)


def _segmentor(config, num_classes, name, encoder, **options):
    filters, widest = config.sifa.encoder_filters, config.sifa.encoder_widest
    return SifaSegmentor(num_classes, filters, widest, encoder=encoder, name=name, **options)
