"""`history.csv`: one row of mean losses for each logging interval."""

import csv
import os
from pathlib import Path

from attent_tf.files import write_text


class History:
    """Appends rows; when a run goes on from a checkpoint, rows beyond it are dropped.

    Args:
      path: the path of the CSV file.
      columns: names of the values.
      step: last step that counts; later rows are removed.
    """

    def __init__(self, path: str | os.PathLike, columns: tuple[str, ...], step: int):
        self._path = Path(path)
        self._columns = columns
        header = ",".join(("step", *columns))
        kept = [row for row in self._rows() if int(row.split(",", 1)[0]) <= step]
        write_text(self._path, "\n".join([header, *kept]) + "\n")

    def append(self, step: int, values: dict[str, float]) -> None:
        """Adds the means of the interval that ends at `step`."""
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow([step, *(f"{values[name]:.6g}" for name in self._columns)])

    def _rows(self):
        if not self._path.exists():
            return []
        rows = self._path.read_text(encoding="utf-8").splitlines()[1:]
        # A row that a kill cut short has too few commas.
        return [row for row in rows if row.count(",") == len(self._columns)]
