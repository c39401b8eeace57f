// A tooltip beside the pointer, or beside a point that the keyboard chose. Charts share one.
const tip = document.createElement("div");
tip.className = "tooltip";
tip.role = "status";
tip.hidden = true;
document.body.append(tip);

const DISTANCE = 14;

// `lines` are [text, CSS class of a colour] pairs under `title`; x and y are within the window.
export function showTooltip(title, lines, x, y) {
  const heading = document.createElement("b");
  heading.textContent = title;
  tip.replaceChildren(heading, ...lines.map(([text, color]) => {
    const line = document.createElement("span");
    line.textContent = text;
    if (color) line.className = `of ${color}`;
    return line;
  }));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + DISTANCE + width > innerWidth - 8 ? x - DISTANCE - width : x + DISTANCE;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.min(Math.max(8, y - height / 2), innerHeight - height - 8)}px`;
}

export function hideTooltip() {
  tip.hidden = true;
}
