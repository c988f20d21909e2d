// SPDX-License-Identifier: PostgreSQL
// The lesson: paragraphs, lists and `code`, as scenario files write them.
function inline(text) { return text.split(/(`[^`]+`)/).map((x) => x.startsWith("`") && x.length > 2 ? h("code", {}, x.slice(1, -1)) : x); }
function lesson() {
  const box = h("div", {class: "lesson"});
  for (const block of D.lesson.trim().split(/\n\s*\n/)) {
    const items = [], words = [];
    for (const line of block.split("\n")) {
      if (/^\s*- /.test(line)) items.push(line.replace(/^\s*- /, ""));
      else if (items.length) items[items.length - 1] += " " + line.trim();
      else words.push(line.trim());
    }
    if (words.length) box.append(h(items.length ? "h3" : "p", {}, inline(words.join(" "))));
    if (items.length) box.append(h("ul", {}, items.map((i) => h("li", {}, inline(i)))));
  }
  const set = D.overrides.length ? h("p", {class: "small"}, T.setByHand.split("{a}")[0], D.overrides.map((o, i) => [i ? ", " : "", h("code", {}, o)]), T.setByHand.split("{a}")[1]) : null;
  const first = D.lesson.trim().split(/\n\s*\n/)[0].replace(/\s+/g, " ");
  return [set, first ? h("details", {class: "lesson-box"}, h("summary", {}, h("strong", {}, `${T.lesson}: `), h("span", {class: "muted"}, inline(first))), box) : null];
}
