// Checks of the pages that compute on the user's devices: with a software adapter, and without an adapter.
import { linkedCode, press } from "./site-checks.mjs";

function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** Text of the error table's cells, by subject and case. */
const cells = (page) =>
  page.locator("[data-gpu-check] table").evaluate((table) => {
    const texts = (row) => [...row.children].map((cell) => cell.textContent);
    const [head, ...rows] = [...table.rows].map(texts);
    return rows.flatMap(([name, , ...errors]) =>
      errors.map((error, i) => ({ name, subject: head[i + 2], error })),
    );
  });

const ended = (page) => page.locator('[data-gpu-check="done"]').waitFor({ timeout: 300_000 });

export const deviceChecks = [
  {
    name: "a press compares the devices here with float64, and another press a library",
    path: "proof/check-gpu/",
    async check(page) {
      const check = page.locator("[data-gpu-check]");
      const requests = [];
      page.on("request", (request) => requests.push(request.url()));
      await press(check.getByRole("button", { name: "Check my device" }));
      await ended(page);
      const own = await cells(page);
      const wrong = own.filter(({ error }) => error.includes("wrong"));
      expect(wrong.length === 0, `wrong: ${JSON.stringify(wrong)}`);
      for (const subject of ["webgpu", "gpu:webgl2", "gpu:webasm", "wasm", "js"])
        expect(
          own.filter((liveExample) => liveExample.subject === subject && liveExample.error !== "").length ===
            11,
          `${subject} has not 11 results: ${await check.innerText()}`,
        );
      await check.getByText(/adapter: .*\(software on the CPU\)/).waitFor();
      expect(!requests.some((url) => url.includes("/live/peers/")), "a library was loaded before its button");
      for (const button of await check.locator("[data-peer]").all()) {
        const name = await button.getAttribute("data-peer");
        await press(button);
        await ended(page);
        const told = (await cells(page)).filter(({ subject }) => subject === name);
        expect(told.length === 11, `${name} has no column: ${await check.innerText()}`);
        // Correct on every adapter seen so far. Tests in Node check that the masks are passed correctly.
        for (const plain of ["matmul, odd sizes", "attention, odd sizes"]) {
          const { error } = told.find((row) => row.name === plain);
          expect(!error.includes("wrong"), `${name}: ${plain}: ${error}`);
        }
      }
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await check.getByRole("button", { name: "Copy report" }).click();
      await check.getByRole("button", { name: "Copied" }).waitFor();
      const report = await page.evaluate("navigator.clipboard.readText()");
      expect(/^adapter: [^]*\nbrowser: .*\n/.test(report) && report.includes("| case"), report);
    },
  },
  {
    name: "without an adapter the check says so, and the other devices are compared",
    path: "proof/check-gpu/",
    async check(page) {
      await page.route(/\/live\/gpu-check-[^/]*\.js$/, async (route) => {
        const response = await route.fetch();
        const body = `Object.defineProperty(navigator, "gpu", { value: undefined });\n${await response.text()}`;
        await route.fulfill({ response, body });
      });
      const check = page.locator("[data-gpu-check]");
      await press(check.getByRole("button", { name: "Check my device" }));
      await ended(page);
      await check.getByText(/left out: webgpu: .*navigator\.gpu/).waitFor();
      const subjects = new Set((await cells(page)).map(({ subject }) => subject));
      expect(subjects.has("js") && subjects.has("wasm") && !subjects.has("webgpu"), [...subjects].join());
    },
  },
  {
    name: "an example runs on the device that is chosen with keys, which the next page remembers",
    path: "learn/query-key-value/",
    async check(page) {
      const liveExample = linkedCode(page, "causal-and-window");
      await liveExample.ended(1);
      const device = liveExample.root.getByLabel("Device", { exact: true });
      for (const [key, name, words] of [
        ["w", "wasm", "WebAssembly"],
        ["ArrowDown", "webgpu", "WebGPU"],
        ["ArrowUp", "wasm", "WebAssembly"],
      ]) {
        const before = await liveExample.runs();
        await device.focus();
        await device.press(key);
        await liveExample.ended(before + 1);
        await liveExample.expectStatus("done");
        expect((await device.inputValue()) === name, `the switch is on ${await device.inputValue()}`);
        await liveExample.root.getByText(`ms on your device, ${words}`).waitFor();
      }
      await page.reload();
      await liveExample.ended(1);
      await liveExample.root.getByText("ms on your device, WebAssembly").waitFor();
      await device.selectOption("js");
      await liveExample.ended(2);
      await liveExample.root.getByText(/ms on your device$/).waitFor();
    },
  },
  {
    name: "without an adapter an example's switch says why WebGPU cannot be chosen",
    path: "learn/query-key-value/",
    async check(page) {
      await page.addInitScript('Object.defineProperty(navigator, "gpu", { value: undefined });');
      await page.reload();
      const liveExample = linkedCode(page, "causal-and-window");
      await liveExample.ended(1);
      const option = liveExample.root.locator('[data-live-device] option[value="webgpu"]');
      expect(await option.evaluate((element) => element.disabled), "WebGPU can be chosen");
      const text = await option.textContent();
      expect(text === "WebGPU: this browser has no WebGPU", text);
    },
  },
  {
    name: "an example that names its device has no choice of another",
    path: "learn/run-it-on-your-gpu/",
    async check(page) {
      const liveExample = linkedCode(page, "gpu-here");
      await liveExample.ended(1);
      const device = liveExample.root.getByLabel("Device", { exact: true });
      expect(await device.isDisabled(), "its device can be chosen");
      expect((await device.textContent()) === "Device: in the code", await device.textContent());
    },
  },
  {
    name: "the first page runs on the device that is chosen, and says which and why",
    async check(page) {
      await page.locator("[data-live-look=yes]").waitFor();
      const device = page.locator("[data-device] select");
      for (const [label, names] of [
        ["WebAssembly", ["wasm"]],
        ["JavaScript", ["js"]],
        ["WebGPU", ["webgpu", "js"]], // a software adapter, which may be missing
        ["Fastest here", ["wasm", "webgpu", "js"]],
      ]) {
        await device.selectOption({ label });
        await page
          .locator(names.map((name) => `[data-device^="${name}"]`).join())
          .waitFor({ timeout: 120_000 });
      }
      await page.getByText(/heads computed in \d+ ms on your device just now/).waitFor();
    },
  },
];
