// Draws a chart from the table beside it, which is there for everyone: the first column are times,
// each other one a line. A row that begins something new says what in `data-mark`.
const zone = document.documentElement.dataset.zone;
const HEIGHT = 300;
const ZOOM = 0.6;

// How the axis of times is labelled: for steps of at least so many seconds, each label, and what is
// added below where a year, a month or a day begins.
const DAY = "\n{D} {MMM}";
const TIMES = [
  [365 * 86_400, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * 86_400, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86_400, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", `${DAY} {YYYY}`, null, DAY, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", `${DAY} {YYYY}`, null, DAY, null, null, null, 1],
];

function columns(table) {
  const rows = [...table.tBodies[0].rows];
  const lines = [...table.tHead.rows[0].cells].filter((cell) => "line" in cell.dataset);
  return {
    times: rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000),
    lines: lines.map((cell) => ({
      label: cell.textContent.trim(),
      color: getComputedStyle(cell).color,
      values: rows.map((row) => (row.cells[cell.cellIndex].dataset.value ? Number(row.cells[cell.cellIndex].dataset.value) : null)),
    })),
    marks: rows.flatMap((row, index) => (row.dataset.mark ? [{ index, text: row.dataset.mark }] : [])),
  };
}

function translucent(color) {
  return color.startsWith("oklch") ? color.replace(")", " / 0.14)") : color.replace("rgb(", "rgba(").replace(")", ", 0.14)");
}

// Where a category began: a dashed line, and its name where there is room.
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

function options(figure, found) {
  const { lines } = found;
  const muted = getComputedStyle(figure.querySelector("figcaption")).color;
  const grid = getComputedStyle(figure).borderTopColor;
  const axis = { stroke: muted, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  return {
    width: figure.querySelector(".plot").clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    cursor: { drag: { x: true, y: false }, points: { size: 7 } },
    legend: { live: true },
    scales: { y: { range: (_, low, high) => [0, Math.max(high, 1) * 1.12] } },
    axes: [{ ...axis, values: TIMES }, { ...axis, size: 58, values: (_, values) => values.map((value) => value.toLocaleString("en", { notation: "compact" })) }],
    series: [
      { value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
      ...lines.map(({ label, color }) => ({
        label,
        stroke: color,
        width: 2,
        fill: lines.length === 1 ? translucent(color) : undefined,
        points: { show: (plot) => plot.data[0].length < 3 },
        spanGaps: lines.length > 1,
        value: (_, value) => (value === null ? "–" : value.toLocaleString("en", { maximumFractionDigits: 1 })),
      })),
    ],
    plugins: [markPlugin(found, muted)],
  };
}

function chart(figure) {
  const place = figure.querySelector(".plot");
  const found = {};
  let plot = null;
  const read = () => {
    Object.assign(found, columns(figure.querySelector("details table")));
    return [found.times, ...found.lines.map((line) => line.values)];
  };
  const draw = () => {
    const data = read();
    plot?.destroy();
    plot = new uPlot(options(figure, found), data, place);
  };
  const add = () => {
    const { min, max } = plot.scales.x;
    const isWhole = min <= plot.data[0][0] && max >= plot.data[0].at(-1);
    plot.setData(read(), isWhole);
    if (!isWhole) plot.redraw(); // what was zoomed into stays
  };
  const zoom = (factor) => {
    const { min, max } = plot.scales.x;
    const half = ((max - min) / 2) * factor;
    const [times] = plot.data;
    plot.setScale("x", { min: Math.max(times[0], (min + max) / 2 - half), max: Math.min(times.at(-1), (min + max) / 2 + half) });
  };
  draw();
  figure.dataset.drawn = "";
  figure.querySelector("[data-zoom=in]").addEventListener("click", () => zoom(ZOOM));
  figure.querySelector("[data-zoom=out]").addEventListener("click", () => zoom(1 / ZOOM));
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  document.addEventListener("themechange", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.addEventListener("refreshed", add);
}

document.querySelectorAll("figure[data-chart]").forEach(chart);
