"""The networks of the paper, and those of the methods that it is compared with."""

from attent_tf.models.critics import FeatureCritic, MaskCritic
from attent_tf.models.deeplab import AtrousHead, DeepLabV2, SegmentorOutput
from attent_tf.models.generator import Generator
from attent_tf.models.generator_body import GeneratorBody
from attent_tf.models.generator_decoder import GeneratorDecoder
from attent_tf.models.generator_encoder import GeneratorEncoder
from attent_tf.models.imagenet import find_weights, load_imagenet
from attent_tf.models.initial_weights import draw_kernels
from attent_tf.models.map_discriminator import MapDiscriminator
from attent_tf.models.patch_discriminator import PatchDiscriminator
from attent_tf.models.pixel_discriminator import PixelDiscriminator
from attent_tf.models.pnp_segmentor import PnpSegmentor
from attent_tf.models.resnet import BACKBONES, DilatedResNet
from attent_tf.models.sifa_block import SifaBlock
from attent_tf.models.sifa_decoder import SifaDecoder
from attent_tf.models.sifa_encoder import SifaEncoder
from attent_tf.models.sifa_generator import SifaGenerator
from attent_tf.models.sifa_segmentor import SifaSegmentor
from attent_tf.models.sifa_tail import SifaTail

__all__ = [
    "BACKBONES",
    "AtrousHead",
    "DeepLabV2",
    "DilatedResNet",
    "FeatureCritic",
    "Generator",
    "GeneratorBody",
    "GeneratorDecoder",
    "GeneratorEncoder",
    "MapDiscriminator",
    "MaskCritic",
    "PatchDiscriminator",
    "PixelDiscriminator",
    "PnpSegmentor",
    "SegmentorOutput",
    "SifaBlock",
    "SifaDecoder",
    "SifaEncoder",
    "SifaGenerator",
    "SifaSegmentor",
    "SifaTail",
    "draw_kernels",
    "find_weights",
    "load_imagenet",
]
