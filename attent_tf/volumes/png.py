"""Label maps as grey-scale pictures, one for each slice."""

import os

import numpy as np
from PIL import Image, UnidentifiedImageError

from attent_tf.errors import InputError
from attent_tf.storage import open_binary


def read_grey(path: str | os.PathLike, shape: tuple[int, int]) -> np.ndarray:
    """Reads a picture whose rows run like those of its DICOM slice.

    Args:
      path: a PNG of mode `L`, or of mode `1`, whose white is 255.
      shape: rows and columns that it must have.

    Returns:
      [row, column] uint8 grey values.

    Raises:
      InputError: the file is no such picture, or of another size.
    """
    check_grey(path, shape)
    try:
        with open_binary(path) as file, Image.open(file, formats=("PNG",)) as image:
            return np.asarray(image.convert("L"))
    except (OSError, SyntaxError, ValueError, EOFError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from error


def check_grey(path: str | os.PathLike, shape: tuple[int, int]) -> None:
    """Checks the header of a picture, as `read_grey` does before it decodes one.

    Raises:
      InputError: the file is no grey-scale PNG, or of another size.
    """
    try:
        with open_binary(path) as file, Image.open(file, formats=("PNG",)) as image:
            mode, found = image.mode, (image.height, image.width)
    except (OSError, SyntaxError, ValueError, EOFError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from error
    if mode not in ("L", "1"):
        raise InputError(path, "a grey-scale PNG (mode L or 1)", f"mode {mode}", "export the labels again")
    if found != shape:
        raise InputError(
            path,
            f"{shape[0]} × {shape[1]} pixels as its slice has",
            f"{found[0]} × {found[1]}",
            "export the labels again",
        )


def _unreadable(path: str | os.PathLike, error: Exception) -> InputError:
    reason = " ".join(str(error).split()) if isinstance(error, OSError) else type(error).__name__
    return InputError(path, "a PNG", f"that reading failed ({reason})", "copy it again")
