// The tier of tests that a run of vitest is for. With QKV_TIER=1, which `npm test` sets, vitest leaves out `*.slow.test.ts`
// and runs fewer cases of each property and of each long table. With QKV_TIER=2, which CI sets, it leaves out what other
// steps of CI run. By default it runs everything.
export const tier = process.env.QKV_TIER;
if (tier !== undefined && tier !== "1" && tier !== "2")
  throw new Error(
    `tier: QKV_TIER is "${tier}", expected "1", "2" or nothing.\nFix: unset it to run all tests.`,
  );

/** Files that vitest leaves out, besides its defaults. */
export const leftOut = tier === "1" ? ["**/*.slow.test.ts"] : [];

/** Cases of a long table: all, or in the first tier those that `isQuick` accepts, one or more. */
export function casesByTier(all, isQuick) {
  const quick = all.filter(isQuick);
  if (quick.length === 0)
    throw new Error(
      `casesByTier: \`isQuick\` accepts none of ${all.length} cases, expected one or more.\nFix: name a case that the table has now.`,
    );
  return tier === "1" ? quick : all;
}

/** Cases of a property: the stated number, or in the first tier a quarter of it, at least 10 if it states as many. */
export const runs = (stated) =>
  tier === "1" ? Math.min(stated, Math.max(10, Math.ceil(stated / 4))) : stated;
