// SPDX-License-Identifier: PostgreSQL
// Builds the page from the JSON block. Everything from the run reaches the page as text (textContent), never as markup.
// Times are run time in milliseconds. Happy path: strings -> data -> sections, top to bottom -> the timeline draws itself.
"use strict";
(() => {

// ---- every word of the page itself, in one table (words about the run come from the run) ----------------------------
const T = {
  skip: "Skip to the summary", sections: "Sections", tableOf: "{a}, as a table",
  summary: "Summary", story: "What happened", timeline: "Timeline", phases: "Phases", data: "Data", expectations: "Expectations",
  lesson: "What this teaches", events: "Events", setup: "Configuration",
  verdict: {pass: "Passed", fail: "Failed", invalid: "Invalid: neither passed nor failed", skipped: "Skipped", error: "The lab broke", "known-defect": "A known defect: neither passed nor failed"},
  noScenario: "A lab without a scenario",
  outage: "Write outage", none: "none", atLeast: "at least", notKnown: "not known", nothingWritten: "nothing was written",
  outageFrom: "last acknowledged write at {a}, then none until {b}", outageOpen: "last acknowledged write at {a}; writes had not come back at {b}",
  hiccup: "longest pause {a}, and no write failed in it", noPause: "no pause above {a}",
  recovery: "Recovery", recoveryFrom: "from the fault to the first write that lasted, ± {a}", noRecovery: "writes never came back",
  resolution: "± {a}: one write every {b}, and a write takes {c}",
  lost: "Lost writes", lostOf: "of {n} acknowledged", split: "Split brain", splitProven: "proven, {a} possible: {n} took writes at the same time",
  splitPossible: "none proven; the probes can't exclude {a} ({n})", splitNone: "no two nodes took writes at the same time",
  reads: "Read outage", availability: "available: writes {w} %, reads {r} %", cluster: "Cluster alone",
  clusterText: "in which no node took a write from inside, ± {a}; the rest is the way to one",
  fault: "Fault", act: "Administrator's act", noFault: "nothing was injected", verified: "verified", unverified: "NOT verified", done: "done", notDone: "NOT done", rejoin: "Rejoin", rejoinText: "until every powered member streamed again",
  on: "on", which: "which is {n}", at: "at {t}", healed: "healed at {t}", tookEffect: "{d} after it was asked for", tookVerified: "verified {d} later", tookDone: "done {d} later", tookHealed: "healing verified {d} later", leader: "Leader", leaderChange: "{a} → {b}", leaderSame: "{a}, unchanged",
  all: "Whole run", around: "Around the fault", zoomIn: "Closer", zoomOut: "Wider", earlier: "Earlier", later: "Later", window: "Part of the run that is drawn", showing: "{a} to {b}",
  pointer: "Moment to look at (arrow keys: one step; Page Up and Page Down: ten)", time: "Time", wall: "Clock (UTC)",
  rowFaults: "faults", rowPhases: "phases", rowOutage: "no writes", rowKey: "leader key", rowLease: "lease left", rowServer: "application on", rowWrites: "writes / s", rowLatency: "worst latency", rowNoise: "host late",
  nobody: "nobody", leaseAge: "lease renewed", ago: "{a} before", writesOk: "writes good / bad", readsOk: "reads good / bad", latency: "worst write / read", phase: "Phase", bucket: "in {a}",
  keyHolder: "Leader key", server: "Application on", etcd: "etcd",
  picture: "Timeline of the run: faults, phases, the state of every node, the leader key, and what the application felt. The table below says the same in words.",
  legend: "Legend", lanesTable: "The lanes as a table", what: "What", state: "State", from: "From", to: "To", toEnd: "the end", leaseLegend: "time left of the leader's lease; a tick marks each renewal",
  okLegend: "good writes a second", failedLegend: "failed or unknown (drawn downwards)", lowLegend: "fewest good writes in any 100 ms of the bucket", latLegend: "worst write (solid) and read (dashed) of each bucket",
  outageLegend: "no acknowledged write", faultLegend: "fault in force",
  phaseText: {demote: "fault effective → the leader accepts no write any more", "no-quorum": "→ etcd has a quorum again", "quorum-back": "→ the Patroni that will lead has written to etcd again", return: "fault effective → the leader, which kept its key, accepts writes again", detect: "fault effective → the leader key is gone", elect: "→ a new leader key", promote: "→ that node accepts a write", reroute: "→ the application's first acknowledged write", rejoin: "→ every powered member streams from the leader"},
  network: "Network", noLinks: "Every service path between two nodes was open, as intended, whenever it was measured.", path: "Service path", who: "Who reaches whom", until: "Until",
  linksNote: "Stretches in which a service path was not open. Intended: what power, links and the faults in force allow. Measured: whether a probe in the lab's own network got through. A path needs both directions.",
  link: {cut: "cut by a fault, and nothing gets through", leaks: "LEAKS: a fault forbids it, yet a probe got through", lost: "LOST: no fault forbids it, yet nothing got through"},
  noPhases: "No leader was lost and no write outage followed the fault.", inside: "inside its bounds", outside: "OUTSIDE its bounds", noBound: "no bound", bounds: "best and worst case {a} to {b}", took: "took {a}", precise: "± {a}",
  phaseSum: "The phases up to reroute together are {a}; the recovery time is {b}.", phaseLogs: "What was logged in this time", noLogs: "Nothing worth keeping was logged in this time.", moreLines: "{n} more lines", times: "{n} times",
  barLabel: "{p}: {a}, bounds {b} to {c}, {d}", barNoBound: "{p}: {a}, no bound",
  logNote: "Lines have the time at which they were written, by their own stamp; lines without one, and those of older logs, the time at which they were read, up to a moment later.",
  writes: "Writes", count: "Count", meaning: "Meaning",
  w: {attempted: "tried", acknowledged: "acknowledged", failed: "certainly not done", unknown: "may have been done", lost: "acknowledged, absent afterwards", unexpected: "failed for certain, yet present", duplicated: "an id more than once", recovered: "unknown, and present: legal", foreign: "rows of a standby that the leader lacks", local_only: "acknowledged without their synchronous standby (counted as unknown)", local_only_lost: "local_only, and absent afterwards"},
  contents: "What each node held at the end", diverged: "DIVERGED", notRead: "not read: {a}", onLeader: "leader", rows: "Rows", foreignRows: "Leader lacks", missingRows: "Lacks of leader", onlyHere: "Only here", absent: "Acknowledged, absent", duplicates: "Duplicates", position: "WAL position", timelineNo: "Timeline", history: "History", behind: "behind",
  ahead: "Standbys ahead of their leader", aheadText: "{n} had replayed to {a} when {l}, asked later, had only written to {b}", aheadEnd: {open: "to the end of the run", overtaken: "then the leader wrote past it", "went back": "then it was rewound or rebuilt", "new leader": "then the leader was another", unseen: "then it was not seen any more"}, evidence: "Evidence", ended: "Then",
  defects: "Known defects", defect: "Defect", defectOf: "{s} {v}; here {a}", noVersion: "not recorded", defectSeen: "seen at {a}: {b}", defectUnseen: "not seen in this run", explainedBy: "a known defect: {a}", reference: "Reference",
  unchecked: "Not known: {a}.", lostIds: "Ids of the lost writes", unexpectedIds: "Ids of the unexpected rows", ids: "Ids", number: "How many", acked: "Acknowledged", by: "By", noIds: "The ids could not be told apart with certainty.", moreRanges: "{n} more ranges",
  ok: "ok", notOk: "FAILED", notJudged: "not judged", expectation: "Expectation", result: "Result", noExpectations: "The scenario has none.",
  noLesson: "The scenario says nothing about what it teaches.",
  search: "Search", node: "Node", kind: "Kind", anyNode: "every node", anyKind: "every kind", detail: "Detail", details: "with details", inWindow: "only the drawn part of the timeline", more: "Show {n} more", shown: "{a} of {b} events", leftOut: "{n} details far from faults were left out of this page; events.jsonl has them.", source: "Source", event: "Event", mainPrinted: "Only the main events are printed.", noEvents: "No event fits the filter.",
  main: "main", loud: "to note", kinds: {log: "log lines", fault: "faults and acts", key: "leader and keys", node: "nodes and services", app: "application", lab: "lab and steps"},
  topology: "Topology", address: "Address", services: "Runs", settings: "Settings of the running cluster", setting: "Setting", value: "Value", changed: "changed {n} times during the run", changedOnce: "changed during the run",
  versions: "Versions and host", files: "Configuration files", filesNote: "As they were in each node.", hostName: "Host", host: "{c} cpus, {m} MB, Linux {k}, TCP {t}", late: "Timers were up to {a} late.", noisy: "Too noisy to judge times: {n} seconds with timers more than 100 ms late.", quiet: "Quiet enough to judge times.", stalled: "{n} writes were never tried: the client itself was stalled.",
  steps: "Steps of the scenario", step: "Step", seed: "Seed", program: "bascule", lab: "Lab", began: "Began",
  made: "Made by bascule {v} from the log of the run alone. Definitions of every number: docs/measures.md.",
};
const SIGN = {pass: "✓", fail: "✗", invalid: "?", skipped: "–", error: "!", "known-defect": "⚠"};
const TONE = {pass: "good", fail: "bad", invalid: "warn", skipped: "warn", error: "bad", "known-defect": "warn"};
const LANE_SIGN = {off: "○", unknown: "?", starting: "…", down: "✗", replica: "▸", standby_alone: "▹", leader: "★", writable_without_key: "‼", leader_not_writable: "⊘", follower: "▸", leaderless: "∅"};
const HATCHED = new Set(["down", "writable_without_key", "leader_not_writable", "leaderless"]);
const THIN = new Set(["replica", "follower", "standby_alone", "starting", "unknown", "off"]);
const PHASES = {demote: 0, "no-quorum": 4, "quorum-back": 1, detect: 0, elect: 1, return: 2, promote: 2, reroute: 3, rejoin: 4};
const SERVICES = {postgres: "PostgreSQL and Patroni", etcd: "etcd", haproxy: "HAProxy", app: "the application"};

const D = JSON.parse(document.getElementById("run-data").textContent);
const R = D.result;
const END = Math.max(D.run.end, 1);

// ---- small tools ----------------------------------------------------------------------------------------------------
const fill = (text, values) => text.replace(/\{(\w)\}/g, (_, k) => values[k]);
const list = (x) => x || [];
function h(tag, attrs, ...kids) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) {
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (v === true) e.setAttribute(k, "");
    else if (v !== false && v != null) e.setAttribute(k, v);
  }
  for (const kid of kids.flat()) if (kid != null && kid !== false) e.append(kid);
  return e;
}
function s(tag, attrs, ...kids) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attrs || {})) e.setAttribute(k, v);
  for (const kid of kids) if (kid != null) e.append(kid);
  return e;
}
function ms(t) { // a length of time
  if (t == null) return T.notKnown;
  if (t === 0) return "0 s";
  if (t < 1) return `${Math.round(t * 1000)} µs`;
  if (t < 10) return `${t.toFixed(1)} ms`;
  if (t < 1000) return `${Math.round(t)} ms`;
  if (t < 120000) return `${(t / 1000).toFixed(2)} s`;
  const sec = Math.round(t / 1000);
  return `${Math.floor(sec / 60)} min ${String(sec % 60).padStart(2, "0")} s`;
}
const at = (t, digits = 3) => `${(t / 1000).toFixed(digits)} s`; // a moment
const clock = (t) => D.run.wall ? new Date(D.run.wall + t).toISOString().slice(11, 23) : T.notKnown;
const count = (n) => n == null ? T.notKnown : String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
const clamp = (x, a, b) => Math.min(Math.max(x, a), b);
const end = (t) => t == null ? END : Math.min(t, END);
const find = (l, t, from, to) => l.find((x) => x[from] <= t && t < (x[to] == null ? Infinity : x[to]));
const laneKey = (names, i) => names[i][0].toLowerCase();
const PG = D.nodes.filter((n) => n.services.includes("postgres"));
const ETCD = D.nodes.filter((n) => n.services.includes("etcd"));
const faultNodes = (f) => (f.nodes || "").split(/[,\s]+/).filter(Boolean);
const faultAt = (f) => f.effective_ms ?? f.asked_ms ?? 0;

function section(id, ...kids) {
  return h("section", {id, "aria-labelledby": `${id}-h`}, h("h2", {id: `${id}-h`, tabindex: "-1"}, T[id]), ...kids);
}
function table(heads, rows, extra = {}) { // heads: [text, class]; rows: arrays of cells or {cells, cls}
  return h("div", {class: "table", tabindex: "0", role: "region", "aria-label": fill(T.tableOf, {a: extra.label})},
    h("table", {class: extra.cls || ""},
      h("thead", {}, h("tr", {}, heads.map(([text, cls]) => h("th", {scope: "col", class: cls}, text)))),
      h("tbody", {}, rows.map((r) => h("tr", {class: r.cls}, (r.cells || r).map((c, i) => h("td", {class: heads[i][1]}, c)))))));
}

// ---- summary --------------------------------------------------------------------------------------------------------
function card(title, figure, tone, ...lines) {
  return h("div", {}, h("dt", {}, title), h("dd", {}, h("span", {class: `figure ${tone || ""}`}, figure),
    lines.filter(Boolean).map((l) => h("div", {class: "small"}, l))));
}
function outageCard() {
  if (R.write_outage_ms == null) return card(T.outage, T.notKnown, "warn", T.nothingWritten);
  const res = fill(T.resolution, {a: ms(R.resolution_ms), b: ms(D.run.period), c: ms(D.run.latency)});
  if (R.outage_start_ms == null)
    return card(T.outage, T.none, "good", R.hiccup_ms ? fill(T.hiccup, {a: ms(R.hiccup_ms)}) : fill(T.noPause, {a: ms(D.run.threshold)}), res);
  const b = R.write_outage_open ? R.ended_ms : R.outage_end_ms;
  return card(T.outage, (R.write_outage_open ? T.atLeast + " " : "") + ms(R.write_outage_ms), "",
    fill(R.write_outage_open ? T.outageOpen : T.outageFrom, {a: at(R.outage_start_ms), b: at(b)}), res);
}
function splitCard() {
  const bad = R.split_brain_ms > 0, maybe = R.split_brain_possible_ms > 0, n = R.split_brain_nodes || "";
  return card(T.split, bad ? ms(R.split_brain_ms) : T.none, bad ? "bad" : "good",
    bad ? fill(T.splitProven, {a: ms(R.split_brain_possible_ms), n}) : maybe ? fill(T.splitPossible, {a: ms(R.split_brain_possible_ms), n}) : T.splitNone);
}
function lostCard() {
  const w = R.writes;
  return card(T.lost, w.lost == null ? T.notKnown : count(w.lost), w.lost == null ? "warn" : w.lost ? "bad" : "good",
    w.lost == null ? w.unchecked_why : fill(T.lostOf, {n: count(w.acknowledged)}), w.lost ? h("a", {href: "#data"}, T.lostIds) : null);
}
function faultText(f) {
  const same = f.target === f.nodes || !f.nodes;
  return `${f.mechanism} ${f.target || f.nodes ? T.on : ""} ${f.target || f.nodes || ""}${same ? "" : ", " + fill(T.which, {n: f.nodes})}`;
}
function faultSteps(f) { // what it took: asked -> effective -> verified, healing asked -> healed -> verified
  const step = (text, from, to) => from == null || to == null ? "" : ", " + fill(text, {d: ms(to - from)});
  return step(T.tookEffect, f.effective_seen && !f.action ? f.asked_ms : null, f.effective_ms) +
    step(f.action ? T.tookDone : T.tookVerified, f.effective_ms ?? f.asked_ms, f.verified_ms) +
    (f.healed_ms == null ? "" : ", " + fill(T.healed, {t: at(f.healed_ms)})) + step(T.tookHealed, f.healed_ms, f.heal_verified_ms);
}
function faultCard(f, i) {
  const good = f.verified, word = f.action ? (good ? T.done : T.notDone) : (good ? T.verified : T.unverified);
  const when = [f.effective_ms ?? f.asked_ms];
  return card(f.action ? T.act : T.fault, faultText(f), "",
    h("strong", {class: good ? "good" : "bad"}, `${good ? "✓" : "✗"} ${word}`),
    when[0] == null ? null : fill(T.at, {t: at(when[0])}) + faultSteps(f),
    (D.what[i] || "").includes(f.detail) ? D.what[i].replace(/^[;\s]+|[;\s]+$/g, "") : f.detail);
}
function summary() {
  const cards = [outageCard(),
    R.outage_start_ms == null ? null : card(T.recovery, R.recovery_ms == null ? T.none : ms(R.recovery_ms), "",
      R.recovery_ms == null ? (R.write_outage_open ? T.noRecovery : null) : fill(T.recoveryFrom, {a: ms(R.resolution_ms)})),
    lostCard(), splitCard(),
    R.old_leader || R.new_leader ? card(T.leader, R.leader_changed ? fill(T.leaderChange, {a: R.old_leader || "?", b: R.new_leader || "?"}) : fill(T.leaderSame, {a: R.new_leader || R.old_leader}), "") : null,
    R.cluster_outage_ms == null ? null : card(T.cluster, ms(R.cluster_outage_ms), "", fill(T.clusterText, {a: ms(R.cluster_resolution_ms)})),
    R.read_outage_ms == null ? null : card(T.reads, R.read_outage_ms ? ms(R.read_outage_ms) : T.none, "", fill(T.availability, {w: R.availability.write ?? "?", r: R.availability.read ?? "?"})),
    R.rejoin_ms ? card(T.rejoin, ms(R.rejoin_ms), "", T.rejoinText) : null];
  const faults = R.faults.length ? R.faults.map(faultCard) : [card(T.fault, T.none, "", T.noFault)];
  faults.forEach((f) => f.classList.add("wide"));
  return section("summary",
    h("div", {class: `verdict ${TONE[R.verdict]}`}, h("span", {class: "sign", "aria-hidden": "true"}, SIGN[R.verdict]),
      h("div", {}, h("strong", {}, T.verdict[R.verdict] || R.verdict), h("span", {class: "why"}, R.reason), D.run.end_detail && !R.reason.includes(D.run.end_detail) ? h("div", {class: "why small"}, D.run.end_detail) : null)),
    h("dl", {class: "cards"}, cards, faults));
}
function story() {
  const sign = {good: "+", bad: "!", warn: "!", "": "·"};
  return section("story", h("ol", {class: "story"}, D.story.map(([t, mood, weight, , , text, detail]) =>
    h("li", {}, h("time", {}, at(t)), h("span", {class: mood || "muted", "aria-hidden": "true"}, sign[mood]),
      h("span", {}, weight > 1 ? h("strong", {}, text) : text, detail ? h("span", {class: "detail"}, detail) : null)))));
}

// ---- timeline -------------------------------------------------------------------------------------------------------
const view = {a: 0, b: END, t: 0}; // what is drawn, and the moment that is read out
let chart, slider, readout, showing, cursor, scaleX = (t) => t;

function aroundFault() {
  const f = R.fault || R.faults[0], from = Math.min(f ? faultAt(f) : Infinity, R.outage_start_ms ?? Infinity);
  if (!isFinite(from)) return [0, END];
  const over = R.phases.filter((p) => p.name !== "rejoin").map((p) => p.start_ms + p.duration_ms);
  const to = Math.max(R.outage_end_ms ?? 0, R.write_outage_open ? END : 0, from + 5000, ...over), pad = Math.max((to - from) * 0.15, 1000);
  return [Math.max(0, from - pad), Math.min(END, to + pad)];
}
function show(a, b) {
  const span = clamp(b - a, Math.min(400, END), END);
  view.a = clamp(a, 0, END - span);
  view.b = view.a + span;
  view.t = clamp(view.t, view.a, view.b);
  draw();
  point(view.t);
}
const zoom = (k) => { const span = (view.b - view.a) * k, c = clamp(view.t, view.a, view.b), r = (c - view.a) / (view.b - view.a); show(c - span * r, c + span * (1 - r)); };
const pan = (k) => { const d = (view.b - view.a) * k; show(view.a + d, view.b + d); };

function tickStep(span, px) {
  const want = span / Math.max(px / 90, 2);
  return [100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000, 1800000, 3600000, 7200000].find((x) => x >= want) || 14400000;
}
function tickLabel(t, step) {
  if (step < 1000) return `${(t / 1000).toFixed(1)} s`;
  if (END < 180000) return `${Math.round(t / 1000)} s`;
  const sec = Math.round(t / 1000), two = (n) => String(n).padStart(2, "0");
  return END < 3600000 ? `${Math.floor(sec / 60)}:${two(sec % 60)}` : `${Math.floor(sec / 3600)}:${two(Math.floor(sec / 60) % 60)}:${two(sec % 60)}`;
}

// A bar on the time axis, or null outside of the window. A state of no width would be a lie: at least 2 px.
function bar(g, from, to, y, height, cls, title) {
  to = end(to);
  if (to < view.a || from > view.b) return null;
  const x0 = scaleX(clamp(from, view.a, view.b)), x1 = Math.max(scaleX(clamp(to, view.a, view.b)), x0 + 2);
  const rect = s("rect", {x: x0, y, width: x1 - x0, height, class: cls, rx: 2});
  g.append(rect);
  rect.append(s("title", {}, title));
  return {x0, x1, text: (words, textCls) => { // the longest that fits
    const word = words.find((w) => w.length * 6.9 + 8 <= x1 - x0);
    if (word) g.append(s("text", {x: x0 + 4, y: y + height / 2 + 4, class: `t ${textCls}`, "pointer-events": "none"}, word));
  }};
}
function laneBars(g, y, hgt, segments, names, prefix) {
  for (const [i, from, to] of segments) {
    const key = laneKey(names, i), word = names[i][1], thin = THIN.has(key), hh = thin ? hgt - 6 : hgt, yy = thin ? y + 3 : y;
    const b = bar(g, from, to, yy, hh, `${prefix}-${key}`, `${word}: ${at(from)} – ${at(end(to))} (${ms(end(to) - from)})`);
    if (!b) continue;
    if (HATCHED.has(key)) g.append(s("rect", {x: b.x0, y: yy, width: b.x1 - b.x0, height: hh, fill: "url(#hatch)", "pointer-events": "none"}));
    b.text([`${LANE_SIGN[key]} ${word}`, LANE_SIGN[key]], `x-${key}`);
  }
}
function rowFaults(g, y) {
  for (const f of R.faults) {
    const from = faultAt(f), what = `${f.mechanism} ${T.on} ${f.nodes || f.target}`, until = f.action ? from : f.healed_ms;
    const b = bar(g, from, until, y, 20, "fault-bar", `${faultText(f)}: ${at(from)} – ${at(end(until))}`);
    if (b && f.action) g.append(s("text", {x: b.x1 + 4, y: y + 14, class: "t x-fault"}, `◆ ${f.mechanism}`));
    else if (b) b.text([`⚡ ${what}`, `⚡ ${f.mechanism}`, "⚡"], "x-fault");
  }
}
function rowPhases(g, y) {
  for (const p of R.phases) {
    const i = PHASES[p.name] ?? 4, sign = p.inside == null ? "" : p.inside ? " ✓" : " ✗", until = p.start_ms + p.duration_ms;
    const b = bar(g, p.start_ms, until, y, 20, `phase-bar p${i}`, `${p.name}: ${ms(p.duration_ms)} (${at(p.start_ms)} – ${at(until)})`);
    if (b) b.text([`${p.name} ${ms(p.duration_ms)}${sign}`, `${p.name}${sign}`, p.name, p.name[0]], "x-phase");
  }
}
function rowOutage(g, y) {
  const words = (R.write_outage_open ? T.atLeast + " " : "") + ms(R.write_outage_ms);
  const b = bar(g, R.outage_start_ms, R.write_outage_open ? null : R.outage_end_ms, y, 20, "outage-bar", `${T.outage}: ${words}`);
  if (b) b.text([`✗ ${words}`, "✗"], "x-bad");
}
function spanBars(g, y, spans, sign) {
  for (const [who, from, to] of spans) {
    const i = Math.max(PG.findIndex((n) => n.name === who), 0) % 4, name = who || "?";
    const b = bar(g, from, to, y, 20, `phase-bar key-${i}`, `${name}: ${at(from)} – ${at(end(to))}`);
    if (b) b.text([`${sign} ${name}`, name], "x-phase");
  }
}
function path(points) { return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join(""); }
function rowLease(g, y, hgt) { // what is left of the lease: falls from ttl, jumps up with each renewal
  const full = Math.max(...D.leases.map((l) => l[2]), 1), Y = (left) => y + hgt - clamp(left / full, 0, 1) * (hgt - 2);
  D.leases.forEach(([t, error, ttl], i) => {
    const gone = (D.key.find((k) => k[1] <= t + 1500 && end(k[2]) > t) || [])[2], until = Math.min(D.leases[i + 1]?.[0] ?? END, gone ?? END, END);
    const x0 = Math.max(t, view.a), x1 = Math.min(until, view.b);
    if (x1 <= x0) return;
    g.append(s("path", {class: "c-lease", d: path([[scaleX(x0), Y(ttl - (x0 - t))], [scaleX(x1), Y(ttl - (x1 - t))]])}));
    if (t >= view.a) g.append(s("path", {class: "c-renew", d: `M${scaleX(t)},${y}v${hgt}`}, s("title", {}, `${T.leaseAge} ${at(t)} (− ${ms(error)})`)));
  });
  g.append(s("path", {class: "grid", d: `M${scaleX(view.a)},${y + hgt}H${scaleX(view.b)}`}));
}
const visibleTicks = () => D.ticks.filter((k) => k[0] + k[1] > view.a && k[0] < view.b);
function thin(ticks, px) { // never more columns than half pixels: sums for counts, extremes for the rest
  const per = Math.ceil(ticks.length / (px * 2));
  if (per <= 1) return ticks;
  const out = [];
  for (let i = 0; i < ticks.length; i += per) {
    const part = ticks.slice(i, i + per), sum = (c) => part.reduce((n, k) => n + k[c], 0), most = (c) => Math.max(...part.map((k) => k[c]));
    const last = part[part.length - 1];
    out.push([part[0][0], last[0] + last[1] - part[0][0], sum(2), sum(3), sum(4), sum(5), sum(6), most(7), most(8), Math.min(...part.map((k) => k[9]))]);
  }
  return out;
}
function rowWrites(g, y, hgt, ticks) { // up: good writes a second; down: failed and unknown ones
  const rate = (k, n) => n * 1000 / k[1];
  // the backlog that follows an outage would flatten all the rest: columns beyond twice the usual rate are cut and marked
  const rates = ticks.map((k) => rate(k, k[2])).filter((x) => x > 0).sort((a, b) => a - b), usual = rates[rates.length >> 1] || 1;
  const up = Math.max(1, Math.min(rates[rates.length - 1] || 1, usual * 2.2)), down = Math.max(...ticks.map((k) => rate(k, k[3] + k[4])), 0), unit = (hgt - 2) / (up + down), zero = y + up * unit + 1;
  let ok = "", bad = "", unknown = "", low = "";
  for (const k of ticks) {
    const x0 = scaleX(Math.max(k[0], view.a)), w = Math.max(scaleX(Math.min(k[0] + k[1], view.b)) - x0, .5);
    const box = (from, n) => `M${x0.toFixed(1)},${(zero + from).toFixed(1)}h${w.toFixed(1)}v${n.toFixed(1)}h${(-w).toFixed(1)}z`;
    if (k[2]) ok += box(0, -Math.min(rate(k, k[2]), up) * unit);
    if (rate(k, k[2]) > up) g.append(s("text", {x: x0 + w / 2, y: y + 1, class: "t m c"}, "▲", s("title", {}, `${Math.round(rate(k, k[2]))} ${T.rowWrites}`)));
    if (k[3]) bad += box(0, rate(k, k[3]) * unit);
    if (k[4]) unknown += box(rate(k, k[3]) * unit, Math.max(rate(k, k[4]) * unit, 1.5));
    if (k[1] > 100) low += `M${x0.toFixed(1)},${(zero - Math.min(k[9] * 10, up) * unit).toFixed(1)}h${w.toFixed(1)}`;
  }
  g.append(s("path", {class: "c-ok", d: ok || "M0,0"}), s("path", {class: "c-failed", d: bad || "M0,0"}), s("path", {class: "c-unknown", d: unknown || "M0,0"}));
  if (low) g.append(s("path", {class: "c-low", d: low}));
  g.append(s("path", {class: "axis grid", d: `M${scaleX(view.a)},${zero}H${scaleX(view.b)}`}));
  g.append(s("text", {x: scaleX(view.b) - 2, y: y + 10, class: "t m e halo"}, `${Math.round(up)}`), s("text", {x: scaleX(view.b) - 2, y: zero - 2, class: "t m e halo"}, "0"));
}
function rowLatency(g, y, hgt, ticks) { // logarithmic, 1 ms to the worst
  const worst = Math.max(10000, ...ticks.map((k) => Math.max(k[7], k[8]))), top = Math.ceil(Math.log10(worst / 1000)), Y = (us) => y + hgt - clamp(Math.log10(Math.max(us, 1000) / 1000) / top, 0, 1) * (hgt - 4);
  for (let d = 0; d <= top; d++) {
    const yy = Y(1000 * 10 ** d);
    g.append(s("path", {class: "grid", d: `M${scaleX(view.a)},${yy}H${scaleX(view.b)}`}));
  }
  for (const [column, cls] of [[8, "c-read"], [7, "c-lat"]]) {
    let d = "", last = null;
    for (const k of ticks) {
      if (!k[column]) { last = null; continue; }
      const x = scaleX(clamp(k[0] + k[1] / 2, view.a, view.b)), joined = last != null && k[0] - last < 2 * k[1];
      d += `${joined ? "L" : "M"}${x.toFixed(1)},${Y(k[column]).toFixed(1)}${joined ? "" : "h.6"}`;
      last = k[0];
    }
    if (d) g.append(s("path", {class: cls, d}));
  }
  for (let d = 0; d <= top; d += 2) g.append(s("text", {x: scaleX(view.b) - 2, y: Y(1000 * 10 ** d) - 2, class: "t m e halo"}, d > 2 ? `${10 ** d / 1000} s` : `${10 ** d} ms`));
}
function rowNoise(g, y, hgt) {
  for (const [t, p99] of D.noise) {
    if (t < view.a || t - 1000 > view.b) continue;
    const x0 = scaleX(Math.max(t - 1000, view.a)), x1 = scaleX(Math.min(t, view.b)), hh = clamp(p99 / 100, .1, 1) * hgt;
    g.append(s("rect", {x: x0, y: y + hgt - hh, width: Math.max(x1 - x0, 1), height: hh, class: "c-noise"}, s("title", {}, `${T.rowNoise}: ${ms(p99)} (${at(t)})`)));
  }
}
function rowsToDraw(ticks) {
  const rows = [], add = (label, height, fn, sub) => rows.push({label, height, fn, sub});
  if (R.faults.length) add(T.rowFaults, 20, rowFaults);
  if (R.phases.length) add(T.rowPhases, 20, rowPhases);
  if (R.outage_start_ms != null) add(T.rowOutage, 20, rowOutage);
  for (const n of PG) add(n.name, 22, (g, y) => laneBars(g, y, 22, n.lane, D.lanes, "l"));
  for (const n of ETCD) add(`${n.name} etcd`, 18, (g, y) => laneBars(g, y, 18, n.etcd, D.etcd_lanes, "e"));
  if (D.key.length) add(T.rowKey, 20, (g, y) => spanBars(g, y, D.key, "⚷"));
  if (D.leases.length) add(T.rowLease, 30, (g, y) => rowLease(g, y, 30), ms(Math.max(...D.leases.map((l) => l[2]))));
  if (D.servers.length) add(T.rowServer, 20, (g, y) => spanBars(g, y, D.servers, "→"));
  if (ticks.length) add(T.rowWrites, 74, (g, y) => rowWrites(g, y, 74, ticks), ticks.length ? fill(T.bucket, {a: ms(ticks[0][1])}) : "");
  if (ticks.length) add(T.rowLatency, 72, (g, y) => rowLatency(g, y, 72, ticks));
  if (D.noise.length) add(T.rowNoise, 18, (g, y) => rowNoise(g, y, 18));
  return rows;
}
function verticals(g, top, bottom) {
  if (R.outage_start_ms != null) bar(g, R.outage_start_ms, R.write_outage_open ? null : R.outage_end_ms, top, bottom - top, "outage", T.outage);
  for (const f of R.faults) for (const t of [faultAt(f), f.healed_ms]) if (t != null && t >= view.a && t <= view.b) g.append(s("path", {class: "fault-line none", d: `M${scaleX(t)},${top}V${bottom}`}));
}
function axis(g, y, width, labels, bottom) {
  const step = tickStep(view.b - view.a, width);
  for (let t = Math.ceil(view.a / step) * step; t <= view.b; t += step) {
    const x = scaleX(t);
    if (bottom) g.append(s("path", {class: "grid", d: `M${x},${y}V${bottom}`}));
    if (labels) g.append(s("text", {x, y: y + labels, class: `t m ${x > width - 25 ? "e" : x < 16 ? "" : "c"}`}, tickLabel(t, step)));
  }
}
function draw(forced) {
  const width = forced || Math.max(chart.clientWidth, 240), narrow = width < 640, left = narrow ? 4 : 118, right = 10;
  scaleX = (t) => left + (t - view.a) / (view.b - view.a) * (width - left - right);
  const ticks = thin(visibleTicks(), width - left - right), rows = rowsToDraw(ticks), gap = 7, labelled = narrow ? 15 : 0, top = 20;
  let y = top;
  for (const r of rows) { y += labelled; r.y = y; y += r.height + gap; }
  const bottom = y, g = s("g", {});
  const svg = s("svg", {viewBox: `0 0 ${width} ${bottom + 18}`, width, height: bottom + 18, role: "img", "aria-labelledby": "chart-title"}, s("title", {id: "chart-title"}, T.picture),
    s("defs", {}, s("pattern", {id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)"}, s("path", {class: "hatch", d: "M0,0V6"}))), g);
  axis(g, top - 4, width, 0, bottom);
  axis(g, 0, width, 12);
  axis(g, bottom, width, 13);
  verticals(g, top - 4, bottom);
  for (const r of rows) {
    g.append(s("text", narrow ? {x: left, y: r.y - 3, class: "t m halo"} : {x: left - 8, y: r.y + Math.min(r.height, 26) / 2 + 4, class: "t e"}, r.label + (narrow && r.sub ? `, ${r.sub}` : "")));
    if (!narrow && r.sub) g.append(s("text", {x: left - 8, y: r.y + 30, class: "t m e"}, r.sub));
    r.fn(g, r.y);
  }
  cursor = s("path", {class: "cursor", d: ""});
  svg.append(cursor);
  svg.dataset.bottom = bottom;
  const move = (e) => { const box = svg.getBoundingClientRect(), x = (e.clientX - box.left) * width / box.width; point(clamp(view.a + (x - left) / (width - left - right) * (view.b - view.a), view.a, view.b)); };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
  chart.replaceChildren(svg);
  showing.textContent = fill(T.showing, {a: at(view.a, 1), b: at(view.b, 1)});
}

// ---- the moment under the pointer
function tickAt(t) { // ticks are in order
  let lo = 0, hi = D.ticks.length - 1;
  while (lo <= hi) {
    const mid = (lo + hi) >> 1, k = D.ticks[mid];
    if (t < k[0]) hi = mid - 1;
    else if (t >= k[0] + k[1]) lo = mid + 1;
    else return k;
  }
  return null;
}
function stateAt(t) {
  const out = [[T.time, at(t)], [T.wall, clock(t)]], lane = (segments, names) => { const x = find(segments, t, 1, 2); return x ? `${LANE_SIGN[laneKey(names, x[0])]} ${names[x[0]][1]}` : "–"; };
  const phase = R.phases.find((p) => p.start_ms <= t && t < p.start_ms + p.duration_ms);
  if (phase) out.push([T.phase, phase.name]);
  for (const n of PG) out.push([n.name, lane(n.lane, D.lanes)]);
  for (const n of ETCD) out.push([`${n.name} etcd`, lane(n.etcd, D.etcd_lanes)]);
  const key = find(D.key, t, 1, 2), lease = D.leases.filter((l) => l[0] <= t).pop(), server = find(D.servers, t, 1, 2), k = tickAt(t);
  out.push([T.keyHolder, key ? key[0] : T.nobody]);
  if (key && lease) out.push([T.leaseAge, fill(T.ago, {a: ms(t - lease[0])})]);
  if (D.servers.length) out.push([T.server, server ? server[0] : "–"]);
  if (k) out.push([`${T.writesOk} ${fill(T.bucket, {a: ms(k[1])})}`, `${k[2]} / ${k[3] + k[4]}`], [T.readsOk, `${k[5]} / ${k[6]}`], [T.latency, `${k[7] ? ms(k[7] / 1000) : "–"} / ${k[8] ? ms(k[8] / 1000) : "–"}`]);
  return out;
}
function point(t) {
  view.t = t;
  const facts = stateAt(t);
  readout.replaceChildren(...facts.map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, v))));
  slider.min = view.a; slider.max = view.b; slider.step = Math.max(Math.round((view.b - view.a) / 600), 1); slider.value = t;
  slider.setAttribute("aria-valuetext", facts.map(([k, v]) => `${k} ${v}`).join(", "));
  if (cursor) cursor.setAttribute("d", `M${scaleX(t)},16V${cursor.parentNode.dataset.bottom}`);
}
function legend() {
  const swatch = (cls, key, thinner, text) => h("li", {}, s("svg", {viewBox: "0 0 34 16", "aria-hidden": "true"}, s("rect", {x: 1, y: thinner ? 4 : 1, width: 32, height: thinner ? 9 : 14, class: cls, rx: 2}),
    HATCHED.has(key) ? s("rect", {x: 1, y: 1, width: 32, height: 14, fill: "url(#hatch)"}) : null, s("text", {x: 17, y: 12, class: `t c x-${key}`}, LANE_SIGN[key] || "")), h("span", {}, text));
  const used = (nodes, field, names, prefix) => names.map(([name, word], i) => [name.toLowerCase(), word, i]).filter(([, word, i]) => word && nodes.some((n) => n[field].some((x) => x[0] === i)))
    .map(([key, word]) => swatch(`${prefix}-${key}`, key, THIN.has(key), word));
  const line = (cls, d, text) => h("li", {}, s("svg", {viewBox: "0 0 34 16", "aria-hidden": "true"}, s("path", {class: cls, d})), h("span", {}, text));
  const items = [used(PG, "lane", D.lanes, "l"), used(ETCD, "etcd", D.etcd_lanes.map(([k, w]) => [k, k === "OFF" || k === "UNKNOWN" ? null : `etcd: ${w.replace("etcd ", "")}`]), "e")].flat();
  if (R.faults.length) items.push(line("fault-bar", "M2,2h30v12h-30z", T.faultLegend));
  if (R.outage_start_ms != null) items.push(line("outage-bar", "M2,2h30v12h-30z", T.outageLegend));
  if (D.leases.length) items.push(line("c-lease", "M1,4L16,13M16,4L31,13M1,1v14M16,1v14", T.leaseLegend));
  if (D.ticks.length) items.push(line("c-ok", "M2,15v-12h30v12z", T.okLegend), line("c-failed", "M2,2v12h30v-12z", T.failedLegend), line("c-lat", "M1,10l8,-6l8,7l8,-9l8,6", T.latLegend));
  if (D.step > 100) items.push(line("c-low", "M2,8h30", T.lowLegend));
  return h("ul", {class: "legend", "aria-label": T.legend}, items);
}
function lanesTable() {
  const rows = [], add = (name, word, from, to) => rows.push([name, word, at(from), to == null ? T.toEnd : at(to)]);
  for (const n of PG) for (const [i, from, to] of n.lane) add(n.name, D.lanes[i][1], from, to);
  for (const n of ETCD) for (const [i, from, to] of n.etcd) add(`${n.name} etcd`, D.etcd_lanes[i][1], from, to);
  for (const [who, from, to] of D.key) add(T.keyHolder, who, from, to);
  for (const [who, from, to] of D.servers) add(T.server, who, from, to);
  const d = h("details", {}, h("summary", {}, T.lanesTable));
  d.addEventListener("toggle", () => d.open && d.children.length < 2 && d.append(table([[T.what, ""], [T.state, ""], [T.from, "n"], [T.to, "n"]], rows.slice(0, 2000), {label: T.lanesTable})), {once: false});
  return d;
}
function timeline() {
  const button = (text, fn) => h("button", {type: "button", onclick: fn}, text);
  chart = h("div", {class: "chart"});
  showing = h("span", {class: "muted small", role: "status"});
  slider = h("input", {type: "range", id: "moment", oninput: () => point(Number(slider.value))});
  readout = h("dl", {class: "readout"});
  return section("timeline",
    h("div", {class: "tools", role: "group", "aria-label": T.window}, button(T.all, () => show(0, END)), button(T.around, () => show(...aroundFault())), button(T.zoomIn, () => zoom(.5)), button(T.zoomOut, () => zoom(2)), button(T.earlier, () => pan(-.5)), button(T.later, () => pan(.5)), showing),
    chart, h("div", {class: "slider"}, h("label", {for: "moment"}, T.pointer), slider), readout, legend(), lanesTable());
}

// ---- phases ---------------------------------------------------------------------------------------------------------
const GRACE = 250; // a line without a stamp is read up to this long after it was written
function concerned(p, f) { // which rows explain a phase: [kinds, nodes or null = every one]
  const bad = f ? faultNodes(f) : [], candidates = PG.map((n) => n.name);
  return {
    demote: (r) => r[1] === "log" && (r[4] === "etcd" || r[3] === R.old_leader),
    "no-quorum": (r) => r[1] === "log" && (r[4] === "etcd" || r[4] === "patroni"),
    "quorum-back": (r) => r[1] === "log" && (r[4] === "etcd" || r[4] === "patroni"),
    return: (r) => r[1] === "log" && r[3] === R.old_leader,
    detect: (r) => r[1] === "log" && (bad.includes(r[3]) || candidates.includes(r[3]) || r[4] === "etcd"),
    elect: (r) => r[1] === "log" && r[4] !== "postgresql",
    promote: (r) => r[1] === "log" && r[3] === R.new_leader || r[1] === "log" && r[4] === "patroni" && !bad.includes(r[3]),
    reroute: (r) => r[1] === "client.error" || r[1] === "application" || r[1] === "proxy",
    rejoin: (r) => r[1] === "log" && r[3] !== R.new_leader && candidates.includes(r[3]),
  }[p.name];
}
function logLine(r) {
  return h("li", {}, h("span", {class: "src"}, `${at(r[0], 2)} ${[r[3], r[4]].filter(Boolean).join(" ")}${r[5] === "error" ? " ✗" : r[5] === "warning" ? " !" : ""} `), h("span", {class: "mono"}, r[6]), r[7] > 1 ? h("span", {class: "muted"}, ` (${fill(T.times, {n: r[7]})})`) : null);
}
function phaseLogs(rows) {
  const most = 10, box = h("div", {class: "logs"}, h("strong", {}, T.phaseLogs));
  if (!rows.length) return box.append(h("p", {class: "muted"}, T.noLogs)), box;
  box.append(h("ol", {}, rows.slice(0, most).map(logLine)));
  if (rows.length > most) box.append(h("details", {}, h("summary", {}, fill(T.moreLines, {n: rows.length - most})), h("ol", {}, rows.slice(most).map(logLine))));
  return box;
}
function boundBar(p) {
  const bounded = p.bound_min_ms != null, top = Math.max(p.duration_ms + p.error_ms, bounded ? p.bound_max_ms : 0, 1) * 1.08, pc = (t) => `${(t / top * 100).toFixed(3)}%`;
  const words = bounded ? fill(T.barLabel, {p: p.name, a: ms(p.duration_ms), b: ms(p.bound_min_ms), c: ms(p.bound_max_ms), d: p.inside ? T.inside : T.outside}) : fill(T.barNoBound, {p: p.name, a: ms(p.duration_ms)});
  return h("div", {}, h("div", {class: "bar", role: "img", "aria-label": words},
    bounded ? h("span", {class: "band", style: `left:${pc(p.bound_min_ms)};width:${pc(p.bound_max_ms - p.bound_min_ms)}`}) : null,
    p.error_ms ? h("span", {class: "error", style: `left:${pc(Math.max(p.duration_ms - p.error_ms, 0))};width:${pc(Math.min(2 * p.error_ms, p.duration_ms + p.error_ms))}`}) : null,
    h("span", {class: "value", style: `left:${pc(p.duration_ms)}`})), h("div", {class: "scale", "aria-hidden": "true"}, h("span", {}, "0"), h("span", {}, ms(top))));
}
function phase(p, used) {
  const f = R.fault, fits = concerned(p, f), bounded = p.bound_min_ms != null;
  const rows = D.rows.filter((r) => fits && r[0] >= p.start_ms && r[0] <= p.start_ms + p.duration_ms + GRACE && fits(r) && !used.has(r));
  rows.forEach((r) => used.add(r));
  return h("article", {class: "phase", "aria-labelledby": `ph-${p.name}`}, h("div", {},
    h("h3", {id: `ph-${p.name}`}, p.name, " ", h("span", {class: "muted small"}, T.phaseText[p.name] || "")),
    h("div", {class: "took"}, ms(p.duration_ms), p.error_ms ? h("span", {class: "muted small"}, " " + fill(T.precise, {a: ms(p.error_ms)})) : null),
    h("div", {class: "small muted"}, `${at(p.start_ms)} – ${at(p.start_ms + p.duration_ms)}`),
    boundBar(p),
    h("div", {}, bounded ? [h("strong", {class: p.inside ? "good" : "bad"}, p.inside ? `✓ ${T.inside}` : `✗ ${T.outside}`), h("span", {class: "small"}, `: ${fill(T.bounds, {a: ms(p.bound_min_ms), b: ms(p.bound_max_ms)})}`)] : h("span", {class: "muted"}, `– ${T.noBound}`)),
    p.why ? h("p", {class: "small mono"}, p.why) : null), phaseLogs(rows));
}
function phases() {
  if (!R.phases.length) return section("phases", h("p", {}, T.noPhases));
  const used = new Set(), sum = R.phases.filter((p) => p.name !== "rejoin").reduce((n, p) => n + p.duration_ms, 0);
  return section("phases", R.recovery_ms == null ? null : h("p", {}, fill(T.phaseSum, {a: ms(sum), b: ms(R.recovery_ms)})),
    R.phases.map((p) => phase(p, used)), h("p", {class: "muted small"}, T.logNote));
}

// ---- the network: stretches of many pairs with the same path, state and times (within a second) are one row -----------
function network() {
  const rows = [];
  for (const [from, to, path, since, until, intended, measured] of D.links) {
    const state = intended ? "lost" : measured ? "leaks" : "cut", near = (a, b) => a === b || a != null && b != null && Math.abs(a - b) < 1000;
    const pairs = rows.find((r) => r.path === path && r.state === state && near(r.since, since) && near(r.until, until))?.pairs;
    if (pairs) pairs.push([from, to]);
    else rows.push({path, state, since, until, pairs: [[from, to]]});
  }
  const who = (pairs) => pairs.filter(([a, b], i) => !pairs.some(([c, d], j) => c === b && d === a && j < i)).map(([a, b]) => `${a} ${pairs.some(([c, d]) => c === b && d === a) ? "⇄" : "→"} ${b}`).join(", ");
  const cells = rows.sort((a, b) => a.since - b.since).slice(0, 200).map((r) => [r.path, who(r.pairs), h("span", {class: r.state === "cut" ? "" : "warn"}, T.link[r.state]), at(r.since), r.until == null ? T.toEnd : at(r.until)]);
  return section("network", cells.length ? [h("p", {class: "muted small"}, T.linksNote), table([[T.path, ""], [T.who, ""], [T.state, ""], [T.from, "n"], [T.until, "n"]], cells, {label: T.network})] : h("p", {}, T.noLinks));
}

// ---- data and expectations ------------------------------------------------------------------------------------------
function ranges(title, rows, withTimes) {
  const heads = [[T.ids, ""], [T.number, "n"], ...(withTimes ? [[T.acked, ""], [T.by, ""]] : [])], text = ([a, b]) => a === b ? `${a}` : `${a}–${b}`;
  const cells = rows.map((r) => [text(r), count(r[1] - r[0] + 1), ...(withTimes ? [r[2] === r[3] ? at(r[2]) : `${at(r[2])} – ${at(r[3])}`, r[4] || "?"] : [])]);
  const body = table(heads, cells.slice(0, 200), {label: title});
  return h("div", {}, h("h3", {}, title), body, cells.length > 200 || D.lost_ranges > cells.length ? h("p", {class: "muted"}, fill(T.moreRanges, {n: Math.max(cells.length, withTimes ? D.lost_ranges : 0) - Math.min(200, cells.length)})) : null);
}
function contents() { // what each node held at the end, and who was ahead of the leader
  const c = list(R.contents), dash = (n) => n == null ? "–" : count(n);
  if (!c.length) return [];
  const rows = c.map((n) => n.read
    ? [h("span", {class: n.diverged ? "bad" : ""}, n.diverged ? `✗ ${n.node}: ${T.diverged}` : n.leader ? `${n.node} (${T.onLeader})` : n.node), dash(n.rows), dash(n.foreign), dash(n.missing) + (n.missing && n.behind ? ` (${T.behind})` : ""), dash(n.only_here), dash(n.absent), dash(n.duplicates), n.lsn || "–", dash(n.timeline), dash(n.history), n.because || ""]
    : [n.node, ...Array(9).fill("–"), fill(T.notRead, {a: n.unread_why || "?"})]);
  const heads = [[T.node, ""], [T.rows, "n"], [T.foreignRows, "n"], [T.missingRows, "n"], [T.onlyHere, "n"], [T.absent, "n"], [T.duplicates, "n"], [T.position, ""], [T.timelineNo, "n"], [T.history, "n"], [T.evidence, ""]];
  const ahead = list(R.standby_ahead).map((a) => [a.node, at(a.from_ms), `${ms(a.to_ms - a.from_ms)} ${fill(T.precise, {a: ms(a.resolution_ms)})}`, fill(T.aheadText, {n: a.node, a: a.lsn, l: a.leader, b: a.leader_lsn}), T.aheadEnd[a.end] || a.end]);
  return [h("h3", {}, T.contents), table(heads, rows, {label: T.contents}),
    ahead.length ? h("h3", {}, T.ahead) : null, ahead.length ? table([[T.node, ""], [T.from, ""], [T.time, "n"], [T.evidence, ""], [T.ended, ""]], ahead, {label: T.ahead}) : null];
}
function defects() {
  const rows = list(R.known_defects).map((d) => [h("strong", {class: d.seen ? "bad" : ""}, d.id), fill(T.defectOf, {s: d.software, v: d.versions, a: d.version || T.noVersion}), d.text, d.seen ? fill(T.defectSeen, {a: at(d.seen_ms), b: d.detail}) : T.defectUnseen, d.reference]);
  return rows.length ? [h("h3", {}, T.defects), table([[T.defect, ""], [T.versions, ""], [T.what, ""], [T.result, ""], [T.reference, ""]], rows, {label: T.defects})] : [];
}
function data() {
  const w = R.writes, bad = new Set(["lost", "unexpected", "duplicated", "foreign"]);
  const rows = Object.keys(T.w).filter((k) => k in w).map((k) => {
    const alarm = bad.has(k) && w[k] > 0;
    return [h("span", {class: alarm ? "bad" : ""}, alarm ? `✗ ${k.replace("_", " ")}` : k.replace("_", " ")), count(w[k]), T.w[k] + (k === "foreign" && D.run.foreign_nodes ? `: ${D.run.foreign_nodes}` : "")];
  });
  return section("data", w.attempted ? table([[T.writes, ""], [T.count, "n"], [T.meaning, ""]], rows, {label: T.writes}) : h("p", {}, T.nothingWritten),
    w.attempted && !w.checked ? h("p", {class: "warn"}, fill(T.unchecked, {a: w.unchecked_why})) : null,
    list(D.lost).length ? ranges(T.lostIds, D.lost, true) : w.lost ? h("p", {}, T.noIds) : null,
    list(D.unexpected).length ? ranges(T.unexpectedIds, D.unexpected, false) : null, contents());
}
function expectations() {
  if (!R.expectations.length) return section("expectations", h("p", {}, T.noExpectations), defects());
  const word = (e) => e.ok == null ? `? ${T.notJudged}` : e.ok ? `✓ ${T.ok}` : `✗ ${T.notOk}`;
  const rows = R.expectations.map((e) => [h("strong", {class: e.ok == null || e.known_defect ? "warn" : e.ok ? "good" : "bad"}, word(e)), e.kind.replace(/_/g, " "), e.known_defect ? `${e.text} (${fill(T.explainedBy, {a: e.known_defect})})` : e.text]);
  return section("expectations", table([[T.result, ""], [T.expectation, ""], [T.detail, ""]], rows, {label: T.expectations}), defects());
}

// ---- the lesson: paragraphs, lists and `code`, as scenario files write them
function inline(text) { return text.split(/(`[^`]+`)/).map((x) => x.startsWith("`") && x.length > 2 ? h("code", {}, x.slice(1, -1)) : x); }
function lesson() {
  const box = h("div", {class: "lesson"});
  for (const block of D.lesson.trim().split(/\n\s*\n/)) {
    const items = [], words = [];
    for (const line of block.split("\n")) {
      if (/^\s*- /.test(line)) items.push(line.replace(/^\s*- /, ""));
      else if (items.length) items[items.length - 1] += " " + line.trim();
      else words.push(line.trim());
    }
    if (words.length) box.append(h(items.length ? "h3" : "p", {}, inline(words.join(" "))));
    if (items.length) box.append(h("ul", {}, items.map((i) => h("li", {}, inline(i)))));
  }
  return section("lesson", D.lesson.trim() ? box : h("p", {}, T.noLesson));
}

// ---- events ---------------------------------------------------------------------------------------------------------
const KIND = (k) => k === "log" ? "log" : /^(fault|heal|act|by-hand)/.test(k) && k !== "healthy" ? "fault" : /^(dcs\.|key|etcd|quorum)/.test(k) ? "key" : /^(client|proxy|final|writes|reads|application)/.test(k) ? "app" : /^(member|postgres|patroni|demoted|writable|ahead|sync|service|power|watchdog|healthy)/.test(k) ? "node" : "lab";
const SHOW = 150;
function events() {
  const filter = {text: "", node: "", kind: "", details: false, window: false}, holder = h("div"), told = h("span", {class: "muted small", role: "status"});
  let limit = SHOW, printing = false;
  const option = (v, text) => h("option", {value: v}, text);
  const fits = (r) => printing ? r[2] === 2 : (filter.details || r[2] > 0 || filter.text) && (!filter.node || r[3] === filter.node) && (!filter.kind || KIND(r[1]) === filter.kind) && (!filter.window || r[0] >= view.a && r[0] <= view.b) &&
    (!filter.text || `${r[6]} ${r[3]} ${r[4]} ${r[1]}`.toLowerCase().includes(filter.text));
  const fillIn = () => {
    const rows = D.rows.filter(fits), shown = rows.slice(0, printing ? 300 : limit);
    told.textContent = fill(T.shown, {a: shown.length, b: D.rows.length});
    const cells = shown.map((r) => ({cls: `w${r[2]}`, cells: [at(r[0]), r[2] === 2 ? h("span", {title: T.main}, "◆") : r[5] === "error" ? "✗" : r[5] === "warning" ? "!" : "", [r[3], r[4]].filter(Boolean).join(" "), h("span", {class: r[1] === "log" ? "mono" : ""}, r[6] + (r[7] > 1 ? ` (${fill(T.times, {n: r[7]})})` : ""))]}));
    holder.replaceChildren(rows.length ? table([[T.time, "n"], ["", "sign"], [T.source, ""], [T.event, ""]], cells, {label: T.events, cls: "rows"}) : h("p", {}, T.noEvents),
      rows.length > shown.length && !printing ? h("button", {type: "button", onclick: () => { const at0 = limit; limit += SHOW * 2; fillIn(); const r = holder.querySelectorAll("tbody tr")[at0]; if (r) { r.tabIndex = -1; r.focus(); } }}, fill(T.more, {n: Math.min(SHOW * 2, rows.length - shown.length)})) : "");
  };
  const set = (name, value) => { filter[name] = value; limit = SHOW; fillIn(); };
  const nodes = [...new Set(D.rows.map((r) => r[3]))].filter(Boolean).sort();
  fillIn();
  window.addEventListener("beforeprint", () => { printing = true; fillIn(); });
  window.addEventListener("afterprint", () => { printing = false; fillIn(); });
  return section("events", h("div", {class: "tools", role: "group", "aria-label": T.search},
    h("input", {type: "search", placeholder: T.search, "aria-label": T.search, oninput: (e) => set("text", e.target.value.toLowerCase())}),
    h("select", {"aria-label": T.node, onchange: (e) => set("node", e.target.value)}, option("", T.anyNode), nodes.map((n) => option(n, n))),
    h("select", {"aria-label": T.kind, onchange: (e) => set("kind", e.target.value)}, option("", T.anyKind), Object.entries(T.kinds).map(([k, v]) => option(k, v))),
    h("label", {class: "check"}, h("input", {type: "checkbox", onchange: (e) => set("details", e.target.checked)}), T.details),
    h("label", {class: "check"}, h("input", {type: "checkbox", onchange: (e) => set("window", e.target.checked)}), T.inWindow), told),
    h("p", {class: "only-print muted"}, T.mainPrinted), holder, D.rows_left_out ? h("p", {class: "muted"}, fill(T.leftOut, {n: D.rows_left_out})) : null);
}

// ---- configuration --------------------------------------------------------------------------------------------------
function setup() {
  const host = R.host, facts = [...Object.entries(R.versions), [T.program, D.run.program], [T.hostName, fill(T.host, {c: host.cpus, m: count(host.memory_mb), k: host.kernel, t: D.run.tcp_cc || "?"})], [T.seed, String(R.seed)], [T.lab, D.run.lab],
    [T.began, D.run.wall ? new Date(D.run.wall).toISOString().replace("T", " ").slice(0, 19) + " UTC" : T.notKnown]];
  const noise = [fill(T.late, {a: ms(host.late_max_ms)}), host.noisy ? fill(T.noisy, {n: D.run.noisy_seconds}) : T.quiet, D.run.attempts_missing ? fill(T.stalled, {n: count(D.run.attempts_missing)}) : ""].filter(Boolean).join(" ");
  return section("setup",
    h("h3", {}, `${T.topology}: ${R.topology || T.notKnown}`), D.topology_title ? h("p", {}, D.topology_title) : null,
    table([[T.node, ""], [T.address, ""], [T.services, ""]], D.nodes.map((n) => [n.name, n.address, n.services.map((x) => SERVICES[x]).join(", ")]), {label: T.topology}),
    h("h3", {}, T.versions), table([["", ""], ["", ""]].map(([a, b], i) => [i ? T.value : T.what, b]), facts.filter((f) => f[1]), {label: T.versions}), h("p", {class: host.noisy ? "warn" : ""}, `${host.noisy ? "! " : ""}${noise}`),
    D.settings.length ? [h("h3", {}, T.settings), table([[T.setting, ""], [T.value, ""]], D.settings.map(([k, n, v, c]) => [h("span", {}, h("code", {}, k), n ? ` (${n})` : ""), v + (c ? ` (${c > 1 ? fill(T.changed, {n: c}) : T.changedOnce})` : "")]), {label: T.settings})] : null,
    D.steps.length ? [h("h3", {}, T.steps), table([[T.step, ""], [T.state, ""], [T.time, "n"], [T.detail, ""]], D.steps.filter((x) => x[0] >= 0).map(([, name, state, detail, t]) => [name, (state === "failed" ? "✗ " : state === "done" ? "✓ " : "") + state, at(t), detail]), {label: T.steps})] : null,
    D.files.length ? [h("h3", {}, T.files), h("p", {class: "muted small"}, T.filesNote), D.files.map(([path, nodes, text]) => h("details", {}, h("summary", {}, h("code", {}, path), nodes ? ` (${nodes})` : ""), h("pre", {tabindex: "0", role: "region", "aria-label": `${path} ${nodes}`}, text)))] : null);
}

// ---- the page -------------------------------------------------------------------------------------------------------
const parts = [["summary", summary], ["story", story], ["timeline", timeline], ["phases", phases], ["network", network], ["data", data], ["expectations", expectations], ["lesson", lesson], ["events", events], ["setup", setup]];
const main = h("main", {}, parts.map(([, make]) => make()));
document.body.append(h("a", {class: "skip", href: "#summary-h"}, T.skip),
  h("header", {class: "top"}, h("h1", {}, R.scenario ? `${R.scenario}: ${R.title}` : T.noScenario), h("p", {class: "muted"}, [R.topology, D.run.wall ? new Date(D.run.wall).toISOString().replace("T", " ").slice(0, 19) + " UTC" : ""].filter(Boolean).join(", "))),
  h("nav", {"aria-label": T.sections}, h("ul", {}, parts.map(([id]) => h("li", {}, h("a", {href: `#${id}`}, T[id]))))),
  main, h("footer", {}, fill(T.made, {v: D.run.program})));
const start = END > 300000 ? aroundFault() : [0, END];
view.t = R.outage_end_ms ?? (R.fault ? faultAt(R.fault) : 0);
show(...start);
let drawn = chart.clientWidth, paper = false;
new ResizeObserver(() => { if (!paper && chart.clientWidth !== drawn) { drawn = chart.clientWidth; draw(); point(view.t); } }).observe(chart);
window.addEventListener("beforeprint", () => { paper = true; draw(760); });
window.addEventListener("afterprint", () => { paper = false; draw(); point(view.t); });
document.documentElement.dataset.ready = "1";
})();
