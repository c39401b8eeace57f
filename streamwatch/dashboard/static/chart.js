// Makes the server's charts interactive. A figure with `data-chart` has a table, whose first column
// are times and each other one a line, and becomes a uPlot chart; one with `data-trend` has bars,
// which remain as they are.
import { savePng, saveCsv } from "./export.js";
import { hideTooltip, showTooltip } from "./tooltip.js";
import { followTrends } from "./trend.js";

const HEIGHT = 300;
const ZOOM = 0.6;
const HALF_HOUR = 1_800; // seconds, as all times of a chart
const LABEL_SPACE = 64; // pixels that a label with seconds takes
const COMPACT = new Intl.NumberFormat("en", { notation: "compact" });

const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const FIELDS = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
const formats = new Map(); // by time zone: a format is slow to make, and uPlot asks hundreds of times

// A Date whose local fields are those of the time in the page's time zone, as uPlot wants it.
function localDate(seconds) {
  const timeZone = document.documentElement.dataset.zone;
  if (timeZone === OWN_ZONE) return new Date(seconds * 1000); // which is much faster
  if (!formats.has(timeZone)) formats.set(timeZone, new Intl.DateTimeFormat("en-US", { ...FIELDS, hourCycle: "h23", timeZone }));
  const parts = formats.get(timeZone).formatToParts(seconds * 1000);
  const { year, month, day, hour, minute, second } = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));
  return new Date(year, month - 1, day, hour, minute, second, (seconds * 1000) % 1000);
}

// Labels of the time axis: for steps of at least so many seconds, the label, and what is added below
// where a year, a month or a day begins.
const DAY = "\n{D} {MMM}";
const TIMES = [
  [365 * 86_400, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * 86_400, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86_400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", `${DAY} {YYYY}`, null, DAY, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", `${DAY} {YYYY}`, null, DAY, null, null, null, 1],
];
const WHOLE_DAYS = [1, 2, 7, 14, 28, 91, 182].map((days) => days * 86_400);

function columns(table) {
  const rows = [...table.tBodies[0].rows];
  const lines = [...table.tHead.rows[0].cells].filter((cell) => "line" in cell.dataset);
  return {
    times: rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000),
    titles: rows.map((row) => row.querySelector("time").textContent),
    lines: lines.map((cell) => ({
      label: cell.textContent.trim(),
      color: getComputedStyle(cell).color,
      name: [...cell.classList].find((name) => name.startsWith("line-")),
      texts: rows.map((row) => row.cells[cell.cellIndex].textContent.trim()),
      values: rows.map((row) => (row.cells[cell.cellIndex].dataset.value ? Number(row.cells[cell.cellIndex].dataset.value) : null)),
    })),
    marks: rows.flatMap((row, index) => (row.dataset.mark ? [{ index, text: row.dataset.mark }] : [])),
  };
}

function translucent(color) {
  return color.startsWith("oklch") ? color.replace(")", " / 0.14)") : color.replace("rgb(", "rgba(").replace(")", ", 0.14)");
}

// A dashed line where a category began, and its name where there is room.
function markPlugin(found, color) {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        const scale = devicePixelRatio;
        let free = -Infinity;
        ctx.save();
        ctx.textAlign = "left";
        ctx.font = `600 ${12 * scale}px system-ui, sans-serif`;
        for (const { index, text } of found.marks) {
          const x = Math.round(plot.valToPos(plot.data[0][index], "x", true));
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          ctx.strokeStyle = ctx.fillStyle = color;
          ctx.setLineDash([4 * scale, 4 * scale]);
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
          const width = ctx.measureText(text).width;
          const at = Math.min(x + 6 * scale, bbox.left + bbox.width - width);
          if (at < free) continue;
          ctx.fillText(text, at, bbox.top + 13 * scale);
          free = at + width + 10 * scale;
        }
        ctx.restore();
      },
    },
  };
}

function valueScale(figure) {
  if (!figure.dataset.log) return { range: (_, low, high) => [0, Math.max(high, 1) * 1.12] };
  const [bottom, top] = figure.dataset.log.split(" ").map(Number);
  return { distr: 3, log: 10, range: [bottom, top] };
}

function options(figure, found, onCursor) {
  const { lines } = found;
  const { unit = "", days } = figure.dataset;
  const muted = getComputedStyle(figure.querySelector("figcaption")).color;
  const grid = getComputedStyle(figure).borderTopColor;
  const axis = { stroke: muted, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const format = (value) => (value === null ? "" : `${COMPACT.format(value)}${unit}`);
  return {
    width: figure.querySelector(".plot").clientWidth,
    height: HEIGHT,
    tzDate: localDate,
    cursor: { drag: { x: true, y: false }, points: { size: 7 } },
    legend: { show: lines.length > 1, live: false },
    scales: { y: valueScale(figure) },
    axes: [{ ...axis, space: LABEL_SPACE, values: TIMES, ...(days === undefined ? {} : { incrs: WHOLE_DAYS }) }, { ...axis, size: 58, values: (_, values) => values.map(format) }],
    series: [
      {},
      ...lines.map(({ label, color }) => ({
        label,
        stroke: color,
        width: 2,
        fill: lines.length === 1 ? translucent(color) : undefined,
        points: { show: (plot, at) => plot.data[0].length < 3 || hasIsolatedValues(plot.data[at]), size: 5 },
        spanGaps: false,
      })),
    ],
    plugins: [markPlugin(found, muted)],
    hooks: { setCursor: [onCursor], setScale: [(plot, key) => { if (key === "x") showReset(figure, plot); }] },
  };
}

// Whether a line has values without neighbours. They are visible only as points.
function hasIsolatedValues(values) {
  return values.some((value, index) => value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null);
}

// The first and last time of the whole chart: an hour around the only sample, for which uPlot would
// show years.
function bounds([times]) {
  return times.length > 1 ? [times[0], times.at(-1)] : [times[0] - HALF_HOUR, times[0] + HALF_HOUR];
}

function isWhole(plot) {
  const [first, last] = bounds(plot.data);
  return plot.scales.x.min <= first && plot.scales.x.max >= last;
}

function showReset(figure, plot) {
  const button = figure.querySelector("[data-zoom=reset]");
  if (plot.scales.x.min != null) button.disabled = isWhole(plot);
}

function draw(figure) {
  const place = figure.querySelector(".plot");
  const found = {};
  let plot = null;
  let chosen = null; // the index that the keyboard chose
  const ended = new AbortController(); // ends what the chart listens to outside of its figure
  const { signal } = ended;
  const read = () => {
    Object.assign(found, columns(figure.querySelector("details table")));
    return [found.times, ...found.lines.map((line) => line.values)];
  };
  const onCursor = () => {
    const { left, top, idx } = plot?.cursor ?? {};
    if (idx == null || left < 0) { hideTooltip(); return; }
    const area = plot.over.getBoundingClientRect();
    const lines = found.lines.map((line) => [`${line.texts[idx]}${found.lines.length > 1 ? ` ${line.label}` : ` ${line.label.toLowerCase()}`}`, line.name]);
    showTooltip(found.titles[idx], lines, area.left + left, area.top + top);
  };
  const create = () => {
    const data = read();
    place.querySelector(".drawing")?.remove();
    plot?.destroy();
    plot = null;
    plot = new uPlot(options(figure, found, onCursor), data, place);
    reset();
  };
  const update = () => {
    if (!place.isConnected) { end(); return; }
    const whole = isWhole(plot);
    const data = read();
    if (plot.series.length !== data.length) { create(); return; }
    plot.setData(data, false);
    if (whole) reset();
    else plot.redraw(); // the zoomed range remains
  };
  const end = () => {
    ended.abort();
    sizes.disconnect();
    plot.destroy();
  };
  const setRange = (min, max) => {
    const [first, last] = bounds(plot.data);
    plot.setScale("x", { min: Math.max(first, min), max: Math.min(last, max) });
  };
  const zoom = (factor) => {
    const { min, max } = plot.scales.x;
    const half = ((max - min) / 2) * factor;
    setRange((min + max) / 2 - half, (min + max) / 2 + half);
  };
  const reset = () => setRange(-Infinity, Infinity);
  const choose = (index) => {
    const [first, last] = shownRange(plot);
    chosen = Math.min(Math.max(index, first), last);
    const height = plot.over.clientHeight;
    plot.setCursor({ left: plot.valToPos(plot.data[0][chosen], "x"), top: height / 2 });
  };
  create();
  figure.dataset.drawn = "";
  figure.querySelector("[data-zoom=in]").addEventListener("click", () => zoom(ZOOM));
  figure.querySelector("[data-zoom=out]").addEventListener("click", () => zoom(1 / ZOOM));
  figure.querySelector("[data-zoom=reset]").addEventListener("click", reset);
  figure.querySelector("[data-export=csv]").addEventListener("click", () => saveCsv(figure, ...shownRange(plot)));
  figure.querySelector("[data-export=png]").addEventListener("click", () => {
    const { canvas } = plot.ctx;
    savePng(figure, plot.width, plot.height, (context) => context.drawImage(canvas, 0, 0, plot.width, plot.height));
  });
  place.addEventListener("keydown", (event) => {
    const [first, last] = shownRange(plot);
    const at = chosen ?? (event.key === "ArrowLeft" ? last + 1 : first - 1);
    const moves = {
      ArrowLeft: () => choose(at - 1),
      ArrowRight: () => choose(at + 1),
      Home: () => choose(first),
      End: () => choose(last),
      "+": () => zoom(ZOOM),
      "-": () => zoom(1 / ZOOM),
      0: reset,
      Escape: () => { plot.setCursor({ left: -10, top: -10 }); chosen = null; },
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  });
  place.addEventListener("blur", () => { chosen = null; plot.setCursor({ left: -10, top: -10 }); });
  const sizes = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
  sizes.observe(place);
  document.addEventListener("themechange", create, { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", create, { signal });
  document.addEventListener("refreshed", update, { signal });
}

// The numbers of the first and last row that are within the zoomed range.
function shownRange(plot) {
  const { min, max } = plot.scales.x;
  const [times] = plot.data;
  const first = times.findIndex((time) => time >= min);
  return [Math.max(first, 0), times.findLastIndex((time) => time <= max)];
}

function drawAll() {
  for (const figure of document.querySelectorAll("figure[data-chart]:not([data-drawn])")) {
    if (figure.querySelector("details tbody").rows.length) draw(figure);
  }
  followTrends();
}

drawAll();
document.addEventListener("refreshed", drawAll);
