import { mul } from "@qkv/tensor";
import { tensorNames } from "@qkv/transformer/inspection";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { runWithTrace, type TraceNames } from "./run-with-trace.js";
import { randomDecoder } from "@qkv/test-support/random-decoder";

const model = randomDecoder("llama", { vocabSize: 13 } as never);
const ids = [3, 1, 4, 1, 5];

test("tensorNames lists exactly the traced tensors", () => {
  const { tensors } = runWithTrace(model, ids);
  expect(Object.keys(tensors).sort()).toEqual(tensorNames(model.config).sort());
});

test("hooks that return nothing leave the logits unchanged", () => {
  const read: string[] = [];
  const { logits } = runWithTrace(model, ids, {
    names: [],
    hooks: { output: (_, name) => void read.push(name) },
  });
  expect(read).toEqual(["layers.0.output", "layers.1.output"]);
  expect(logits.data).toEqual(model.apply(model.params, ids).data);
});

const replaceable = tensorNames(model.config).filter((name) => !/\.(dots|capped|scores|lse)$/.test(name));

test.each(replaceable)("a hook at %s changes the logits, and its result is traced", (name) => {
  const { logits, tensors } = runWithTrace(model, ids, {
    names: [name] as unknown as TraceNames,
    hooks: { [name]: (x) => mul(x, 0.5) },
  });
  const plain = runWithTrace(model, ids, { names: [name] as unknown as TraceNames });
  expect(tensors[name]!.data).toEqual(mul(plain.tensors[name]!, 0.5).data);
  expect(logits.data).not.toEqual(plain.logits.data);
});

test("weights replaced by themselves leave the logits unchanged, with shared key-value heads too", () => {
  const { logits } = runWithTrace(model, ids, { names: [], hooks: { weights: (x) => mul(x, 1) } });
  expect(logits.data).toBeAllclose(model.apply(model.params, ids).data, { rtol: 0, atol: 1e-6 });
});

test("tensors inside attention cannot be replaced, and unknown names are refused with the nearest name", () => {
  const hooks = { "layers.0.attention.scores": () => undefined };
  expect(() => runWithTrace(model, ids, { hooks })).toThrow(
    /`hooks` is "layers\.0\.attention\.scores".*\nFix: replace the `query`/,
  );
  expect(() => runWithTrace(model, ids, { hooks: { "layers.0.outputs": () => undefined } })).toThrow(
    /Fix: did you mean `layers\.0\.output`\?/,
  );
  expect(() => runWithTrace({ ...model, tokenizer: undefined }, "text")).toThrow(
    /runWithTrace: `input` is "text", expected token ids/,
  );
});
