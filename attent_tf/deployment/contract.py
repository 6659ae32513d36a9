"""`metadata.json` of an exported model: what a client has to know to prepare scans for it."""

import dataclasses
import json
import os
from pathlib import Path

from attent_tf.errors import ConfigError, InputError
from attent_tf.methods import Method, get_domains, get_method
from attent_tf.organs import CLASS_NAMES
from attent_tf.postprocessing import NO_POSTPROCESSING, Postprocessing
from attent_tf.volumes import PrepareOptions

METADATA_FILE = "metadata.json"
METADATA_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class ModelContract:
    """What an exported model expects and is; in a `Run`'s words, so that it can stand where a run does.

    Attributes:
      path: of the file.
      method: what was trained.
      direction: `mri2ct` or `ct2mri`.
      records: fingerprint of the records that it was trained on.
      weights_sha256: of its weights.
      prepare_options: how scans are prepared: as its training records were.
      optimized: the type of its weights where it was made for use alone (`--optimize`); None for the chain as trained.
      postprocessing: what the client does to the label map of a whole scan.
    """

    path: Path
    method: Method
    direction: str
    records: str
    weights_sha256: str
    prepare_options: PrepareOptions
    optimized: str | None = None
    postprocessing: Postprocessing = NO_POSTPROCESSING

    @property
    def source(self) -> str:
        return get_domains(self.direction)[0]

    @property
    def target(self) -> str:
        """The modality of the scans that it segments."""
        return get_domains(self.direction)[1]

    def describe(self) -> dict[str, str]:
        """Returns what a report says of it, as JSON."""
        return {
            "metadata": str(self.path),
            "method": self.method.id,
            "direction": self.direction,
            "target": self.target,
            "records": self.records,
            "weights_sha256": self.weights_sha256,
        }


def read_contract(path: str | os.PathLike) -> ModelContract:
    """Reads `metadata.json` of an exported model.

    Args:
      path: the file, or the version folder that holds it.

    Raises:
      InputError: it is missing, damaged, or of a model of other classes.
    """
    path = Path(path)
    if path.is_dir():
        path = path / METADATA_FILE
    advice = "take the file that attent export wrote beside the model"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {advice}") from None
    except ValueError as error:
        raise InputError(f"{path}: expected JSON, found other content ({error}); {advice}") from error
    if not isinstance(content, dict) or content.get("format") != METADATA_FORMAT:
        raise InputError(f"{path}: expected metadata of format {METADATA_FORMAT}, found another; {advice}")
    try:
        contract = ModelContract(
            path=path,
            method=get_method(content["method"]),
            direction=content["direction"],
            records=content["training"]["records"],
            weights_sha256=content["training"]["weights_sha256"],
            prepare_options=PrepareOptions.from_json(content["preparation"]),
            optimized=(content.get("optimization") or {}).get("weights"),
            postprocessing=Postprocessing.from_json(content.get("postprocessing", {})),
        )
        get_domains(contract.direction)
        class_names = tuple(content["classes"])
    except KeyError as error:
        raise InputError(f"{path}: lacks {error}; {advice}") from error
    except (ConfigError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: {error}; {advice}") from error
    if class_names != CLASS_NAMES:
        raise InputError(
            f"{path}: expected the classes {', '.join(CLASS_NAMES)}, found {', '.join(map(str, class_names))}; "
            "use the version of this library that exported the model"
        )
    return contract
