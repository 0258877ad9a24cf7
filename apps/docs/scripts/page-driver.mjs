/* global document, window -- in functions evaluated by a page */
import axe from "axe-core";

/**
 * An open page in the form that the checks of figures use.
 *
 * @param {object} page - `goto(url)`, `evaluate(expression)` and `press(key)`.
 * @param {{ address: string, timeoutMs: number }} options - `address`: of the front page of the site.
 */
export function pageDriver(page, { address, timeoutMs }) {
  const run = async (inPage, ...args) => {
    const text = await page.evaluate(
      `Promise.resolve((${inPage})(...${JSON.stringify(args)})).then((value) => JSON.stringify(value ?? null))`,
    );
    return JSON.parse(text);
  };
  return {
    run,
    press: page.press,
    open: (path) => page.goto(address + path),
    /** Waits until a function in the page, or a local one without an argument, returns true. */
    async until(passes, arg, otherwise = "it does not come alive") {
      for (const end = Date.now() + timeoutMs; ;) {
        if (await (arg === undefined ? passes() : run(passes, arg))) return;
        if (Date.now() > end) throw new Error(otherwise);
        await new Promise((done) => setTimeout(done, 100));
      }
    },
    async axe(selector) {
      await page.evaluate(`${axe.source}; 0`);
      return run(async (selector) => {
        const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
        const { violations } = await window.axe.run(document.querySelector(selector), { runOnly });
        return violations.map(
          ({ id, help, nodes }) => `${id}: ${help} (${nodes[0]?.target.join(" ").slice(0, 120)})`,
        );
      }, selector);
    },
  };
}
