// The viewer of slices. The page holds, for a viewer `ID`, two kinds of JSON:
//   ID-index   {structures: [{title, colour}], methods: [label], cases: [{name, slices, rows, columns, pixelRatio, columnMm,
//              scores: [null | {dice, structures: [[text, detail, state]]}]}]}, the cases from the worst to the best;
//   ID-case-N  {image: [WebP], reference: labels, methods: [null | {translated: [WebP], entropy: [WebP], prediction: labels}]}.
// A WebP is base64 and one slice; labels are base64 of a zlib stream with a byte for each voxel. Everything but the index is
// unpacked when it is looked at. Pixels of pictures are never read back, which browsers that guard against tracking falsify.

const PICTURES = ["image", "translated", "entropy"];
const SLICES_A_PAGE = 10;
const WHEEL_PIXELS_A_SLICE = 40;
const PICTURES_KEPT = 90;

class Viewer {
  constructor(root) {
    this.root = root;
    this.index = JSON.parse(document.getElementById(`${root.id}-index`).textContent);
    const { missing, added, other } = root.dataset;
    this.painter = new Painter(this.index.structures.map((one) => one.colour), [missing, added, other]);
    this.case = 0;
    this.method = Number(root.dataset.method);
    this.slice = 0;
    this.overlay = { outline: true, fill: true, alpha: FILL_ALPHA, off: new Set() };
    this.hidden = new Set();
    this.pictures = new Map();
    this.wheel = 0;
    root.hidden = false;
    this.fillChoices();
    this.listen();
    this.open(0).catch(() => {
      this.part("hint").textContent = "This browser cannot unpack the slices; a current Chrome, Edge, Firefox or Safari can.";
    });
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  get about() {
    return this.index.cases[this.case];
  }

  // --- what is shown ---

  // Cases and methods are unpacked before anything changes, so that what is shown always belongs together; of several that were
  // asked for at once, the last one wins.
  async open(number, method = this.method, slice = null) {
    const turn = (this.turn = (this.turn || 0) + 1);
    this.wanted = Math.max(0, Math.min(number, this.index.cases.length - 1));
    const layers = JSON.parse(document.getElementById(`${this.root.id}-case-${this.wanted}`).textContent);
    const chosen = layers.methods[method] ? method : layers.methods.findIndex(Boolean);
    const [reference, prediction] = await Promise.all([layers.reference, layers.methods[chosen].prediction].map(unpacked));
    if (turn !== this.turn) return;
    Object.assign(this, { case: this.wanted, method: chosen, layers, labels: { reference, prediction } });
    this.pictures.clear();
    this.compare();
    this.describe();
    this.go(slice === null ? this.worst : slice);
  }

  choose(method) {
    this.open(this.wanted, method, this.slice);
  }

  go(slice) {
    this.slice = Math.max(0, Math.min(slice, this.about.slices - 1));
    const where = `slice ${this.slice + 1} of ${this.about.slices}`;
    const slider = this.part("slice");
    slider.value = this.slice;
    slider.setAttribute("aria-valuetext", where);
    this.part("where").textContent = where;
    this.draw();
  }

  // Marks every voxel: 1 missing, 2 added, 3 another structure. Without a reference, slices are weighed by what is predicted.
  compare() {
    const { reference, prediction } = this.labels;
    const size = this.about.rows * this.about.columns;
    this.labels.disagreement = reference && new Uint8Array(prediction.length);
    this.profile = new Array(this.about.slices).fill(0);
    for (let voxel = 0; voxel < prediction.length; voxel++) {
      const found = prediction[voxel];
      const wanted = reference ? reference[voxel] : 0;
      if (found === wanted) continue;
      if (reference) this.labels.disagreement[voxel] = !found ? 1 : !wanted ? 2 : 3;
      this.profile[Math.floor(voxel / size)] += 1;
    }
    this.worst = this.profile.indexOf(Math.max(...this.profile));
  }

  available(pane) {
    if (pane === "disagreement") return Boolean(this.labels.reference);
    if (pane === "image" || pane === "reference") return Boolean(this.layers[pane]);
    return Boolean(this.layers.methods[this.method][pane]);
  }

  panes() {
    return [...this.root.querySelectorAll("figure[data-pane]")];
  }

  describe() {
    const { about } = this;
    const method = this.index.methods[this.method];
    this.part("slice").max = about.slices - 1;
    this.part("what").textContent = this.labels.reference ? "Disagreement by slice" : "Predicted structures by slice";
    this.describeCase();
    let shown = 0;
    for (const figure of this.panes()) {
      const { pane } = figure.dataset;
      const there = this.available(pane);
      const button = this.root.querySelector(`button[data-pane="${pane}"]`);
      button.disabled = !there;
      button.setAttribute("aria-pressed", there && !this.hidden.has(pane));
      figure.hidden = !there || this.hidden.has(pane);
      shown += figure.hidden ? 0 : 1;
      const canvas = figure.querySelector("canvas");
      canvas.style.aspectRatio = `${about.columns} / ${about.rows * about.pixelRatio}`;
      canvas.setAttribute("aria-label", `${figure.querySelector("figcaption").textContent} of ${about.name}, ${method}`);
    }
    this.part("stage").dataset.count = shown;
    for (const button of this.root.querySelectorAll("button[data-overlay]")) {
      button.setAttribute("aria-pressed", this.overlay[button.dataset.overlay]);
    }
  }

  // Which case and method are chosen, and their scores.
  describeCase() {
    this.part("case").value = this.case;
    this.part("method").value = this.method;
    [...this.part("method").options].forEach((option, place) => { option.disabled = !this.layers.methods[place]; });
    const scores = this.about.scores[this.method];
    this.part("dice").textContent = `${this.index.methods[this.method]}: ${scores.dice}`;
    this.index.structures.forEach((_, place) => {
      const [text, detail, state] = scores.structures[place] || ["", "", ""];
      const item = this.part("scores").children[place];
      item.querySelector("b").textContent = state || !text ? text : `${text} %`;
      item.querySelector("small").textContent = detail;
      item.className = state;
    });
  }

  // Whether the sides of the patient are written on a pane.
  hasMarks(pane) {
    return pane === "image";
  }

  // --- drawing ---

  // One painting at a time; what is asked for meanwhile is painted after it, and what lies between is skipped.
  async draw() {
    this.stale = true;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.stale) {
        this.stale = false;
        await this.paint();
      }
    } finally {
      this.busy = false;
    }
  }

  async paint() {
    const { slice, about } = this;
    const ready = {};
    await Promise.all(PICTURES.map(async (name) => { ready[name] = await this.picture(name, slice); }));
    // Another case may have been opened while the pictures were unpacked; then its own painting follows.
    if (about !== this.about || slice >= about.slices) return;
    for (const figure of this.panes()) {
      if (figure.hidden) continue;
      const { pane } = figure.dataset;
      const context = cleared(figure.querySelector("canvas"));
      context.fillRect(0, 0, context.canvas.width, context.canvas.height);
      const under = ready[pane] || ready.image;
      if (under) {
        context.imageSmoothingQuality = "high";
        context.globalAlpha = pane === "disagreement" ? 0.6 : 1;
        context.drawImage(under, 0, 0, context.canvas.width, context.canvas.height);
        context.globalAlpha = 1;
      }
      if (pane === "prediction" || pane === "reference") this.painter.structures(context, about, this.labelsOf(pane, slice), this.overlay);
      if (pane === "disagreement") this.painter.disagreement(context, about, this.labelsOf(pane, slice), this.labelsOf("reference", slice));
      if (this.hasMarks(pane)) this.painter.annotate(context, about);
    }
    this.paintProfile();
    for (const near of [slice + 1, slice - 1]) PICTURES.forEach((name) => this.picture(name, near));
  }

  picture(name, slice) {
    const pane = this.root.querySelector(`figure[data-pane="${name}"]`);
    const owner = name === "image" ? this.layers : this.layers.methods[this.method];
    const text = owner[name] && owner[name][slice];
    if (!text || (pane.hidden && name !== "image")) return null;
    return this.unpackedPicture(`${name} ${slice}`, text);
  }

  unpackedPicture(key, text) {
    if (!this.pictures.has(key)) {
      const image = new Image();
      image.src = `data:image/webp;base64,${text}`;
      this.pictures.set(key, image.decode().then(() => image));
      if (this.pictures.size > PICTURES_KEPT) this.pictures.delete(this.pictures.keys().next().value);
    }
    return this.pictures.get(key);
  }

  labelsOf(name, slice) {
    const size = this.about.rows * this.about.columns;
    return this.labels[name].subarray(slice * size, (slice + 1) * size);
  }

  paintProfile() {
    const canvas = this.part("profile");
    const context = cleared(canvas);
    const style = getComputedStyle(canvas);
    const step = canvas.width / this.about.slices;
    const most = Math.max(1, ...this.profile);
    this.profile.forEach((count, slice) => {
      const tall = (count / most) * (canvas.height - 2);
      context.fillStyle = slice === this.slice ? style.getPropertyValue("accent-color") : style.color;
      context.fillRect(slice * step, canvas.height - tall, Math.max(step - 1, 1), tall);
      if (slice === this.slice) context.fillRect(slice * step, canvas.height - 2, Math.max(step, 3), 2);
    });
  }

  // --- what the reader does ---

  fillChoices() {
    this.index.cases.forEach((about, place) => {
      const scores = about.scores[this.method] || about.scores.find(Boolean);
      this.part("case").add(new Option(`${place + 1}. ${about.name}: ${scores.dice}`, place));
    });
    this.index.methods.forEach((label, place) => this.part("method").add(new Option(label, place)));
    this.part("method").closest("label").hidden = this.index.methods.length < 2;
  }

  listen() {
    const { root } = this;
    root.addEventListener("keydown", (event) => this.onKey(event));
    root.addEventListener("click", (event) => this.onClick(event));
    root.addEventListener("change", (event) => this.onChange(event));
    this.part("slice").addEventListener("input", (event) => this.go(Number(event.target.value)));
    this.part("stage").addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    const seek = (event) => {
      if (event.buttons) this.go(Math.floor((event.offsetX / event.target.clientWidth) * this.about.slices));
    };
    this.part("profile").addEventListener("pointerdown", seek);
    this.part("profile").addEventListener("pointermove", seek);
    new ResizeObserver(() => this.layers && this.draw()).observe(this.part("stage"));
  }

  onChange(event) {
    const { part } = event.target.dataset;
    if (part === "case") this.open(Number(event.target.value));
    if (part === "method") this.choose(Number(event.target.value));
  }

  onClick(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const { pane, overlay, act } = button.dataset;
    if (pane) this.toggle(pane);
    if (overlay) this.switchOverlay(overlay);
    if (act) this.actions()[act]();
  }

  toggle(pane) {
    if (!this.available(pane)) return;
    if (!this.hidden.delete(pane)) this.hidden.add(pane);
    this.describe();
    this.draw();
  }

  switchOverlay(name) {
    this.overlay[name] = !this.overlay[name];
    this.describe();
    this.draw();
  }

  nextMethod() {
    const count = this.index.methods.length;
    for (let step = 1; step < count; step++) {
      const method = (this.method + step) % count;
      if (this.layers.methods[method]) {
        this.choose(method);
        return;
      }
    }
  }

  actions() {
    return {
      up: () => this.go(this.slice + 1),
      down: () => this.go(this.slice - 1),
      pageUp: () => this.go(this.slice + SLICES_A_PAGE),
      pageDown: () => this.go(this.slice - SLICES_A_PAGE),
      first: () => this.go(0),
      last: () => this.go(this.about.slices - 1),
      worst: () => this.go(this.worst),
      nextCase: () => this.open(this.wanted + 1),
      previousCase: () => this.open(this.wanted - 1),
      nextMethod: () => this.nextMethod(),
      outline: () => this.switchOverlay("outline"),
      fill: () => this.switchOverlay("fill"),
      leave: () => document.activeElement.blur(),
    };
  }

  keys() {
    return KEYS;
  }

  onKey(event) {
    // A list keeps its own keys, and what goes with Ctrl, Alt or Meta is the browser's.
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("select, summary")) return;
    const act = this.keys()[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const pane = this.panes()[Number(event.key) - 1];
    if (act) this.actions()[act]();
    else if (pane) this.toggle(pane.dataset.pane);
    else return;
    event.preventDefault();
  }

  // The wheel belongs to the page until the reader clicks the viewer or moves into it with Tab.
  onWheel(event) {
    const inside = this.root.contains(document.activeElement);
    this.part("hint").classList.toggle("asked", !inside);
    if (!inside || event.ctrlKey) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / WHEEL_PIXELS_A_SLICE : event.deltaY;
    // Wheels send large steps, touch pads many small ones.
    this.wheel = Math.abs(lines) >= 1 ? Math.sign(lines) : this.wheel + lines;
    const whole = Math.trunc(this.wheel);
    this.wheel -= whole;
    if (whole) this.go(this.slice - whole);
  }
}

const KEYS = {
  ArrowUp: "up",
  ArrowRight: "up",
  ArrowDown: "down",
  ArrowLeft: "down",
  PageUp: "pageUp",
  PageDown: "pageDown",
  Home: "first",
  End: "last",
  Escape: "leave",
  n: "nextCase",
  p: "previousCase",
  m: "nextMethod",
  w: "worst",
  o: "outline",
  f: "fill",
};

async function unpacked(text) {
  if (!text) return null;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
