// SPDX-License-Identifier: PostgreSQL
// Each phase with its bounds and the log lines of its time.
const GRACE = 250; // a line without a stamp is read up to this long after it was written
function concerned(p, f) { // which rows explain a phase: [kinds, nodes or null = every one]
  const bad = f ? faultNodes(f) : [], candidates = PG.map((n) => n.name);
  return {
    demote: (r) => r[1] === "log" && (r[4] === D.system.arbiter || r[3] === R.old_leader),
    "no-quorum": (r) => r[1] === "log" && (r[4] === D.system.arbiter || r[4] === sys.manager),
    "quorum-back": (r) => r[1] === "log" && (r[4] === D.system.arbiter || r[4] === sys.manager),
    return: (r) => r[1] === "log" && r[3] === R.old_leader,
    detect: (r) => r[1] === "log" && (bad.includes(r[3]) || candidates.includes(r[3]) || r[4] === D.system.arbiter),
    elect: (r) => r[1] === "log" && r[4] !== "postgresql",
    promote: (r) => r[1] === "log" && r[3] === R.new_leader || r[1] === "log" && r[4] === sys.manager && !bad.includes(r[3]),
    reroute: (r) => r[1] === "client.error" || r[1] === "application" || r[1] === "proxy",
    rejoin: (r) => r[1] === "log" && r[3] !== R.new_leader && candidates.includes(r[3]),
  }[p.name];
}
// Lines that differ in numbers and addresses alone are alike: the first stands for all.
const LINES = 8, LONG = 220; // shown of a phase, characters of each
const pattern = (r) => `${r[3]} ${r[4]} ${r[6].replace(/0x[0-9a-f]+|[0-9a-f]{8,}|\d+/gi, "#").slice(0, 90)}`;
function alike(rows) { // [row, how many like it], in order of time
  const first = new Map(), out = [];
  for (const r of rows) {
    const known = first.get(pattern(r));
    if (known) { known[1] += r[7] || 1; continue; }
    const entry = [r, r[7] || 1];
    out.push(entry);
    first.set(pattern(r), entry);
  }
  return out;
}
function logLine([r, n]) {
  const text = r[6].length > LONG ? `${r[6].slice(0, LONG)} …` : r[6];
  return h("li", {class: r[9] ? "step" : ""}, h("span", {class: "src"}, `${at(r[0], 2)} ${[r[3], r[4]].filter(Boolean).join(" ")}${r[5] === "error" ? " ✗" : r[5] === "warning" ? " !" : ""} `),
    r[9] ? h("span", {class: "sr"}, `(${T.marks}) `) : null, h("span", {class: "mono", title: text === r[6] ? null : r[6]}, text), n > 1 ? h("span", {class: "muted"}, ` (${fill(T.alike, {n: n - 1})})`) : null);
}
function phaseLogs(rows) { // lines that mark a step always, then the others as they came, up to LINES of them
  const box = h("div", {class: "logs"}, h("strong", {}, T.phaseLogs)), all = alike(rows), steps = all.filter(([r]) => r[9]);
  if (!rows.length) return box.append(h("p", {class: "muted"}, T.noLogs)), box;
  const plain = all.filter(([r]) => !r[9] && r[6].trim()).slice(0, Math.max(LINES - steps.length, 3)), chosen = all.filter((x) => steps.includes(x) || plain.includes(x)), rest = all.filter((x) => !chosen.includes(x));
  box.append(h("ol", {}, chosen.map(logLine)));
  if (rest.length) box.append(h("details", {}, h("summary", {}, fill(T.moreLines, {n: rest.length})), h("ol", {}, rest.map(logLine))));
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
    h("h3", {id: `ph-${p.name}`}, p.name, " ", h("span", {class: "muted small"}, inWords(T.phaseText[p.name] || ""))),
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
