"""The methods that ship, row by row, from the lower bound to the upper; and those that others add."""

import importlib.metadata

from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.methods.method import ADAPTATION, LOWER_BOUND, UPPER_BOUND, Method, Path
from attent_tf.methods.part import (
    JUDGE_AUX,
    JUDGE_MAIN,
    JUDGE_SOURCE,
    JUDGE_TARGET,
    SEGMENTOR,
    TO_SOURCE,
    TO_TARGET,
    Part,
)
from attent_tf.methods.peer_stages import balanced, end_to_end, plug_and_play, score_adaptation, semantic
from attent_tf.methods.stage import Slices, Stage, View

# Packages offer methods under this name: `name = "module:METHOD"`.
ENTRY_POINTS = "attent_tf.methods"

_NETWORKS = "attent_tf.runs.configured"
_STEPS = "attent_tf.training.steps"
_ALIGNER_KEYS = (
    "segmentation.aligner_main_weight",
    "segmentation.aligner_aux_weight",
    "segmentation.aligner_warmup_steps",
    "segmentation.aligner_adversarial",
    "segmentation.entropy_channels",
    "segmentation.discriminator_filters",
    "segmentation.discriminator",
)
_CYCLED = View((TO_TARGET, TO_SOURCE), option="segmentation.cycled_source")

_RAW = (Path((SEGMENTOR,)),)
_TRANSLATED = (Path((TO_SOURCE, SEGMENTOR)),)


def cyclegan(gated: bool) -> Stage:
    """Returns stage 1: a CycleGAN between both domains, with attention gates or without (section III-B)."""
    generator = f"{_NETWORKS}:{'gated' if gated else 'plain'}_generator"
    judge = f"{_NETWORKS}:patch_discriminator"
    return Stage(
        id="translation",
        title="Stage 1: translation",
        section="translation",
        step=f"{_STEPS}.cyclegan:CycleGanStep",
        parts=(
            Part(TO_SOURCE, generator),
            Part(TO_TARGET, generator),
            Part(JUDGE_SOURCE, judge),
            Part(JUDGE_TARGET, judge),
        ),
        inputs=(Slices("source"), Slices("target")),
        unused=() if gated else ("translation.gate_gain",),
        serves_both=True,
    )


def supervised(labelled: Slices, watched: Slices | None = None, unused: tuple[str, ...] = ()) -> Stage:
    """Returns a stage that trains S on labelled slices (Eq. 5)."""
    return Stage(
        id="segmentation",
        title="Stage 2: segmentation",
        section="segmentation",
        step=f"{_STEPS}.supervised:SupervisedStep",
        parts=(Part(SEGMENTOR, f"{_NETWORKS}:segmentor"),),
        inputs=(labelled,),
        watched=watched,
        unused=(*_ALIGNER_KEYS, *unused),
    )


def aligned(labelled: Slices, target: Slices, on: str, unused: tuple[str, ...] = ()) -> Stage:
    """Returns a stage that trains S on labelled slices while adversaries align both domains (section III-C).

    Args:
      labelled, target: the slices of both domains.
      on: what the adversaries are shown: `entropy`, `softmax` or `features`.
      unused: configuration keys that the stage does not read.
    """
    judge = f"{_NETWORKS}:map_discriminator"
    roles = (JUDGE_MAIN,) if on == "features" else (JUDGE_MAIN, JUDGE_AUX)
    not_read = {"entropy": (), "softmax": ("segmentation.entropy_channels",)}
    features = ("segmentation.entropy_channels", "segmentation.aligner_aux_weight")
    return Stage(
        id="segmentation",
        title="Stage 2: segmentation",
        section="segmentation",
        step=f"{_STEPS}.alignment:AlignmentStep",
        parts=(Part(SEGMENTOR, f"{_NETWORKS}:segmentor"), *(Part(role, judge) for role in roles)),
        inputs=(labelled, target),
        options=(("on", on),),
        unused=(*not_read.get(on, features), *unused),
    )


_SOURCE = Slices("source", labels=True)
_SOURCE_AND_CYCLED = Slices("source", labels=True, views=(View(), _CYCLED))
_SOURCE_IN_TARGET_STYLE = Slices("source", labels=True, views=(View((TO_TARGET,)),))
_TARGET = Slices("target")
_TARGET_TRANSLATED = Slices("target", views=(View((TO_SOURCE,)),))
_NO_CYCLE = ("segmentation.cycled_source",)
_CYCADA_AFTER_TRANSLATION = (
    supervised(_SOURCE_IN_TARGET_STYLE, _TARGET, unused=_NO_CYCLE),
    score_adaptation(_SOURCE_IN_TARGET_STYLE, _TARGET),
)

METHODS: dict[str, Method] = {}


def register(method: Method) -> Method:
    """Adds a method to those that are known by name, and returns it.

    Raises:
      ConfigError: there is another one of that name.
    """
    if METHODS.setdefault(method.id, method) != method:
        raise ConfigError(f"method {method.id!r}: there is another one of that name; choose another id")
    return method


for _method in (
    Method(
        "source_only",
        "Source only",
        "no adaptation, the lower bound",
        LOWER_BOUND,
        (supervised(_SOURCE, unused=_NO_CYCLE),),
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
        "attent",
        "AttENT",
        "translation with attention gates, and entropy maps aligned by an adversary",
        ADAPTATION,
        (cyclegan(gated=True), aligned(_SOURCE_AND_CYCLED, _TARGET_TRANSLATED, "entropy")),
        _TRANSLATED,
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
        "as CyCADA, with translations that have to keep what a classifier sees",
        ADAPTATION,
        (semantic(cyclegan(gated=False)), *_CYCADA_AFTER_TRANSLATION),
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
        "supervised",
        "Supervised",
        "trained with labels of the target, the upper bound",
        UPPER_BOUND,
        (supervised(Slices("target", labels=True), unused=_NO_CYCLE),),
        _RAW,
    ),
):
    register(_method)


def get_method(method_id: str) -> Method:
    """Returns the method of that name, which ships, was registered, or is an entry point of an installed package.

    Raises:
      ConfigError: the name is unknown; the nearest one is suggested.
    """
    if method_id in METHODS:
        return METHODS[method_id]
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS, name=str(method_id)):
        return register(entry.load())
    hint = did_you_mean(method_id, METHODS)
    raise ConfigError(f"unknown method {method_id!r}: expected one of {', '.join(METHODS)}{hint}")
