// Rows, columns and arrows. Only what is on screen is drawn, so that 100,000 events scroll.
const SVG = "http://www.w3.org/2000/svg";
const LEFT = 150, ROW = 20, PER_TENFOLD = 6, TRACK = 9, TRACKS_MAX = 5, MARGIN = 400;
const svg = document.getElementById("diagram"), stage = document.getElementById("stage"), canvas = document.getElementById("canvas");

const middles = [];
let textLeft = LEFT;
for (const name of names) {
  const width = Math.min(190, Math.max(84, name.length * 7.4 + 18));
  middles.push(textLeft + width / 2);
  textLeft += width;
}
textLeft += 24;
const WIDTH = textLeft + 900;

const view = { rows: [], rowOf: new Map(), bars: [], arrows: [], height: 0, zoom: 1, all: false, chosen: null, found: new Set() };

function layOut() {
  const seen = told.events.map((event, place) => place).filter((place) => view.all || told.events[place].folded === null);
  view.rows = []; view.rowOf = new Map(); view.bars = []; view.arrows = [];
  let y = 20, above = null;
  for (let next = 0; next < seen.length; next++) {
    const place = seen[next], event = told.events[place];
    const follower = told.events[seen[next + 1]];
    const end = event.kind === "span_start" && follower?.kind === "span_end" && follower.record === event.record ? seen[++next] : null;
    if (above !== null) {
      const ms = Number(moments[place] - moments[above]) / 1e6;
      y += (ROW + (ms <= 1 ? 0 : Math.log10(ms) * PER_TENFOLD)) * view.zoom;
    }
    const unordered = above !== null && event.unordered_with.includes(told.events[above].id);
    const row = { place, end, x: middles[processOf(place)], y, unordered };
    for (const at of [place, end]) if (at !== null) view.rowOf.set(at, view.rows.length);
    view.rows.push(row);
    above = end ?? place;
  }
  view.height = y + 2 * ROW;
  layBars();
  for (const row of view.rows) {
    for (const at of [row.place, row.end]) for (const { place, edge } of at === null ? [] : causes[at]) {
      const from = view.rows[view.rowOf.get(place)];
      if (from && processOf(from.place) !== processOf(row.place)) view.arrows.push({ from, to: row, edge });
    }
  }
  canvas.style.height = view.height + "px";
  canvas.style.width = WIDTH + "px";
}

// Bars side by side where spans of one process overlap.
function layBars() {
  const starts = new Map(), free = names.map(() => []);
  const last = new Map();
  view.rows.forEach((row, number) => {
    const event = told.events[row.place];
    if (event.kind === "span_start" && row.end === null) starts.set(event.record, number);
    if (event.kind === "span_end" && starts.has(event.record)) last.set(starts.get(event.record), number);
  });
  view.rows.forEach((row, number) => {
    if (!last.has(number)) return;
    const tracks = free[processOf(row.place)], until = last.get(number);
    let track = tracks.findIndex((at) => at <= number);
    if (track < 0) track = tracks.push(0) - 1;
    tracks[track] = until + 1;
    const x = row.x + TRACK * Math.min(track, TRACKS_MAX), end = view.rows[until];
    row.x = x; end.x = x;
    view.bars.push({ x, from: row.y, to: end.y, lane: processOf(row.place) % 8 });
  });
}

// Where a moment lies between the rows, by their causal stamps.
function yOf(moment) {
  let low = 0, high = view.rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[view.rows[middle].place] < moment) low = middle + 1; else high = middle;
  }
  if (low === 0) return view.rows.length ? view.rows[0].y - ROW / 2 : 0;
  if (low === view.rows.length) return view.height - ROW;
  const above = view.rows[low - 1], below = view.rows[low];
  const span = Number(moments[below.place] - moments[above.place]) || 1;
  return above.y + ((below.y - above.y) * Number(moment - moments[above.place])) / span;
}

function element(parent, name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}

function firstRowAt(y) {
  let low = 0, high = view.rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (view.rows[middle].y < y) low = middle + 1; else high = middle;
  }
  return low;
}

function draw() {
  const top = Math.max(0, stage.scrollTop - MARGIN), bottom = stage.scrollTop + stage.clientHeight + MARGIN;
  svg.replaceChildren();
  svg.style.top = top + "px";
  svg.setAttribute("width", WIDTH);
  svg.setAttribute("height", Math.max(1, Math.min(bottom, view.height) - top));
  svg.setAttribute("viewBox", `0 ${top} ${WIDTH} ${Math.max(1, Math.min(bottom, view.height) - top)}`);
  const head = element(element(svg, "defs", {}), "marker", { id: "head", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" });
  element(head, "path", { class: "head", d: "M0 0L8 4L0 8z" });
  for (const x of middles) element(svg, "line", { class: "life", x1: x, x2: x, y1: top, y2: Math.min(bottom, view.height) });
  for (const marker of told.markers) {
    const y = yOf(nanos(marker.time)), x = middles[processes.get(marker.process)];
    if (x !== undefined && y >= top && y <= bottom) {
      element(element(svg, "line", { class: "flag", x1: x - 40, x2: x + 40, y1: y, y2: y }), "title", {}, clean(marker.detail));
    }
  }
  for (const bar of view.bars) {
    if (bar.to < top || bar.from > bottom) continue;
    element(svg, "rect", { class: `bar c${bar.lane}`, x: bar.x - 3, y: bar.from, width: 6, height: Math.max(0, bar.to - bar.from), rx: 3 });
  }
  const first = firstRowAt(top);
  let spoken = -Infinity;
  for (let number = first; number < view.rows.length && view.rows[number].y <= bottom; number++) {
    const row = view.rows[number], spoke = row.y - spoken >= 13 || row.place === view.chosen;
    if (spoke) spoken = row.y;
    drawRow(row, spoke);
  }
  for (const { from, to, edge } of view.arrows) {
    if (Math.max(from.y, to.y) < top || Math.min(from.y, to.y) > bottom) continue;
    const chosen = from.place === view.chosen || to.place === view.chosen;
    const x = to.x + (from.x < to.x ? -7 : 7);
    element(svg, "path", { class: `arrow ${edge.certainty}${chosen ? " chosen" : ""}`, "marker-end": "url(#head)", d: `M${from.x} ${from.y}L${x} ${to.y}` });
    if (view.zoom >= 0.6 && edge.certainty === "causal") element(svg, "text", { class: "label", x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 - 3 }, evidence(edge));
  }
}

function drawRow(row, spoke) {
  const event = told.events[row.place], { x, y } = row, rows = [row.place, row.end].filter((at) => at !== null);
  const classes = ["row", "c" + (processOf(row.place) % 8)];
  if (rows.includes(view.chosen)) classes.push("chosen");
  if (rows.some((at) => view.found.has(at))) classes.push("found");
  const group = element(svg, "g", { class: classes.join(" "), "data-place": row.place, "data-event": event.id });
  element(group, "rect", { class: "back", x: 0, y: y - ROW / 2, width: WIDTH, height: ROW });
  if (event.error_ns === null) {
    element(group, "path", { class: "error unbounded", d: `M${x} ${y - 14}V${y + 14}` });
  } else {
    const at = nanos(event.corrected), error = BigInt(event.error_ns), from = yOf(at - error), to = yOf(at + error);
    if (to - from >= 1) element(group, "path", { class: "error", d: `M${x - 2} ${from}h4m-2 0V${to}m-2 0h4` });
  }
  const state = rows.flatMap((at) => told.events[at].state), gaps = rows.flatMap((at) => gapsOf.get(at) ?? []);
  const findings = rows.flatMap((at) => findingsOf.get(at) ?? []);
  if (state.length) {
    element(group, "path", { class: state.some((of) => of.op !== "read") ? "glyph" : "hollow", d: `M${x - 6} ${y}l6 -6l6 6l-6 6z` });
    if (gaps.length) element(group, "path", { class: "cross", d: `M${x + 6} ${y - 9}l6 6m0 -6l-6 6` });
  } else if (gaps.length) {
    element(group, "path", { class: "cross", d: `M${x - 4.5} ${y - 4.5}l9 9m0 -9l-9 9` });
  } else {
    const size = { span_start: 5, span_end: 4 }[event.kind] ?? 3;
    element(group, "circle", { class: event.kind === "span_end" ? "hollow" : "glyph", cx: x, cy: y, r: size });
  }
  if (findings.length) {
    element(group, "circle", { class: "ring", cx: x, cy: y, r: 9 });
    element(group, "text", { class: "bad", x: x + 9, y: y - 6 }, "⚑" + (findings[0] + 1));
  }
  if (!spoke) return;
  const failed = rows.some((at) => ["ERROR", "FATAL"].includes(told.events[at].severity));
  element(group, "text", { class: "time", x: 140, y: y + 4 }, (row.unordered ? "≈ " : "") + relative(event));
  const long = row.end === null ? "" : "  " + duration(nanos(told.events[row.end].time) - nanos(event.time));
  const name = (failed ? "✗ " : "") + titled(event) + long + gaps.map((gap) => "  ╳ " + (GAPS[gap.kind] ?? gap.kind)).join("");
  element(group, "text", { class: failed ? "bad" : event.kind === "span_end" ? "dim" : "", x: textLeft, y: y + 4 }, cut(name, 52));
  element(group, "text", { x: textLeft + 370, y: y + 4 }, cut(state.map(change).join(", "), 44));
  element(group, "text", { class: "dim", x: textLeft + 690, y: y + 4 }, cut(reason(row.place), 32));
}

function relative(event) {
  const ns = nanos(event.corrected) - zero, size = ns < 0n ? -ns : ns;
  const micros = ((size % NANO) / 1000n).toString().padStart(6, "0");
  return (event.error_ns === null ? "~" : "") + (ns < 0n ? "−" : "") + size / NANO + "." + micros;
}

function cut(text, most) {
  const chars = [...text];
  return chars.length <= most ? text : chars.slice(0, most - 1).join("") + "…";
}
