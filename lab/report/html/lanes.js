// SPDX-License-Identifier: PostgreSQL
// The drawing: what each row shows. Times are mapped to pixels by scaleX; `view` is the window that is drawn.
const view = {a: 0, b: END, t: 0}; // what is drawn, and the moment that is read out
let chart, slider, readout, showing, cursor, chosen, scaleX = (t) => t, timeAt = () => 0; // timeAt: of a pixel of the screen

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
function appHoles(g, y, hgt) { // the application stood still: nothing is known of its operations then
  for (const [from, to] of D.app_holes) {
    const b = bar(g, from, to, y, hgt, "l-unwatched", `${T.appStill}: ${at(from)} – ${at(to)} (${ms(to - from)})`);
    if (!b) continue;
    g.append(s("rect", {x: b.x0, y, width: b.x1 - b.x0, height: hgt, fill: "url(#hatch)", "pointer-events": "none"}));
    b.text([`${LANE_SIGN.unwatched} ${T.appStill}`, LANE_SIGN.unwatched], "x-unwatched");
  }
}
function rowNoise(g, y, hgt) {
  for (const [t, p99] of D.noise) {
    if (t < view.a || t - 1000 > view.b) continue;
    const x0 = scaleX(Math.max(t - 1000, view.a)), x1 = scaleX(Math.min(t, view.b)), hh = clamp(p99 / 100, .1, 1) * hgt;
    g.append(s("rect", {x: x0, y: y + hgt - hh, width: Math.max(x1 - x0, 1), height: hh, class: "c-noise"}, s("title", {}, `${T.rowNoise}: ${ms(p99)} (${at(t)})`)));
  }
}
function bucketWords(ticks) { // a thinned record has longer ones in its calm
  const lengths = ticks.map((k) => k[1]), least = Math.min(...lengths), most = Math.max(...lengths);
  return ticks.length ? fill(T.bucket, {a: least === most ? ms(least) : `${ms(least)} – ${ms(most)}`}) : "";
}
function rowsToDraw(ticks) {
  const rows = [], add = (label, height, fn, sub) => rows.push({label, height, fn, sub});
  if (R.faults.length) add(T.rowFaults, 20, rowFaults);
  if (R.phases.length) add(T.rowPhases, 20, rowPhases);
  if (R.outage_start_ms != null) add(T.rowOutage, 20, rowOutage);
  for (const n of PG) add(n.name, 22, (g, y) => laneBars(g, y, 22, n.lane, D.lanes, "l"));
  for (const n of ARBITERS) add(`${n.name} ${D.system.arbiters}`, 18, (g, y) => laneBars(g, y, 18, n.arbiter, D.arbiter_lanes, "e"));
  if (D.key.length) add(sys.lead, 20, (g, y) => spanBars(g, y, D.key, "⚷"));
  if (D.leases.length) add(T.rowLease, 30, (g, y) => rowLease(g, y, 30), ms(Math.max(...D.leases.map((l) => l[2]))));
  if (D.servers.length) add(T.rowServer, 20, (g, y) => { spanBars(g, y, D.servers, "→"); appHoles(g, y, 20); });
  if (ticks.length) add(T.rowWrites, 74, (g, y) => { appHoles(g, y, 74); rowWrites(g, y, 74, ticks); }, bucketWords(ticks));
  if (ticks.length) add(T.rowLatency, 72, (g, y) => { appHoles(g, y, 72); rowLatency(g, y, 72, ticks); });
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
  const svg = s("svg", {viewBox: `0 0 ${width} ${bottom + 18}`, width, height: bottom + 18, role: "img", "aria-labelledby": "chart-title"}, s("title", {id: "chart-title"}, inWords(T.picture)),
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
  chosen = s("rect", {class: "chosen", x: 0, y: 16, width: 0, height: bottom - 16});
  svg.append(chosen, cursor);
  svg.dataset.bottom = bottom;
  timeAt = (clientX) => { const box = svg.getBoundingClientRect(), x = (clientX - box.left) * width / box.width; return clamp(view.a + (x - left) / (width - left - right) * (view.b - view.a), view.a, view.b); };
  chart.replaceChildren(svg);
  showing.textContent = fill(T.showing, {a: at(view.a, 1), b: at(view.b, 1)});
}
