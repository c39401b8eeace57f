// Downloads of what a chart shows: its table as CSV, its drawing as PNG.
const FORMULA = /^[=+\-@\t\r]/;

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function fileName(figure, extension) {
  const words = `${document.title} ${figure.querySelector("h2").textContent}`;
  return `${words.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "")}.${extension}`;
}

function cell(element) {
  const text = element.querySelector("time")?.dateTime ?? element.dataset.value ?? element.textContent.trim();
  const safe = FORMULA.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text; // no spreadsheet formulas
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// The rows of the table between two row numbers, both included.
export function saveCsv(figure, first = 0, last = Infinity) {
  const table = figure.querySelector("details table");
  const rows = [table.tHead.rows[0], ...[...table.tBodies[0].rows].slice(first, last + 1)];
  const lines = rows.map((row) => [...row.cells].map(cell).join(","));
  download(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }), fileName(figure, "csv"));
}

// The parts of a title, in as many lines as the width requires.
function titleLines(context, parts, width) {
  const lines = [];
  for (const part of parts) {
    const longer = lines.length ? `${lines.at(-1)} · ${part}` : part;
    if (lines.length && context.measureText(longer).width > width) lines.push(part);
    else lines.splice(-1, 1, longer);
  }
  return lines;
}

// `draw(context)` draws into an area of width × height pixels, below a title.
export function savePng(figure, width, height, draw) {
  const scale = 2;
  const font = "600 15px system-ui, sans-serif";
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const style = getComputedStyle(figure);
  const caption = figure.querySelector("figcaption")?.textContent ?? "";
  const texts = [document.querySelector("h1").textContent, figure.querySelector("h2").textContent, ...caption.split("·")];
  const parts = texts.map((text) => text.trim().replaceAll(/\s+/g, " ")).filter(Boolean);
  context.font = font;
  const lines = titleLines(context, parts, width - 24);
  const top = 24 + 20 * lines.length;
  canvas.width = width * scale;
  canvas.height = (height + top) * scale; // this resets the font
  context.scale(scale, scale);
  context.fillStyle = style.backgroundColor;
  context.fillRect(0, 0, width, height + top);
  context.fillStyle = style.color;
  context.font = font;
  lines.forEach((line, number) => context.fillText(line, 12, 26 + 20 * number, width - 24));
  context.translate(0, top);
  draw(context);
  canvas.toBlob((blob) => download(blob, fileName(figure, "png")), "image/png");
}
