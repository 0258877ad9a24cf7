/**
 * Waits until each live example of an open page has run, scrolling to one after the other.
 *
 * @param {{ run: (expression: string) => Promise<string> }} page
 * @param {number} timeoutMs
 * @returns {Promise<string[]>} A line for each example that did not end well.
 */
export async function unfinishedExamples(page, timeoutMs) {
  const ended = await page.run(`new Promise((done) => {
    const end = Date.now() + ${timeoutMs};
    const look = () => {
      const all = [...document.querySelectorAll("[data-live]")];
      if (all.every((one) => Number(one.dataset.runs) > 0) || Date.now() > end)
        done(all.map((one) => one.dataset.live + " " + one.dataset.status).join());
      else {
        all.find((one) => !(Number(one.dataset.runs) > 0)).scrollIntoView({ block: "center" });
        setTimeout(look, 200);
      }
    };
    look();
  })`);
  if (ended === "") return ["it has no live example"];
  return ended.split(",").filter((one) => !one.endsWith(" done"));
}
