"""Golden files: what each row's numbers and checkpoints have been since it was listed.

- `goldens/outputs.json`: how to recognise a row's outputs for weights and inputs of `formula.py`: shapes, norms and some values.
- `goldens/variables.json`: path and shape of each variable, in the order in which checkpoints hold them.
- `goldens/checkpoints/ROW.zip`: a checkpoint with these weights, written the way that runs write theirs.

A change of any of them breaks checkpoints that users have. Where that is meant, record the row anew:

    python -m tests.conformance.goldens ROW ROW...     # these rows; without names, those that have no goldens yet
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from attent_tf.files import write_text
from attent_tf.runs.networks import stored
from tests.conformance.calls import make_filled, outputs, tensors, variables
from tests.conformance.catalogue import ALL, STATEFUL

_FOLDER = Path(__file__).parent / "goldens"
_OUTPUTS = _FOLDER / "outputs.json"
_VARIABLES = _FOLDER / "variables.json"
CHECKPOINTS = _FOLDER / "checkpoints"
_VALUES = 16


def describe_outputs(results: list[tf.Tensor]) -> list[dict]:
    """Returns of each output its shape, mean, root mean square, and values spread over it, as JSON."""
    described = []
    for result in results:
        array = np.asarray(result, np.float64)
        places = np.linspace(0, array.size - 1, min(_VALUES, array.size)).astype(int)
        described.append(
            {
                "shape": list(array.shape),
                "mean": float(f"{array.mean():.7g}"),
                "rms": float(f"{np.sqrt(np.mean(array**2)):.7g}"),
                "values": [float(f"{value:.7g}") for value in array.ravel()[places]],
            }
        )
    return described


def describe_variables(function) -> list[str]:
    """Returns `path [shape] dtype` of each variable in order; the path starts below the network's own name."""
    described = []
    for variable in variables(function):
        path = getattr(variable, "path", variable.name).partition("/")[2] or variable.name
        described.append(f"{path} {list(variable.shape)} {tf.as_dtype(variable.dtype).name}")
    return described


def stored_variables(function) -> list[tf.Variable]:
    """Returns what a checkpoint holds of a row."""
    return function.variables if not hasattr(function, "get_config") else stored(function)


def recorded_outputs() -> dict[str, list[dict]]:
    """Returns the recorded outputs by row."""
    return json.loads(_OUTPUTS.read_text(encoding="utf-8")) if _OUTPUTS.exists() else {}


def recorded_variables() -> dict[str, list[str]]:
    """Returns the recorded variables by row; rows without any are absent."""
    return json.loads(_VARIABLES.read_text(encoding="utf-8")) if _VARIABLES.exists() else {}


def unpack_checkpoint(name: str, folder: Path) -> str:
    """Unpacks the golden checkpoint of a row; returns its prefix."""
    with zipfile.ZipFile(CHECKPOINTS / f"{name}.zip") as archive:
        archive.extractall(folder)
    return str(folder / "golden")


def record(names: list[str]) -> None:
    """Writes the goldens of these rows; those of others stay as they are."""
    all_outputs, all_variables = recorded_outputs(), recorded_variables()
    for row in (*ALL, *STATEFUL):
        if row.name not in names and (names or row.name in all_outputs):
            continue
        if not row.is_available:
            print(f"{row.name}: {row.needs} is not installed; left out")
            continue
        function = make_filled(row)
        if described := describe_variables(function):
            all_variables[row.name] = described
            _write_checkpoint(row.name, stored_variables(function))
        all_outputs[row.name] = describe_outputs(outputs(function, tensors(row)))
        print(row.name)
    for path, content in ((_OUTPUTS, all_outputs), (_VARIABLES, all_variables)):
        _write_json(path, content)


def _write_checkpoint(name, held):
    CHECKPOINTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tf.train.Checkpoint(network=held).write(f"{folder}/golden")
        with zipfile.ZipFile(CHECKPOINTS / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)


def _write_json(path, content):
    rows = [
        f" {json.dumps(name)}: [\n" + ",\n".join(f"  {json.dumps(x)}" for x in content[name]) + "\n ]"
        for name in content
    ]
    write_text(path, "{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    record(sys.argv[1:])
