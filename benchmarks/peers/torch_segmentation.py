"""The segmentation step in plain PyTorch: what the same networks and losses cost there.

    python benchmarks/peers/torch_segmentation.py --size demo --threads 2
    python benchmarks/peers/torch_segmentation.py --size paper --precision bfloat16 --steps 1

The stage with alignment of the method `attent`: DeepLab-v2 on labelled source slices and, with the running statistics of its
norms, on target slices; supervised losses of both heads, the entropy maps of both heads judged by a discriminator each; one
update of the segmentor and one of each discriminator, Adam. Slices and labels are random and stay on the device. Needs PyTorch,
which only the peers do: `pip install torch`.
"""

import peer_run
import torch
from peer_run import Place, descend, make_optimizer
from torch_losses import adversarial_loss, cross_entropy_loss, dice_loss, entropy_map, self_information_map
from torch_networks import Segmentor, map_discriminator

from attent_tf.configs import Config
from attent_tf.tasks import load_task


class SegmentationStep:
    """The segmentor, then the discriminator of each head's maps."""

    def __init__(self, config: Config, place: Place, batch_size: int | None = None):
        self.section, self.place = config.segmentation, place
        batch_size = batch_size or self.section.batch_size
        self.slices = 2 * batch_size
        classes, edge, summed = load_task().num_classes, config.data.image_size, self.section.entropy_channels == "sum"
        self.to_map = entropy_map if summed else self_information_map
        self.segmentor = place.put(Segmentor(self.section, classes))
        self.judges = [place.put(map_discriminator(self.section, 1 if summed else classes)) for _ in range(2)]
        self.update = make_optimizer(self.section.segmentor, self.segmentor)
        self.judge_updates = [make_optimizer(self.section.discriminator, judge) for judge in self.judges]
        self.x_s, self.x_t = (place.images(batch_size, edge) for _ in range(2))
        self.labels = torch.randint(classes, (batch_size, edge, edge), device=place.device)

    def run(self) -> torch.Tensor:
        """One update of all three networks; returns the segmentor's loss."""
        for judge in self.judges:
            judge.requires_grad_(False)
        with self.place.computing():
            loss, maps_s, maps_t = self._segment()
        descend(loss, self.update)
        for judge, update, genuine, imitated in zip(self.judges, self.judge_updates, maps_s, maps_t, strict=True):
            judge.requires_grad_(True)
            with self.place.computing():
                kind = self.section.aligner_adversarial
                judged = adversarial_loss(judge(genuine.detach()), 1.0, kind)
                judged = judged + adversarial_loss(judge(imitated.detach()), 0.0, kind)
            descend(judged, update)
        return loss.detach()

    def _segment(self):
        section = self.section
        source = self.segmentor.train()(self.x_s)
        supervised = sum(
            weight * self._supervised(logits)
            for weight, logits in zip((section.main_weight, section.aux_weight), source, strict=True)
        )
        target = self.segmentor.train(section.aligner_statistics == "own")(self.x_t)
        maps_t = [self.to_map(logits) for logits in target]
        weights = (section.aligner_main_weight, section.aligner_aux_weight)
        alignment = sum(
            weight * adversarial_loss(judge(shown), 1.0, section.aligner_adversarial)
            for weight, judge, shown in zip(weights, self.judges, maps_t, strict=True)
        )
        with torch.no_grad():
            maps_s = [self.to_map(logits) for logits in source]
        return supervised + alignment, maps_s, maps_t

    def _supervised(self, logits):
        loss = cross_entropy_loss(logits, self.labels)
        return loss + self.section.dice_weight * dice_loss(logits, self.labels) if self.section.dice_weight else loss


if __name__ == "__main__":
    peer_run.main("segmentation", SegmentationStep, __doc__)
