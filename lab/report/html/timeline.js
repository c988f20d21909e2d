// SPDX-License-Identifier: PostgreSQL
// The section around the drawing: the moment under the pointer, legend, the lanes as a table, the keys and buttons.
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
  for (const n of ARBITERS) out.push([`${n.name} ${D.system.arbiters}`, lane(n.arbiter, D.arbiter_lanes)]);
  const key = find(D.key, t, 1, 2), lease = D.leases.filter((l) => l[0] <= t).pop(), server = find(D.servers, t, 1, 2), k = tickAt(t);
  out.push([Lead, key ? key[0] : T.nobody]);
  if (key && lease) out.push([T.leaseAge, fill(T.ago, {a: ms(t - lease[0])})]);
  if (D.servers.length) out.push([T.server, server ? server[0] : "–"]);
  if (find(D.app_holes, t, 0, 1)) out.push([T.app, `${LANE_SIGN.unwatched} ${T.appStill}`]);
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
  const items = [used(PG, "lane", D.lanes, "l"), used(ARBITERS, "arbiter", D.arbiter_lanes.map(([k, w]) => [k, k === "OFF" || k === "UNKNOWN" ? null : `${D.system.arbiters}: ${w}`]), "e")].flat();
  if (R.faults.length) items.push(line("fault-bar", "M2,2h30v12h-30z", T.faultLegend));
  if (R.outage_start_ms != null) items.push(line("outage-bar", "M2,2h30v12h-30z", T.outageLegend));
  if (D.leases.length) items.push(line("c-lease", "M1,4L16,13M16,4L31,13M1,1v14M16,1v14", T.leaseLegend));
  if (D.ticks.length) items.push(line("c-ok", "M2,15v-12h30v12z", T.okLegend), line("c-failed", "M2,2v12h30v-12z", T.failedLegend), line("c-lat", "M1,10l8,-6l8,7l8,-9l8,6", T.latLegend));
  if (D.app_holes.length) items.push(swatch("l-unwatched", "unwatched", false, T.appStill));
  if (D.step > 100) items.push(line("c-low", "M2,8h30", T.lowLegend));
  return h("ul", {class: "legend", "aria-label": T.legend}, items);
}
function lanesTable() {
  const rows = [], add = (name, word, from, to) => rows.push([name, word, at(from), to == null ? T.toEnd : at(to)]);
  for (const n of PG) for (const [i, from, to] of n.lane) add(n.name, D.lanes[i][1], from, to);
  for (const n of ARBITERS) for (const [i, from, to] of n.arbiter) add(`${n.name} ${D.system.arbiters}`, D.arbiter_lanes[i][1], from, to);
  for (const [who, from, to] of D.key) add(Lead, who, from, to);
  for (const [who, from, to] of D.servers) add(T.server, who, from, to);
  for (const [from, to] of D.app_holes) add(T.app, T.appStill, from, to);
  const d = h("details", {}, h("summary", {}, T.lanesTable));
  d.addEventListener("toggle", () => d.open && d.children.length < 2 && d.append(table([[T.what, ""], [T.state, ""], [T.from, "n"], [T.to, "n"]], rows.slice(0, 2000), {label: T.lanesTable})), {once: false});
  return d;
}
const KEYS = {ArrowLeft: () => pan(-.2), ArrowRight: () => pan(.2), "+": () => zoom(.5), "=": () => zoom(.5), "-": () => zoom(2), _: () => zoom(2), 0: () => show(0, END)};
function gestures() { // a stretch that is dragged over is looked at; the wheel belongs to the page until the drawing has the focus
  let from = null; // where the pointer went down: pixel, time
  const width = (e) => Math.abs(e.clientX - from.x), FAR = 6;
  const mark = (t) => { const a = scaleX(Math.min(from ? from.t : t, t)), b = scaleX(Math.max(from ? from.t : t, t)); chosen.setAttribute("x", a); chosen.setAttribute("width", from ? b - a : 0); };
  chart.addEventListener("pointerdown", (e) => { if (e.button) return; from = {x: e.clientX, t: timeAt(e.clientX)}; chart.setPointerCapture(e.pointerId); point(from.t); });
  chart.addEventListener("pointermove", (e) => { const t = timeAt(e.clientX); point(t); if (from && width(e) > FAR) mark(t); });
  chart.addEventListener("pointerup", (e) => { const a = from, t = timeAt(e.clientX), far = a && width(e) > FAR; from = null; mark(t); if (far) show(Math.min(a.t, t), Math.max(a.t, t)); });
  chart.addEventListener("pointercancel", () => { from = null; mark(view.t); });
  chart.addEventListener("dblclick", () => show(0, END));
  chart.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.metaKey && document.activeElement !== chart) return;
    e.preventDefault();
    point(timeAt(e.clientX));
    zoom(e.deltaY > 0 ? 1.25 : .8);
  }, {passive: false});
  chart.addEventListener("keydown", (e) => { if (KEYS[e.key] && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); KEYS[e.key](); } });
}
function timeline() {
  const button = (text, fn) => h("button", {type: "button", onclick: fn}, text);
  chart = h("div", {class: "chart", tabindex: "0", role: "group", "aria-label": T.timeline, "aria-describedby": "chart-keys"});
  gestures();
  showing = h("span", {class: "muted small", role: "status"});
  slider = h("input", {type: "range", id: "moment", oninput: () => point(Number(slider.value))});
  readout = h("dl", {class: "readout"});
  return section("timeline",
    h("div", {class: "tools", role: "group", "aria-label": T.window}, button(T.all, () => show(0, END)), button(T.around, () => show(...aroundFault())), button(T.zoomIn, () => zoom(.5)), button(T.zoomOut, () => zoom(2)), button(T.earlier, () => pan(-.5)), button(T.later, () => pan(.5)), showing),
    h("p", {id: "chart-keys", class: "muted small no-print"}, T.keys), chart, h("div", {class: "slider"}, h("label", {for: "moment"}, T.pointer), slider), readout, legend(), lanesTable());
}
