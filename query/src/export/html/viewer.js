// What a person does: point, click, search, zoom.
const byId = (id) => document.getElementById(id);

function make(parent, name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  parent.appendChild(made);
  return made;
}

function row(table, ...cells) {
  const made = make(table, "tr");
  cells.forEach((cell, number) => (cell instanceof Node ? make(made, "td").appendChild(cell) : make(made, number ? "td" : "th", cell)));
  return made;
}

function link(place, text) {
  const made = document.createElement("button");
  made.type = "button"; made.className = "link"; made.textContent = text;
  made.addEventListener("click", () => choose(place));
  return made;
}

function describe() {
  const entity = told.entity, separator = entity.type.includes(".") ? "=" : "/";
  byId("title").textContent = clean(entity.type + separator + entity.key) + "  ";
  make(byId("title"), "small", clean(entity.scope));
  const counted = (list, one, many) => `${list.length} ${list.length === 1 ? one : many}`;
  const counts = [counted(told.events, "event", "events"), counted(told.processes, "process", "processes"), counted(told.findings, "finding", "findings")].join(", ");
  byId("when").textContent = told.range
    ? `${told.range.start} to ${told.range.end}, ${duration(nanos(told.range.end) - nanos(told.range.start))}: ${counts}`
    : "No record that is held names it.";
  for (const why of told.completeness.reasons) make(byId("lacks"), "li", LACKS[why] ?? why);
  told.findings.forEach((finding) => {
    const first = finding.events.map((id) => places.get(id)).find((place) => place !== undefined);
    const text = `${finding.kind} (${finding.grade}, ${finding.status}): ${clean(finding.summary)}`;
    const item = make(byId("findings"), "li");
    if (first === undefined) item.textContent = text; else item.appendChild(link(first, text));
  });
  const folded = told.events.filter((event) => event.folded !== null).length;
  byId("folded").textContent = `(${folded})`;
  const about = byId("about").querySelector("div"), clocks = make(about, "table");
  for (const clock of told.clocks) {
    const offset = clock.reference ? "reference" : clock.offset_ns === null ? "offset unknown" : `${clock.offset_ns} ns ± ${clock.error_ns ?? "?"}`;
    row(clocks, `clock ${clock.id}`, clean(clock.host ?? "no host named"), offset, clock.bounds);
  }
  const gaps = make(about, "ul");
  for (const gap of told.gaps) make(gaps, "li", `${GAPS[gap.kind] ?? gap.kind}: ${clean(gap.detail)}`);
  const streams = make(about, "table");
  for (const stream of told.completeness.streams) row(streams, clean(stream.service), stream.signal, stream.state, clean(stream.evidence ?? ""));
  if (told.edges_omitted) make(about, "p", `${told.edges_omitted} clock edges are left out of the reasons.`);
  const lanes = byId("lanes");
  lanes.style.width = WIDTH + "px";
  names.forEach((name, number) => {
    const lane = make(lanes, "span", name, "c" + (number % 8));
    lane.style.left = middles[number] + "px"; lane.title = name; lane.style.maxWidth = "180px";
  });
  [["event", 0], ["state", 370], ["why", 690]].forEach(([title, left]) => (make(lanes, "span", title, "plain").style.left = textLeft + left + "px"));
}

function reasons(parent, title, list, word) {
  if (!list.length) return;
  make(parent, "h2", title);
  const all = make(parent, "ul", undefined, "reasons");
  for (const { place, edge } of list) {
    const item = make(all, "li");
    item.appendChild(link(place, `${titled(told.events[place])} of ${names[processOf(place)]}`));
    item.append(` ${word} ${evidence(edge)} (${edge.certainty})`);
  }
}

function tell(place) {
  const event = told.events[place], panel = byId("event"), process = told.processes[processOf(place)];
  panel.replaceChildren();
  make(panel, "h2", titled(event));
  const table = make(panel, "table");
  row(table, "process", names[processOf(place)] + (process?.version ? " " + clean(process.version) : ""));
  row(table, "time", event.corrected + (event.error_ns === null ? ", not bounded" : " ± " + duration(event.error_ns)));
  row(table, "as it came", event.time);
  row(table, "belongs", event.belongs);
  if (event.severity) row(table, "severity", event.severity);
  if (event.trace_id) row(table, "trace", event.trace_id);
  if (event.span_id) row(table, "span", event.span_id);
  row(table, "event", event.id);
  for (const number of findingsOf.get(place) ?? []) make(panel, "p", `⚑${number + 1} ${clean(told.findings[number].summary)}`, "bad");
  for (const gap of gapsOf.get(place) ?? []) make(panel, "p", `╳ ${GAPS[gap.kind] ?? gap.kind}: ${clean(gap.detail)}`, "bad");
  for (const of of event.state) make(panel, "p", `◆ ${clean(of.copy)} ${clean(of.entity)}: ${change(of)}${of.outcome === "ok" ? "" : ` (${of.outcome})`}`);
  reasons(panel, "It is after", causes[place], "by");
  reasons(panel, "It is before", effects[place], "by");
  const unordered = event.unordered_with.map((id) => places.get(id)).filter((at) => at !== undefined);
  if (unordered.length) {
    make(panel, "h2", "Nothing orders it against");
    const all = make(panel, "ul", undefined, "reasons");
    for (const at of unordered) make(all, "li").appendChild(link(at, `${titled(told.events[at])} of ${names[processOf(at)]}`));
  }
  if (event.attributes && Object.keys(event.attributes).length) {
    make(panel, "h2", "Attributes");
    const attributes = make(panel, "table");
    for (const [key, value] of Object.entries(event.attributes)) row(attributes, clean(key), plain(value));
  }
  tellState(place);
}

function tellState(place) {
  const panel = byId("state").querySelector("div"), held = stateAt(place);
  panel.replaceChildren();
  if (!held.length) return void make(panel, "p", "No state is known at this point.", "dim");
  const table = make(panel, "table");
  row(table, "copy", "field", "value", "since");
  for (const { of, value, sure, place: since } of held) {
    const name = `${clean(of.copy)} ${clean(of.entity)}`;
    row(table, name, clean(of.field ?? "all"), (sure ? "" : "≈ ") + value, since === null ? "before" : link(since, relative(told.events[since])));
  }
  if (held.some(({ sure }) => !sure)) make(panel, "p", "≈ nothing orders that write against the cursor", "dim");
}

function choose(place) {
  if (!view.rowOf.has(place)) { view.all = byId("all").checked = true; layOut(); }
  view.chosen = place;
  const at = view.rows[view.rowOf.get(place)], top = at.y + 26;
  if (top < stage.scrollTop + 60 || top > stage.scrollTop + stage.clientHeight - 40) stage.scrollTop = top - stage.clientHeight / 2;
  tell(place);
  draw();
}

function step(by) {
  if (!view.rows.length) return;
  const at = view.chosen === null ? -1 : view.rowOf.get(view.chosen);
  choose(view.rows[Math.min(view.rows.length - 1, Math.max(0, at + by))].place);
}

// Keeps the moment in the middle of the screen where it is.
function zoom(to) {
  const middle = stage.scrollTop + stage.clientHeight / 2, number = Math.min(firstRowAt(middle), view.rows.length - 1);
  view.zoom = Math.min(12, Math.max(0.02, to));
  layOut();
  if (number >= 0) stage.scrollTop = view.rows[number].y - stage.clientHeight / 2;
  draw();
}

let hits = [], hit = -1;
function search() {
  const wanted = byId("search").value.trim().toLowerCase();
  hits = [];
  if (wanted) told.events.forEach((event, place) => {
    const text = [event.name, names[processOf(place)], event.id, event.trace_id, event.span_id, JSON.stringify(event.attributes ?? {}), event.state.map(change).join(" ")];
    if (text.join(" ").toLowerCase().includes(wanted)) hits.push(place);
  });
  view.found = new Set(hits); hit = -1;
  byId("hits").textContent = wanted ? `${hits.length} found` : "";
  draw();
}

function next(by) {
  if (!hits.length) return;
  hit = (hit + by + hits.length) % hits.length;
  byId("hits").textContent = `${hit + 1} of ${hits.length}`;
  choose(hits[hit]);
}

function nextFinding() {
  const found = [...findingsOf.keys()].sort((a, b) => a - b);
  const after = found.find((place) => place > (view.chosen ?? -1)) ?? found[0];
  if (after !== undefined) choose(after);
}

function placeAt(event) {
  const group = event.target.closest?.("[data-place]");
  return group ? Number(group.dataset.place) : null;
}

function point(event) {
  const tip = byId("tip"), place = placeAt(event);
  tip.hidden = place === null;
  if (place === null) return;
  const told_ = told.events[place], lines = [`${titled(told_)} — ${names[processOf(place)]}`];
  lines.push(`${told_.corrected} ${told_.error_ns === null ? "not bounded" : "± " + duration(told_.error_ns)}`);
  for (const { place: from, edge } of causes[place]) lines.push(`after ${titled(told.events[from])} of ${names[processOf(from)]} by ${evidence(edge)} (${edge.certainty})`);
  if (!causes[place].length) lines.push("nothing is known to be before it");
  for (const gap of gapsOf.get(place) ?? []) lines.push("╳ " + clean(gap.detail));
  for (const number of findingsOf.get(place) ?? []) lines.push(`⚑${number + 1} ${clean(told.findings[number].summary)}`);
  tip.textContent = lines.join("\n");
  tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
  tip.style.top = Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8) + "px";
}

const KEYS = {
  ArrowDown: () => step(1), j: () => step(1), ArrowUp: () => step(-1), k: () => step(-1), "+": () => zoom(view.zoom * 1.5),
  "=": () => zoom(view.zoom * 1.5), "-": () => zoom(view.zoom / 1.5), 0: () => byId("fit").click(), n: () => nextFinding(),
  "/": () => byId("search").focus(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === byId("search")) {
    if (event.key === "Enter") { event.preventDefault(); next(event.shiftKey ? -1 : 1); }
    if (event.key === "Escape") stage.focus();
    return;
  }
  const does = KEYS[event.key];
  if (does) { event.preventDefault(); does(); }
});
byId("tools").addEventListener("submit", (event) => event.preventDefault());
byId("search").addEventListener("input", search);
byId("in").addEventListener("click", () => zoom(view.zoom * 1.5));
byId("out").addEventListener("click", () => zoom(view.zoom / 1.5));
byId("fit").addEventListener("click", () => zoom((view.zoom * (stage.clientHeight - 60)) / Math.max(1, view.height)));
byId("all").addEventListener("change", () => { view.all = byId("all").checked; layOut(); draw(); });
svg.addEventListener("click", (event) => { const place = placeAt(event); if (place !== null) choose(place); });
svg.addEventListener("mousemove", point);
svg.addEventListener("mouseleave", () => (byId("tip").hidden = true));
stage.addEventListener("scroll", () => requestAnimationFrame(draw));
addEventListener("resize", draw);
stage.addEventListener("wheel", (event) => { if (event.ctrlKey) { event.preventDefault(); zoom(view.zoom * (event.deltaY < 0 ? 1.2 : 1 / 1.2)); } }, { passive: false });

describe();
layOut();
draw();
