// Choices among devices that are made up: ready at once, late, slow, wrong.
import { DeviceError } from "@qkv/core";
import { js, randn, type Device } from "@qkv/tensor";
import { describe, expect, test } from "vitest";
import type { Candidate } from "./candidates.js";
import { choose, type Surroundings } from "./choose.js";
import { Remembered, type ChoiceStorage } from "./remembered.js";

type Made = {
  kind?: Candidate["kind"];
  ms?: number;
  after?: Promise<unknown>;
  fails?: string;
  wrong?: string;
};

/** Candidates by name, whose work takes as long on a clock of its own as it is told; and the names that were closed. */
function world(made: Record<string, Made>) {
  let now = 0;
  const closed: string[] = [];
  const opened: string[] = [];
  const duration = new WeakMap<Device, number>();
  const wrong = new WeakMap<Device, string>();
  const candidates = Object.entries(made).map(
    ([name, { kind = "host", ms = 1, after, fails, wrong: bad }]): Candidate => ({
      name,
      kind,
      async open() {
        opened.push(name);
        await after;
        if (fails) throw new Error(`${fails}\nFix: none`);
        const device = { ...js(), name, close: () => void closed.push(name) };
        duration.set(device, ms);
        if (bad) wrong.set(device, bad);
        return device;
      },
    }),
  );
  const items = new Map<string, string>();
  const storage: ChoiceStorage = {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
  };
  const given = (more: Partial<Surroundings> = {}): Surroundings => ({
    remembered: new Remembered(storage, ["1"], () => 1000),
    adapter: "a card",
    refused: new Map(),
    patienceMs: 20,
    work: (device) => () => {
      now += duration.get(device)!;
      if (wrong.has(device)) throw new Error(wrong.get(device));
      return randn([1], { seed: 1, device });
    },
    clock: () => now,
    ...more,
  });
  return { candidates, given, closed, opened, items };
}

const never = new Promise(() => {});
const outcomes = ({ choice }: { choice: { attempts: readonly { name: string; outcome: string }[] } }) =>
  Object.fromEntries(choice.attempts.map(({ name, outcome }) => [name, outcome]));

describe("among those that are ready", () => {
  test("the fastest is taken, the others are closed, and all are told of with their times", async () => {
    const { candidates, given, closed } = world({
      webgpu: { kind: "late", ms: 2 },
      wasm: { ms: 5 },
      js: { kind: "last" },
    });
    const best = await choose(candidates, given());
    expect(best.choice).toMatchObject({ name: "webgpu", adapter: "a card", remembered: false });
    expect(best.choice.why).toBe("it is the fastest here: 2.00 ms");
    expect(best.choice.attempts).toMatchObject([
      { name: "webgpu", outcome: "chosen", milliseconds: 2 },
      { name: "wasm", outcome: "slower", milliseconds: 5, reason: "5.00 ms, and webgpu 2.00 ms" },
      { name: "js", outcome: "skipped" },
    ]);
    expect(closed).toEqual(["wasm"]);
    expect(best.better).toBeUndefined();
    expect((await randn([2], { seed: 1, device: best }).read()).length).toBe(2);
    await best[Symbol.asyncDispose]();
    expect(closed).toEqual(["wasm", "webgpu"]);
  });

  test("a GPU that is slower than the processor is not taken", async () => {
    const { candidates, given, closed } = world({ webgpu: { kind: "late", ms: 9 }, wasm: { ms: 5 } });
    const best = await choose(candidates, given());
    expect(outcomes(best)).toEqual({ webgpu: "slower", wasm: "chosen" });
    expect(closed).toEqual(["webgpu"]);
  });

  test("of equally fast ones the first of the preferences", async () => {
    const { candidates, given } = world({ a: { ms: 3 }, b: { ms: 3 } });
    expect((await choose(candidates, given())).choice.name).toBe("a");
    expect(
      (await choose([...candidates].reverse(), given({ remembered: new Remembered(undefined, [], () => 0) })))
        .choice.name,
    ).toBe("b");
  });
});

describe("what does not work", () => {
  test("a device that does not open, or fails at the work, is refused with the reason, and closed", async () => {
    const { candidates, given, closed } = world({
      webgpu: { kind: "late", fails: "wrong numbers" },
      wasm: { wrong: "no room" },
      js: { kind: "last" },
    });
    const best = await choose(candidates, given());
    expect(best.choice.attempts).toMatchObject([
      { outcome: "refused", reason: "wrong numbers" },
      { outcome: "refused", reason: "no room" },
      { outcome: "chosen" },
    ]);
    expect(best.choice.why).toBe("no other device of the preferences opens here");
    expect(closed).toEqual(["wasm"]);
  });

  test("what is refused before it is opened is not opened", async () => {
    const { candidates, given, opened } = world({ webgpu: { kind: "late" }, wasm: {} });
    const best = await choose(candidates, given({ refused: new Map([["webgpu", "software"]]) }));
    expect(outcomes(best)).toEqual({ webgpu: "refused", wasm: "chosen" });
    expect(opened).toEqual(["wasm"]);
  });

  test("none: an error with the reason of each", async () => {
    const { candidates, given } = world({
      webgpu: { kind: "late", fails: "no adapter" },
      wasm: { fails: "no SIMD" },
    });
    const choosing = choose(candidates, given());
    await expect(choosing).rejects.toThrow(DeviceError);
    await expect(choosing).rejects.toThrow(
      /^device: `prefer` is "webgpu: no adapter; wasm: no SIMD".*\nFix: add "js" to `prefer`/,
    );
  });
});

describe("a device that is late", () => {
  test("another is returned at once; the late one follows if it is faster, and is remembered", async () => {
    let ready = (_: unknown) => {};
    const after = new Promise((resolve) => (ready = resolve));
    const { candidates, given, closed, opened } = world({
      webgpu: { kind: "late", ms: 2, after },
      wasm: { ms: 5 },
    });
    const now = await choose(candidates, given());
    expect(now.choice.name).toBe("wasm");
    expect(now.choice.why).toBe("it is ready, and webgpu not yet");
    expect(outcomes(now)).toEqual({ webgpu: "pending", wasm: "chosen" });
    ready(0);
    const better = await now.better;
    expect(better?.choice.name).toBe("webgpu");
    expect(outcomes(better!)).toEqual({ webgpu: "chosen", wasm: "slower" });
    expect(outcomes(now)).toEqual({ webgpu: "pending", wasm: "chosen" });
    // The program still uses the first.
    expect(closed).toEqual([]);
    opened.length = 0;
    const again = await choose(candidates, given());
    expect(again.choice).toMatchObject({
      name: "webgpu",
      remembered: true,
      why: "it was the fastest here before",
    });
    expect(opened).toEqual(["webgpu"]);
  });

  test("one that is slower, and one that fails, do not follow", async () => {
    for (const late of [{ ms: 50 }, { fails: "lost" }, { wrong: "lost" }]) {
      const after = new Promise((resolve) => setTimeout(resolve, 40));
      const { candidates, given, closed } = world({
        webgpu: { kind: "late", after, ...late },
        wasm: { ms: 5 },
      });
      const now = await choose(candidates, given());
      expect(now.choice.name).toBe("wasm");
      await expect(now.better).resolves.toBeUndefined();
      expect(closed).toEqual("fails" in late ? [] : ["webgpu"]);
    }
  });

  test("is waited for where the preferences have no other", async () => {
    const after = new Promise((resolve) => setTimeout(resolve, 60));
    const { candidates, given } = world({ webgpu: { kind: "late", after } });
    expect((await choose(candidates, given())).choice.name).toBe("webgpu");
  });
});

describe("an earlier choice", () => {
  const made = { webgpu: { kind: "late", ms: 2 }, wasm: { ms: 5 } } as const;

  test("is taken without opening the others, with their times", async () => {
    const { candidates, given, opened } = world(made);
    await choose(candidates, given());
    opened.length = 0;
    const best = await choose(candidates, given());
    expect(opened).toEqual(["webgpu"]);
    expect(best.choice.attempts).toMatchObject([
      { outcome: "chosen", milliseconds: 2 },
      { outcome: "slower", milliseconds: 5, reason: "measured earlier on this adapter" },
    ]);
  });

  test("that fails now, or is late, gives way to the others", async () => {
    for (const now of [{ fails: "lost" }, { after: never }]) {
      const { candidates, given, items } = world(made);
      await choose(candidates, given());
      const other = world({ webgpu: { kind: "late", ...now }, wasm: { ms: 5 } });
      for (const [key, value] of items) other.items.set(key, value);
      const best = await choose(other.candidates, other.given());
      expect(best.choice).toMatchObject({ name: "wasm", remembered: false });
    }
  });

  test("is forgotten on another adapter or version, after a week, and where what is stored is no choice", async () => {
    const week = 7 * 24 * 3600 * 1000;
    const { candidates, given, opened, items } = world(made);
    const storage: ChoiceStorage = {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => void items.set(key, value),
    };
    await choose(candidates, given());
    const [[key, held]] = [...items] as [[string, string]];
    const tries: [Remembered, string][] = [
      [new Remembered(storage, ["2"], () => 1000), held],
      [new Remembered(storage, ["1"], () => 1000 + week), held],
      [new Remembered(storage, ["1"], () => 0), held],
      [new Remembered(storage, ["1"], () => 1000), "{"],
      [new Remembered(storage, ["1"], () => 1000), "3"],
      [new Remembered(storage, ["1"], () => 1000), '{"name":"gpu","at":1000}'],
    ];
    for (const [remembered, text] of tries) {
      items.set(key, text);
      opened.length = 0;
      const best = await choose(candidates, given({ remembered }));
      expect(best.choice.remembered).toBe(false);
      expect(opened.sort()).toEqual(["wasm", "webgpu"]);
    }
    items.set(key, held);
    expect((await choose(candidates, given())).choice.remembered).toBe(true);
  });

  test("needs a storage that works: one that throws remembers nothing", async () => {
    const broken: ChoiceStorage = {
      getItem() {
        throw new Error("forbidden");
      },
      setItem() {
        throw new Error("full");
      },
    };
    const { candidates, given } = world(made);
    for (let i = 0; i < 2; i++) {
      const best = await choose(candidates, given({ remembered: new Remembered(broken, [], () => 0) }));
      expect(best.choice).toMatchObject({ name: "webgpu", remembered: false });
    }
  });
});
