// Choices among fake devices: ready at once, pending, slow, failing.
import { DeviceError } from "@qkv/core";
import { js, randn, type Device } from "@qkv/tensor";
import { describe, expect, test } from "vitest";
import type { Candidate } from "./candidates.js";
import { choose, type ChooseOptions } from "./choose.js";
import { StoredChoices, type ChoiceStorage } from "./stored-choices.js";

type FakeDevice = {
  kind?: Candidate["kind"];
  /** Time of the work, on the fake clock. Unit: milliseconds. */
  ms?: number;
  /** The device opens when this is settled. */
  after?: Promise<unknown>;
  /** Error message of `open`. */
  openError?: string;
  /** Error message of the work. */
  workError?: string;
};

/** Fake candidates by name, options for `choose` with a fake clock, and the names that were opened and closed. */
function fakeCandidates(fakes: Record<string, FakeDevice>) {
  let now = 0;
  const closed: string[] = [];
  const opened: string[] = [];
  const duration = new WeakMap<Device, number>();
  const workErrors = new WeakMap<Device, string>();
  const candidates = Object.entries(fakes).map(
    ([name, { kind = "cpu", ms = 1, after, openError, workError }]): Candidate => ({
      name,
      kind,
      async open() {
        opened.push(name);
        await after;
        if (openError) throw new Error(`${openError}\nFix: none`);
        const device = { ...js(), name, close: () => void closed.push(name) };
        duration.set(device, ms);
        if (workError) workErrors.set(device, workError);
        return device;
      },
    }),
  );
  const items = new Map<string, string>();
  const storage: ChoiceStorage = {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
  };
  const options = (more: Partial<ChooseOptions> = {}): ChooseOptions => ({
    stored: new StoredChoices(storage, ["1"], () => 1000),
    adapter: "a card",
    refused: new Map(),
    timeoutMs: 20,
    work: (device) => () => {
      now += duration.get(device)!;
      if (workErrors.has(device)) throw new Error(workErrors.get(device));
      return randn([1], { seed: 1, device });
    },
    clock: () => now,
    ...more,
  });
  return { candidates, options, closed, opened, items };
}

const never = new Promise(() => {});
const outcomes = ({ choice }: { choice: { attempts: readonly { name: string; outcome: string }[] } }) =>
  Object.fromEntries(choice.attempts.map(({ name, outcome }) => [name, outcome]));

describe("devices that are ready", () => {
  test("the fastest is chosen, the others are closed, and the choice lists all with their times", async () => {
    const { candidates, options, closed } = fakeCandidates({
      webgpu: { kind: "gpu", ms: 2 },
      wasm: { ms: 5 },
      js: { kind: "fallback" },
    });
    const best = await choose(candidates, options());
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

  test("a GPU that is slower than the CPU is not chosen", async () => {
    const { candidates, options, closed } = fakeCandidates({
      webgpu: { kind: "gpu", ms: 9 },
      wasm: { ms: 5 },
    });
    const best = await choose(candidates, options());
    expect(outcomes(best)).toEqual({ webgpu: "slower", wasm: "chosen" });
    expect(closed).toEqual(["webgpu"]);
  });

  test("of equally fast devices, the first of the preferences is chosen", async () => {
    const { candidates, options } = fakeCandidates({ a: { ms: 3 }, b: { ms: 3 } });
    expect((await choose(candidates, options())).choice.name).toBe("a");
    expect(
      (
        await choose(
          [...candidates].reverse(),
          options({ stored: new StoredChoices(undefined, [], () => 0) }),
        )
      ).choice.name,
    ).toBe("b");
  });
});

describe("devices that fail", () => {
  test("a device that does not open, or throws during the work, is refused with the reason and closed", async () => {
    const { candidates, options, closed } = fakeCandidates({
      webgpu: { kind: "gpu", openError: "wrong numbers" },
      wasm: { workError: "no room" },
      js: { kind: "fallback" },
    });
    const best = await choose(candidates, options());
    expect(best.choice.attempts).toMatchObject([
      { outcome: "refused", reason: "wrong numbers" },
      { outcome: "refused", reason: "no room" },
      { outcome: "chosen" },
    ]);
    expect(best.choice.why).toBe("no other device of the preferences opens here");
    expect(closed).toEqual(["wasm"]);
  });

  test("a device that is refused in advance is never opened", async () => {
    const { candidates, options, opened } = fakeCandidates({ webgpu: { kind: "gpu" }, wasm: {} });
    const best = await choose(candidates, options({ refused: new Map([["webgpu", "software"]]) }));
    expect(outcomes(best)).toEqual({ webgpu: "refused", wasm: "chosen" });
    expect(opened).toEqual(["wasm"]);
  });

  test("if no device opens, the error has the reason for each", async () => {
    const { candidates, options } = fakeCandidates({
      webgpu: { kind: "gpu", openError: "no adapter" },
      wasm: { openError: "no SIMD" },
    });
    const choosing = choose(candidates, options());
    await expect(choosing).rejects.toThrow(DeviceError);
    await expect(choosing).rejects.toThrow(
      /^device: `prefer` is "webgpu: no adapter; wasm: no SIMD".*\nFix: add "js" to `prefer`/,
    );
  });
});

describe("a pending device", () => {
  test("another device is returned at once; `better` resolves to the pending one if it is faster, and stores it", async () => {
    let ready = (_: unknown) => {};
    const after = new Promise((resolve) => (ready = resolve));
    const { candidates, options, closed, opened } = fakeCandidates({
      webgpu: { kind: "gpu", ms: 2, after },
      wasm: { ms: 5 },
    });
    const now = await choose(candidates, options());
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
    const again = await choose(candidates, options());
    expect(again.choice).toMatchObject({
      name: "webgpu",
      remembered: true,
      why: "it was the fastest here before",
    });
    expect(opened).toEqual(["webgpu"]);
  });

  test("`better` resolves to undefined if the pending device is slower or fails", async () => {
    for (const pending of [{ ms: 50 }, { openError: "lost" }, { workError: "lost" }]) {
      const after = new Promise((resolve) => setTimeout(resolve, 40));
      const { candidates, options, closed } = fakeCandidates({
        webgpu: { kind: "gpu", after, ...pending },
        wasm: { ms: 5 },
      });
      const now = await choose(candidates, options());
      expect(now.choice.name).toBe("wasm");
      await expect(now.better).resolves.toBeUndefined();
      expect(closed).toEqual("openError" in pending ? [] : ["webgpu"]);
    }
  });

  test("the pending device is awaited if there is no other one", async () => {
    const after = new Promise((resolve) => setTimeout(resolve, 60));
    const { candidates, options } = fakeCandidates({ webgpu: { kind: "gpu", after } });
    expect((await choose(candidates, options())).choice.name).toBe("webgpu");
  });
});

describe("a stored choice", () => {
  const fakes = { webgpu: { kind: "gpu", ms: 2 }, wasm: { ms: 5 } } as const;

  test("only the stored device is opened; the times of the others come from the storage", async () => {
    const { candidates, options, opened } = fakeCandidates(fakes);
    await choose(candidates, options());
    opened.length = 0;
    const best = await choose(candidates, options());
    expect(opened).toEqual(["webgpu"]);
    expect(best.choice.attempts).toMatchObject([
      { outcome: "chosen", milliseconds: 2 },
      { outcome: "slower", milliseconds: 5, reason: "measured earlier on this adapter" },
    ]);
  });

  test("if the stored device fails or is pending, the others are measured", async () => {
    for (const now of [{ openError: "lost" }, { after: never }]) {
      const { candidates, options, items } = fakeCandidates(fakes);
      await choose(candidates, options());
      const other = fakeCandidates({ webgpu: { kind: "gpu", ...now }, wasm: { ms: 5 } });
      for (const [key, value] of items) other.items.set(key, value);
      const best = await choose(other.candidates, other.options());
      expect(best.choice).toMatchObject({ name: "wasm", remembered: false });
    }
  });

  test("a stored choice is ignored under another key, after a week, and if the entry is invalid", async () => {
    const week = 7 * 24 * 3600 * 1000;
    const { candidates, options, opened, items } = fakeCandidates(fakes);
    const storage: ChoiceStorage = {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => void items.set(key, value),
    };
    await choose(candidates, options());
    const [[key, entry]] = [...items] as [[string, string]];
    const tries: [StoredChoices, string][] = [
      [new StoredChoices(storage, ["2"], () => 1000), entry],
      [new StoredChoices(storage, ["1"], () => 1000 + week), entry],
      [new StoredChoices(storage, ["1"], () => 0), entry],
      [new StoredChoices(storage, ["1"], () => 1000), "{"],
      [new StoredChoices(storage, ["1"], () => 1000), "3"],
      [new StoredChoices(storage, ["1"], () => 1000), '{"name":"gpu","at":1000}'],
    ];
    for (const [stored, text] of tries) {
      items.set(key, text);
      opened.length = 0;
      const best = await choose(candidates, options({ stored }));
      expect(best.choice.remembered).toBe(false);
      expect(opened.sort()).toEqual(["wasm", "webgpu"]);
    }
    items.set(key, entry);
    expect((await choose(candidates, options())).choice.remembered).toBe(true);
  });

  test("with a storage that throws, each call measures again", async () => {
    const broken: ChoiceStorage = {
      getItem() {
        throw new Error("forbidden");
      },
      setItem() {
        throw new Error("full");
      },
    };
    const { candidates, options } = fakeCandidates(fakes);
    for (let i = 0; i < 2; i++) {
      const best = await choose(candidates, options({ stored: new StoredChoices(broken, [], () => 0) }));
      expect(best.choice).toMatchObject({ name: "webgpu", remembered: false });
    }
  });
});
