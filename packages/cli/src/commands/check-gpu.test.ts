import { expect, test } from "vitest";
import { run } from "../run.js";

async function recorded(argv: readonly string[]) {
  let [out, err] = ["", ""];
  const code = await run(argv, {
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    color: false,
  });
  return { code, out, err };
}

test("the plain device and wasm pass every case, as a table and as JSON", { timeout: 60_000 }, async () => {
  const { code, out, err } = await recorded(["check-gpu", "--device", "js", "wasm,threads=1", "--json"]);
  expect(err).toBe("");
  expect(code).toBe(0);
  const report = JSON.parse(out) as { results: { subject: string; passed: boolean }[]; adapter: null };
  expect(report.adapter).toBeNull();
  expect(new Set(report.results.map(({ subject }) => subject))).toEqual(new Set(["js", "wasm,threads=1"]));
  expect(report.results).toHaveLength(22);
  expect(report.results.every(({ passed }) => passed)).toBe(true);
  const table = await recorded(["check-gpu", "--device", "js"]);
  expect(table.out).toMatch(/^adapter: none\nqkv .*, Node v.*\n\n\| case +\| js +\|/);
  expect(table.out).toMatch(/11 of 11 passed\n$/);
});

test("gpu.js's WebAssembly passes every case", { timeout: 60_000 }, async () => {
  const { code, out } = await recorded(["check-gpu", "--device", "gpu:webasm"]);
  expect(out).toMatch(/^adapter: none\n[^]*\| case +\| gpu:webasm +\|[^]*11 of 11 passed\n$/);
  expect(code).toBe(0);
});

test("an unknown device is refused", async () => {
  const { code, err } = await recorded(["check-gpu", "--device", "cuda"]);
  expect(code).toBe(1);
  expect(err).toMatch(/^qkv: `--device` is "cuda"/);
});
