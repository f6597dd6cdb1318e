// A browser for tests: takes commands on its input and reports on its output, JSON, one a line.

import { createInterface } from "node:readline";

import { chromium } from "../../typescript/node_modules/playwright-core/index.mjs";

const report = (event, content = {}) => console.log(JSON.stringify({ event, ...content }));
const browser = await chromium.launch({ executablePath: process.argv[2], args: ["--no-sandbox", "--disable-gpu"] });
let page = null;
const faults = [];

const COMMANDS = {
  /** Open a page in a window of its own. */
  async open(url, options = {}) {
    await page?.context().close();
    faults.length = 0;
    page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })).newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    page.on("request", (request) => new URL(request.url()).host === new URL(url).host || faults.push(request.url()));
    const answer = await page.goto(url);
    return { status: answer.status(), headers: answer.headers() };
  },
  /** Wait until something is to be seen, and return its text. */
  async text(selector, timeout = 10_000) {
    const found = page.locator(selector).first();
    await found.waitFor({ timeout });
    return found.innerText();
  },
  count: (selector) => page.locator(selector).count(),
  click: (selector) => page.locator(selector).first().click(),
  fill: (selector, text) => page.locator(selector).first().fill(text),
  choose: (selector, text) => page.locator(selector).first().selectOption(text),
  press: (key) => page.keyboard.press(key),
  /** Return what assistive technology sees of a part of the page. */
  accessible: (selector) => page.locator(selector).first().ariaSnapshot(),
  /** Return what has the focus: role and name. */
  focused: () =>
    page.evaluate(() => {
      const { tagName, ariaLabel, textContent } = document.activeElement;
      return [tagName.toLowerCase(), ariaLabel ?? textContent.trim()];
    }),
  evaluate: (source) => page.evaluate(source),
  async screenshot(path) {
    await page.screenshot({ path });
  },
  /** Return what the page has complained of, or has loaded from elsewhere. */
  faults: () => [...faults],
};

report("started");
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...values] = JSON.parse(line);
  if (name === "stop") {
    break;
  }
  try {
    report("answer", { value: (await COMMANDS[name](...values)) ?? null });
  } catch (error) {
    report("answer", { error: error.message.split("\n")[0] });
  }
}
await browser.close();
