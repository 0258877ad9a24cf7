// Negative controls of mixers: each operation is computed with every mistake that applies to its steps, and at least
// one of its cases must fail by its error, not by an exception.
import { chunkwise } from "@qkv/attention";
import { js, pad, slice, type Tensor } from "@qkv/tensor";
import { withMistake, wrongScans } from "@qkv/test-support/wrong-scans";
import { expect, test } from "vitest";
import { referenceData } from "../../reference-data.mjs";
import { Skip, type Target } from "../case.js";
import { passes, type Check } from "../check.js";
import { vectors } from "../families/vectors.js";
import type { ReferenceOp } from "../reference-op.js";
import { mixerOps, mixerOpsBy } from "./mixers.js";
import { ownFormOps } from "./own-forms.js";
import { casesByTier } from "../../../scripts/tier.mjs";

const target: Target = { device: js(), class: "host" };

/** Failed checks of all cases of an operation. A case that throws fails the test. */
async function failuresOf(op: ReferenceOp): Promise<Check[]> {
  const cases = vectors("linear", [op], () => "linear")(referenceData).flatMap(({ cases }) => cases);
  const failures: Check[] = [];
  let ran = 0;
  for (const testCase of cases) {
    try {
      failures.push(...(await testCase.run(target)).filter((check) => !passes(check)));
      ran += 1;
    } catch (error) {
      if (!(error instanceof Skip)) throw error;
    }
  }
  expect(ran, `cases of ${op.name}`).toBeGreaterThan(0);
  return failures;
}

const differs = ({ error, tolerance, detail }: Check) => detail === undefined && error > 3 * tolerance;

/** Operations with two scans, one of which writes reads of the other: mistakes in reads reach the states. */
const writesWhatItReads = ["precond_gated_delta_rule"];

const mixers = casesByTier(
  mixerOps.map(({ name }) => name),
  (name) => name === "gated_delta_rule",
);

test.each(mixers)("%s: at least three wrong scans are detected", async (name) => {
  const opBy = (form: ReturnType<typeof chunkwise>) => mixerOpsBy(form).find((op) => op.name === name)!;
  expect(await failuresOf(opBy(chunkwise()))).toEqual([]);
  const seen: string[] = [];
  for (const wrong of wrongScans) {
    let changes = 0;
    const failures = await failuresOf(opBy(withMistake(wrong, chunkwise(), () => changes++)));
    if (changes === 0) continue;
    expect(failures.some(differs), `a scan that ${wrong.name} is seen`).toBe(true);
    if (wrong.readsOnly && !writesWhatItReads.includes(name)) {
      const states = failures.filter(({ output }) => /^(final_(?!z)|last_state)/.test(output));
      expect(states, `a scan that ${wrong.name} leaves the right state`).toEqual([]);
    }
    seen.push(wrong.name);
  }
  expect(seen.length).toBeGreaterThanOrEqual(3);
});

/** Inputs without a token axis: weights, a penalty, states. */
const notPerToken = /^(w|b|lamb|initial_.*|h_.*)$/;

test.each(casesByTier(ownFormOps, ({ name }) => name === "ttt_linear"))(
  "$name: a shift of any input by one token is detected",
  async (op) => {
    expect(await failuresOf(op)).toEqual([]);
    const perToken = op.inputs!.filter((name) => !notPerToken.test(name));
    expect(perToken.length).toBeGreaterThanOrEqual(3);
    for (const name of perToken) {
      const axis = op.attributes["layout"] === "[B,H,T,D]" ? 2 : 1;
      const late = (x: Tensor) => slice(pad(x, axis, 1, 0), axis, 0, x.shape[axis]!);
      const run: ReferenceOp["run"] = (inputs, attributes) =>
        op.run({ ...inputs, [name]: late(inputs[name]!) }, attributes);
      expect((await failuresOf({ ...op, run })).some(differs), `a late ${name} is seen`).toBe(true);
    }
  },
);
