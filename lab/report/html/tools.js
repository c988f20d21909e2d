// SPDX-License-Identifier: PostgreSQL
// Elements, times, tables: what every section is made with. Everything from the run reaches the page as text, never as markup.
const D = JSON.parse(document.getElementById("run-data").textContent);
const R = D.result;
const END = Math.max(D.run.end, 1);

const fill = (text, values) => text.replace(/\{(\w)\}/g, (_, k) => values[k]);
const sys = D.system, Lead = sys.lead[0].toUpperCase() + sys.lead.slice(1);
const inWords = (text) => fill(text, {l: sys.lead, g: sys.gone, n: sys.given, k: sys.kept, t: sys.title, q: sys.arbiters}); // as the system calls its things
const list = (x) => x || [];
function h(tag, attrs, ...kids) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) {
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (v === true) e.setAttribute(k, "");
    else if (v !== false && v != null) e.setAttribute(k, v);
  }
  for (const kid of kids.flat(Infinity)) if (kid != null && kid !== false) e.append(kid);
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
const ARBITERS = D.nodes.filter((n) => n.services.includes(D.system.arbiter));
const faultNodes = (f) => (f.nodes || "").split(/[,\s]+/).filter(Boolean);
const faultAt = (f) => f.effective_ms ?? f.asked_ms ?? 0;

function section(id, ...kids) {
  return h("section", {id, "aria-labelledby": `${id}-h`}, h("h2", {id: `${id}-h`, tabindex: "-1"}, T[id]), ...kids);
}
// heads: [text, class]; class "n": a number or a moment, never wrapped; "w": words of the run, which may hold one that is wider than the page
// and then breaks anywhere; rows: arrays of cells or {cells, cls}
function table(heads, rows, extra = {}) {
  return h("div", {class: "table", tabindex: "0", role: "region", "aria-label": fill(T.tableOf, {a: extra.label})},
    h("table", {class: extra.cls || ""},
      h("thead", {}, h("tr", {}, heads.map(([text, cls]) => h("th", {scope: "col", class: cls}, text)))),
      h("tbody", {}, rows.map((r) => h("tr", {class: r.cls}, (r.cells || r).map((c, i) => h("td", {class: heads[i][1]}, c)))))));
}
