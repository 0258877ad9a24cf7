// The generated page that follows `query` from attention() to each kernel and back is up to date.
import { expect, test } from "vitest";
import { callPathPage, hopsOf, readPage } from "../scripts/call-path.mjs";
import { parts } from "../scripts/call-path/hops.mjs";

test("the page agrees with the sources", () => {
  expect(readPage(), "run npm run call-path, and commit what it writes").toBe(callPathPage());
});

test.each(["js", "wasm", "gpu-scalar", "gpu-webgl2", "webgpu"])("the forward path reaches %s", (id) => {
  const hops = hopsOf(parts.find((part) => part.id === id)!);
  expect(hops.length, "name its functions in scripts/call-path/hops.mjs").toBeGreaterThan(2);
});

test("a hop that no earlier hop calls is an error", () => {
  const decode = parts.find(({ id }) => id === "wasm-decode")!;
  const without = decode.hops.filter(({ fn }) => fn !== "scorePage");
  expect(() => hopsOf({ ...decode, hops: without })).toThrow(/calls scoreFirst of .*attention-decode\.ts/);
});

test("a hop whose function is missing in its file is an error", () => {
  const [forward] = parts;
  const hops = forward!.hops.map((hop) => ({ ...hop, fn: hop.fn.replace(/^attention$/, "attend") }));
  expect(() => hopsOf({ ...forward!, hops })).toThrow(/attention\.ts has no attend/);
});
