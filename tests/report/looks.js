// SPDX-License-Identifier: PostgreSQL
// What rendered.py asks of an open page. Every function gives a list of complaints; an empty one is a page in order.
"use strict";
globalThis.looks = (() => {
const shown = (e) => e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true});
const where = (e) => `${e.tagName.toLowerCase()}${e.id ? "#" + e.id : ""}${typeof e.className === "string" && e.className ? "." + e.className : ""} "${e.textContent.trim().slice(0, 50)}"`;

// What the script would have put together wrongly. Files, log lines and scenario texts are the run's own words: a daemon may say null.
function words() {
  const wrong = /\[object |\bundefined\b|\bNaN\b|\bnull\b|\bInfinity\b|\w_\w/, mechanism = /\b[a-z]+\.[a-z_]+/g, own = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "PRE", "CODE"]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), out = [];
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const e = n.parentElement, quoted = e.closest(".mono, .run-words, .lesson, td.w, .story, .why, svg, option") || [...own].some((t) => e.closest(t));
    if (quoted ? /\[object |\bundefined\b|\bNaN\b/.test(n.data) && !e.closest("script, style, noscript, .mono, pre") : wrong.test(n.data.replace(mechanism, ""))) out.push(`"${n.data.trim().slice(0, 80)}" in ${where(e)}`);
  }
  for (const e of document.querySelectorAll("[title], [aria-label], [aria-valuetext], [d], [x], [width], [style]"))
    for (const a of e.attributes) if (/\[object |\bundefined\b|\bNaN\b|Infinity/.test(a.value) && a.name !== "class") out.push(`${a.name}="${a.value.slice(0, 80)}" of ${where(e)}`);
  return out;
}

function width() {
  const root = document.documentElement, out = [];
  if (root.scrollWidth > root.clientWidth) out.push(`the page is ${root.scrollWidth - root.clientWidth} px wider than the screen`);
  // What may be wider than its place scrolls inside of it; everything else has to end within the page.
  const scrolls = (e) => { for (let p = e; p && p !== document.body; p = p.parentElement) if (["auto", "scroll", "hidden"].includes(getComputedStyle(p).overflowX)) return true; return false; };
  for (const e of document.body.querySelectorAll("*")) {
    if (e.closest("svg") || !shown(e) || e.className === "skip") continue;
    const box = e.getBoundingClientRect();
    if (box.width && box.right > root.clientWidth + 1 && !scrolls(e)) out.push(`${where(e)} ends ${Math.round(box.right - root.clientWidth)} px right of the screen`);
  }
  return out.slice(0, 5);
}

// A word of a table or heading that stands on two lines. Words longer than 24 characters may break: paths, messages.
function brokenWords() {
  const out = [];
  for (const e of document.querySelectorAll("th, td, h1, h2, h3, dt, button, nav a")) {
    if (!shown(e) || e.matches("td.w") && e.clientWidth > 130) continue; // a message may be one long word
    const walker = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
    for (let n = walker.nextNode(); n; n = walker.nextNode())
      for (const m of n.data.matchAll(/[\p{L}\p{N}_]+/gu)) {
        if (m[0].length < 2 || m[0].length > 24) continue;
        const range = document.createRange();
        range.setStart(n, m.index);
        range.setEnd(n, m.index + m[0].length);
        const lines = new Set([...range.getClientRects()].filter((r) => r.width > 0.5).map((r) => Math.round(r.top)));
        if (lines.size > 1) out.push(`"${m[0]}" is broken in ${where(e)}`);
      }
  }
  return out.slice(0, 5);
}

// ---- contrast: text on the ground it really has (nearest painted ancestor), 4.5:1, large text 3:1
function rgb(text) {
  const m = text.match(/rgba?\(([\d.]+),? ([\d.]+),? ([\d.]+)(?:[,/ ]+([\d.]+))?\)/);
  return m ? [+m[1], +m[2], +m[3], m[4] == null ? 1 : +m[4]] : [0, 0, 0, 0];
}
const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3])).concat(1);
function luminance(c) {
  const [r, g, b] = c.map((x) => { x /= 255; return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ratio(a, b) {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}
function ground(e) {
  const layers = [];
  for (let p = e; p; p = p.parentElement) {
    const c = rgb(getComputedStyle(p).backgroundColor);
    if (c[3]) layers.push(c);
    if (c[3] === 1) break;
  }
  return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
}
function contrast() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), seen = new Set(), out = [];
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || seen.has(e) || e.closest("svg, script, style, noscript, option") || !shown(e)) continue;
    seen.add(e);
    const style = getComputedStyle(e), size = parseFloat(style.fontSize), big = size >= 24 || (size >= 18.6 && +style.fontWeight >= 700);
    const r = ratio(over(rgb(style.color), ground(e)), ground(e));
    if (r < (big ? 3 : 4.5)) out.push(`${r.toFixed(2)}:1 ${where(e)}`);
  }
  for (const e of document.querySelectorAll("svg text[class*='x-']")) { // text on a bar: the bar is the last one drawn under it
    const style = getComputedStyle(e), box = e.getBBox(), x = box.x + 1, y = box.y + box.height / 2;
    const under = [...e.parentNode.querySelectorAll("rect")].filter((r) => r.compareDocumentPosition(e) & 4 && +r.getAttribute("x") <= x && +r.getAttribute("x") + +r.getAttribute("width") >= x && +r.getAttribute("y") <= y && +r.getAttribute("y") + +r.getAttribute("height") >= y && !/url/.test(getComputedStyle(r).fill)).pop();
    if (!under || !box.width) continue;
    const r = ratio(over(rgb(style.fill), [255, 255, 255, 1]), over(rgb(getComputedStyle(under).fill), rgb(getComputedStyle(document.body).backgroundColor)));
    if (r < 4.5) out.push(`${r.toFixed(2)}:1 ${e.getAttribute("class")} "${e.textContent}" on ${under.getAttribute("class")}`);
  }
  return [...new Set(out)].slice(0, 8);
}

function links() { // every id once, every link leads somewhere
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id), twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  return [...twice.map((id) => `id ${id} twice`), ...[...document.querySelectorAll("a[href^='#']")].map((a) => a.hash.slice(1)).filter((id) => !ids.includes(id)).map((id) => `link to ${id}, which is not there`)];
}

// Lines that must not be the last ones of a printed page: headings and heads of tables.
const heads = () => [...document.querySelectorAll("h2, h3, thead tr, .logs > strong")].map((e) => (e.tagName === "TR" ? [...e.children].map((c) => c.textContent).join(" ") : e.textContent).replace(/\s+/g, " ").trim()).filter(Boolean);
return {words, width, brokenWords, contrast, links, heads};
})();
