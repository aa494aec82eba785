// The document and the ways through it. An event goes by its place in the list.
const told = JSON.parse(document.getElementById("document").textContent);
const NANO = 1000000000n;

// Nanoseconds since 1970 of a time with nine decimals.
function nanos(time) {
  return BigInt(Date.parse(time.slice(0, 19) + "Z")) * 1000000n + BigInt(time.slice(20, 29));
}

function duration(ns) {
  const n = Number(ns);
  if (n < 1e3) return n + " ns";
  if (n < 1e6) return Math.floor(n / 1e3) + " µs";
  if (n < 1e9) return (n / 1e6).toFixed(1) + " ms";
  if (n < 120e9) return (n / 1e9).toFixed(2) + " s";
  const minutes = Math.floor(n / 60e9);
  if (minutes < 120) return minutes + " min " + Math.floor((n / 1e9) % 60) + " s";
  return Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
}

// Characters that would turn the line around or can't be seen are replaced.
function clean(text) {
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u200e\u200f\u061c\u2066-\u2069]/g, "\ufffd");
}

const places = new Map(told.events.map((event, place) => [event.id, place]));
const processes = new Map(told.processes.map((process, number) => [process.id, number]));
const causes = told.events.map(() => []);
const effects = told.events.map(() => []);
for (const edge of told.edges) {
  const from = places.get(edge.from), to = places.get(edge.to);
  if (from === undefined || to === undefined) continue;
  causes[to].push({ place: from, edge });
  effects[from].push({ place: to, edge });
}
const gapsOf = new Map(), findingsOf = new Map();
function append(map, key, value) {
  if (map.has(key)) map.get(key).push(value); else map.set(key, [value]);
}
for (const gap of told.gaps) if (places.has(gap.event)) append(gapsOf, places.get(gap.event), gap);
told.findings.forEach((finding, number) => {
  for (const id of finding.events) if (places.has(id)) append(findingsOf, places.get(id), number);
});
const moments = told.events.map((event) => nanos(event.hlc.l));
const zero = told.range ? nanos(told.range.start) : (moments[0] ?? 0n);

const names = told.processes.map((process) => {
  const shared = told.processes.filter((other) => other.service === process.service).length > 1;
  if (!shared) return clean(process.service);
  const instance = process.instance ?? process.id;
  return clean(instance.startsWith(process.service) ? instance : process.service + " " + instance);
});
const GAPS = {
  missing_reply: "no answer", missing_receiver: "nobody received it", missing_sender: "sender unknown",
  missing_parent: "parent missing", ended_without_flush: "ended without a flush",
  unattributed_write: "whose write is unknown", sampled: "sampled", truncated: "cut",
};
const LACKS = {
  truncated: `Showing ${told.completeness.shown} of ${told.completeness.total} events.`,
  missing_shard: "A part of the store could not be read.", not_indexed: "Some records are not indexed yet.",
  unattributed_writes: "Writes whose entity is unknown may concern it.",
  sampled: "A source samples: not all of it arrived.", dropped_by_sdk: "An SDK dropped something.",
};

function processOf(place) {
  return processes.get(told.events[place].process) ?? 0;
}

function evidence(edge) {
  return edge.evidence.replaceAll("_", " ");
}

// The surest cause, from elsewhere rather than from the same process, and the latest.
function cause(place) {
  const rank = { assumed: 0, corrected: 1, clock: 2, causal: 3 };
  const elsewhere = (other) => (processOf(other.place) === processOf(place) ? 0 : 1);
  const key = (other) => [rank[other.edge.certainty], elsewhere(other), other.place];
  return causes[place].reduce((best, other) => {
    if (!best) return other;
    const a = key(best), b = key(other);
    const at = a.findIndex((part, number) => part !== b[number]);
    return at >= 0 && b[at] > a[at] ? other : best;
  }, null);
}

function reason(place) {
  const best = cause(place);
  if (!best) return "";
  return processOf(best.place) === processOf(place) ? evidence(best.edge) : evidence(best.edge) + " ← " + names[processOf(best.place)];
}

function plain(value) {
  if (value === null || value === undefined) return "—";
  return clean(typeof value === "string" ? value : JSON.stringify(value));
}

function change(of) {
  const field = clean(of.field ?? of.copy);
  if (of.op === "read") return `${field} = ${plain(of.value)}`;
  if (of.op === "delete") return `${field} deleted`;
  if (of.op === "add") return `${field} += ${plain(of.delta)}`;
  return `${field}  ${plain(of.from)} → ${plain(of.value)}`;
}

function titled(event) {
  return clean(event.name) + (event.kind === "span_end" ? " ends" : "");
}

// All that is before the event at `place`, by the edges of the document.
function before(place) {
  const seen = new Set([place]), queue = [place];
  while (queue.length) for (const { place: from } of causes[queue.pop()]) if (!seen.has(from)) { seen.add(from); queue.push(from); }
  return seen;
}

// What each copy held at the event at `place`: of each field the last write in the list up to there. `sure` says
// whether the edges put that write before the event.
function stateAt(place) {
  const held = new Map(), known = before(place);
  const key = (of) => JSON.stringify([of.entity, of.copy, of.field]);
  for (const first of told.initial_state) {
    held.set(key(first), { of: first, value: first.known ? plain(first.value) : "unknown", sure: true, place: null });
  }
  for (let at = 0; at <= place; at++) {
    for (const of of told.events[at].state) {
      if (of.op === "read" || of.outcome === "failed") continue;
      const old = held.get(key(of));
      const value = of.op === "delete" ? "deleted" : of.op === "add" ? `${old?.value ?? "?"} + ${plain(of.delta)}` : plain(of.value);
      held.set(key(of), { of, value: of.outcome === "unknown" ? value + " (outcome unknown)" : value, sure: known.has(at), place: at });
    }
  }
  return [...held.values()];
}
