// SPDX-License-Identifier: PostgreSQL
// Topology, versions, settings, steps, files.
function setup() {
  const host = R.host, facts = [...Object.entries(R.versions), [T.program, D.run.program], [T.hostName, fill(T.host, {c: host.cpus, m: count(host.memory_mb), k: host.kernel, t: D.run.tcp_cc || "?"})], [T.seed, String(R.seed)], [T.lab, D.run.lab],
    [T.began, D.run.wall ? new Date(D.run.wall).toISOString().replace("T", " ").slice(0, 19) + " UTC" : T.notKnown]];
  const noise = [fill(T.late, {a: ms(host.late_max_ms)}), host.noisy ? fill(T.noisy, {n: D.run.noisy_seconds}) : T.quiet, D.run.attempts_missing ? fill(T.stalled, {n: count(D.run.attempts_missing)}) : ""].filter(Boolean).join(" ");
  return section("setup",
    h("h3", {}, `${T.topology}: ${R.topology || T.notKnown}`), D.topology_title ? h("p", {}, D.topology_title) : null,
    table([[T.node, ""], [T.address, ""], [T.services, ""]], D.nodes.map((n) => [n.name, n.address, n.services.map((x) => inWords(SERVICES[x] || x)).join(", ")]), {label: T.topology}),
    h("h3", {}, T.versions), table([[T.what, ""], [T.value, "w"]], facts.filter((f) => f[1]), {label: T.versions}), h("p", {class: host.noisy ? "warn" : ""}, `${host.noisy ? "! " : ""}${noise}`),
    D.settings.length ? [h("h3", {}, T.settings), table([[T.setting, ""], [T.value, "w"]], D.settings.map(([k, n, v, c]) => [h("span", {}, h("code", {}, k), n ? ` (${n})` : ""), v + (c ? ` (${c > 1 ? fill(T.changed, {n: c}) : T.changedOnce})` : "")]), {label: T.settings})] : null,
    D.steps.length ? [h("h3", {}, T.steps), table([[T.step, ""], [T.state, ""], [T.time, "n"], [T.detail, "w"]], D.steps.filter((x) => x[0] >= 0).map(([, name, state, detail, t]) => [name, (state === "failed" ? "✗ " : state === "done" ? "✓ " : "") + state, at(t), detail]), {label: T.steps})] : null,
    D.files.length ? [h("h3", {}, T.files), h("p", {class: "muted small"}, T.filesNote), D.files.map(([path, nodes, text]) => h("details", {}, h("summary", {}, h("code", {}, path), nodes ? ` (${nodes})` : ""), h("pre", {tabindex: "0", role: "region", "aria-label": `${path} ${nodes}`}, text)))] : null);
}
