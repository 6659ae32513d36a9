"""The networks of a method, by what they do.

A method is the same in both directions, so it speaks of source and target. In a run folder, networks are named by the domains
that they act on (`ct_to_mri`, `judge_ct`), so that a CycleGAN serves both directions as it stands.
"""

import dataclasses

TO_SOURCE = "to_source"
TO_TARGET = "to_target"
JUDGE_SOURCE = "judge_source"
JUDGE_TARGET = "judge_target"
SEGMENTOR = "segmentor"
JUDGE_MAIN = "judge_main"
JUDGE_AUX = "judge_aux"
SOURCE_DECODER = "source_decoder"
# Segmentors that training alone needs: one that keeps translations to what they show, one that stays with the source.
CLASSIFIER = "classifier"
SOURCE_SEGMENTOR = "source_segmentor"
# The running average of a segmentor.
TEACHER = "teacher"
JUDGE_FEATURES = "judge_features"
JUDGE_MASKS = "judge_masks"

_BY_DOMAINS = {
    TO_SOURCE: "{target}_to_{source}",
    TO_TARGET: "{source}_to_{target}",
    JUDGE_SOURCE: "judge_{source}",
    JUDGE_TARGET: "judge_{target}",
    SOURCE_DECODER: "decoder_{source}",
}


@dataclasses.dataclass(frozen=True)
class Part:
    """A network of a stage.

    Attributes:
      role: what it does; unique within a stage.
      network: `module:function`, imported when the network is made; called with the configuration, the number of
        classes, the number of image channels and a name, it returns a `keras.Model`; with `encoder_of` it is given
        an `encoder` as well.
      begins_as: (stage, role) of the part of an earlier stage whose weights it begins with; None for weights drawn from the
        seed.
      frozen: whether its weights stay as they are.
      frozen_layers: name of the network's property that lists the layers whose weights and statistics stay as they are; empty
        for none.
      follows: role of a part of the same stage; this part is the running average of that one over the steps, weights and batch
        statistics. Empty for none. It begins as a copy, and no gradient trains it.
      decay: for a part that follows another: dotted configuration key of the average's decay, see `training.running_average`.
      encoder_of: role of a part before it in the same stage whose encoder it shares, weights and all; empty for an encoder of
        its own. Gradients change both parts or neither.
    """

    role: str
    network: str
    begins_as: tuple[str, str] | None = None
    frozen: bool = False
    frozen_layers: str = ""
    follows: str = ""
    decay: str = ""
    encoder_of: str = ""

    @property
    def trained(self) -> bool:
        """Whether gradients change it."""
        return not self.frozen and not self.follows


def part_name(role: str, source: str, target: str) -> str:
    """Returns the name of the part with that role in run folders of two domains: `ct_to_mri` for `to_source` of MRI → CT."""
    return _BY_DOMAINS.get(role, role).format(source=source, target=target)
