import { expect, test } from "vitest";
import type { OpenModel } from "./open-model.js";
import { SharedModels, type LoadCalls } from "./shared-models.js";

/** Models that load when `finish` is called, and count what happened to them. */
function models() {
  const counts = { opened: 0, closed: 0, aborted: 0 };
  const loads: { finish(): void; fail(error: Error): void; calls: LoadCalls }[] = [];
  const open = (calls: LoadCalls): Promise<OpenModel> => {
    counts.opened += 1;
    return new Promise((resolve, reject) => {
      const device = { close: () => (counts.closed += 1) };
      loads.push({ calls, finish: () => resolve({ device } as unknown as OpenModel), fail: reject });
      calls.signal.addEventListener("abort", () => {
        counts.aborted += 1;
        reject(calls.signal.reason as Error);
      });
    });
  };
  return { counts, loads, open };
}

const quiet = (): LoadCalls => ({ signal: new AbortController().signal, onProgress: () => undefined });

test("clients with the same key share one model, and the last release frees it once", async () => {
  const [shared, { counts, loads, open }] = [new SharedModels(), models()];
  const requests = [1, 2, 3].map(() => shared.share("tiny", open, quiet()));
  loads[0]!.finish();
  const shares = await Promise.all(requests);
  expect(counts.opened).toBe(1);
  expect(new Set(shares.map((share) => share.open)).size).toBe(1);
  await shares[0]!.release();
  await shares[0]!.release();
  await shares[1]!.release();
  expect(counts.closed).toBe(0);
  await shares[2]!.release();
  expect(counts.closed).toBe(1);
  // Freed: the next one loads it anew.
  const again = shared.share("tiny", open, quiet());
  loads[1]!.finish();
  await again;
  expect(counts).toMatchObject({ opened: 2, closed: 1 });
});

test("models with different keys, and models without a key, are not shared", async () => {
  const [shared, { counts, loads, open }] = [new SharedModels(), models()];
  const requests = ["tiny", "tiny int8", undefined, undefined].map((key) => shared.share(key, open, quiet()));
  for (const load of loads) load.finish();
  const [tiny] = await Promise.all(requests);
  expect(counts.opened).toBe(4);
  await tiny!.release();
  expect(counts.closed).toBe(1);
});

test("an aborted client does not stop loading for others; loading stops when all have aborted", async () => {
  const [shared, { counts, loads, open }] = [new SharedModels(), models()];
  const [first, second] = [new AbortController(), new AbortController()];
  const progress: string[] = [];
  const request = (name: string, { signal }: AbortController) =>
    shared.share("tiny", open, { signal, onProgress: ({ source }) => progress.push(`${name}: ${source}`) });
  const requests = [request("first", first), request("second", second)];
  loads[0]!.calls.onProgress({ source: "weights", loaded: 1, total: 2 });
  expect(progress).toEqual(["first: weights", "second: weights"]);
  first.abort("no");
  await expect(requests[0]).rejects.toBe("no");
  expect(counts.aborted).toBe(0);
  loads[0]!.calls.onProgress({ source: "rest", loaded: 2, total: 2 });
  expect(progress.slice(2)).toEqual(["second: rest"]);
  second.abort("no more");
  await expect(requests[1]).rejects.toBe("no more");
  expect(counts).toMatchObject({ opened: 1, aborted: 1, closed: 0 });
});

test("after a failed load, the next client loads again", async () => {
  const [shared, { counts, loads, open }] = [new SharedModels(), models()];
  const requests = [shared.share("tiny", open, quiet()), shared.share("tiny", open, quiet())];
  loads[0]!.fail(new Error("no network"));
  for (const one of requests) await expect(one).rejects.toThrow("no network");
  const again = shared.share("tiny", open, quiet());
  loads[1]!.finish();
  await expect(again).resolves.toBeDefined();
  expect(counts.opened).toBe(2);
});
