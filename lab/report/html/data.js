// SPDX-License-Identifier: PostgreSQL
// Writes, contents of the nodes, expectations, known defects.
function ranges(title, rows, withTimes) {
  const heads = [[T.ids, ""], [T.number, "n"], ...(withTimes ? [[T.acked, "n"], [T.by, ""]] : [])], text = ([a, b]) => a === b ? `${a}` : `${a}–${b}`;
  const cells = rows.map((r) => [text(r), count(r[1] - r[0] + 1), ...(withTimes ? [r[2] === r[3] ? at(r[2]) : `${at(r[2])} – ${at(r[3])}`, r[4] || "?"] : [])]);
  const body = table(heads, cells.slice(0, 200), {label: title});
  return h("div", {}, h("h3", {}, title), body, cells.length > 200 || D.lost_ranges > cells.length ? h("p", {class: "muted"}, fill(T.moreRanges, {n: Math.max(cells.length, withTimes ? D.lost_ranges : 0) - Math.min(200, cells.length)})) : null);
}
function contents() { // what each node held at the end, and who was ahead of the leader
  const c = list(R.contents), dash = (n) => n == null ? "–" : count(n);
  if (!c.length) return [];
  const name = (n) => h("span", {class: n.diverged ? "bad" : ""}, n.diverged ? `✗ ${n.node}: ${T.diverged}` : n.leader ? `${n.node} (${T.onLeader})` : n.node);
  const cell = (n, k) => !n.read ? "–" : k === "lsn" ? n.lsn || "–" : dash(n[k]) + (k === "missing" && n.missing && n.behind ? ` (${T.behind})` : "");
  const rows = Object.keys(T.held).map((k) => [T.held[k], ...c.map((n) => cell(n, k))]), heads = [[T.what, ""], ...c.map((n) => [name(n), "n"])];
  const notes = c.map((n) => n.read ? n.because && `${n.node}: ${n.because}` : fill(T.notRead, {n: n.node, a: n.unread_why || "?"})).filter(Boolean);
  const ahead = list(R.standby_ahead).map((a) => [a.node, at(a.from_ms), `${ms(a.to_ms - a.from_ms)} ${fill(T.precise, {a: ms(a.resolution_ms)})}`, fill(T.aheadText, {n: a.node, a: a.lsn, l: a.leader, b: a.leader_lsn}), T.aheadEnd[a.end] || a.end]);
  return [h("h3", {}, T.contents), table(heads, rows, {label: T.contents}), notes.map((n) => h("p", {class: "warn"}, n)),
    ahead.length ? h("h3", {}, T.ahead) : null, ahead.length ? table([[T.node, ""], [T.from, ""], [T.time, "n"], [T.evidence, "w"], [T.ended, ""]], ahead, {label: T.ahead}) : null];
}
function defects() {
  const rows = list(R.known_defects).map((d) => [h("strong", {class: d.seen ? "bad" : ""}, d.id), fill(T.defectOf, {s: d.software, v: d.versions, a: d.version || T.noVersion}), d.text, d.seen ? fill(T.defectSeen, {a: at(d.seen_ms), b: d.detail}) : T.defectUnseen, d.reference]);
  return rows.length ? [h("h3", {}, T.defects), table([[T.defect, ""], [T.versions, ""], [T.what, "w"], [T.result, "w"], [T.reference, "w"]], rows, {label: T.defects})] : [];
}
function data() {
  const w = R.writes, bad = new Set(["lost", "unexpected", "duplicated", "foreign"]);
  const rows = Object.keys(T.w).filter((k) => k in w).map((k) => {
    const alarm = bad.has(k) && w[k] > 0;
    const [name, meaning] = T.w[k];
    return [h("span", {class: alarm ? "bad" : ""}, (alarm ? "✗ " : "") + name), count(w[k]), meaning + (k === "foreign" && D.run.foreign_nodes ? `: ${D.run.foreign_nodes}` : "")];
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
  return section("expectations", table([[T.result, ""], [T.expectation, ""], [T.detail, "w"]], rows, {label: T.expectations}), defects());
}
