// The subjects of other libraries, on backends for Node: these tests show that the calls are correct, so that an error
// in the page is the library's.
import { checkCases, checkSubjects, type Subject } from "@qkv/device/check";
import { beforeAll, describe, expect, test } from "vitest";
import { jaxSubject, type Jax } from "./jax-subject";
import { onnxSubject, type Onnx } from "./onnx-subject";
import { addedToScores, seenOf, swapFirstAxes } from "./seen";

/** Specifiers in variables, so that the libraries' own types are not loaded. */
const [jaxName, onnxName, graphFile] = [
  "@jax-js/jax",
  "onnxruntime-web",
  "../../../../../benchmarks/peers/onnx.mjs",
] as [string, string, string];

/** Cases that any program with arbitrary masks can compute. */
const plain = [
  "matmul, odd sizes",
  "matmul, one row",
  "attention, odd sizes",
  "attention, causal",
  "attention, equal scores",
];
const cases = checkCases().filter(({ name }) => plain.includes(name));

describe.each([
  [
    "jax-js",
    async (): Promise<Subject> => {
      const jax = (await import(/* @vite-ignore */ jaxName)) as Jax & {
        init(device: string): Promise<unknown>;
        defaultDevice(device: string): unknown;
      };
      await jax.init("wasm");
      jax.defaultDevice("wasm");
      return jaxSubject("jax-js", jax);
    },
  ],
  [
    "ONNX Runtime Web",
    async (): Promise<Subject> => {
      const onnx = (await import(/* @vite-ignore */ onnxName)) as Onnx & { env: { logLevel: string } };
      onnx.env.logLevel = "error";
      const { graph } = (await import(/* @vite-ignore */ graphFile)) as {
        graph: Parameters<typeof onnxSubject>[3];
      };
      return onnxSubject("ONNX Runtime Web", "wasm", onnx, graph);
    },
  ],
])("%s", (_, open) => {
  let subject: Subject;
  beforeAll(async () => void (subject = await open()));

  test("computes the basic cases correctly", async () => {
    const { results } = await checkSubjects([subject], { cases });
    expect(results).toHaveLength(plain.length);
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
  });
});

test("a causal mask aligns queries with the last T of S positions", () => {
  const sizes = { H: 1, T: 2, S: 3, D: 1 };
  const none = new Float32Array(0);
  const seen = seenOf({ ...sizes, query: none, key: none, value: none, mask: "causal" })!;
  expect([...seen]).toEqual([1, 1, 0, 1, 1, 1]);
  expect([...addedToScores(seen)]).toEqual([0, 0, -Infinity, 0, 0, 0]);
  expect(seenOf({ ...sizes, query: none, key: none, value: none })).toBeUndefined();
});

test("heads and positions are transposed", () => {
  expect([...swapFirstAxes([1, 2, 3, 4, 5, 6], 3, 1, 2)]).toEqual([1, 2, 3, 4, 5, 6]);
  expect([...swapFirstAxes([1, 2, 3, 4], 2, 2, 1)]).toEqual([1, 3, 2, 4]);
});
