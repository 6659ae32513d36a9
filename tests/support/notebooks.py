"""Runs a tutorial, a notebook as text (MyST), with the Python that runs this file; it needs nothing else of the checkout.

python tests/support/notebooks.py PAGE FOLDER
"""

import sys
from pathlib import Path


def run_notebook(page: Path, folder: Path) -> None:
    """Runs all cells of a page in a folder.

    Raises:
      nbclient.exceptions.CellExecutionError: a cell failed.
    """
    import nbclient
    from myst_nb.core.read import read_myst_markdown_notebook
    from myst_parser.config.main import MdParserConfig

    notebook = read_myst_markdown_notebook(page.read_text("utf-8"), MdParserConfig())
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()


if __name__ == "__main__":
    run_notebook(Path(sys.argv[1]), Path(sys.argv[2]))
