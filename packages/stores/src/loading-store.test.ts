import { expect, test, vi } from "vitest";
import { loadingStore, type ModelState } from "./loading-store.js";
import { sharedModel } from "./shared-model.js";

type Loading = {
  source: unknown;
  options: { signal: AbortSignal; onProgress: (progress: object) => void; quantize?: string };
  resolve: (model: object) => void;
  reject: (error: unknown) => void;
};

/** A runtime whose loads the test resolves or rejects. */
function manualRuntime() {
  const loads: Loading[] = [];
  return {
    loads,
    load: (source: string | object, options: { quantize?: string } = {}) =>
      new Promise<object>((resolve, reject) =>
        loads.push({ source, options: options as Loading["options"], resolve, reject }),
      ),
  };
}
const soon = () => new Promise((resolve) => setTimeout(resolve, 5));
const statuses = (states: ModelState<object>[]) => states.map(({ status }) => status);

test("the first subscriber loads the model, the bytes of all files are summed, and all subscribers share it", async () => {
  const runtime = manualRuntime();
  const store = loadingStore("a", { runtime, quantize: "int8" });
  expect(store.getSnapshot()).toEqual({ status: "idle" });
  const states: ModelState<object>[] = [];
  const unsubscribe = store.subscribe((state) => states.push(state));
  store.subscribe(() => undefined);
  expect(runtime.loads.length).toBe(1);
  const [{ source, options, resolve }] = runtime.loads as [Loading];
  expect([source, options.quantize]).toEqual(["a", "int8"]);
  options.onProgress({ source: "one", loaded: 1, total: 10 });
  options.onProgress({ source: "two", loaded: 2, total: undefined });
  options.onProgress({ source: "one", loaded: 10, total: 10 });
  options.onProgress({ source: "two", loaded: 5, total: 5 });
  const model = {};
  resolve(model);
  expect(await store.load()).toBe(model);
  expect(statuses(states)).toEqual(["idle", ...new Array(5).fill("loading"), "ready"]);
  expect(states.map(({ progress }) => progress)).toEqual([
    ...[undefined, undefined, { loaded: 1, total: 10 }, { loaded: 3, total: undefined }],
    ...[
      { loaded: 12, total: undefined },
      { loaded: 15, total: 15 },
      { loaded: 15, total: 15 },
    ],
  ]);
  expect(store.getSnapshot().model).toBe(model);
  unsubscribe();
  await soon();
  expect(store.getSnapshot().status).toBe("ready");
});

test("unsubscribing and subscribing at once does not load again; without subscribers, loading is aborted", async () => {
  const runtime = manualRuntime();
  const store = loadingStore("a", { runtime });
  store.subscribe(() => undefined)();
  const unsubscribe = store.subscribe(() => undefined);
  await soon();
  const [{ options, resolve }] = runtime.loads as [Loading];
  expect([runtime.loads.length, options.signal.aborted]).toEqual([1, false]);
  const loading = store.load();
  unsubscribe();
  await soon();
  expect([options.signal.aborted, store.getSnapshot().status]).toEqual([true, "idle"]);
  // A model that is loaded after the abort is disposed of.
  const dispose = vi.fn();
  resolve({ dispose });
  await expect(loading).rejects.toBe(options.signal.reason);
  expect([dispose.mock.calls.length, store.getSnapshot().status]).toEqual([1, "idle"]);
  options.onProgress({ source: "a", loaded: 1, total: 1 });
  expect(store.getSnapshot().status).toBe("idle");
});

test("keepAliveMs after the last subscriber has unsubscribed, the model is disposed of once", async () => {
  const runtime = manualRuntime();
  const store = loadingStore("a", { runtime, keepAliveMs: 40 });
  const dispose = vi.fn(() => Promise.reject(new Error("a worker that is gone")));
  const unsubscribe = store.subscribe(() => undefined);
  runtime.loads[0]!.resolve({ dispose });
  await store.load();
  unsubscribe();
  await soon();
  expect(store.getSnapshot().status).toBe("ready");
  await new Promise((resolve) => setTimeout(resolve, 80));
  expect([dispose.mock.calls.length, store.getSnapshot()]).toEqual([1, { status: "idle" }]);
  store.dispose();
  expect(dispose.mock.calls.length).toBe(1);
  expect(store[Symbol.dispose]).toBe(store.dispose);
  store.subscribe(() => undefined);
  expect(runtime.loads.length).toBe(2);
});

test("an error is the state for subscribers and rejects load(); load() again retries", async () => {
  const runtime = manualRuntime();
  const store = loadingStore("a", { runtime });
  store.subscribe(() => undefined);
  const error = new Error("no such model");
  runtime.loads[0]!.reject(error);
  await expect(store.load()).rejects.toBe(error);
  expect(store.getSnapshot()).toEqual({ status: "error", error });
  const again = store.load();
  expect([runtime.loads.length, store.getSnapshot().status]).toEqual([2, "loading"]);
  runtime.loads[1]!.resolve({});
  await again;
  expect(store.getSnapshot().status).toBe("ready");
});

test("release() disposes of the model only if the store has no subscribers", async () => {
  const runtime = manualRuntime();
  const store = loadingStore("a", { runtime });
  const loading = store.load();
  runtime.loads[0]!.resolve({});
  await loading;
  const unsubscribe = store.subscribe(() => undefined);
  store.release();
  expect(store.getSnapshot().status).toBe("ready");
  unsubscribe();
  store.release();
  expect(store.getSnapshot().status).toBe("idle");
});

test("equal sources and options share a store while it holds a model; different ones do not", async () => {
  const runtime = manualRuntime();
  const file = new File([], "model.gguf");
  const device = { name: "wasm", scope: () => undefined };
  const of = (source: string | object, options: object = {}) => sharedModel(source, { runtime, ...options });
  const store = of("a", { quantize: "int8", device });
  expect(of("a", { device, quantize: "int8", dtype: undefined })).toBe(store);
  expect(of("a", { quantize: "int8", device: { ...device } })).not.toBe(store);
  expect(of("a", { hub: { revision: "b" } })).toBe(of("a", { hub: { revision: "b" } }));
  const open = () => undefined;
  expect(of("a", { device: open })).toBe(of("a", { device: open }));
  expect(of("a", { device: open })).not.toBe(of("a", { device: () => undefined }));
  expect(of([file])).toBe(of([file]));
  expect(of([file])).not.toBe(of([new File([], "model.gguf")]));
  expect(of(new URL("https://example.org/a"))).toBe(of(new URL("https://example.org/a")));
  expect(of("a")).not.toBe(of("b"));
  expect(sharedModel("a", { runtime: manualRuntime() })).not.toBe(of("a"));
  const unsubscribe = store.subscribe(() => undefined);
  unsubscribe();
  await soon();
  const next = of("a", { quantize: "int8", device });
  expect(next).not.toBe(store);
  // A store with a new subscriber becomes the shared one again.
  next.dispose();
  store.subscribe(() => undefined);
  expect(of("a", { quantize: "int8", device })).toBe(store);
});

test("a source may be a function, which is called when the model is loaded, or a promise, which is awaited", async () => {
  const runtime = manualRuntime();
  let calls = 0;
  const later = async () => {
    calls += 1;
    return "a";
  };
  const store = loadingStore(later, { runtime });
  expect(sharedModel(later, { runtime })).toBe(sharedModel(later, { runtime }));
  expect(calls).toBe(0);
  const loading = store.load();
  await soon();
  expect([calls, runtime.loads[0]!.source]).toEqual([1, "a"]);
  runtime.loads[0]!.resolve({});
  await loading;
  expect(store.getSnapshot().status).toBe("ready");
  void loadingStore(Promise.resolve("b"), { runtime }).load();
  await soon();
  expect(runtime.loads[1]!.source).toBe("b");
  const failed = loadingStore(() => Promise.reject(new Error("no network")), { runtime });
  await expect(failed.load()).rejects.toThrow("no network");
  expect(failed.getSnapshot().status).toBe("error");
  // A store that is disposed of before its source resolves is not loaded.
  const left = loadingStore(later, { runtime });
  const leaving = left.load().catch((error: unknown) => (error as Error).name);
  left.dispose();
  expect(await leaving).toBe("AbortError");
  expect(runtime.loads.length).toBe(2);
});

test("a runtime without load and an invalid keepAliveMs are refused", () => {
  expect(() => loadingStore("a", { runtime: {} as ReturnType<typeof manualRuntime> })).toThrow(
    /^loadingStore: `runtime` is .*, expected functions that run models, with `load`\.\nFix: leave it out/,
  );
  expect(() => loadingStore("a", { keepAliveMs: -1 })).toThrow(/`keepAliveMs` is -1/);
  expect(() => sharedModel(null as never)).toThrow(
    /^sharedModel: `source` is null, expected a source of a model/,
  );
});

test("a subscriber may call load or dispose when loading begins", async () => {
  const runtime = manualRuntime();
  const store = loadingStore("a", { runtime });
  const models: Promise<object>[] = [];
  store.subscribe(({ status }) => status === "loading" && models.push(store.load()));
  expect([models.length, models[0] === store.load(), runtime.loads.length]).toEqual([1, true, 1]);

  const stopped = loadingStore("b", { runtime });
  stopped.subscribe(({ status }) => status === "loading" && stopped.dispose());
  await soon();
  expect([stopped.getSnapshot().status, runtime.loads.length]).toEqual(["idle", 1]);
});
