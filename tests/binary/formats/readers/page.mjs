// Opens an exported page in Chromium as a person would: node page.mjs PAGE SVG PICTURES
// Prints what it saw as JSON; fails on any error in the console, and on anything that the page tries to load.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [page_, svg, pictures] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "backstory-chromium-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.BACKSTORY_CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  viewport: { width: 1500, height: 900 },
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const faults = [];
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) faults.push(message.text()); });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => { if (request.url() !== pathToFileURL(page_).href && request.url() !== pathToFileURL(svg).href) faults.push("loads " + request.url()); });

  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(pathToFileURL(page_).href);
  const light = await page.screenshot({ path: join(pictures, "page-light.png") });
  const seen = {};
  seen.title = await page.title();
  seen.rows = await page.locator("[data-place]").count();
  seen.arrows = await page.locator("path.arrow").count();

  // The first event that a call from another process caused.
  const place = await page.evaluate(() => told.events.findIndex((event, at) => causes[at].some(({ place, edge }) => edge.evidence === "request" && processOf(place) !== processOf(at))));
  const row = page.locator(`[data-place="${place}"]`);
  await row.hover();
  seen.tip = await page.locator("#tip").textContent();
  await row.click();
  seen.event = await page.locator("#event").textContent();
  seen.state = await page.locator("#state").textContent();
  seen.chosen = await page.locator("g.chosen").count();

  // A reason is a link to its event.
  await page.locator("#event ul.reasons button").first().click();
  seen.after_reason = await page.locator("#event h2").first().textContent();

  await page.keyboard.press("/");
  await page.keyboard.type("charge");
  seen.hits = await page.locator("#hits").textContent();
  await page.keyboard.press("Enter");
  seen.hit = await page.locator("#event h2").first().textContent();
  await page.keyboard.press("Escape");

  const height = () => page.evaluate(() => view.height);
  const before = await height();
  await page.keyboard.press("+");
  seen.zoomed = (await height()) / before;
  await page.keyboard.press("0");
  seen.fits = await page.evaluate(() => view.height <= stage.clientHeight);

  await page.emulateMedia({ colorScheme: "dark" });
  await page.reload();
  const dark = await page.screenshot({ path: join(pictures, "page-dark.png") });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  seen.dark_paper = await paper();
  seen.pictures_differ = !light.equals(dark);
  // Texts that stand on each other, of the rows on screen.
  seen.overlaps = await page.evaluate(() => {
    const boxes = [...document.querySelectorAll("#diagram g.row text")].map((text) => text.getBoundingClientRect());
    const on = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4;
    return boxes.filter((box, at) => boxes.slice(at + 1).some((other) => on(box, other))).length;
  });

  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(pathToFileURL(svg).href);
  await page.screenshot({ path: join(pictures, "svg.png") });
  seen.svg = await page.evaluate(() => {
    const root = document.documentElement, boxes = [...document.querySelectorAll("text")].map((text) => text.getBBox());
    const outside = boxes.filter((box) => box.x < 0 || box.x + box.width > root.viewBox.baseVal.width).length;
    return { root: root.localName, error: document.querySelector("parsererror") !== null, texts: boxes.length, outside };
  });
  seen.hacked = await page.evaluate(() => typeof window.hacked !== "undefined");
  seen.faults = faults;
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
