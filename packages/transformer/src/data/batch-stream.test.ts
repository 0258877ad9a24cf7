import { expect, test } from "vitest";
import { adamW } from "@qkv/tensor/optimizers";
import { tensorsOf } from "@qkv/tensor";
import { decoder } from "../models/decoder.js";
import { readCheckpoint, writeCheckpoint } from "../training/checkpoint.js";
import { tokenLoss } from "../training/losses.js";
import { train } from "../training/train.js";
import { batchStream, type BatchStreamState } from "./batch-stream.js";
import { jsonLines } from "./json-lines.js";
import { textExample } from "./text-example.js";

const texts = Array.from({ length: 23 }, (_, name) =>
  Array.from({ length: 2 + (name % 5) }, (_, n) => (name + n * 3) % 11),
);
const file = texts.map((ids) => `${JSON.stringify({ ids })}\n`).join("");
const opened: number[] = [];
async function* open(skip: number) {
  opened.push(skip);
  for await (const { ids } of jsonLines<{ ids: number[] }>([file], { skip })) yield textExample(ids);
}
const options = { batchSize: 2, contextLength: 6, seed: 4, shuffle: 8 };

test("every epoch has each example once, in another order", async () => {
  const stream = batchStream(open, options);
  const targets = texts.flatMap((ids) => ids.slice(1));
  const epochs: number[][] = [[], [], []];
  let allTargets: number[] = [];
  for (let step = 0; allTargets.length < targets.length * 3; step++) {
    const batch = await stream.batchAt(step);
    allTargets.push(...[...batch.targets.data].filter((target) => target >= 0));
  }
  allTargets = allTargets.slice(0, targets.length * 3);
  epochs.forEach((_, n) => (epochs[n] = allTargets.slice(n * targets.length, (n + 1) * targets.length)));
  for (const epoch of epochs) expect([...epoch].sort()).toEqual([...targets].sort());
  expect(epochs[1]).not.toEqual(epochs[0]);
});

test("a stream continues from any saved state, and opens its source at the saved offset", async () => {
  const stream = batchStream(open, options);
  const states: BatchStreamState[] = [stream.state()];
  const batches: unknown[] = [];
  for (let step = 0; step < 30; step++) {
    batches.push((await stream.batchAt(step)).ids.toNested());
    states.push(JSON.parse(JSON.stringify(stream.state())) as BatchStreamState);
  }
  for (const step of [1, 2, 7, 11, 19, 29]) {
    opened.length = 0;
    const other = batchStream(open, { ...options, state: states[step]! });
    expect((await other.batchAt(step)).ids.toNested()).toEqual(batches[step]);
    expect(opened[0]).toBe(states[step]!.skip);
  }
  expect(states.some(({ skip }) => skip > 0)).toBe(true);
});

test("a run resumed with a batch stream equals an uninterrupted run, bit for bit", async () => {
  const sizes = { vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1 };
  const model = decoder({ ...sizes, contextLength: 8, normEps: 1e-5, stopIds: [] });
  type Params = ReturnType<typeof model.init>;
  const common = { loss: tokenLoss(model), optimizer: adamW({ learningRate: 0.01 }), accumulate: 2 };
  const uninterrupted = model.init(1);
  const complete = batchStream(open, options);
  for await (const _ of train({
    ...common,
    params: uninterrupted,
    batchAt: (step) => complete.batchAt(step),
    steps: 9,
  }));

  const first = batchStream(open, options);
  let saved = new Uint8Array();
  for await (const { params, state } of train({
    ...common,
    ...{ params: model.init(1), batchAt: (step: number) => first.batchAt(step), steps: 5 },
  }))
    saved = new Uint8Array(await writeCheckpoint({ params, state, notes: { data: first.state() } }));
  const { params, state, notes } = await readCheckpoint<Params>(saved);
  const rest = batchStream(open, { ...options, state: (notes as { data: BatchStreamState }).data });
  for await (const _ of train({ ...common, params, state, batchAt: (step) => rest.batchAt(step), steps: 9 }));
  tensorsOf(uninterrupted).forEach((x, i) => expect(tensorsOf(params)[i]!.data).toEqual(x.data));
});

test("close ends the source; steps out of order and sources without targets are refused", async () => {
  let closed = false;
  async function* endless() {
    try {
      for (;;) yield textExample([1, 2, 3]);
    } finally {
      closed = true;
    }
  }
  const stream = batchStream(endless, options);
  await stream.batchAt(0);
  await expect(stream.batchAt(3)).rejects.toThrow(
    /`step` is 3, expected 1, as a stream returns its batches in order/,
  );
  // The stream continues after a refused step.
  expect((await stream.batchAt(1)).ids.shape).toEqual([2, 6]);
  await stream.close();
  expect(closed).toBe(true);
  const empty = batchStream(async function* () {}, options);
  await expect(empty.batchAt(0)).rejects.toThrow(/a source without a target from its beginning to its end/);
  expect(() => batchStream(open, { ...options, state: { step: -1 } as never })).toThrow(
    "batchStream: `step` is -1",
  );
});

test("a source that throws is reopened at the same example by the next call", async () => {
  let fails = 2;
  async function* failing(skip: number) {
    let index = skip;
    for await (const example of open(skip)) {
      if (index++ === 10 && fails-- > 0) throw new Error("the connection was lost");
      yield example;
    }
  }
  const expected = batchStream(open, options);
  const stream = batchStream(failing, options);
  let failed = 0;
  for (let step = 0; step < 8;) {
    const batch = await stream.batchAt(step).catch((error: Error) => error.message);
    if (batch === "the connection was lost") failed += 1;
    else expect(batch).toMatchObject({ positions: (await expected.batchAt(step++)).positions });
  }
  expect(failed).toBe(2);
});

test("a source that is not an async iterable is refused", async () => {
  for (const source of [[textExample([1, 2])], Promise.resolve([])])
    await expect(batchStream(() => source as never, options).batchAt(0)).rejects.toThrow(
      /^batchStream: `open\(skip\)` is .*, expected examples that arrive one by one.*\nFix: write `async function\* open/,
    );
});
