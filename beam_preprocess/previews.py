"""Contact sheets of cases, drawn by workers, and the page that shows them all."""

import hashlib

from attent_tf.data.manifest import ManifestCase
from attent_tf.shared_folders import SharedFolder
from attent_tf.tasks import Task
from attent_tf.volumes import PreparedCase
from beam_preprocess.rejections import Rejection


def draw(folder: SharedFolder, task: Task, prepared: PreparedCase, entry: ManifestCase) -> str:
    """Draws the contact sheet of a case; returns its file name in the folder."""
    from attent_tf.reporting.contact_sheet import draw_contact_sheet

    # Identifiers come from users' files and need not be fit for a file name.
    name = f"{hashlib.sha256(entry.case.encode()).hexdigest()[:16]}.png"
    title = f"{entry.case}  ({entry.domain}, {entry.split})"
    geometry = prepared.geometry
    sheet = draw_contact_sheet(
        task, prepared.images, prepared.labels, title, geometry.record_spacing_mm, voxel_ml=geometry.record_voxel_ml
    )
    with folder.created(name) as file:
        file.write(sheet)
    return name


def write_index(
    folder: SharedFolder, task: Task, cases: list[tuple[ManifestCase, str]], rejected: list[Rejection]
) -> None:
    """Writes `index.html`: every case with its sheet, then the rejected ones with their reasons."""
    from attent_tf.reporting.contact_sheet import PreviewEntry, preview_page

    entries = [
        PreviewEntry(entry.case, entry.domain, entry.split, sheet, entry.slices, entry.slice_count)
        for entry, sheet in cases
    ]
    with folder.created("index.html") as file:
        file.write(preview_page(task, entries, [(line["case"], line["message"]) for line in rejected]).encode())
