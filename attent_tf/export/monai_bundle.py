"""What makes a folder with an ONNX file a MONAI bundle: descriptions in MONAI's words, and a configuration that runs the file.

The names are those of MONAI's bundle specification. Nothing of MONAI or PyTorch is needed to write them.
"""

from typing import Any

from attent_tf.export.metadata import Metadata
from attent_tf.files import json_bytes
from attent_tf.runs import Run
from attent_tf.tasks import rule_text

# What the configuration of the bundle is written for.
_MONAI, _PYTORCH, _NUMPY, _ONNXRUNTIME = "1.4.0", "2.4.0", "2.0.0", "1.20.0"
_SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
_MODALITIES = {"mri": "MR", "ct": "CT"}


def bundle_files(run: Run, metadata: Metadata) -> dict[str, str]:
    """Returns the bundle's files by their paths in it.

    Args:
      run: the run that was exported.
      metadata: from `attent_tf.export.metadata.make_metadata`.
    """
    return {
        "configs/metadata.json": json_bytes(_metadata(run, metadata)).decode("utf-8"),
        "configs/inference.json": json_bytes(_inference()).decode("utf-8"),
        "docs/README.md": _README,
    }


def _metadata(run: Run, metadata: Metadata) -> dict[str, Any]:
    size, channels, classes = (metadata["input"]["size"], metadata["input"]["channels"], metadata["classes"])
    target = run.task.domain(run.target)
    version = f"{metadata['version']}.0.0"
    tensor = {"type": "image", "spatial_shape": [size, size], "is_patch_data": False}
    class_def = {str(number): name for number, name in enumerate(classes)}
    return {
        "schema": _SCHEMA,
        "version": version,
        "changelog": {version: "exported"},
        "monai_version": _MONAI,
        "pytorch_version": _PYTORCH,
        "numpy_version": _NUMPY,
        "optional_packages_version": {"onnxruntime": _ONNXRUNTIME},
        "required_packages_version": {"onnxruntime": _ONNXRUNTIME},
        "name": f"{run.task.title}: {run.method.title}, {run.direction}",
        "task": f"Segmentation of {', '.join(run.task.titles.values()).lower()} in slices of {target.title}",
        "description": f"{run.method.title}, learned from labelled {run.labelled}; see MODEL_CARD.md",
        "authors": "not stated",
        "copyright": "not stated",
        "intended_use": metadata["intended_use"],
        "network_data_format": {
            "inputs": {
                "image": {
                    **tensor,
                    "format": "magnitude",
                    "modality": _MODALITIES.get(target.kind, "n/a"),
                    "num_channels": channels,
                    "dtype": "float32",
                    "value_range": [-1, 1],
                    "channel_def": {str(number): "image" for number in range(channels)},
                    "axes": "batch, row, column, channel: channels come last",
                    "intensity": rule_text(run.prepare_options.intensity_rule(target)),
                }
            },
            "outputs": {
                "pred": {
                    **tensor,
                    "format": "segmentation",
                    "num_channels": 1,
                    "dtype": "int64",
                    "value_range": [0, len(classes) - 1],
                    "channel_def": class_def,
                    "onnx_output": "labels",
                },
                "probabilities": {
                    **tensor,
                    "format": "labels",
                    "num_channels": len(classes),
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "channel_def": class_def,
                    "axes": "batch, row, column, class: classes come last",
                    "onnx_output": "probabilities",
                },
            },
        },
    }


def _inference() -> dict[str, Any]:
    """Slices as an array in, label maps as an array out: what is prepared before and restored after is up to the client."""
    return {
        "imports": ["$import numpy", "$import onnxruntime"],
        "bundle_root": ".",
        "input": "slices.npy",
        "output": "labels.npy",
        "model": "$@bundle_root + '/models/model.onnx'",
        "session": "$onnxruntime.InferenceSession(@model, providers=['CPUExecutionProvider'])",
        "labels": "$@session.run(['labels'], {'image': numpy.load(@input)})[0]",
        "run": ["$numpy.save(@output, @labels)"],
    }


_README = """# Running this bundle

`configs/inference.json` takes slices [batch, row, column, channel] float32 in [-1, 1] from a `.npy` file, prepared as
`metadata.json` in the folder above says, and writes label maps [batch, row, column] int64 to another:

    python -m monai.bundle run --config_file configs/inference.json --bundle_root . --input slices.npy --output labels.npy

The model is `models/model.onnx`; there is no `models/model.pt`, because the networks are not PyTorch's. MODEL_CARD.md says what
the model was trained on, and its limits. Not a medical device.
"""
