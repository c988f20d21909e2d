// SPDX-License-Identifier: PostgreSQL
// Service paths that were not open. Stretches of many pairs with the same path, state and times (within a second) are one row.
function network() {
  const rows = [];
  for (const [from, to, path, since, until, intended, measured] of D.links) {
    const state = intended ? "lost" : measured ? "leaks" : "cut", near = (a, b) => a === b || a != null && b != null && Math.abs(a - b) < 1000;
    const pairs = rows.find((r) => r.path === path && r.state === state && near(r.since, since) && near(r.until, until))?.pairs;
    if (pairs) pairs.push([from, to]);
    else rows.push({path, state, since, until, pairs: [[from, to]]});
  }
  const who = (pairs) => pairs.filter(([a, b], i) => !pairs.some(([c, d], j) => c === b && d === a && j < i)).map(([a, b]) => `${a} ${pairs.some(([c, d]) => c === b && d === a) ? "⇄" : "→"} ${b}`).join(", ");
  const cells = rows.sort((a, b) => a.since - b.since).slice(0, 200).map((r) => [T.paths[r.path] || r.path, who(r.pairs), h("span", {class: r.state === "cut" ? "" : "warn"}, T.link[r.state]), at(r.since), r.until == null ? T.toEnd : at(r.until)]);
  return section("network", cells.length ? [h("p", {class: "muted small"}, T.linksNote), table([[T.path, ""], [T.who, "w"], [T.state, ""], [T.from, "n"], [T.until, "n"]], cells, {label: T.network})] : h("p", {}, T.noLinks));
}
