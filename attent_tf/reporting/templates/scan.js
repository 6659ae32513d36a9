// The viewer of one scan: that of the report with windows, an opacity and structures to switch. Of its ID-case-0 `windows` takes the
// place of `image`: [[WebP]], for each window the slices.

const OPACITY_STEP = 10;

class ScanViewer extends Viewer {
  available(pane) {
    return pane === "image" || super.available(pane);
  }

  hasMarks() {
    return true;
  }

  picture(name, slice) {
    const window = Number(this.part("window").value);
    const text = name === "image" && this.layers.windows[window][slice];
    return text ? this.unpackedPicture(`${window} ${slice}`, text) : null;
  }

  fillChoices() {
    this.overlay.alpha = Math.round(2.55 * Number(this.part("opacity").value));
  }

  describeCase() {
    this.part("what").textContent = "Structures by slice";
    for (const button of this.root.querySelectorAll("button[data-structure]")) {
      button.setAttribute("aria-pressed", !this.overlay.off.has(Number(button.dataset.structure)));
    }
  }

  listen() {
    super.listen();
    this.part("opacity").addEventListener("input", (event) => this.setOpacity(Number(event.target.value)));
  }

  onChange(event) {
    if (event.target === this.part("window")) this.draw();
  }

  onClick(event) {
    const button = event.target.closest("button[data-structure]");
    if (button) this.switchStructure(Number(button.dataset.structure));
    else super.onClick(event);
  }

  switchStructure(label) {
    const { off } = this.overlay;
    if (!off.delete(label)) off.add(label);
    this.describe();
    this.draw();
  }

  switchAll() {
    const { off } = this.overlay;
    const all = this.index.structures.map((_, place) => place + 1);
    const wanted = off.size ? [] : all;
    off.clear();
    wanted.forEach((label) => off.add(label));
    this.describe();
    this.draw();
  }

  setOpacity(percent) {
    const kept = Math.max(0, Math.min(100, percent));
    this.part("opacity").value = kept;
    this.overlay.alpha = Math.round(2.55 * kept);
    this.draw();
  }

  nextWindow() {
    const windows = this.part("window");
    windows.selectedIndex = (windows.selectedIndex + 1) % windows.options.length;
    this.draw();
  }

  actions() {
    const opacity = () => Number(this.part("opacity").value);
    return {
      ...super.actions(),
      nextWindow: () => this.nextWindow(),
      structures: () => this.switchAll(),
      more: () => this.setOpacity(opacity() + OPACITY_STEP),
      less: () => this.setOpacity(opacity() - OPACITY_STEP),
    };
  }

  keys() {
    return SCAN_KEYS;
  }

  // The slider of the opacity keeps its own keys.
  onKey(event) {
    if (event.target !== this.part("opacity") || !event.key.startsWith("Arrow")) super.onKey(event);
  }
}

const { n, p, m, ...SHARED_KEYS } = KEYS;
const SCAN_KEYS = { ...SHARED_KEYS, v: "nextWindow", s: "structures", "+": "more", "-": "less" };

for (const root of document.querySelectorAll(".viewer")) new ScanViewer(root);
