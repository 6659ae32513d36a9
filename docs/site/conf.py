"""How the documentation becomes a site (`make docs`). Nothing is fetched: theme, search and equations are files of the site."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# Figures of the tutorials go into their pages, whatever the shell says.
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"

project = "AttENT for TensorFlow"
author = "The AttENT authors"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml", "public_names", "drawn"]
exclude_patterns = ["site"]
root_doc = "index"

html_theme = "furo"
html_title = project
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
# A page on the disk may not fetch others to show where a word stands in them.
html_show_search_summary = False

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4
# What ships as an example of a session or a response is no language.
suppress_warnings = ["misc.highlighting_failure"]

default_role = "literal"
autodoc_typehints = "none"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parents[2] / "build" / "notebooks")
nb_execution_timeout = 600
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_output_stderr = "remove"
napoleon_use_ivar = True
nb_execution_show_tb = True
