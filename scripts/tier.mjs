// The tier of tests that a run of vitest is for. With QKV_TIER=1, which `npm test` sets, vitest leaves out `*.slow.test.ts`
// and runs fewer cases of each property. By default it runs everything.
export const tier = process.env.QKV_TIER;
if (tier !== undefined && tier !== "1")
  throw new Error(`tier: QKV_TIER is "${tier}", expected "1" or nothing.\nFix: unset it to run all tests.`);

/** Files that vitest leaves out, besides its defaults. */
export const leftOut = tier === "1" ? ["**/*.slow.test.ts"] : [];
