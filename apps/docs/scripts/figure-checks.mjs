// Checks of each figure on the built site.
/* global document, window -- in functions evaluated by a page */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { figures } from "./figure-places.mjs";

function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** A figure of an open page, after hydration. */
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

const ofEachFigure = figures.flatMap(({ name, path, step, end }) => [
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
      expect((await title()) === (end ?? finished), "it did not play to its end");
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

/** Checks of the gallery of models: any config.json, the table, and invalid input. */
const ofModels = {
  name: "models of today: a config.json is drawn, a field that is not known is named, and the table sorts and opens",
  path: "learn/models-of-today/",
  async check(page) {
    await aliveFigure(page, "model-stack");
    const box = page.locator("textarea");
    const config = {
      model_type: "cohere2",
      hidden_size: 512,
      num_hidden_layers: 9,
      num_attention_heads: 8,
      num_key_value_heads: 2,
      intermediate_size: 1024,
      vocab_size: 1000,
      sliding_window: 512,
    };
    await box.fill(JSON.stringify({ ...config, model_type: "cohere9" }, null, 2));
    const refusal = page.locator("[role=alert] [data-refused=true]");
    await refusal.waitFor();
    expect((await refusal.innerText()).includes("cohere9"), "the field is not shown");
    expect(
      (await page.locator("[role=alert]").first().innerText()).includes("expected one of cohere, cohere2"),
      "the reason is not said",
    );
    await box.fill(JSON.stringify(config));
    const yours = () =>
      document.querySelector("qkv-model-stack select")?.selectedOptions[0]?.textContent.startsWith("your");
    await page.waitForFunction(yours);
    expect(
      (await page.evaluate(() => window.location.hash)).startsWith("#config="),
      "the config is not in the address",
    );
    await page.reload();
    await aliveFigure(page, "model-stack");
    await page.waitForFunction(yours);
    const first = () => page.locator("tbody th a").first().innerText();
    const newest = await first();
    await page.getByRole("button", { name: "cache per token", exact: true }).click();
    expect((await first()) !== newest, "the table does not sort");
    const opened = await first();
    await page.locator("tbody th a").first().click();
    await page.waitForFunction(
      (name) => document.querySelector("qkv-model-stack select")?.selectedOptions[0]?.textContent === name,
      opened,
    );
    const address = await page.evaluate(() =>
      new window.URLSearchParams(window.location.search).get("model-stack"),
    );
    expect(address?.startsWith("model="), "the model is not in the address");
    await page.reload();
    await aliveFigure(page, "model-stack");
    await page.waitForFunction(
      (name) => document.querySelector("qkv-model-stack select")?.selectedOptions[0]?.textContent === name,
      opened,
    );
  },
};

/**
 * Expects that a lesson without a figure requests none of the files with figure code, which are recognized by a class name of
 * their style sheet.
 */
export function withoutFigure(pages, build) {
  const files = ["assets/js", "live"].flatMap((folder) =>
    readdirSync(join(build, folder))
      .filter((file) => file.endsWith(".js"))
      .map((file) => join(folder, file)),
  );
  const ofFigures = new Set(
    files
      .filter((file) => readFileSync(join(build, file), "utf8").includes("qkv-figure-stage"))
      .map((file) => basename(file)),
  );
  const asked = async (page, requested) => {
    for (let more = true; more;) {
      more = await page.evaluate(() => {
        const before = window.scrollY;
        window.scrollBy(0, window.innerHeight);
        return window.scrollY > before;
      });
      await page.waitForTimeout(100);
    }
    await page.waitForLoadState("networkidle");
    return [...requested].map((url) => basename(new URL(url).pathname)).filter((name) => ofFigures.has(name));
  };
  const lessons = pages.filter(({ path }) => path.startsWith("learn/"));
  const hasFigure = ({ html }) => /data-figure=/.test(html);
  return [
    {
      name: "a lesson with a figure asks for its code",
      path: lessons.find(hasFigure).path,
      async check(page, requested) {
        expect(
          (await asked(page, requested)).length > 0,
          "it asks for none of the files that should hold it",
        );
      },
    },
    ...lessons
      .filter((page) => !hasFigure(page))
      .map(({ path }) => ({
        name: `${path} has no figure, and asks for no code of figures`,
        path,
        async check(page, requested) {
          const loaded = await asked(page, requested);
          expect(loaded.length === 0, `it asks for ${loaded.join()}`);
        },
      })),
  ];
}

export const figureChecks = [...ofEachFigure, ofModels];
