"""The networks of the method `attent` in plain PyTorch, as a configuration of this library asks for them.

Layers are made in the order of ours, so that parameters follow each other as Keras's trainable weights do: with kernels turned
from [row, column, in, out] to [out, in, row, column], either library takes the other's. Images are [batch, channels, height,
width]. Under autocast the last convolutions compute in 16 bits, where ours stay in float32.
"""

import torch
from torch import nn
from torch.nn import functional

from attent_tf.configs.sections.stages import SegmentationConfig, TranslationConfig

# Channels and kernel of the stem, whether a pool follows, whether blocks are bottlenecks; channels, blocks, strides and dilations
# of the four stages.
BACKBONES = {
    "resnet101": (64, 7, True, True, (64, 128, 256, 512), (3, 4, 23, 3), (1, 2, 1, 1), (1, 1, 2, 4)),
    "small": (16, 5, False, False, (24, 48, 64, 64), (1, 1, 1, 1), (1, 2, 1, 1), (1, 1, 2, 4)),
}


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A convolution with zeros around the image, as many on all sides."""
    return nn.Conv2d(inputs, outputs, kernel, stride, dilation * (kernel - 1) // 2, dilation)


def reflecting_conv(inputs: int, outputs: int, kernel: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A convolution that reflects at the border, as the generators' do."""
    mode = "reflect" if kernel > 1 else "zeros"
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=bias, padding_mode=mode)


class Unit(nn.Sequential):
    """Convolution, instance norm, ReLU."""

    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__(reflecting_conv(inputs, outputs, kernel, stride), nn.InstanceNorm2d(outputs), nn.ReLU(True))


class Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width):
        super().__init__()
        self.path = nn.Sequential(Unit(width, width, 3), reflecting_conv(width, width, 3), nn.InstanceNorm2d(width))

    def forward(self, x):
        return x + self.path(x)


class Gate(nn.Module):
    """The attention gate of Eq. 1."""

    def __init__(self, width, gain):
        super().__init__()
        self.f, self.g = (nn.Conv2d(width, width // 2, 1) for _ in range(2))
        self.theta = nn.Conv2d(width // 2, 1, 1)
        self.gain = gain

    def forward(self, f, g):
        return f * (self.gain * torch.sigmoid(self.theta(functional.relu(self.f(f) + self.g(g), True))))


class Generator(nn.Module):
    """Encoder, residual blocks, decoder with gated skip connections."""

    def __init__(self, section: TranslationConfig):
        super().__init__()
        widths, kernel = (section.filters, 2 * section.filters, 4 * section.filters), section.upsample_kernel
        self.encode = nn.ModuleList(
            [Unit(1, widths[0], 7), Unit(widths[0], widths[1], 3, 2), Unit(widths[1], widths[2], 3, 2)]
        )
        self.body = nn.Sequential(*(Residual(widths[2]) for _ in range(section.residual_blocks)))
        self.decode = nn.ModuleList([Unit(2 * widths[2], widths[1], kernel), Unit(2 * widths[1], widths[0], kernel)])
        self.gates = nn.ModuleList(Gate(width, section.gate_gain) for width in reversed(widths))
        self.head = reflecting_conv(2 * widths[0], 1, 7, bias=True)

    def forward(self, x):
        features = []
        for unit in self.encode:
            x = unit(x)
            features.append(x)
        full, half, quarter = features
        x = self.body(quarter)
        x = torch.cat([self.gates[0](quarter, x), x], 1)
        for unit, gate, skipped in zip(self.decode, list(self.gates)[1:], (half, full), strict=True):
            x = unit(functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
            x = torch.cat([gate(skipped, x), x], 1)
        return torch.tanh(self.head(x).float())


def patch_discriminator(section: TranslationConfig) -> nn.Sequential:
    """The 70×70 PatchGAN."""
    layers, inputs = [], 1
    for level, (times, stride) in enumerate(zip((1, 2, 4, 8), (2, 2, 2, 1), strict=True)):
        width = times * section.discriminator_filters
        layers.append(conv(inputs, width, 4, stride))
        layers += [nn.InstanceNorm2d(width)] if level else []
        layers.append(nn.LeakyReLU(0.2, True))
        inputs = width
    return nn.Sequential(*layers, conv(inputs, 1, 4))


def map_discriminator(section: SegmentationConfig, inputs: int) -> nn.Sequential:
    """The discriminator of entropy maps, of so many channels."""
    layers = []
    for times in (1, 2, 4, 8):
        width = times * section.discriminator_filters
        layers += [conv(inputs, width, 4, 2), nn.LeakyReLU(0.2, True)]
        inputs = width
    return nn.Sequential(*layers, conv(inputs, 1, 4, 2))


class Block(nn.Module):
    """A residual block of the segmentor's backbone."""

    def __init__(self, inputs, filters, bottleneck, stride, dilation, project):
        super().__init__()
        self.outputs = 4 * filters if bottleneck else filters
        shapes = [(filters, 3, stride, dilation), (filters, 3, 1, dilation)]
        if bottleneck:
            shapes = [(filters, 1, stride, 1), (filters, 3, 1, dilation), (self.outputs, 1, 1, 1)]
        widths = [inputs, *(width for width, *_ in shapes)]
        self.convs = nn.ModuleList(conv(before, *shape) for before, shape in zip(widths, shapes, strict=False))
        self.norms = nn.ModuleList(batch_norm(width) for width in widths[1:])
        self.shortcut = None
        if project:
            self.shortcut = nn.Sequential(conv(inputs, self.outputs, 1, stride), batch_norm(self.outputs))

    def forward(self, x):
        y = x
        for convolve, norm in zip(self.convs[:-1], self.norms[:-1], strict=True):
            y = functional.relu(norm(convolve(y)), True)
        y = self.norms[-1](self.convs[-1](y))
        return functional.relu(y + (x if self.shortcut is None else self.shortcut(x)), True)


def batch_norm(width: int) -> nn.BatchNorm2d:
    """The norm of the backbone, whose epsilon is that of the ImageNet weights."""
    return nn.BatchNorm2d(width, eps=1.001e-5, momentum=0.1)


class AtrousHead(nn.ModuleList):
    """The sum of 3×3 convolutions of several rates."""

    def __init__(self, inputs, classes, rates):
        super().__init__(conv(inputs, classes, 3, dilation=rate) for rate in rates)

    def forward(self, x):
        return sum(branch(x) for branch in self).float()


class Segmentor(nn.Module):
    """DeepLab-v2: logits of the main head on stage 4 and of the auxiliary head on stage 3, at the image's size."""

    def __init__(self, section: SegmentationConfig, classes: int):
        super().__init__()
        width, kernel, pooled, bottleneck, *stages = BACKBONES[section.backbone]
        self.stem = conv(1, width, kernel, 2)
        self.stem_norm = batch_norm(width)
        self.pool = nn.MaxPool2d(3, 2, 1) if pooled else nn.Identity()
        made, widths = [], []
        for filters, blocks, stride, dilation in zip(*stages, strict=True):
            stage = []
            for block in range(blocks):
                first = block == 0
                stage.append(Block(width, filters, bottleneck, stride if first else 1, dilation, first))
                width = stage[-1].outputs
            made.append(nn.Sequential(*stage))
            widths.append(width)
        self.stages = nn.ModuleList(made)
        self.main_head = AtrousHead(widths[3], classes, section.rates)
        self.aux_head = AtrousHead(widths[2], classes, section.rates)

    def forward(self, x, aux: bool = True):
        size = x.shape[2:]
        x = self.pool(functional.relu(self.stem_norm(self.stem(x)), True))
        for stage in self.stages[:3]:
            x = stage(x)
        main = resize(self.main_head(self.stages[3](x)), size)
        return (main, resize(self.aux_head(x), size)) if aux else main


def resize(x: torch.Tensor, size) -> torch.Tensor:
    """Bilinear, corners as in `tf.image.resize`."""
    return functional.interpolate(x, tuple(size), mode="bilinear", align_corners=False)


def count_parameters(network: nn.Module) -> int:
    """Returns the number of trained parameters."""
    return sum(parameter.numel() for parameter in network.parameters())
