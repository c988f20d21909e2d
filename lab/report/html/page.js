// SPDX-License-Identifier: PostgreSQL
// Puts the page together from the JSON block. The scripts of this folder are one script on the page, in the order of embed.cmake:
// words and tools, then a file for each section, then this one. Times are run time in milliseconds.
const parts = [["summary", summary], ["timeline", timeline], ["story", story], ["phases", phases], ["numbers", numbers], ["network", network], ["data", data], ["expectations", expectations], ["events", events], ["setup", setup]];
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
