/// <reference types="node" />
// The device of the guide "Write a device", from the guide's own file, compared with the plain device on random calls.
import { alibi, and, attention, causal, padding, slidingWindow, tracedAttention } from "@qkv/attention";
import { isPaged } from "@qkv/attention-contract";
import { pagedCache, quantizedCache } from "@qkv/kv-cache";
import { js, randn, tensor, type Device, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { runs } from "../../scripts/tier.mjs";
import { cases } from "./differential/cases.js";
import { seededRandom } from "./differential/random.js";

const file = new URL("../../apps/docs/examples/write-a-device.ts", import.meta.url);

let loops: () => Device;
beforeAll(async () => {
  // A variable specifier, which the compiler does not follow: this package may not depend on the site.
  ({ loops } = (await import(/* @vite-ignore */ file.href)) as { loops: () => Device });
});

/** Numbers of attention calls on the device's kernel, and on the plain one. */
const runsOn = (device: Device) => device.report().calls["attention"];

test("it has at most 100 lines and only imports published packages", () => {
  const source = readFileSync(file, "utf8");
  expect(source.trimEnd().split("\n").length).toBeLessThanOrEqual(100);
  const names = [...source.matchAll(/from "(.*?)"/g)].map(([, name]) => name!);
  expect(names).toContain("@qkv/attention-contract");
  // The site's package prints to the page; the device does not use it.
  for (const name of names.filter((name) => name !== "@qkv/page")) {
    const [, folder, door] = /^@qkv\/([a-z-]+)(\/.*)?$/.exec(name)!;
    const manifest = new URL(`../../packages/${folder}/package.json`, import.meta.url);
    const published = JSON.parse(readFileSync(manifest, "utf8")) as { private?: boolean; exports: object };
    expect(published.private, name).toBeUndefined();
    expect(Object.keys(published.exports), name).toContain(`.${door ?? ""}`);
  }
});

test.each(["attention", "attentionBackward"])("property: %s, the cases of the wasm device", (name) => {
  const numRuns = runs(40);
  const device = loops();
  fc.assert(
    fc.property(fc.noBias(fc.nat(2 ** 31)), fc.boolean(), (seed, scoped) => {
      const { inputs, f, tolerance } = cases[name]!(seededRandom(seed));
      const compute = (device: Device) => {
        const on = (x: Tensor) => tensor(x.data, { shape: x.shape, dtype: x.dtype, device });
        const run = () => f(...inputs.map((input) => input(scoped ? on : (x) => x.to(device))));
        return scoped ? device.scope(run) : run();
      };
      const [got, expected] = [compute(device), compute(js())];
      expect(got.shape).toEqual(expected.shape);
      const { relative: rtol, absolute: atol } = tolerance;
      expect(got.data).toBeAllclose(expected.data, { rtol, atol, equalNan: true });
    }),
    { numRuns },
  );
  expect(runsOn(device)).toMatchObject({ plain: 0 });
  expect(runsOn(device)!.device).toBeGreaterThanOrEqual(numRuns);
});

const caches = {
  "in pages": () => pagedCache({ pages: 60, pageLength: 4 }),
  "in int8": () => quantizedCache({ groupSize: 4, residualLength: 4 }),
};

test.each(Object.entries(caches))(
  "property: keys and values %s, grouped heads, masks, softcap, lse",
  (_, make) => {
    const device = loops();
    let [calls, paged] = [0, 0];
    fc.assert(
      fc.property(
        fc.record({
          B: fc.integer({ min: 1, max: 2 }),
          Hkv: fc.integer({ min: 1, max: 2 }),
          group: fc.integer({ min: 1, max: 3 }),
          chunks: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 }),
          mask: fc.constantFrom("causal", "window", "padding"),
          softcap: fc.constantFrom(0, 2),

          seed: fc.nat(1e6),
        }),
        ({ B, Hkv, group, chunks, mask, softcap, seed }) => {
          const masks = {
            causal: causal(),
            window: slidingWindow(1 + (seed % 20)),
            padding: and(causal(), padding(Array.from({ length: B }, (_, b) => (seed + 7 * b) % 30))),
          };
          const decode = (device: Device) => {
            const cache = make();
            const made = (shape: number[], seed: number) => randn(shape, { seed }).to(device);
            return chunks.map((T, i) => {
              const kv = (n: number) => made([B, Hkv, T, 8], seed + 3 * i + n);
              const keyValues = cache.update(0, kv(1), kv(2));
              paged += Number(keyValues.key.some(isPaged));
              const options = { mask: masks[mask], softcap };
              return tracedAttention(made([B, Hkv * group, T, 8], seed + 3 * i), keyValues, options, ["lse"]);
            });
          };
          const expected = decode(js());
          decode(device).forEach(({ output, lse }, i) => {
            expect(output.data).toBeAllclose(expected[i]!.output.data, { rtol: 1e-5, atol: 1e-6 });
            expect(lse.data).toBeAllclose(expected[i]!.lse.data, { rtol: 1e-5, atol: 1e-6 });
          });
          calls += chunks.length;
        },
      ),
      { numRuns: runs(40) },
    );
    expect(runsOn(device)).toEqual({ device: calls, plain: 0 });
    expect(paged).toBeGreaterThan(0);
  },
);

test("mods, sinks and traces run on the plain kernel, bitwise equal, and are counted there", () => {
  const device = loops();
  const inputs = [4, 2, 2].map((heads, seed) => randn([1, heads, 7, 8], { seed }));
  const both = (f: (q: Tensor, k: Tensor, v: Tensor) => Tensor) => {
    const [got, expected] = [device, js()].map((one) => {
      const [q, k, v] = inputs.map((x) => x.to(one)) as [Tensor, Tensor, Tensor];
      return f(q, k, v).data;
    });
    expect(got).toEqual(expected);
  };
  both((q, k, v) => attention(q, k, v, { mask: causal(), bias: alibi(4) }));
  both((q, k, v) => attention(q, k, v, { weightMod: (weight) => weight.mul(2) }));
  both((q, k, v) => attention(q, k, v, { sinks: randn([4], { seed: 3 }).to(q.device) }));
  both((q, k, v) => tracedAttention(q, k, v, {}, ["weights"]).weights);
  expect(runsOn(device)).toEqual({ device: 0, plain: 4 });
});
