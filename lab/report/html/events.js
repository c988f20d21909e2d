// SPDX-License-Identifier: PostgreSQL
// The list of events with its filters.
const KIND = (k) => k === "log" ? "log" : /^(fault|heal|act|by-hand)/.test(k) && k !== "healthy" ? "fault" : /^(authority|entry|store|arbiter|grant|key|etcd|quorum)/.test(k) ? "key" : /^(client|proxy|final|writes|reads|application)/.test(k) ? "app" : /^(manager|postgres|demoted|writable|ahead|sync|service|power|watchdog|healthy)/.test(k) ? "node" : "lab";
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
    holder.replaceChildren(rows.length ? table([[T.time, "n"], ["", "sign"], [T.source, ""], [T.event, "w"]], cells, {label: T.events, cls: "rows"}) : h("p", {}, T.noEvents),
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
