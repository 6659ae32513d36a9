"""Pages out of templates: one HTML file each, which needs no network and runs no script but its own."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_TEMPLATES = Path(__file__).parent / "templates"


def rendered(template: str, scripts: Sequence[str] = (), **values: Any) -> str:
    """Returns an HTML page made from a template.

    Args:
      template: its file in `templates/`.
      scripts: files in `templates/` that make its script, in this order; the page allows no other.
      values: what the template is given beside `script` and `script_hash`.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = "\n".join((_TEMPLATES / name).read_text("utf-8") for name in scripts)
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return environment.get_template(template).render(script=script, script_hash=digest, **values)
