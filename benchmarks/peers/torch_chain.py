"""The deployed chain S(G_t2s(x)) in plain PyTorch: slices a second of the same networks there.

    python benchmarks/peers/torch_chain.py --size demo --threads 2 --batch-size 8

What `attent_tf/inference/chain.py` does, operation by operation: slices of 256×256 are averaged to the networks' size, translated
and segmented; translation and logits are resized to 256×256, and probabilities, labels and entropy made of them. The auxiliary
head, which nobody asks for, is left out. Slices are random and stay on the device. Needs PyTorch, which only the peers do:
`pip install torch`.
"""

import peer_run
import torch
from peer_run import Place
from torch.nn import functional
from torch_losses import entropy_map
from torch_networks import Generator, Segmentor, resize

from attent_tf.configs import Config
from attent_tf.tasks import load_task

# Edge of the slices that scans are cut into.
EDGE = 256


class Chain:
    """Segments target slices."""

    def __init__(self, config: Config, place: Place, batch_size: int | None = None):
        self.place, self.image_size = place, config.data.image_size
        self.slices = batch_size or 2
        self.translator = place.put(Generator(config.translation)).eval()
        self.segmentor = place.put(Segmentor(config.segmentation, load_task().num_classes)).eval()
        self.images = place.images(self.slices, EDGE)

    @torch.inference_mode()
    def segment(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Returns translation, probabilities, labels and entropy of `images` [batch, 1, height, width]."""
        edge = images.shape[2:]
        factor = images.shape[2] // self.image_size
        small = images if factor == 1 else functional.avg_pool2d(images, factor)
        with self.place.computing():
            shown = self.translator(small)
            logits = resize(self.segmentor(shown, aux=False), edge)
        probabilities = functional.softmax(logits, dim=1)
        labels = probabilities.argmax(1).to(torch.uint8)
        return resize(shown, edge), probabilities, labels, entropy_map(logits).clamp(0, 1)

    def run(self) -> torch.Tensor:
        """Segments a batch of random slices; returns the entropy."""
        return self.segment(self.images)[-1]


if __name__ == "__main__":
    peer_run.main("chain", Chain, __doc__)
