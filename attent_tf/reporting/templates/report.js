// Starts the viewers of the report.

const viewers = new Map();
for (const root of document.querySelectorAll(".viewer")) viewers.set(root.id, new Viewer(root));

// The name of a case in a table opens it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-case]");
  const viewer = link && viewers.get(link.hash.slice(1));
  if (!viewer) return;
  event.preventDefault();
  viewer.open(Number(link.dataset.case));
  viewer.root.scrollIntoView();
  viewer.part("stage").focus({ preventScroll: true });
});
