// The order in which a mutant meets the tests of both tiers (scripts/tier.mjs), and the table of the tiers that notice it.

const isSlow = (file) => file.endsWith(".slow.test.ts");

/**
 * Runs of tests until one notices: of the first tier, then with `upTo: 2` of both. In each tier `first`, the tests named for
 * the mutant or beside its file, come before `rest`. The first tier leaves out `*.slow.test.ts`; in a folder, vitest does so.
 */
export function runsFor({ first, rest }, upTo) {
  const runs = [
    { tier: 1, files: first.filter((file) => !isSlow(file)) },
    { tier: 1, files: rest.filter((file) => !isSlow(file)), elsewhere: true },
    { tier: 2, files: first },
    { tier: 2, files: rest, elsewhere: true },
  ];
  return runs.filter(({ tier, files }) => tier <= upTo && files.length > 0);
}

/**
 * Runs `test` on each of `runs` until a test fails. Returns its result with the run's tier; if none fails, the last result, and
 * `tier` is undefined.
 *
 * @param {{ tier: number, files: string[], elsewhere?: boolean }[]} runs
 * @param {(files: string[], tier: number) => { failed: number, status: number | null }} test
 */
export function noticed(runs, test) {
  let result = { failed: 0, status: 0 };
  for (const { tier, files, elsewhere = false } of runs) {
    result = test(files, tier);
    if (result.failed > 0) return { ...result, tier, elsewhere };
  }
  return { ...result, tier: undefined, elsewhere: false };
}

/** One line per mutant, `{ name, tier }`, with the tier that notices it, then the number of mutants of each. */
export function tierTable(mutants, upTo) {
  const tiers = [...(upTo === 2 ? [1, 2] : [1]), undefined];
  const label = (tier) => (tier === undefined ? "no tier" : `tier ${tier}`).padEnd(7);
  return [
    ...tiers.flatMap((tier) =>
      mutants.filter((mutant) => mutant.tier === tier).map(({ name }) => `${label(tier)}  ${name}`),
    ),
    "",
    ...tiers.map((tier) => `${label(tier)}  ${mutants.filter((mutant) => mutant.tier === tier).length}`),
  ].join("\n");
}
