"""What a served signature takes and gives, as the server states it."""

import dataclasses

from attent_tf.errors import ServerError

_FLOAT, _INT64 = "DT_FLOAT", "DT_INT64"
_NAMES = {_FLOAT: "float32", _INT64: "int64"}
# What the graph of an exported chain accepts beyond type and shape.
_VALUES = {"image": " in [-1, 1]", "intensities": " finite", "low": " below high"}


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """A tensor of the interface.

    Attributes:
      dtype: TensorFlow's name, such as `DT_FLOAT`.
      shape: sizes; −1 where any will do; None if the rank is open.
    """

    dtype: str
    shape: tuple[int, ...] | None

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Says whether an array of this shape is such a tensor."""
        return self.shape is None or (
            len(shape) == len(self.shape)
            and all(want < 0 or want == size for want, size in zip(self.shape, shape, strict=True))
        )

    def __str__(self) -> str:
        sizes = "any shape" if self.shape is None else ", ".join("batch" if n < 0 else str(n) for n in self.shape)
        return f"[{sizes}] {_NAMES.get(self.dtype, self.dtype)}"


@dataclasses.dataclass(frozen=True)
class Signature:
    """A signature of a served model.

    Attributes:
      inputs, outputs: by name.
    """

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]

    def __str__(self) -> str:
        return ", ".join(f"{name} {spec}{_VALUES.get(name, '')}" for name, spec in self.inputs.items())


def expected_signatures(size: int, channels: int, classes: int) -> dict[str, Signature]:
    """Returns the signatures of every exported chain; their names, types and shapes are an interface.

    Args:
      size: rows and columns of a slice.
      channels: the number of channels of a slice: 1, or the slice and its neighbours.
      classes: number of classes.
    """
    image = TensorSpec(_FLOAT, (-1, size, size, channels))
    window = TensorSpec(_FLOAT, (-1,))
    segmented = {
        "probabilities": TensorSpec(_FLOAT, (-1, size, size, classes)),
        "labels": TensorSpec(_INT64, (-1, size, size)),
    }
    return {
        "serving_default": Signature({"image": image}, segmented),
        "translate": Signature({"image": image}, {"translated": image}),
        "entropy": Signature({"image": image}, {"entropy": TensorSpec(_FLOAT, (-1, size, size, 1))}),
        "raw": Signature({"intensities": image, "low": window, "high": window}, segmented),
    }


def without_internal(signatures: dict[str, Signature]) -> dict[str, Signature]:
    """Leaves out what TensorFlow keeps among the signatures for its own use."""
    return {name: signature for name, signature in signatures.items() if not name.startswith("__saved_model")}


def check_signature(where: str, name: str, found: dict[str, Signature], expected: Signature) -> None:
    """Refuses a model whose signature is missing, or is not what an exported chain has.

    Args:
      where: what the message calls the model.
      name: the name of the signature.
      found: all signatures of the model.
      expected: from `expected_signatures`.

    Raises:
      ServerError: says what is missing or other.
    """
    advice = "serve a folder that attent export wrote, for the same preparation"
    if name not in found:
        raise ServerError(
            f"{where}: expected the signature {name!r}, found {', '.join(sorted(found)) or 'none'}; {advice}"
        )
    for kind in ("inputs", "outputs"):
        have, want = getattr(found[name], kind), getattr(expected, kind)
        for tensor, spec in want.items():
            if have.get(tensor) != spec:
                raise ServerError(
                    f"{where}: expected {tensor} {spec} among the {kind} of the signature {name!r}, found "
                    f"{', '.join(f'{key} {value}' for key, value in have.items()) or 'none'}; {advice}"
                )
