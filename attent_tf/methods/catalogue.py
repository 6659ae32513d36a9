"""The methods that ship, row by row: the lower bound, the methods of others, the paper's own, and the upper bound."""

from attent_tf.methods.method import ADAPTATION, LOWER_BOUND, UPPER_BOUND, Method, Path
from attent_tf.methods.part import SEGMENTOR, TO_SOURCE, TO_TARGET
from attent_tf.methods.peer_stages import balanced, end_to_end, plug_and_play, score_adaptation, semantic, sifa
from attent_tf.methods.self_training import self_trained
from attent_tf.methods.stage import Slices, View
from attent_tf.methods.stages import aligned, cyclegan, entropy_minimised, supervised
from attent_tf.methods.target_statistics import with_target_statistics

_RAW = (Path((SEGMENTOR,)),)
_TRANSLATED = (Path((TO_SOURCE, SEGMENTOR)),)
_CYCLED = View((TO_TARGET, TO_SOURCE), option="segmentation.cycled_source")
_SOURCE = Slices("source", labels=True)
_SOURCE_TRANSLATED = Slices("source", labels=True, views=(View((TO_TARGET,)),))
_SOURCE_AND_CYCLED = Slices("source", labels=True, views=(View(), _CYCLED))
_TARGET = Slices("target")
_TARGET_TRANSLATED = Slices("target", views=(View((TO_SOURCE,)),))
_SOURCE_IN_BOTH_STYLES = Slices("source", labels=True, views=(View(), _CYCLED, View((TO_TARGET,))))
_NO_CYCLE = ("segmentation.cycled_source",)
_BOTH_STYLES = (cyclegan(gated=True), aligned(_SOURCE_IN_BOTH_STYLES, _TARGET_TRANSLATED, "entropy"))
_CYCADA_AFTER_TRANSLATION = (
    supervised(_SOURCE_TRANSLATED, _TARGET, unused=_NO_CYCLE),
    score_adaptation(_SOURCE_TRANSLATED, _TARGET),
)

SHIPPED = (
    Method(
        "source_only",
        "Source only",
        "no adaptation, the lower bound",
        LOWER_BOUND,
        (supervised(_SOURCE, unused=_NO_CYCLE),),
        _RAW,
    ),
    Method(
        "adabn",
        "AdaBN",
        "trained on the source, then given batch statistics of the target",
        ADAPTATION,
        *with_target_statistics((supervised(_SOURCE, unused=_NO_CYCLE),), _RAW),
    ),
    Method(
        "adabn_st",
        "AdaBN, self-trained",
        "as AdaBN, then trained on target images that its running average labels",
        ADAPTATION,
        *self_trained(*with_target_statistics((supervised(_SOURCE, unused=_NO_CYCLE),), _RAW)),
    ),
    Method(
        "source_st",
        "Source only, self-trained",
        "trained on the source, then on target images that its running average labels",
        ADAPTATION,
        *self_trained((supervised(_SOURCE, unused=_NO_CYCLE),), _RAW),
    ),
    Method(
        "minent",
        "MinEnt",
        "entropy on the target minimised, without an adversary",
        ADAPTATION,
        (entropy_minimised(_SOURCE, _TARGET, _NO_CYCLE),),
        _RAW,
    ),
    Method(
        "adaptseg",
        "AdaptSegNet",
        "softmax outputs of both domains aligned by an adversary (AdaOutput)",
        ADAPTATION,
        (aligned(_SOURCE, _TARGET, "softmax", _NO_CYCLE),),
        _RAW,
    ),
    Method(
        "advent",
        "ADVENT",
        "self-information of both domains, a channel for each class, aligned by an adversary",
        ADAPTATION,
        (aligned(_SOURCE, _TARGET, "self_information", _NO_CYCLE),),
        _RAW,
    ),
    Method(
        "pnp_adanet",
        "PnP-AdaNet",
        "early layers for the target below frozen ones, features aligned by Wasserstein critics",
        ADAPTATION,
        (balanced(supervised(_SOURCE, unused=_NO_CYCLE)), plug_and_play()),
        _RAW,
    ),
    Method(
        "cyclegan_source",
        "CycleGAN, source translated",
        "trained on source images in target style by a CycleGAN without attention gates",
        ADAPTATION,
        (cyclegan(gated=False), supervised(_SOURCE_TRANSLATED, _TARGET, _NO_CYCLE)),
        _RAW,
    ),
    Method(
        "synseg",
        "SynSeg-Net",
        "source images translated to target style, translators and segmentor trained end to end",
        ADAPTATION,
        (end_to_end(cyclegan(gated=False)),),
        _RAW,
    ),
    Method(
        "cycada",
        "CyCADA",
        "trained on source images in target style, then scores of both domains aligned by an adversary",
        ADAPTATION,
        (cyclegan(gated=False), *_CYCADA_AFTER_TRANSLATION),
        _RAW,
    ),
    Method(
        "cycada_semantic",
        "CyCADA (semantic)",
        "as CyCADA, with translations that must preserve what a classifier sees",
        ADAPTATION,
        (semantic(cyclegan(gated=False)), *_CYCADA_AFTER_TRANSLATION),
        _RAW,
    ),
    Method(
        "sifa_v1",
        "SIFA v1",
        "source images translated, predictions and translations aligned by adversaries, one encoder for both",
        ADAPTATION,
        (sifa(1),),
        _RAW,
    ),
    Method(
        "sifa_v2",
        "SIFA v2",
        "as SIFA v1, with a lower level of the encoder supervised and aligned as well",
        ADAPTATION,
        (sifa(2),),
        _RAW,
    ),
    Method(
        "feature",
        "Feature alignment",
        "features of both domains aligned by an adversary",
        ADAPTATION,
        (aligned(_SOURCE, _TARGET, "features", _NO_CYCLE),),
        _RAW,
    ),
    Method(
        "entropy",
        "Entropy alignment",
        "entropy maps of both domains aligned by an adversary",
        ADAPTATION,
        (aligned(_SOURCE, _TARGET, "entropy", _NO_CYCLE),),
        _RAW,
    ),
    Method(
        "cyclegan",
        "CycleGAN",
        "target images translated by a CycleGAN without attention gates",
        ADAPTATION,
        (cyclegan(gated=False), supervised(_SOURCE_AND_CYCLED, _TARGET_TRANSLATED)),
        _TRANSLATED,
    ),
    Method(
        "pixel",
        "Pixel alignment",
        "target images translated by a CycleGAN with attention gates",
        ADAPTATION,
        (cyclegan(gated=True), supervised(_SOURCE_AND_CYCLED, _TARGET_TRANSLATED)),
        _TRANSLATED,
    ),
    Method(
        "attent",
        "AttENT",
        "translation with attention gates, and entropy maps aligned by an adversary",
        ADAPTATION,
        (cyclegan(gated=True), aligned(_SOURCE_AND_CYCLED, _TARGET_TRANSLATED, "entropy")),
        _TRANSLATED,
    ),
    Method(
        "attent_both",
        "AttENT, both styles",
        "as AttENT, with S trained on source images in target style too; raw and translated target images averaged",
        ADAPTATION,
        _BOTH_STYLES,
        (*_RAW, *_TRANSLATED),
    ),
    Method(
        "attent_st",
        "AttENT, both styles, self-trained",
        "as AttENT in both styles, then given statistics of the target and trained on what its running average labels",
        ADAPTATION,
        *self_trained(*with_target_statistics(_BOTH_STYLES, (*_RAW, *_TRANSLATED))),
    ),
    Method(
        "supervised",
        "Supervised",
        "trained with labels of the target, the upper bound",
        UPPER_BOUND,
        (supervised(Slices("target", labels=True), unused=_NO_CYCLE),),
        _RAW,
    ),
)
