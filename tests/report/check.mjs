// SPDX-License-Identifier: PostgreSQL
// Opens report pages in headless Chromium: no console error, no request to anywhere, nothing wider than the screen, axe-core without
// serious findings in light and dark, the keyboard gets everywhere, the page prints. Prints one "ok - name" or "not ok - name" a check.
//   node check.mjs [--shots DIR] NAME=FILE...
import {createRequire} from "node:module";
import {mkdtempSync, readFileSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join, resolve} from "node:path";
import puppeteer from "puppeteer-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const args = process.argv.slice(2);
const shots = args[0] === "--shots" ? args.splice(0, 2)[1] : null;
const SCREENS = {desktop: {width: 1280, height: 1600}, phone: {width: 390, height: 844, isMobile: true, hasTouch: true}, small: {width: 320, height: 640, isMobile: true}};

let failed = 0;
function tell(name, problems) {
  if (problems.length) failed++;
  console.log(`${problems.length ? "not ok" : "ok"} - ${name}`);
  for (const p of problems) console.log(`#   ${p}`);
}

async function open(browser, file, screen, scheme, complaints) {
  const page = await browser.newPage();
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(`console ${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => complaints.push(`page error: ${e.message}`));
  page.on("request", (r) => !r.url().startsWith("file://") && complaints.push(`asked for ${r.url().slice(0, 80)}`));
  page.on("dialog", (d) => { complaints.push(`dialog: ${d.message()}`); d.dismiss(); });
  await page.setViewport(SCREENS[screen]);
  await page.emulateMediaFeatures([{name: "prefers-color-scheme", value: scheme}]);
  await page.goto(`file://${resolve(file)}`, {waitUntil: "load"});
  await page.waitForSelector("html[data-ready]", {timeout: 10000}).catch(() => complaints.push("the script did not finish"));
  return page;
}

async function findings(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => globalThis.axe.run(document, {resultTypes: ["violations"]}));
  return result.violations.filter((v) => ["serious", "critical", "moderate"].includes(v.impact))
    .map((v) => `${v.impact}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 140)).join(" | ")}`);
}

async function tooWide(page) {
  return page.evaluate(() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    return wide > 0 ? [`${wide} px wider than the screen`] : [];
  });
}

async function links(page) { // every section has an id of its own and every link leads somewhere
  return page.evaluate(() => {
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id), twice = ids.filter((id, i) => ids.indexOf(id) !== i);
    const dead = [...document.querySelectorAll("a[href^='#']")].map((a) => a.hash.slice(1)).filter((id) => !ids.includes(id));
    return [...twice.map((id) => `id ${id} twice`), ...dead.map((id) => `link to ${id}, which is not there`)];
  });
}

async function keyboard(page) { // Tab reaches every control once, in order, and leaves the page again
  const seen = [], problems = [];
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  for (let i = 0; i < 400; i++) {
    await page.keyboard.press("Tab");
    const now = await page.evaluate(() => {
      const e = document.activeElement;
      if (!e || e === document.body) return null;
      const style = getComputedStyle(e);
      return {what: `${e.tagName} ${e.textContent.slice(0, 30)}`, outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0, first: e.className === "skip"};
    });
    if (!now || (now.first && i > 0)) break;
    seen.push(now);
    if (!now.outline) problems.push(`no visible focus on ${now.what}`);
  }
  const controls = await page.evaluate(() => [...document.querySelectorAll("button, select, input, summary, a[href]")].filter((e) => e.checkVisibility()).length);
  if (seen.length < controls) problems.push(`Tab reached ${seen.length} of ${controls} controls`);
  if (!seen.length || !seen[0].first) problems.push("the first stop is not the skip link");
  await page.focus("#moment");
  const before = await page.$eval("#moment", (e) => e.getAttribute("aria-valuetext"));
  const first = await page.$eval("#moment", (e) => e.value === e.min);
  await page.keyboard.press(first ? "ArrowRight" : "ArrowLeft");
  const after = await page.$eval("#moment", (e) => e.getAttribute("aria-valuetext"));
  if (before === after) problems.push("an arrow key does not move the moment that is read out");
  return problems;
}

async function filters(page) {
  const problems = [];
  const rows = () => page.$$eval("#events tbody tr", (l) => l.length);
  const all = await rows();
  await page.type("#events input[type=search]", "zzz-no-such-thing");
  if (await rows() !== 0) problems.push("a search for nonsense finds something");
  await page.$eval("#events input[type=search]", (e) => { e.value = ""; e.dispatchEvent(new Event("input")); });
  if (await rows() !== all) problems.push("an emptied search does not show all again");
  return problems;
}

// What differs between screens is the layout, which two runs show; every page is opened, filtered and printed once.
const LOOKS = [["desktop", "light"], ["desktop", "dark"], ["phone", "light"], ["small", "dark"]], ALL_LOOKS = new Set(["outage", "split"]);

async function checkPage(browser, name, file) {
  for (const [screen, scheme] of ALL_LOOKS.has(name) || shots ? LOOKS : LOOKS.slice(0, 1)) {
    const complaints = [], page = await open(browser, file, screen, scheme, complaints);
    if (shots) await page.screenshot({path: join(shots, `${name}-${screen}-${scheme}.png`), fullPage: true});
    tell(`${name}: opens on a ${screen} screen, ${scheme}, without a complaint`, [...complaints, ...await tooWide(page)]);
    tell(`${name}: axe-core finds nothing on a ${screen} screen, ${scheme}`, await findings(page));
    if (screen === "desktop" && scheme === "light") {
      tell(`${name}: the keyboard gets everywhere`, await keyboard(page));
      tell(`${name}: every link leads somewhere`, await links(page));
      tell(`${name}: the event list can be filtered`, await filters(page));
      const before = complaints.length, pdf = await page.pdf({format: "A4", path: shots ? join(shots, `${name}.pdf`) : undefined, printBackground: false});
      tell(`${name}: prints`, [...complaints.slice(before), ...(pdf.length > 10000 ? [] : ["the PDF is empty"])]);
    }
    await page.close();
  }
}

const profile = mkdtempSync(join(tmpdir(), "bascule-report-"));
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium", userDataDir: profile, headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
});
try {
  for (const arg of args) {
    const cut = arg.indexOf("=");
    await checkPage(browser, arg.slice(0, cut), arg.slice(cut + 1));
  }
} finally {
  await browser.close();
  rmSync(profile, {recursive: true, force: true});
}
process.exit(failed ? 1 : 0);
