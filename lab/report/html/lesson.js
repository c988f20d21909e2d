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
  return section("lesson", D.lesson.trim() ? box : h("p", {}, T.noLesson));
}
