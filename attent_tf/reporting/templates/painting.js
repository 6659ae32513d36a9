// Painting of label maps over a slice. `about` is a case of the viewer's index: {rows, columns, columnMm} are its pixels.

const FILL_ALPHA = 56;
const SCALE_MM = 50;

class Painter {
  // Colours are written as #rrggbb: of the structures in the order of their labels, and of missing, added and another structure.
  constructor(colours, differences) {
    this.colours = colours.map(rgb);
    this.differences = differences.map(rgb);
    this.small = document.createElement("canvas");
  }

  // `overlay`: {fill, outline} are switches, alpha (0 to 255) is how much a fill covers, off holds the labels that are not shown.
  structures(context, about, labels, overlay) {
    const { alpha, off } = overlay;
    if (overlay.fill) this.pixels(context, about, labels, (label) => [...this.colours[label - 1], off.has(label) ? 0 : alpha]);
    if (!overlay.outline) return;
    const width = context.canvas.width / context.canvas.clientWidth;
    this.colours.forEach((colour, place) => {
      if (off.has(place + 1)) return;
      const path = outline(context, about, labels, (label) => label === place + 1);
      // The dark rim keeps an outline apart from bright tissue, whatever its hue.
      stroke(context, path, "rgb(0 0 0 / 0.6)", 3.6 * width);
      stroke(context, path, `rgb(${colour.join(" ")})`, 1.7 * width);
    });
  }

  // Patterns besides colours: missing is solid, added is striped, another structure is dotted.
  disagreement(context, about, kinds, reference) {
    const { columns } = about;
    this.pixels(context, about, kinds, (kind, pixel) => {
      const row = Math.floor(pixel / columns);
      const column = pixel % columns;
      const strong = kind === 1 || (kind === 2 ? (row + column) % 4 < 2 : (row + column) % 2 < 1);
      return [...this.differences[kind - 1], strong ? 235 : 70];
    });
    const width = context.canvas.width / context.canvas.clientWidth;
    stroke(context, outline(context, about, reference, Boolean), "rgb(255 255 255 / 0.45)", 0.8 * width);
  }

  pixels(context, { rows, columns }, labels, colourOf) {
    const picture = new ImageData(columns, rows);
    labels.forEach((label, pixel) => {
      if (label) picture.data.set(colourOf(label, pixel), 4 * pixel);
    });
    this.small.width = columns;
    this.small.height = rows;
    this.small.getContext("2d").putImageData(picture, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.small, 0, 0, context.canvas.width, context.canvas.height);
    context.imageSmoothingEnabled = true;
  }

  // The patient's sides, the front, and a length.
  annotate(context, about) {
    const { width, height, clientWidth } = context.canvas;
    const unit = width / clientWidth;
    context.font = `${11 * unit}px sans-serif`;
    context.fillStyle = context.strokeStyle = "#fff";
    context.shadowColor = "#000";
    context.shadowBlur = 3 * unit;
    context.textBaseline = "middle";
    context.fillText("R", 5 * unit, height / 2);
    context.textAlign = "right";
    context.fillText("L", width - 5 * unit, height / 2);
    context.textAlign = "center";
    context.fillText("A", width / 2, 10 * unit);
    const length = (SCALE_MM / about.columnMm) * (width / about.columns);
    context.lineWidth = 2 * unit;
    context.beginPath();
    context.moveTo(8 * unit, height - 9 * unit);
    context.lineTo(8 * unit + length, height - 9 * unit);
    context.stroke();
    context.fillText("5 cm", 8 * unit + length / 2, height - 18 * unit);
    context.shadowBlur = 0;
  }
}

// The edges between pixels inside and outside, as they are: label maps are not made smoother than they were.
function outline(context, about, labels, inside) {
  const { rows, columns } = about;
  const wide = context.canvas.width / columns;
  const high = context.canvas.height / rows;
  const at = (row, column) => row >= 0 && column >= 0 && row < rows && column < columns && inside(labels[row * columns + column]);
  const path = new Path2D();
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      const here = at(row, column);
      if (here !== at(row - 1, column)) {
        path.moveTo(column * wide, row * high);
        path.lineTo((column + 1) * wide, row * high);
      }
      if (here !== at(row, column - 1)) {
        path.moveTo(column * wide, row * high);
        path.lineTo(column * wide, (row + 1) * high);
      }
    }
  }
  return path;
}

function rgb(colour) {
  return [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
}

// Gives a canvas as many pixels as the screen shows of it, and its context.
function cleared(canvas) {
  const density = Math.max(window.devicePixelRatio, 1);
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * density));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * density));
  return canvas.getContext("2d");
}

function stroke(context, path, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineJoin = context.lineCap = "round";
  context.stroke(path);
}
