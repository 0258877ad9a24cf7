// Checks of each figure on the built site.
/* global document, window -- inside of what the page evaluates */

function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** A figure of an open page, alive. */
async function aliveFigure(page, name) {
  const host = page.locator(`qkv-${name}`);
  await host.scrollIntoViewIfNeeded();
  await host.locator("[data-cell]").first().waitFor();
  return {
    host,
    title: () => host.locator(".qkv-figure-title").innerText(),
    button: (label) => host.getByRole("button", { name: label, exact: true }),
    state: () => page.evaluate((name) => new window.URLSearchParams(window.location.search).get(name), name),
  };
}

/** The checks of each figure: its name, its page, and a step in the middle of its story. */
const figures = [
  { name: "attention-call", path: "learn/query-key-value/", step: "score-1" },
  { name: "evolution", path: "learn/evolution/", step: "multi-query" },
  { name: "generation", path: "learn/next-word/", step: "top-p-1" },
  { name: "heads-and-keys", path: "learn/fewer-keys/", step: "tokens-16" },
  { name: "tokenization", path: "learn/before-the-tokens/", step: "bytes" },
  { name: "transformer-block", path: "learn/norms-and-residuals/", step: "heads" },
];

export const figureChecks = figures.flatMap(({ name, path, step }) => [
  {
    name: `figure ${name}: a still until it is near, then alive; plays to the end and steps back`,
    path,
    async check(page) {
      const { host, title, button } = await aliveFigure(page, name);
      const finished = await title();
      await host.getByLabel("Speed").selectOption("4");
      await button("Play").click();
      await page.waitForTimeout(300);
      expect((await title()) !== finished, "play did not begin anew");
      await button("Play").waitFor({ timeout: 60_000 });
      expect((await title()) === finished, "it did not play to its end");
      await button("Step back").click();
      expect((await title()) !== finished, "it did not step back");
    },
  },
  {
    name: `figure ${name}: keyboard alone, and its place is in the address`,
    path,
    async check(page) {
      const { host, title, state } = await aliveFigure(page, name);
      const finished = await title();
      await host.locator('[data-cell][tabindex="0"]').focus();
      const first = await page.evaluate(() => document.activeElement.getAttribute("data-cell"));
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowDown");
      const second = await page.evaluate(() => document.activeElement.getAttribute("data-cell"));
      expect(second !== null && second !== first, "arrows do not walk over cells");
      await page.keyboard.press("Enter");
      expect((await state())?.includes("cell="), "a pressed cell is not in the address");
      await page.keyboard.press("Escape");
      await host.getByRole("button", { name: "Step back" }).focus();
      await page.keyboard.press("Home");
      expect((await title()) !== finished, "Home does not go to the first step");
      const place = await state();
      expect(place?.startsWith("step="), "the step is not in the address");
      const before = await title();
      await page.reload();
      const again = await aliveFigure(page, name);
      expect((await again.title()) === before, "a reload does not keep the place");
    },
  },
  {
    name: `figure ${name}: a still for each step where no motion is wanted`,
    path,
    async check(page) {
      await page.emulateMedia({ reducedMotion: "reduce" });
      const { host, button } = await aliveFigure(page, name);
      await button("Play").click();
      const shown = () => host.locator("svg.qkv-figure-stage").innerHTML();
      const early = await shown();
      await page.waitForTimeout(400);
      expect((await shown()) === early, "something moved inside of a step");
    },
  },
  {
    name: `figure ${name}: in a frame, at a step, with its numbers as a table`,
    path: `embed/?figure=${name}&${name}=${encodeURIComponent(`step=${step}`)}`,
    async check(page) {
      const { host, button, state } = await aliveFigure(page, name);
      expect((await state()) === `step=${step}`, "the frame forgot its step");
      await button("Table").click();
      await host.locator(".qkv-figure-table td").first().waitFor();
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
        "it is too wide",
      );
    },
  },
]);
