// SPDX-License-Identifier: PostgreSQL
// The top of the page and the story.
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
  if (R.split_brain_ms == null) return card(T.split, T.notKnown, "warn", T.damaged);
  const bad = R.split_brain_ms > 0, maybe = R.split_brain_possible_ms > 0, n = R.split_brain_nodes || "";
  const blind = !bad && R.expectations.find((e) => e.kind === "split_brain" && e.ok === null && e.watched && e.watched.longest_hole_ms > 0);
  if (blind) return card(T.split, T.notKnown, "warn", fill(T.splitUnwatched, {a: ms(blind.watched.longest_hole_ms)}));
  return card(T.split, bad ? ms(R.split_brain_ms) : T.none, bad ? "bad" : "good",
    bad ? fill(T.splitProven, {a: ms(R.split_brain_possible_ms), n}) : maybe ? fill(T.splitPossible, {a: ms(R.split_brain_possible_ms), n}) : T.splitNone);
}
function lostCard() {
  const w = R.writes;
  const unknown = w.lost == null ? w.unchecked_why : w.lost ? null : w.cut_why; // "none" of what was reported is not none
  return card(T.lost, unknown ? T.notKnown : count(w.lost), unknown ? "warn" : w.lost ? "bad" : "good",
    unknown ? unknown : fill(T.lostOf, {n: count(w.acknowledged)}), w.lost ? h("a", {href: "#data"}, T.lostIds) : null);
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
  return card(f.action ? T.act : T.fault, h("span", {class: "run-words"}, faultText(f)), "",
    h("strong", {class: good ? "good" : "bad"}, `${good ? "✓" : "✗"} ${word}`),
    when[0] == null ? null : fill(T.at, {t: at(when[0])}) + faultSteps(f),
    folded(T.evidenceOf, (D.what[i] || "").includes(f.detail) ? D.what[i].replace(/^[;\s]+|[;\s]+$/g, "") : f.detail));
}
function lacks() { // of a damaged record, and of one that is not understood
  const r = R.record;
  return r && ((!r.complete && !r.live) || r.unknown) ? [r.text, ...list(r.missing)].map((l) => h("div", {class: "why small run-words"}, l)) : null;
}
function numbers() {
  const cards = [outageCard(),
    R.outage_start_ms == null ? null : card(T.recovery, R.recovery_ms == null ? (R.fault ? T.none : T.notKnown) : ms(R.recovery_ms), "",
      R.recovery_ms == null ? (R.write_outage_open ? T.noRecovery : R.fault ? null : T.unexplained) : fill(T.recoveryFrom, {a: ms(R.resolution_ms)})),
    lostCard(), splitCard(),
    R.old_leader || R.new_leader ? card(T.leader, R.leader_changed ? fill(T.leaderChange, {a: R.old_leader || "?", b: R.new_leader || "?"}) : fill(T.leaderSame, {a: R.new_leader || R.old_leader}), "") : null,
    R.cluster_outage_ms == null ? null : card(T.cluster, ms(R.cluster_outage_ms), "", fill(T.clusterText, {a: ms(R.cluster_resolution_ms)})),
    R.read_outage_ms == null ? null : card(T.reads, R.read_outage_ms ? ms(R.read_outage_ms) : T.none, "", fill(T.availability, {w: R.availability.write ?? "?", r: R.availability.read ?? "?"})),
    R.rejoin_ms ? card(T.rejoin, ms(R.rejoin_ms), "", T.rejoinText) : null];
  const faults = R.faults.length ? R.faults.map(faultCard) : [card(T.fault, T.none, "", T.noFault)];
  faults.forEach((f) => f.classList.add("wide"));
  return section("numbers", h("dl", {class: "cards"}, cards, faults));
}
// ---- the top: verdict, the sentence, one bar of the phases, the other ways to count
function phaseBounds(p) {
  return p.bound_min_ms == null ? T.noBound : fill(p.inside ? T.boundsKept : T.boundsBroken, {a: ms(p.bound_min_ms), b: ms(p.bound_max_ms)});
}
function phaseBar() {
  const parts = R.phases.filter((p) => p.name !== "rejoin"), sum = parts.reduce((n, p) => n + p.duration_ms, 0);
  if (!parts.length || !sum) return null;
  const from = parts[0].start_ms, pc = (t) => `${(clamp((t - from) / sum, 0, 1) * 100).toFixed(3)}%`, b = R.write_outage_open ? END : R.outage_end_ms;
  const piece = (p) => h("span", {class: `piece q${PHASES[p.name] ?? 4}`, style: `flex-grow:${p.duration_ms / sum}`, title: `${p.name} ${ms(p.duration_ms)}. ${phaseBounds(p)}`},
    p.duration_ms / sum > .12 ? h("span", {}, h("span", {}, p.name), h("span", {}, ms(p.duration_ms))) : null);
  const item = (p) => h("li", {}, h("span", {class: `swatch q${PHASES[p.name] ?? 4}`, "aria-hidden": "true"}), h("a", {href: `#ph-${p.name}`}, p.name), h("strong", {}, ms(p.duration_ms)),
    h("span", {class: "muted"}, p.name === "rejoin" ? T.barAfter : inWords(T.phaseText[p.name] || "")), h("span", {class: p.inside === false ? "bad" : "muted"}, phaseBounds(p)));
  return h("div", {class: "phases-bar"},
    h("div", {class: "pieces", role: "img", "aria-label": `${T.bar}: ${parts.map((p) => `${p.name} ${ms(p.duration_ms)}`).join(", ")}`}, parts.map(piece)),
    R.outage_start_ms == null ? null : h("div", {class: "dry", "aria-hidden": "true"}, h("span", {style: `left:${pc(R.outage_start_ms)};right:calc(100% - ${pc(b)})`, title: T.outage}, `${T.barOutage} ${ms(R.write_outage_ms)}`)),
    h("ul", {class: "pieces-list"}, R.phases.map(item)));
}
function others() { // one number leads; the others are told where they differ by more than both can be wrong
  if (R.outage_start_ms == null) return null;
  const out = R.write_outage_ms, differ = (a, error) => a != null && Math.abs(a - out) > (error || 0) + R.resolution_ms, items = [];
  if (differ(R.recovery_ms, 0) && R.recovery_ms > out) items.push(fill(T.otherRecovery, {a: ms(R.recovery_ms), b: ms(R.recovery_ms - out)}));
  if (differ(R.cluster_outage_ms, R.cluster_resolution_ms)) {
    const d = out - R.cluster_outage_ms;
    items.push(fill(T.otherCluster, {a: ms(R.cluster_outage_ms), b: ms(R.cluster_resolution_ms)}) + fill(d > 0 ? T.otherMore : T.otherLess, {d: ms(Math.abs(d))}));
  }
  if (R.read_outage_ms) items.push(fill(T.otherReads, {a: ms(R.read_outage_ms)}));
  if (!items.length) return R.recovery_ms == null ? null : h("p", {class: "muted small"}, T.same);
  return h("div", {class: "others small"}, h("span", {class: "muted"}, `${T.otherwise}:`), h("ul", {}, items.map((i) => h("li", {}, i))));
}
function summary() {
  return h("section", {id: "summary", "aria-labelledby": "summary-h"},
    h("h2", {id: "summary-h", class: "sentence", tabindex: "-1"}, `${R.sentence}.`),
    h("div", {class: `verdict ${TONE[R.verdict]}`}, h("span", {class: "sign", "aria-hidden": "true"}, SIGN[R.verdict]),
      h("div", {}, h("strong", {}, T.verdict[R.verdict] || R.verdict), h("span", {class: "why"}, R.reason), D.run.end_detail && !R.reason.includes(D.run.end_detail) ? h("div", {class: "why small"}, D.run.end_detail) : null, lacks())),
    phaseBar(), others(), lesson());
}
const EVIDENCE = 110; // characters of a detail that is read at once; packets counted pair by pair are for whoever doubts
function folded(summary, text) { return text ? h("details", {class: "evidence"}, h("summary", {}, summary), text) : null; }
function story() {
  const sign = {good: "+", bad: "!", warn: "!", "": "·"};
  return section("story", h("ol", {class: "story"}, D.story.map(([t, mood, weight, , , text, detail]) =>
    h("li", {}, h("time", {}, at(t)), h("span", {class: mood || "muted", "aria-hidden": "true"}, sign[mood]),
      h("span", {}, weight > 1 ? h("strong", {}, text) : text, detail.length > EVIDENCE ? h("span", {class: "detail"}, folded(detail.slice(0, EVIDENCE).replace(/[\s,;:]+\S*$/, " …"), detail)) : detail ? h("span", {class: "detail"}, detail) : null)))));
}
