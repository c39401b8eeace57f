// Bars of a trend: a tooltip by pointer and keyboard, and downloads. The server draws the bars.
import { savePng, saveCsv } from "./export.js";
import { hideTooltip, showTooltip } from "./tooltip.js";

function rows(figure) {
  return [...figure.querySelector("[data-trend-table]").tBodies[0].rows];
}

function show(figure, index, clientY) {
  const svg = figure.querySelector(".bars-drawing svg");
  const row = rows(figure)[index];
  const titles = [...figure.querySelector("[data-trend-table]").tHead.rows[0].cells].map((cell) => cell.textContent);
  const { left, width, top, height } = svg.getBoundingClientRect();
  const lines = [...row.cells].slice(1).map((cell, number) => [`${titles[number + 1]}: ${cell.textContent}`]);
  showTooltip(row.cells[0].textContent, lines, left + ((index + 0.5) / rows(figure).length) * width, clientY ?? top + height / 3);
}

// Diagonal lines, as the SVG pattern #hatch that canvas cannot use.
function hatch(context, color) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const lines = tile.getContext("2d");
  lines.strokeStyle = color;
  lines.moveTo(0, 8);
  lines.lineTo(8, 0);
  lines.stroke();
  return context.createPattern(tile, "repeat");
}

function drawBars(figure, context, width, height) {
  const svg = figure.querySelector(".bars-drawing svg");
  const unseen = hatch(context, getComputedStyle(figure).color);
  for (const rect of svg.querySelectorAll("rect")) {
    const [x, y, barWidth, barHeight] = ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name)));
    context.fillStyle = rect.classList.contains("unseen") ? unseen : getComputedStyle(rect).fill;
    context.fillRect((x / 1000) * width, (y / 100) * height, (barWidth / 1000) * width, (barHeight / 100) * height);
  }
}

function drawTrend(figure, context, width, height) {
  const left = 56;
  const bottom = 28;
  context.save();
  context.translate(left, 8);
  drawBars(figure, context, width - left - 12, height - bottom - 8);
  context.restore();
  context.fillStyle = getComputedStyle(figure.querySelector(".ticks")).color;
  context.font = "12px system-ui, sans-serif";
  const ticks = [...figure.querySelectorAll(".ticks span")];
  ticks.forEach((tick, number) => context.fillText(tick.textContent, 8, 16 + (number / (ticks.length - 1)) * (height - bottom - 12)));
  const labels = [...figure.querySelectorAll(".labels span")];
  labels.forEach((label, number) => {
    context.textAlign = number === 0 ? "left" : number === labels.length - 1 ? "right" : "center";
    context.fillText(label.textContent, left + (number / Math.max(labels.length - 1, 1)) * (width - left - 12), height - 8);
  });
}

function follow(figure) {
  let chosen = null;
  figure.dataset.followed = "";
  const plot = () => figure.querySelector(".trend-plot");
  figure.addEventListener("pointermove", (event) => {
    const svg = event.target.closest(".bars-drawing")?.querySelector("svg");
    if (!svg) { hideTooltip(); return; }
    const { left, width } = svg.getBoundingClientRect();
    const index = Math.floor(((event.clientX - left) / width) * rows(figure).length);
    if (index >= 0 && index < rows(figure).length) show(figure, index, event.clientY);
  });
  figure.addEventListener("pointerleave", hideTooltip);
  figure.addEventListener("focusout", () => { chosen = null; hideTooltip(); });
  figure.addEventListener("keydown", (event) => {
    if (event.target !== plot()) return;
    const last = rows(figure).length - 1;
    const moves = { ArrowLeft: (chosen ?? last + 1) - 1, ArrowRight: (chosen ?? -1) + 1, Home: 0, End: last };
    if (event.key === "Escape") { chosen = null; hideTooltip(); return; }
    if (!(event.key in moves)) return;
    event.preventDefault();
    chosen = Math.min(Math.max(moves[event.key], 0), last);
    show(figure, chosen);
  });
  figure.querySelector("[data-export=csv]").addEventListener("click", () => saveCsv(figure));
  figure.querySelector("[data-export=png]").addEventListener("click", () => {
    savePng(figure, 960, 300, (context) => drawTrend(figure, context, 960, 300));
  });
}

export function followTrends() {
  document.querySelectorAll("figure[data-trend]:not([data-followed])").forEach(follow);
}
