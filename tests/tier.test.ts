// A long table runs a few of its cases in the first tier, and files named *.slow.test.ts none.
import { execFileSync, spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { casesByTier } from "../scripts/tier.mjs";

const tier = new URL("../scripts/tier.mjs", import.meta.url).href;
const program = `
  import { casesByTier, leftOut, runs } from "${tier}";
  console.log(JSON.stringify([casesByTier(["a", "b", "c"], (one) => one !== "b"), leftOut, [500, 20, 5].map(runs)]));`;
const args = ["--input-type=module", "-e", program];
const inTier = (value?: string) => {
  const { QKV_TIER: _, ...env } = process.env;
  return { encoding: "utf8" as const, env: value === undefined ? env : { ...env, QKV_TIER: value } };
};

test("the first tier has the quick cases of a table and fewer cases of a property, all other runs have all", () => {
  const result = (value?: string) =>
    JSON.parse(execFileSync(process.execPath, args, inTier(value))) as unknown;
  expect(result("1")).toEqual([["a", "c"], ["**/*.slow.test.ts"], [125, 10, 5]]);
  expect(result("2")).toEqual([["a", "b", "c"], [], [500, 20, 5]]);
  expect(result()).toEqual([["a", "b", "c"], [], [500, 20, 5]]);
});

test("a table of which the first tier would run nothing, and an unknown tier, are refused in every tier", () => {
  expect(() => casesByTier(["llama", "gpt2"], (name) => name === "renamed")).toThrow(
    /^casesByTier: `isQuick` accepts none of 2 cases, expected one or more\.\nFix: name a case/,
  );
  const { status, stderr } = spawnSync(process.execPath, args, inTier("3"));
  expect(stderr).toContain('tier: QKV_TIER is "3", expected "1", "2" or nothing.\nFix: unset it');
  expect(status).toBe(1);
});
