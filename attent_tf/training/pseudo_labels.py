"""Labels for target slices from what a network says of them, as a function of arrays and configuration alone.

A volume's probabilities are the mean over the deployed paths. Their most probable classes are cleaned: of each structure its
largest part, with holes filled, both in three dimensions, since what a slice alone shows as a hole may be anatomy. A pixel counts
where its class is probable enough for that class: structures have thresholds of their own, or small ones would lose most of their
pixels. A pixel that the paths label differently counts for less. A volume whose paths disagree, or whose structures are not in
proportion, is left out.

Labels and weights lie in one map of codes: `class + C · level`, where the level is `SURE`, `DOUBTED` or `IGNORED`. So
0, with which augmentation fills what lies outside the image, is background for sure.
"""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from attent_tf.configs import PseudoLabelConfig
from attent_tf.postprocessing import fill_holes, largest_components
from attent_tf.signs import count_overlap, mean_dice

LEVELS = 3
SURE, DOUBTED, IGNORED = range(LEVELS)


@dataclasses.dataclass(frozen=True, eq=False)
class Proposal:
    """What was found in one volume.

    Attributes:
      labels: [slice, row, column] uint8 cleaned class indices.
      confidence: [slice, row, column] float32 probability of these.
      agreeing: [slice, row, column] bool, where all opinions have the same class.
      agreement: mean Dice of the opinions, two by two; 1 for one opinion alone.
    """

    labels: np.ndarray
    confidence: np.ndarray
    agreeing: np.ndarray
    agreement: float


@dataclasses.dataclass(frozen=True, eq=False)
class PseudoLabels:
    """Labels of all target volumes.

    Attributes:
      codes: the codes of each volume, [slice, row, column] uint8.
      reasons: why a volume is left out, in a few words; empty for those that remain.
      thresholds: for each class, the least probability that counts.
      kept: of each class, the share of its pixels that count in the volumes that remain; 0 where it was not found.
      agreements: the agreement of each volume, from `propose`.
      shares: for each structure, its mean share of the voxels of all of them, over all volumes that show any.
      refusal: why none of it is to be trained on; None if enough volumes remain.
    """

    codes: tuple[np.ndarray, ...]
    reasons: tuple[str, ...]
    thresholds: tuple[float, ...]
    kept: tuple[float, ...]
    agreements: tuple[float, ...]
    shares: tuple[float, ...]
    refusal: str | None

    @property
    def chosen(self) -> tuple[bool, ...]:
        """Of each volume, whether it remains."""
        return tuple(not reason for reason in self.reasons)


def propose(paths: Sequence[np.ndarray], altered: np.ndarray | None = None) -> Proposal:
    """Labels one volume.

    Args:
      paths: probabilities [slice, row, column, class] float32 by each deployed path.
      altered: likewise of a path that is shown other grey values; an opinion that is asked for agreement alone.
    """
    mean = np.mean(paths, axis=0, dtype=np.float32)
    labels = fill_holes(largest_components(mean.argmax(axis=-1).astype(np.uint8)))
    opinions = [
        probabilities.argmax(axis=-1).astype(np.uint8)
        for probabilities in (*paths, *([] if altered is None else [altered]))
    ]
    pairs = list(itertools.combinations(opinions, 2))
    return Proposal(
        labels,
        np.take_along_axis(mean, labels[..., np.newaxis].astype(np.intp), axis=-1)[..., 0],
        np.all([opinion == opinions[0] for opinion in opinions], axis=0),
        float(np.mean([mean_dice(count_overlap(*pair, mean.shape[-1])) for pair in pairs])) if pairs else 1.0,
    )


def structure_shares(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Share of each structure among the voxels of all of them.

    Args:
      labels: [slice, row, column] class indices.
      num_classes: C.

    Returns:
      [structure] float64; 0 where the labels show none.
    """
    counts = np.bincount(labels.ravel(), minlength=num_classes)[1:].astype(np.float64)
    return counts / max(counts.sum(), 1.0)


def mean_structure_shares(volumes: Sequence[np.ndarray], num_classes: int) -> np.ndarray:
    """Returns the mean of `structure_shares` over labelled volumes that show any, [structure] float64; 0 where none does."""
    shares = [structure_shares(labels, num_classes) for labels in volumes if labels.any()]
    return np.mean(shares, axis=0) if shares else np.zeros(num_classes - 1)


def class_thresholds(
    proposals: Sequence[Proposal],
    num_classes: int,
    quantile: float,
    least_probability: float,
    background_probability: float,
) -> tuple[float, ...]:
    """Returns the least probability of each class: τ_c = max(least_probability, quantile of p_c among pixels of class c).

    Args:
      proposals: the proposals of all volumes that remain.
      num_classes: C.
      quantile: in [0, 1), for structures.
      least_probability: for structures.
      background_probability: for background, whatever the quantile.
    """
    thresholds = [background_probability]
    for index in range(1, num_classes):
        found = np.concatenate(
            [np.zeros(0, np.float32), *(proposal.confidence[proposal.labels == index] for proposal in proposals)]
        )
        thresholds.append(
            max(least_probability, float(np.quantile(found, quantile))) if found.size else least_probability
        )
    return tuple(thresholds)


def encode(proposal: Proposal, thresholds: Sequence[float]) -> np.ndarray:
    """Returns codes [slice, row, column] uint8 of a volume's labels and of what they weigh.

    Args:
      proposal: the proposal of the volume.
      thresholds: the threshold of each class; 3 C codes fit a byte.
    """
    counts = proposal.confidence >= np.asarray(thresholds)[proposal.labels]
    level = np.where(counts, np.where(proposal.agreeing, SURE, DOUBTED), IGNORED)
    return (proposal.labels + len(thresholds) * level).astype(np.uint8)


def judge(proposal: Proposal, source_shares: np.ndarray, config: PseudoLabelConfig) -> str:
    """Returns why a volume is left out, in a few words, or an empty string.

    Args:
      proposal: the proposal of the volume.
      source_shares: [structure] from `mean_structure_shares` of labelled source volumes.
      config: the configuration with the limits.
    """
    if proposal.agreement < config.least_agreement:
        return "unsteady labels"
    shares = structure_shares(proposal.labels, len(source_shares) + 1)
    outside = (shares < config.least_share * source_shares) | (shares > config.largest_share * source_shares)
    return "structures out of proportion" if outside.any() else ""


def make_pseudo_labels(
    proposals: Sequence[Proposal], source_shares: np.ndarray, config: PseudoLabelConfig, first: bool
) -> PseudoLabels:
    """Labels all target volumes, or says why they are not to be trusted.

    Args:
      proposals: the proposal of each volume.
      source_shares: [structure] from `mean_structure_shares` of labelled source volumes.
      config: how slices are labelled.
      first: whether these are the first labels, which have a quantile of their own.
    """
    num_classes = len(source_shares) + 1
    reasons = tuple(judge(proposal, source_shares, config) for proposal in proposals)
    trusted = [proposal for proposal, reason in zip(proposals, reasons, strict=True) if not reason]
    quantile = config.first_quantile if first else config.quantile
    limits = (quantile, config.least_probability, config.background_probability)
    thresholds = class_thresholds(trusted, num_classes, *limits)
    codes = tuple(encode(proposal, thresholds) for proposal in proposals)
    refusal = None
    if not trusted or len(trusted) < config.least_volumes * len(proposals):
        found = ", ".join(f"{reasons.count(why)} with {why}" for why in dict.fromkeys(filter(None, reasons)))
        refusal = f"{len(trusted)} of {len(proposals)} target volumes could be labelled reliably ({found})"
    return PseudoLabels(
        codes,
        reasons,
        thresholds,
        _kept(codes, reasons, num_classes),
        tuple(proposal.agreement for proposal in proposals),
        tuple(mean_structure_shares([proposal.labels for proposal in proposals], num_classes).tolist()),
        refusal,
    )


def _kept(codes, reasons, num_classes):
    counts = np.zeros((LEVELS, num_classes))
    for code, reason in zip(codes, reasons, strict=True):
        if not reason:
            counts += np.bincount(code.ravel(), minlength=counts.size).reshape(counts.shape)
    return tuple((counts[:IGNORED].sum(axis=0) / np.maximum(counts.sum(axis=0), 1)).tolist())
