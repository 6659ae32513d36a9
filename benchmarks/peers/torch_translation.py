"""The translation step in plain PyTorch: what the same networks and losses cost there.

    python benchmarks/peers/torch_translation.py --size demo --steps 20
    python benchmarks/peers/torch_translation.py --size paper --precision bfloat16 --compile

The attention CycleGAN of the configurations `demo` and `paper`: the same widths, kernels, padding and norms, one update of both
generators and one of each discriminator, Adam. Images are random and stay on the device. Needs PyTorch, which nothing else here
does: `pip install torch`. On a GPU products are in TF32, as TensorFlow's are by itself; `--no-tf32` forbids it.
"""

import argparse
import itertools
import json
import time

import torch
from torch import nn
from torch.nn import functional

# image size, filters, filters of the discriminators, residual blocks, kernel after up-sampling, identity weight, adversarial loss
SIZES = {
    "demo": (128, 8, 16, 6, 3, 5.0, "least_squares"),
    "paper": (256, 64, 64, 9, 1, 0.0, "log_likelihood"),
}


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A convolution that reflects at the border, as the generators' do."""
    mode = "reflect" if kernel > 1 else "zeros"
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=bias, padding_mode=mode)


class Unit(nn.Sequential):
    """Convolution, instance norm, ReLU."""

    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__(conv(inputs, outputs, kernel, stride), nn.InstanceNorm2d(outputs, affine=True), nn.ReLU())


class Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width):
        super().__init__()
        self.path = nn.Sequential(Unit(width, width, 3), conv(width, width, 3), nn.InstanceNorm2d(width, affine=True))

    def forward(self, x):
        return x + self.path(x)


class Gate(nn.Module):
    """The attention gate of Eq. 1."""

    def __init__(self, encoded, decoded, width):
        super().__init__()
        self.f, self.g, self.theta = nn.Conv2d(encoded, width, 1), nn.Conv2d(decoded, width, 1), nn.Conv2d(width, 1, 1)

    def forward(self, f, g):
        return f * torch.sigmoid(self.theta(functional.relu(self.f(f) + self.g(g))))


class Generator(nn.Module):
    """Encoder, residual blocks, decoder with gated skip connections."""

    def __init__(self, filters, blocks, kernel):
        super().__init__()
        widths = (filters, 2 * filters, 4 * filters)
        self.encode = nn.ModuleList(
            [Unit(1, widths[0], 7), Unit(widths[0], widths[1], 3, 2), Unit(widths[1], widths[2], 3, 2)]
        )
        self.body = nn.Sequential(*(Residual(widths[2]) for _ in range(blocks)))
        self.gates = nn.ModuleList(Gate(width, width, width // 2) for width in reversed(widths))
        self.decode = nn.ModuleList([Unit(2 * widths[2], widths[1], kernel), Unit(2 * widths[1], widths[0], kernel)])
        self.head = conv(2 * widths[0], 1, 7, bias=True)

    def forward(self, x):
        features = []
        for unit in self.encode:
            x = unit(x)
            features.append(x)
        quarter, half, full = features[2], features[1], features[0]
        x = self.body(quarter)
        x = torch.cat([self.gates[0](quarter, x), x], 1)
        for unit, gate, skipped in zip(self.decode, list(self.gates)[1:], (half, full), strict=True):
            x = unit(functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
            x = torch.cat([gate(skipped, x), x], 1)
        return torch.tanh(self.head(x).float())


def discriminator(filters: int) -> nn.Sequential:
    """The 70×70 PatchGAN."""
    layers, inputs = [], 1
    for level, (width, stride) in enumerate(zip((1, 2, 4, 8), (2, 2, 2, 1), strict=True)):
        layers.append(nn.Conv2d(inputs, width * filters, 4, stride, 1))
        layers += [nn.InstanceNorm2d(width * filters, affine=True)] if level else []
        layers.append(nn.LeakyReLU(0.2))
        inputs = width * filters
    return nn.Sequential(*layers, nn.Conv2d(inputs, 1, 4, 1, 1))


def make_step(size: str, batch: int, device: str, precision: str):
    """Returns a function that does one update of all four networks and returns the generators' loss."""
    side, filters, judge_filters, blocks, kernel, identity_weight, kind = SIZES[size]
    to_source, to_target = (Generator(filters, blocks, kernel).to(device) for _ in range(2))
    judges = [discriminator(judge_filters).to(device) for _ in range(2)]
    generators = torch.optim.Adam(itertools.chain(to_source.parameters(), to_target.parameters()), 1e-4)
    learners = [torch.optim.Adam(judge.parameters(), 1e-4) for judge in judges]
    x_s, x_t = (torch.rand(batch, 1, side, side, device=device) * 2 - 1 for _ in range(2))
    half = torch.autocast(device, getattr(torch, precision), enabled=precision != "float32")

    def says(logits, value):
        logits = logits.float()
        if kind == "least_squares":
            return ((logits - value) ** 2).mean()
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, value))

    def step():
        for judge in judges:
            judge.requires_grad_(False)
        with half:
            if identity_weight:
                # One pass for translation and identity together, as this library does it.
                both_s, both_t = to_source(torch.cat([x_t, x_s])), to_target(torch.cat([x_s, x_t]))
                fake_s, fake_t = both_s[:batch], both_t[:batch]
                identity = functional.l1_loss(both_s[batch:], x_s) + functional.l1_loss(both_t[batch:], x_t)
            else:
                fake_s, fake_t, identity = to_source(x_t), to_target(x_s), 0.0
            cycle = functional.l1_loss(to_source(fake_t), x_s) + functional.l1_loss(to_target(fake_s), x_t)
            fooling = says(judges[0](fake_s), 1.0) + says(judges[1](fake_t), 1.0)
            loss = fooling + 10.0 * cycle + identity_weight * identity
        generators.zero_grad()
        loss.backward()
        generators.step()
        for judge, learner, real, fake in zip(judges, learners, (x_s, x_t), (fake_s, fake_t), strict=True):
            judge.requires_grad_(True)
            with half:
                judged = 0.5 * (says(judge(real), 1.0) + says(judge(fake.detach()), 0.0))
            learner.zero_grad()
            judged.backward()
            learner.step()
        return loss

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=list(SIZES), default="demo")
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--compile", action="store_true", help="by torch.compile")
    parser.add_argument("--no-tf32", action="store_true")
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = not arguments.no_tf32
    torch.backends.cudnn.benchmark = True
    step = make_step(arguments.size, arguments.batch_size, device, arguments.precision)
    step = torch.compile(step) if arguments.compile else step
    for _ in range(5 if device == "cuda" else 2):
        last = float(step())
    begin = time.perf_counter()
    for _ in range(arguments.steps):
        loss = step()
    last = float(loss)
    seconds = (time.perf_counter() - begin) / arguments.steps
    peak = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else None
    settings = {name: value for name, value in vars(arguments).items() if name != "steps"}
    print(json.dumps({**settings, "device": device, "seconds": seconds, "loss": last, "peak_mib": peak}))


if __name__ == "__main__":
    main()
