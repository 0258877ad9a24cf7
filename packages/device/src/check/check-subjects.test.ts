// The check finds subjects with known mistakes, and passes a correct one.
import { js, matmul, softmax, tensor, transpose } from "@qkv/tensor";
import { expect, test } from "vitest";
import { checkCases } from "./cases.js";
import { checkSubjects } from "./check-subjects.js";
import { checkText } from "./check-text.js";
import { deviceSubject } from "./device-subject.js";
import { referenceInFloat64 } from "./in-float64.js";
import type { AttentionInputs, CheckCase, Subject } from "./subject.js";

/** A subject that computes in float64, except for the methods in `more`. */
function subject(name: string, more: Partial<Subject> = {}): Subject {
  const correct = (kind: CheckCase["kind"]) => (inputs: never) =>
    Promise.resolve(Float32Array.from(referenceInFloat64({ kind, inputs: () => inputs } as never)));
  return { name, matmul: correct("matmul"), attention: correct("attention"), ...more } as Subject;
}

/** Names of the cases that a subject fails. */
async function failures(tested: Subject): Promise<string[]> {
  const { results } = await checkSubjects([tested]);
  return results.filter(({ passed }) => !passed).map((result) => result.case);
}

test("float64 results rounded to float32 pass every case", async () => {
  const { results, failed } = await checkSubjects([subject("right")]);
  expect(failed).toBe(0);
  expect(results).toHaveLength(checkCases().length);
  for (const { error } of results) expect(error).toBeLessThan(1e-6);
});

test("sums in float16 are found", async () => {
  const half = subject("float16", {
    async matmul({ M, K, N, a, b }) {
      const out = new Float32Array(M * N);
      for (let m = 0; m < M; m++)
        for (let n = 0; n < N; n++) {
          const sum = new Float16(0);
          for (let k = 0; k < K; k++) sum.add(a[m * K + k]! * b[k * N + n]!);
          out[m * N + n] = sum.value;
        }
      return Promise.resolve(out);
    },
  });
  expect(await failures(half)).toEqual(expect.arrayContaining(["matmul, sums beyond float16"]));
});

/** A float16 accumulator: rounded to 11 significant bits after each addition, and infinite beyond 65504. */
class Float16 {
  value: number;
  constructor(value: number) {
    this.value = value;
  }
  add(x: number) {
    const sum = this.value + x;
    const step = 2 ** (Math.floor(Math.log2(Math.abs(sum) || 1)) - 10);
    const rounded = Math.round(sum / step) * step;
    this.value = Math.abs(rounded) > 65504 ? Infinity * Math.sign(rounded) : rounded;
  }
}

/** A subject whose attention gets other inputs than it was given. */
const withChangedInputs = (change: (inputs: AttentionInputs) => AttentionInputs) =>
  subject("changed", { attention: (inputs) => subject("right").attention(change(inputs)) });

test("a causal mask that is one key off, and a truncated sequence, are found", async () => {
  const offByOne = withChangedInputs((inputs) =>
    inputs.mask === "causal"
      ? {
          ...inputs,
          mask: Uint8Array.from({ length: inputs.T * inputs.S }, (_, i) =>
            Number(i % inputs.S < Math.floor(i / inputs.S) + inputs.S - inputs.T),
          ),
        }
      : inputs,
  );
  expect(await failures(offByOne)).toEqual(["attention, causal"]);
  const truncated = withChangedInputs((inputs) =>
    inputs.S > 4096
      ? { ...inputs, S: 4096, key: inputs.key.slice(0, 4096 * 16), value: inputs.value.slice(0, 4096 * 16) }
      : inputs,
  );
  expect(await failures(truncated)).toEqual(["attention, 8,192 keys"]);
});

test("attention that adds −1e9 to masked scores instead of removing them is found", async () => {
  const naive = deviceSubject("naive", js(), (query, key, value, mask) => {
    const scores = matmul(query, transpose(key));
    const shifted = scores.data.map((x, i) => {
      const [T, S] = scores.shape.slice(2) as [number, number];
      const [t, s] = [Math.floor(i / S) % T, i % S];
      const seen = mask === undefined || (mask === "causal" ? s <= t + S - T : mask.data[t * S + s] !== 0);
      return x / Math.sqrt(query.shape[3]!) + (seen ? 0 : -1e9);
    });
    return matmul(softmax(tensor(shifted, { shape: scores.shape })), value);
  });
  expect(await failures(naive)).toEqual(["attention, rows that see nothing", "attention, NaN where masked"]);
});

test("the report and the table contain errors, wrong lengths and NaN", async () => {
  const bad = subject("bad", {
    matmul: () => Promise.reject(new Error("device lost\nFix: none")),
    attention: ({ T }) =>
      Promise.resolve(T === 37 ? new Float32Array(3) : new Float32Array(3 * 2000).fill(NaN)),
  });
  const report = await checkSubjects([subject("right"), bad]);
  expect(report.failed).toBe(checkCases().length);
  const messages = report.results.filter((result) => result.subject === "bad").map(({ message }) => message);
  expect(messages).toContain("device lost");
  expect(messages).toContain(`3 elements, expected ${3 * 37 * 17}`);
  const text = checkText(report, ["adapter: a card"]);
  expect(text).toMatch(/^adapter: a card\n\n\| case +\| right +\| bad +\|\n\| -+ \| -+ \| -+ \|\n/);
  expect(text).toMatch(/\| matmul, odd sizes +\| [\d.]+e-\d+ +\| FAILED +\|/);
  expect(text).not.toContain("none");
  expect(text).toMatch(/bad: matmul, odd sizes: device lost \(finds mistakes at the edges of tiles\)\n/);
  expect(text).toMatch(/11 of 22 passed\n$/);
});

test("an error above the tolerance is marked WRONG, a case that threw FAILED, and both are explained", () => {
  const result = (name: string, error: number | null) => ({
    subject: "gpu",
    case: name,
    finds: "mistakes",
    error,
    tolerance: 1e-5,
    passed: error !== null && error <= 1e-5,
    ...(error === null && { message: "device lost" }),
  });
  expect(
    checkText({ results: [result("exact", 0), result("off", 0.25), result("lost", null)], failed: 2 }),
  ).toBe(
    [
      "| case  | gpu          |",
      "| ----- | ------------ |",
      "| exact | 0.0e+0       |",
      "| off   | 2.5e-1 WRONG |",
      "| lost  | FAILED       |",
      "",
      "gpu: off: 2.5e-1, more than 0.00001 (finds mistakes)",
      "gpu: lost: device lost (finds mistakes)",
      "1 of 3 passed",
      "",
    ].join("\n"),
  );
});

test("an aborted signal stops the check, and wrong arguments are refused", async () => {
  await expect(
    checkSubjects([subject("right")], { signal: AbortSignal.abort(new Error("enough")) }),
  ).rejects.toThrow("enough");
  await expect(checkSubjects([3 as never])).rejects.toThrow(/^checkSubjects: `subjects`/);
  await expect(checkSubjects([], { quick: true } as never)).rejects.toThrow(
    /^checkSubjects: `quick` is true/,
  );
  expect(() => deviceSubject("js", {} as never, () => tensor(1))).toThrow(/^deviceSubject: `device` is/);
});
