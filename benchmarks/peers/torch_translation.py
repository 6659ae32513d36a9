"""The translation step in plain PyTorch: what the same networks and losses cost there.

    python benchmarks/peers/torch_translation.py --size demo --threads 2
    python benchmarks/peers/torch_translation.py --size paper --precision bfloat16 --steps 2

The attention CycleGAN of a configuration: the same widths, kernels, padding and norms, one update of both generators and one of
each discriminator, Adam. Images are random and stay on the device; discriminators are shown the latest translations, without the
pool of earlier ones. On a GPU products are in TF32, as TensorFlow's are by itself; `--no-tf32` forbids it. Needs PyTorch, which
only the peers do: `pip install torch`.
"""

import peer_run
import torch
from peer_run import Place, descend, make_optimizer
from torch.nn import functional
from torch_losses import adversarial_loss
from torch_networks import Generator, patch_discriminator

from attent_tf.configs import Config


class TranslationStep:
    """Both generators together, then the discriminator of each domain."""

    def __init__(self, config: Config, place: Place, batch_size: int | None = None):
        self.section, self.place = config.translation, place
        self.batch_size = batch_size or self.section.batch_size
        self.slices = 2 * self.batch_size
        self.to_source, self.to_target = (place.put(Generator(self.section)) for _ in range(2))
        self.judges = [place.put(patch_discriminator(self.section)) for _ in range(2)]
        self.update = make_optimizer(self.section.generator, self.to_source, self.to_target)
        self.judge_updates = [make_optimizer(self.section.discriminator, judge) for judge in self.judges]
        edge = config.data.image_size
        self.x_s, self.x_t = (place.images(self.batch_size, edge) for _ in range(2))

    def run(self) -> torch.Tensor:
        """One update of all four networks; returns the generators' loss."""
        for judge in self.judges:
            judge.requires_grad_(False)
        with self.place.computing():
            loss, *fakes = self._translate(self.x_s, self.x_t)
        descend(loss, self.update)
        for judge, update, real, fake in zip(self.judges, self.judge_updates, (self.x_s, self.x_t), fakes, strict=True):
            judge.requires_grad_(True)
            with self.place.computing():
                kind = self.section.adversarial
                judged = adversarial_loss(judge(real), 1.0, kind) + adversarial_loss(judge(fake.detach()), 0.0, kind)
            descend(0.5 * judged, update)
        return loss.detach()

    def _translate(self, x_s, x_t):
        section, batch = self.section, self.batch_size
        identity = 0.0
        if section.identity_weight:
            # One pass for translation and identity together, as this library does it.
            both_s, both_t = self.to_source(torch.cat([x_t, x_s])), self.to_target(torch.cat([x_s, x_t]))
            fake_s, fake_t = both_s[:batch], both_t[:batch]
            identity = functional.l1_loss(both_s[batch:], x_s) + functional.l1_loss(both_t[batch:], x_t)
        else:
            fake_s, fake_t = self.to_source(x_t), self.to_target(x_s)
        cycle = functional.l1_loss(self.to_source(fake_t), x_s) + functional.l1_loss(self.to_target(fake_s), x_t)
        fooling = sum(
            adversarial_loss(judge(fake), 1.0, section.adversarial)
            for judge, fake in zip(self.judges, (fake_s, fake_t), strict=True)
        )
        return fooling + section.cycle_weight * cycle + section.identity_weight * identity, fake_s, fake_t


if __name__ == "__main__":
    peer_run.main("translation", TranslationStep, __doc__)
