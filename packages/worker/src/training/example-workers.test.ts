import { ArgumentError } from "@qkv/core";
import { batchStream, type BatchStreamState, textExample } from "@qkv/transformer/data";
import fc from "fast-check";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { exampleWorkers } from "./example-workers.js";
import { serveExamples } from "./serve-examples.js";

// Both ends in one thread: what is tested is what they send each other, and when.
const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

type Line = { text: string };
const encode = (offset: number, { text }: Line) =>
  textExample(Array.from(text, (letter) => letter.charCodeAt(0) - offset));
function worker(delay = () => 0): MessagePort {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  serveExamples<Line, number>(
    async (offset) => {
      await new Promise((resolve) => setTimeout(resolve, delay()));
      return (line) => {
        if (line.text === "bad")
          throw new ArgumentError({ fn: "f", argument: "a", received: 1, expected: "2", fix: "give 2." });
        return encode(offset, line);
      };
    },
    { port: port2 as never },
  );
  return port1;
}
const lines: Line[] = Array.from({ length: 53 }, (_, n) => ({
  text: "abcdefghij".slice(n % 7, 3 + (n % 8)) + "xy",
}));
const options = { batchSize: 2, contextLength: 9, seed: 3, shuffle: 8 };

test("property: batches, their order and resume positions equal those without workers", async () => {
  const alone = batchStream(async function* (skip) {
    for (const line of lines.slice(skip)) yield encode(90, line);
  }, options);
  const expected: [unknown, BatchStreamState][] = [];
  for (let step = 0; step < 30; step++)
    expected.push([(await alone.batchAt(step)).ids.toNested(), alone.state()]);
  const small = fc.integer({ min: 1, max: 4 });
  await fc.assert(
    fc.asyncProperty(
      small,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 25 }),
      async (count, blockSize, first) => {
        let n = 0;
        await using workers = exampleWorkers<Line>({
          ...{ count, blockSize, setup: 90 },
          worker: () => worker(() => (count - n++) * 2) as never,
        });
        const state = first === 0 ? undefined : expected[first - 1]![1];
        const stream = batchStream((skip) => workers.examples(lines.slice(skip)), {
          ...options,
          ...(state && { state }),
        });
        for (let step = first; step < first + 5; step++) {
          expect((await stream.batchAt(step)).ids.toNested()).toEqual(expected[step]![0]);
          expect(stream.state()).toEqual(expected[step]![1]);
        }
        await stream.close();
      },
    ),
    { numRuns: 15 },
  );
});

test("each worker has at most two blocks of records", async () => {
  let read = 0;
  let closed = false;
  async function* source() {
    try {
      for (const line of lines) {
        read += 1;
        yield await Promise.resolve(line);
      }
    } finally {
      closed = true;
    }
  }
  await using workers = exampleWorkers<Line>({
    worker: () => worker() as never,
    count: 2,
    blockSize: 3,
    setup: 90,
  });
  for await (const { ids } of workers.examples(source())) {
    expect(Array.from(ids)).toEqual(Array.from(encode(90, lines[0]!).ids));
    break;
  }
  expect(read).toBe(12);
  expect(closed).toBe(true);
});

test("errors of a record and of the source are thrown after the examples before them", async () => {
  await using workers = exampleWorkers<Line>({
    worker: () => worker() as never,
    count: 2,
    blockSize: 2,
    setup: 90,
  });
  const seen = async (records: AsyncIterable<Line> | Iterable<Line>) => {
    let count = 0;
    try {
      for await (const _ of workers.examples(records)) count += 1;
    } catch (error) {
      return [count, error] as const;
    }
    return [count, undefined] as const;
  };
  const [count, error] = await seen([...lines.slice(0, 4), { text: "bad" }]);
  expect([count, error]).toEqual([4, expect.any(ArgumentError)]);
  async function* broken() {
    yield* lines.slice(0, 3);
    throw new Error("the disk is gone");
  }
  expect(await seen(broken())).toEqual([3, expect.objectContaining({ message: "the disk is gone" })]);
});

test("values that are not workers are refused by name", () => {
  expect(() => exampleWorkers({ worker: 1 as never })).toThrow(
    /exampleWorkers: `worker` is 1.*\nFix: give a function/,
  );
  expect(() => exampleWorkers({ worker: () => worker() as never, count: 0 })).toThrow(/`count` is 0/);
});
