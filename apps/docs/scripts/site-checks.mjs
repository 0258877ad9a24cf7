// Invariants of live code, independent of the example.
/* global document, navigator, window -- in functions evaluated by a page */
import { Buffer } from "node:buffer";

/**
 * Scrolls an example into view, which hydrates it. The static picture may be replaced meanwhile, so this does not wait for the
 * element to be stable.
 */
export async function scrollTo(page, example) {
  const at = `[data-live="${example}"]`;
  await page.locator(at).first().waitFor({ state: "attached" });
  await page.evaluate((at) => document.querySelector(at)?.scrollIntoView({ block: "center" }), at);
}

/** Waits for the scripts of a page, which run after its first paint. */
export async function awake(page) {
  await page.waitForFunction(() => document.documentElement.dataset.hasHydrated === "true");
  await page.evaluate(() => new Promise((done) => setTimeout(done, 100)));
}

/**
 * Clicks a button. While a page hydrates, elements above may grow between locating the button and clicking, so that the click
 * misses: it is repeated until the button receives it.
 */
export async function press(button) {
  await button.evaluate((element) =>
    element.addEventListener("click", () => (element.dataset.pressed = "yes"), { once: true }),
  );
  do await button.click();
  while ((await button.getAttribute("data-pressed")) !== "yes");
  await button.evaluate((element) => delete element.dataset.pressed);
}

/** A live example of an open page: its buttons, its state, its output. */
export function linkedCode(page, example) {
  const root = page.locator(`[data-live="${example}"][data-status]`);
  const button = (name) => root.getByRole("button", { name, exact: true });
  const runs = async () => Number(await root.getAttribute("data-runs"));
  const approach = () => scrollTo(page, example);
  const ended = async (count) => {
    await approach();
    const at = `[data-live="${example}"][data-status]`;
    // Examples above it grow when they hydrate, and may push it out of view before it is observed.
    const waited = page.waitForFunction(
      ([still, at, count]) => {
        const live = document.querySelector(at);
        if (!live) document.querySelector(still)?.scrollIntoView({ block: "center" });
        return Number(live?.dataset.runs) >= count;
      },
      [`[data-live="${example}"]`, at, count],
    );
    await waited.catch(async (error) => {
      const data = await page.evaluate((at) => document.querySelector(at)?.outerHTML.slice(0, 300), at);
      throw new Error(`${example} ended no run ${count}: ${data ?? "its code did not come alive"}`, {
        cause: error,
      });
    });
  };
  // Results are hidden until each question before them is answered.
  const predict = async () => {
    for (const question of await page.locator("[data-predict=open]").all())
      await question.locator("input[type=radio]").first().check();
  };
  return {
    root,
    button,
    predict,
    runs,
    ended,
    editor: root.locator(".cm-content"),
    /** Clicks on the code, which is replaced by an editor. */
    async edit() {
      await approach();
      await root.locator("[data-code]").click();
      await root.locator(".cm-content:focus").waitFor();
    },
    shown: () => root.locator("svg.qkv-picture, pre[data-level]"),
    async run() {
      const before = await runs();
      await press(button("Run"));
      await ended(before + 1);
    },
    async expectStatus(expected) {
      const status = await root.getAttribute("data-status");
      if (status !== expected)
        throw new Error(`it ended "${status}": ${await root.getByRole("alert").allInnerTexts()}`);
    },
  };
}

function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

const valuesHash = (example, values) =>
  `#set.${example}=${Buffer.from(JSON.stringify(values)).toString("base64url")}`;
const hashOf = (example, code) => `#code.${example}=${Buffer.from(code).toString("base64url")}`;

/** The checks: name, hash of the page's address, and the check. */
export function siteChecks(example) {
  const withCode = (code) => ({ hash: hashOf(example, code) });
  const live = (page) => linkedCode(page, example);
  return [
    {
      name: "code from a link is shown, and not run before Run",
      ...withCode('console.log("from the link");'),
      async check(page) {
        const liveExample = live(page);
        await liveExample.editor.waitFor();
        expect(
          (await liveExample.editor.innerText()).includes("from the link"),
          "the editor does not show it",
        );
        await page.waitForTimeout(1500);
        expect(
          (await liveExample.runs()) === 0 && (await liveExample.shown().count()) === 0,
          "it ran by itself",
        );
        await liveExample.run();
        expect((await liveExample.shown().allInnerTexts()).join() === "from the link", "Run did not run it");
      },
    },
    {
      name: "values from a link are shown, and run nothing before Run",
      hash: valuesHash(example, { "a control": "<b>from the link</b>" }),
      async check(page) {
        const liveExample = live(page);
        await liveExample.root.getByText('The link sets a control to "<b>from the link</b>".').waitFor();
        await page.waitForTimeout(1500);
        expect(
          (await liveExample.runs()) === 0 && (await liveExample.shown().count()) === 0,
          "it ran by itself",
        );
        await liveExample.run();
        await liveExample.expectStatus("done");
        const hash = valuesHash(example, { "a control": "another" });
        await page.evaluate((hash) => (window.location.hash = hash), hash);
        await liveExample.root.getByText('The link sets a control to "another".').waitFor();
        await page.waitForTimeout(500);
        expect((await liveExample.runs()) === 1, "a link followed on the page ran by itself");
      },
    },
    {
      name: "Stop ends an endless loop, and Reset brings the example back",
      ...withCode('console.log("before"); while (true);'),
      async check(page) {
        const liveExample = live(page);
        await liveExample.button("Run").click();
        await liveExample.shown().getByText("before").waitFor();
        await liveExample.button("Stop").click();
        await liveExample.ended(1);
        await liveExample.expectStatus("stopped");
        await liveExample.button("Reset").click();
        await liveExample.ended(2);
        await liveExample.expectStatus("done");
        expect(new URL(page.url()).hash === "", "the link still carries the code");
      },
    },
    {
      name: "a loop that prints without end does not drown the page",
      ...withCode("for (let i = 0; ; i++) console.log(i);"),
      async check(page) {
        const liveExample = live(page);
        await liveExample.button("Run").click();
        await liveExample.shown().getByText("the rest is not shown").waitFor();
        await liveExample.button("Stop").click();
        await liveExample.ended(1);
      },
    },
    {
      name: "100,000 sliders, 900 lines of 3 MB and forged orders leave the page as it is, and Stop ends them",
      ...withCode(
        'const { post } = globalThis[Symbol.for("@qkv/page/host")];\n' +
          'console.log(typeof postMessage, "postMessage" in globalThis);\n' +
          "const forged = { run: 1, code: 'for (;;) console.log(1)', values: {} };\n" +
          'dispatchEvent(new MessageEvent("message", { data: forged }));\n' +
          'for (let i = 0; i < 100_000; i++) post({ type: "slider", label: `slider ${i}`, min: 0, max: 1, step: 0.1, value: 0 });\n' +
          'for (let i = 0; i < 20; i++) post({ type: "picture", svg: `<svg xmlns="http://www.w3.org/2000/svg">${"<g/>".repeat(9000)}</svg>` });\n' +
          'for (let i = 0; i < 900; i++) post({ type: "text", text: "x".repeat(3e6), level: "log" });\n' +
          'post({ type: "text", text: { toString: "no text" }, level: "log" });\n' +
          "while (true);",
      ),
      async check(page) {
        const liveExample = live(page);
        await liveExample.button("Run").click();
        await liveExample.shown().getByText("characters of text: the rest is not shown").first().waitFor();
        const start = Date.now();
        await page.evaluate(() => new Promise((done) => setTimeout(done)));
        expect(Date.now() - start < 10_000, `the page took ${Date.now() - start} ms to answer`);
        await liveExample.button("Stop").click();
        await liveExample.ended(1);
        await liveExample.expectStatus("stopped");
        const [first] = await liveExample.shown().allInnerTexts();
        expect(first === "undefined false", `a way to the page is left: ${first}`);
        const sliders = await liveExample.root.locator("input[type=range]").count();
        expect(sliders === 64, `${sliders} sliders`);
        const letters = (await liveExample.shown().allInnerTexts()).join("").length;
        expect(letters < 600_000, `${letters} letters`);
      },
    },
    {
      name: "patched globals do not reach the network guard",
      ...withCode(
        "String.prototype.startsWith = () => true;\n" +
          "let leaked;\n" +
          "const { apply } = Reflect;\n" +
          "Reflect.apply = (door, ...rest) => ((leaked = door), apply(door, ...rest));\n" +
          "Function.prototype.call = Function.prototype.apply = function () { leaked = this; };\n" +
          'Object.defineProperty(Request.prototype, "url", { get: () => location.href });\n' +
          "globalThis.Request = function () { return { url: location.href }; };\n" +
          'for (const ask of [fetch, () => leaked("https://example.com/?leaked")])\n' +
          '  try { await ask("https://example.com/?guarded"); console.log("left"); } catch (error) { console.log(String(error)); }',
      ),
      async check(page) {
        const liveExample = live(page);
        await liveExample.run();
        const [guarded, leaked] = await liveExample.shown().allInnerTexts();
        expect(/its own files only/.test(guarded), `fetch said: ${guarded}`);
        expect(!/left|Failed to fetch/.test(leaked), `what leaked said: ${leaked}`);
      },
    },
    ...[
      ["an error is shown at its line", "const a = 1;\n\nnull!.b;\n", 3, "TypeError"],
      [
        "an error of the packages is shown at its line",
        'import { tensor } from "@qkv/tensor";\ntensor([1, 2], { shape: [3] });',
        2,
        "ShapeError: tensor",
      ],
      ["a syntax error is shown at its line", "const a = 1;\nlet b = ;\n", 2, "Unexpected token"],
      ["an unknown module is shown at its line", '\n\nimport "lodash";', 3, "Unknown module"],
    ].map(([name, code, line, text]) => ({
      name,
      ...withCode(code),
      async check(page) {
        const liveExample = live(page);
        await liveExample.run();
        expect((await liveExample.root.getAttribute("data-status")) === "error", "it did not fail");
        expect(
          (await liveExample.root.getByRole("alert").innerText()).includes(text),
          `the error does not say ${text}`,
        );
        await liveExample.button(`Line ${line}`).waitFor();
        const marked = await liveExample.root
          .locator(".cm-line")
          .evaluateAll((lines) =>
            lines.flatMap((element, i) => (element.classList.contains("cm-error-line") ? [i + 1] : [])),
          );
        expect(marked.join() === String(line), `marked are the lines ${marked}`);
      },
    })),
    {
      name: "an edit goes into the link, Ctrl-Enter runs it, Tab leaves the editor, a reload keeps and does not run it",
      async check(page) {
        const liveExample = live(page);
        await liveExample.ended(1);
        await liveExample.edit();
        await page.keyboard.press("Control+A");
        await page.keyboard.type('console.log("edited")');
        const before = await liveExample.runs();
        await page.keyboard.press("Control+Enter");
        await liveExample.ended(before + 1);
        expect((await liveExample.shown().allInnerTexts()).join() === "edited", "Ctrl-Enter did not run it");
        await page.keyboard.press("Tab");
        expect(
          !(await liveExample.editor.evaluate((element) => element.contains(document.activeElement))),
          "Tab stays inside",
        );
        await page.reload();
        await liveExample.editor.waitFor();
        expect((await liveExample.editor.innerText()).includes("edited"), "the link lost it");
        await page.waitForTimeout(500);
        expect((await liveExample.runs()) === 0, "it ran by itself");
      },
    },
    {
      name: "a picture from live code cannot run script or load anything",
      ...withCode(
        'import { show } from "@qkv/page";\n' +
          'show(`<svg xmlns="http://www.w3.org/2000/svg" onload="window.caught = 1"><script>window.caught = 1</script>' +
          '<image href="https://example.com/a.png"/><style>@import url(https://example.com/a.css);</style>' +
          '<rect onclick="window.caught = 1" fill="url(https://example.com/a.svg#b)" width="5" height="5"/>' +
          '<foreignObject><img xmlns="http://www.w3.org/1999/xhtml" src="x" onerror="window.caught = 1"/></foreignObject></svg>`);',
      ),
      async check(page) {
        const liveExample = live(page);
        await liveExample.run();
        const svg = liveExample.root.locator("svg").last();
        const drawn = await svg.evaluate((element) => element.outerHTML);
        const inside = drawn.replace(' style="min-width: 0px;"', ""); // added by the page for narrow screens
        expect(/<rect width="5" height="5"/.test(inside), "what draws is gone too");
        expect(
          !/script|image|onload|onclick|style|foreignObject|example\.com/.test(inside),
          `left: ${inside}`,
        );
        await page.waitForTimeout(300);
        expect((await page.evaluate(() => window.caught)) === undefined, "script ran");
      },
    },
    {
      name: "without JavaScript there are the code and its picture",
      options: { javaScriptEnabled: false },
      async check(page) {
        const liveExample = page.locator(`[data-live="${example}"]`);
        expect(
          (await liveExample.locator("summary").first().textContent()).includes("imports from"),
          "no imports",
        );
        expect((await liveExample.locator("details + pre").first().innerText()).includes("const"), "no code");
        expect(await liveExample.locator("svg.qkv-picture").first().isVisible(), "no picture");
      },
    },
    {
      name: "code from a link has no store, no channel, and no network but the site's own files",
      ...withCode(
        'const gone = ["indexedDB", "caches", "BroadcastChannel", "importScripts", "WebSocket", "XMLHttpRequest", "FontFace"];\n' +
          'console.log(gone.filter((name) => name in globalThis).join() || "all gone");\n' +
          'try { await fetch("https://example.com/"); console.log("left"); } catch (error) { console.log(String(error)); }',
      ),
      async check(page) {
        const liveExample = live(page);
        await liveExample.run();
        const [names, refused] = await liveExample.shown().allInnerTexts();
        expect(names === "all gone", `still there: ${names}`);
        expect(/its own files only/.test(refused), `fetch said: ${refused}`);
      },
    },
    {
      name: "an editor completes and knows types",
      ...withCode(
        'import { tensor } from "@qkv/tensor";\nconst x = tensor([1, 2]);\nconst y: string = x.shape;\nx.sh',
      ),
      async check(page) {
        const liveExample = live(page);
        await liveExample.edit();
        // Errors are marked once TypeScript is loaded; from then on, responses are immediate.
        await liveExample.root.locator(".cm-lintRange").first().waitFor();
        await page.keyboard.press("Control+End");
        await page.keyboard.type("a");
        await page.locator(".cm-tooltip-autocomplete").getByText("shape").first().waitFor();
        await page.keyboard.press("Escape");
        // A position in the word after "const x = ", with characters of nearly 8 pixels.
        await liveExample.editor
          .locator(".cm-line")
          .nth(1)
          .hover({ position: { x: 104, y: 9 } });
        await page.locator(".cm-type").getByText("Tensor").first().waitFor();
      },
    },
    {
      name: "what a slider says is in the link",
      async check(page) {
        const liveExample = live(page);
        await liveExample.ended(1);
        await liveExample.predict();
        const control = liveExample.root.locator("input[type=range]").first();
        const before = await control.inputValue();
        await control.press("End");
        if ((await control.inputValue()) === before) await control.press("Home");
        await liveExample.ended(2);
        const value = await control.inputValue();
        expect(page.url().includes("set."), "the link has no values");
        await page.reload();
        await liveExample.root.getByText("The link sets").waitFor();
        await liveExample.predict();
        await liveExample.run();
        expect((await control.inputValue()) === value, "a reload lost it");
      },
    },
    {
      name: "search finds a function, offline",
      async check(page) {
        const box = page.getByRole("textbox", { name: "Search" });
        await box.click();
        await box.pressSequentially("slidingWindow", { delay: 20 });
        await page.getByRole("option").or(page.locator("[class*=suggestion]")).first().waitFor();
      },
    },
  ];
}

/** The checks of the first page. */
export const firstPageChecks = [
  {
    name: "the first page reads a sentence, takes a head apart, switches heads and measures",
    async check(page) {
      const first = page.locator("[data-live-look]");
      expect(
        (await first.locator("svg.qkv-picture path").count()) > 0,
        "nothing is drawn before the model is there",
      );
      await page.locator("[data-live-look=yes]").waitFor();
      await first.locator("textarea").fill("The little dog ran home");
      await first.getByText("home", { exact: true }).first().waitFor();
      const box = first.locator("textarea");
      await first.getByRole("group", { name: "Likeliest next tokens" }).getByRole("button").first().click();
      expect((await box.inputValue()).length > "The little dog ran home".length, "a press appended nothing");
      await box.fill("");
      await first.getByText("start with one of these").waitFor();
      await box.fill("a 🦊");
      await first.getByText(/part of a character that is not in the vocabulary/).waitFor();
      await box.fill("The little dog ran home");
      await first.getByText("home", { exact: true }).first().waitFor();
      await first.getByRole("button", { name: /layer 2, head 3/ }).click();
      await page.locator("[data-drawer=ready]").waitFor();
      const figure = page.locator("[data-drawer] qkv-attention-call");
      await figure.getByText("One attention call").first().waitFor();
      expect(new URL(page.url()).search === "", "a figure that the page leads wrote into the address");
      await figure.locator('[data-cell^="a:"]').first().waitFor();
      await figure.getByText("layer 2, head 3").first().waitFor({ state: "attached" });
      await first.locator("label", { hasText: /^MQA$/ }).click();
      await first.getByText(/Forcing MQA on this GQA model shifts its prediction by \d+%/).waitFor();
      const cache = first.locator("qkv-heads-and-keys");
      await cache.scrollIntoViewIfNeeded();
      await cache.getByLabel("Time per token").selectOption({ label: "Measure on this device" });
      await cache.getByText(/Measured on your device just now/).waitFor();
    },
  },
  {
    name: "from the first page to own code that runs: three clicks at most",
    async check(page) {
      let clicks = 0;
      const liveExample = linkedCode(page, "first-look");
      await liveExample.ended(1);
      clicks++;
      await liveExample.edit();
      await page.keyboard.press("Control+A");
      await page.keyboard.type('console.log("mine")');
      const before = await liveExample.runs();
      clicks++;
      await liveExample.button("Run").click();
      await liveExample.ended(before + 1);
      expect((await liveExample.shown().allInnerTexts()).join() === "mine", "it did not run");
      expect(clicks <= 3, `${clicks} clicks`);
    },
  },
  {
    name: "after the first visit the site is isolated, and works without a network",
    options: { serviceWorkers: "allow" },
    async check(page) {
      const kept = page.evaluate(
        () =>
          new Promise((done) =>
            navigator.serviceWorker.addEventListener("message", ({ data }) => data === "kept" && done()),
          ),
      );
      await kept;
      await page.reload();
      expect(await page.evaluate(() => window.crossOriginIsolated), "the second visit is not isolated");
      await page.context().setOffline(true);
      await page.reload();
      await page.locator("[data-live-look=yes]").waitFor();
      await page.goto(`${page.url().replace(/[?#].*/, "")}learn/fewer-keys/`);
      const liveExample = linkedCode(page, "kv-heads-latency");
      await liveExample.ended(1);
      await liveExample.expectStatus("done");
      await page.context().setOffline(false);
    },
  },
  {
    name: "an embedded example runs with the code of its link",
    path: `embed/#example=first-look&code.first-look=${Buffer.from('console.log("framed")').toString("base64url")}`,
    async check(page) {
      const liveExample = linkedCode(page, "first-look");
      await liveExample.editor.waitFor();
      await liveExample.run();
      expect((await liveExample.shown().allInnerTexts()).join() === "framed", "it did not run");
    },
  },
];
