import { expect, test } from "vitest";
import { generationStore, type GenerationState } from "./generation-store.js";

type Token = { text: string; id: number };
type Options = { signal?: AbortSignal; maxTokens?: number };

/** A runtime that gives the words of the prompt, each when the test asks for it. */
function wordRuntime() {
  const calls: { model: object; options: Options; ended: boolean }[] = [];
  const waiting: (() => void)[] = [];
  return {
    calls,
    /** Lets one word out. */
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

test("the text grows token by token, and ends as done; each state is an object of its own", async () => {
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

test("stop ends it and keeps the text; a token that comes late changes nothing", async () => {
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

test("another generation stops the one before, whose tokens do not mix in", async () => {
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

test("what the runtime throws is the error of the state, and the text before it stays", async () => {
  const runtime = wordRuntime();
  const store = generationStore({ runtime });
  const end = store.generate(model, "a fail");
  await runtime.step(2);
  expect(await end).toMatchObject({ status: "error", text: "a", error: new Error("out of memory") });
  store.reset();
  expect(store.getSnapshot()).toEqual({ status: "idle", text: "", tokens: [], error: undefined });
});

test("reset forgets a generation that runs", async () => {
  const runtime = wordRuntime();
  const store = generationStore({ runtime });
  const end = store.generate(model, "a b");
  await runtime.step();
  store.reset();
  await runtime.step();
  await end;
  expect(store.getSnapshot()).toMatchObject({ status: "idle", text: "" });
});

test("a generation ends when its last reader has left, and not when one comes back at once", async () => {
  const runtime = wordRuntime();
  const store = generationStore({ runtime });
  store.subscribe(() => undefined)();
  const leave = store.subscribe(() => undefined);
  void store.generate(model, "a b c");
  await runtime.step();
  expect(store.getSnapshot().status).toBe("running");
  leave();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(store.getSnapshot()).toMatchObject({ status: "stopped", text: "a" });
  expect(runtime.calls[0]!.options.signal!.aborted).toBe(true);
});

test("a runtime that does not generate, and options that there are not, are refused", () => {
  expect(() => generationStore({ runtime: { load: async () => ({}) } })).toThrow(
    /`runtime` is .*with `generate`/,
  );
  expect(() => generationStore({ runtim: {} } as never)).toThrow(/\nFix: write `runtime`/);
});
