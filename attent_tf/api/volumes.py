"""`segment_volume` and `translate_volume`: what `attent segment` and `attent translate` do, for arrays."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from attent_tf.api.chains import LoadedChain
from attent_tf.errors import ConfigError
from attent_tf.inference.scans import ReadScan
from attent_tf.inference.tasks import Segmenting, Translating
from attent_tf.progress import Observer, Progress, observer_of
from attent_tf.stopwatch import Stopwatch
from attent_tf.volumes import prepare
from attent_tf.volumes.array import volume_of_array
from attent_tf.volumes.plausibility import volume_warnings

# Name in messages of a scan that has no file.
_ARRAY = "array"


def segment_volume(
    chain: LoadedChain,
    voxels: ArrayLike,
    affine: ArrayLike,
    domain: str | None = None,
    *,
    postprocess: bool | None = None,
    progress: Progress = None,
) -> NDArray[np.uint8]:
    """Segments a scan given as an array, as `attent segment` segments a NIfTI file with the same voxels and affine.

    Args:
      chain: from `load_chain`.
      voxels: [i, j, k] intensities of any type of number; Hounsfield units if the chain's target is CT.
      affine: [4, 4], voxel index (i, j, k, 1) to millimetres in RAS+ patient space, as nibabel gives it. It says how the scan
        lies: the axes of the array may run in any directions.
      domain: the scan's domain; the chain's target if None. Naming it guards against a chain of the other direction.
      postprocess: whether the label map is postprocessed: the largest part of each structure is kept, and its holes are
        filled; if None, as the run or the exported model says.
      progress: see `attent_tf.progress.Progress`; it also receives warnings.

    Returns:
      [i, j, k] uint8, 0 for background and the structures of the chain's task from 1, on the voxels of the scan.

    Raises:
      InputError: the array or the affine cannot be that of a scan, or the scan shows no body.
      ConfigError: the chain is not for scans of this domain.
    """
    observer = observer_of(progress, "slices")
    task = Segmenting(chain.model.task, chain.model.postprocessing.asked(postprocess))
    scan = _ready(chain, voxels, affine, domain, observer)
    with threadpool_limits(1, "blas"), task.answer(scan, chain.deployed, observer) as answer:
        _warn(answer.warnings, observer)
        labels: NDArray[np.uint8] = answer.segmentation.labels
        return labels


def translate_volume(
    chain: LoadedChain,
    voxels: ArrayLike,
    affine: ArrayLike,
    domain: str | None = None,
    *,
    progress: Progress = None,
) -> NDArray[np.float32]:
    """Shows a scan given as an array in source style, as `attent translate` does for a NIfTI file.

    Args:
      chain: from `load_chain`, of a run whose method translates the target in use.
      voxels, affine, domain, progress: see `segment_volume`.

    Returns:
      [i, j, k] float32 on the voxels of the scan: raw values within the source's window (in HU for CT), or from 0 to 1000 if
      each source scan had a window of its own.

    Raises:
      RunError: the method has no translator, or the chain comes from an export or a server.
      InputError, ConfigError: see `segment_volume`.
    """
    observer, model = observer_of(progress, "slices"), chain.model
    task = Translating(model.prepare_options, model.task.domain(model.source))
    scan = _ready(chain, voxels, affine, domain, observer)
    with threadpool_limits(1, "blas"), task.answer(scan, chain.deployed, observer) as answer:
        image: NDArray[np.float32] = answer.image
        return image


def _ready(
    chain: LoadedChain, voxels: ArrayLike, affine: ArrayLike, domain: str | None, observer: Observer
) -> ReadScan:
    """Returns an array in the form in which the pipeline of scans passes on a scan that it has read."""
    target = chain.model.target
    if domain is not None and domain != target:
        advice = "load the chain of a run of the other direction, or leave the domain out"
        raise ConfigError(f"domain: expected {target}, the target of the chain, found {domain!r}; {advice}")
    volume = volume_of_array(voxels, affine, chain.model.task.domain(target), _ARRAY)
    warnings = tuple(volume_warnings(volume))
    _warn(warnings, observer)
    prepared = prepare(volume, chain.model.prepare_options)
    return ReadScan(Path(_ARRAY), _ARRAY, target, prepared, None, warnings, None, Stopwatch())


def _warn(warnings: tuple[str, ...], observer: Observer) -> None:
    for line in warnings:
        observer.say(f"Warning: {line}")
