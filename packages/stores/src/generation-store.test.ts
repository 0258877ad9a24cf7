import { expect, test } from "vitest";
import { generationStore, type GenerationState } from "./generation-store.js";

type Token = { text: string; id: number };
type Options = { signal?: AbortSignal; maxTokens?: number };

/** A runtime that generates the words of the prompt, each when the test calls `step`. */
function wordRuntime() {
  const calls: { model: object; options: Options; ended: boolean }[] = [];
  const waiting: (() => void)[] = [];
  return {
    calls,
    /** Generates the next words. */
    async step(count = 1) {
      for (let i = 0; i < count; i++) {
        while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        waiting.shift()!();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
    load: async () => ({}),
    async *generate(model: object, prompt: string, options: Options = {}): AsyncGenerator<Token> {
      const call = { model, options, ended: false };
      calls.push(call);
      try {
        for (const [id, text] of prompt.split(" ").slice(0, options.maxTokens).entries()) {
          await new Promise<void>((resolve) => waiting.push(resolve));
          options.signal?.throwIfAborted();
          if (text === "fail") throw new Error("out of memory");
          yield { text, id };
        }
      } finally {
        call.ended = true;
      }
    },
  };
}

const model = {};
const shown = (states: GenerationState<Token>[]) => states.map(({ status, text }) => `${status} ${text}`);

test("the text grows token by token until the status is done; each state is a new object", async () => {
  const runtime = wordRuntime();
  const store = generationStore({ runtime });
  const states: GenerationState<Token>[] = [];
  store.subscribe((state) => states.push(state));
  const end = store.generate(model, "a b c", { maxTokens: 2 });
  await runtime.step(2);
  expect(await end).toBe(store.getSnapshot());
  expect(shown(states)).toEqual(["idle ", "running ", "running a", "running ab", "done ab"]);
  expect(states.map(({ tokens }) => tokens.length)).toEqual([0, 0, 1, 2, 2]);
  expect(store.getSnapshot().tokens).toEqual([
    { text: "a", id: 0 },
    { text: "b", id: 1 },
  ]);
  expect([runtime.calls[0]!.model, runtime.calls[0]!.options.maxTokens]).toEqual([model, 2]);
});

test("stop() ends the generation and keeps the text; later tokens are ignored", async () => {
  const runtime = wordRuntime();
  const store = generationStore({ runtime });
  const end = store.generate(model, "a b c");
  await runtime.step();
  store.stop();
  const { signal } = runtime.calls[0]!.options;
  expect([signal!.aborted, store.getSnapshot()]).toMatchObject([true, { status: "stopped", text: "a" }]);
  await runtime.step();
  expect(await end).toMatchObject({ status: "stopped", text: "a" });
  expect(store.getSnapshot()).toMatchObject({ status: "stopped", text: "a" });
  expect(runtime.calls[0]!.ended).toBe(true);
  store.stop();
  expect(store.getSnapshot().status).toBe("stopped");
});

test("a new generation stops the previous one and ignores its later tokens", async () => {
  const runtime = wordRuntime();
  const store = generationStore({ runtime });
  const first = store.generate(model, "a b");
  await runtime.step();
  const second = store.generate(model, "x y");
  await runtime.step(3);
  expect(await first).toMatchObject({ status: "stopped", text: "a" });
  expect(await second).toMatchObject({ status: "done", text: "xy" });
  expect(store.getSnapshot().text).toBe("xy");
});

test("an error of the runtime becomes the error of the state, which keeps the text so far", async () => {
  const runtime = wordRuntime();
  const store = generationStore({ runtime });
  const end = store.generate(model, "a fail");
  await runtime.step(2);
  expect(await end).toMatchObject({ status: "error", text: "a", error: new Error("out of memory") });
  store.reset();
  expect(store.getSnapshot()).toEqual({ status: "idle", text: "", tokens: [], error: undefined });
});

test("reset() stops a running generation and clears its text", async () => {
  const runtime = wordRuntime();
  const store = generationStore({ runtime });
  const end = store.generate(model, "a b");
  await runtime.step();
  store.reset();
  await runtime.step();
  await end;
  expect(store.getSnapshot()).toMatchObject({ status: "idle", text: "" });
});

test("a generation stops when its last subscriber has unsubscribed, unless another subscribes at once", async () => {
  const runtime = wordRuntime();
  const store = generationStore({ runtime });
  store.subscribe(() => undefined)();
  const unsubscribe = store.subscribe(() => undefined);
  void store.generate(model, "a b c");
  await runtime.step();
  expect(store.getSnapshot().status).toBe("running");
  unsubscribe();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(store.getSnapshot()).toMatchObject({ status: "stopped", text: "a" });
  expect(runtime.calls[0]!.options.signal!.aborted).toBe(true);
});

test("a runtime without generate and unknown options are refused", () => {
  expect(() => generationStore({ runtime: { load: async () => ({}) } })).toThrow(
    /`runtime` is .*with `generate`/,
  );
  expect(() => generationStore({ runtim: {} } as never)).toThrow(/\nFix: write `runtime`/);
});
