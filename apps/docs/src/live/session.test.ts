import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Order, Report } from "./runner";
import { limitSeconds, LiveSession, type LiveState, type RunnerWorker } from "./session.js";

class FakeWorker implements RunnerWorker {
  onmessage: Worker["onmessage"] = null;
  onerror: Worker["onerror"] = null;
  orders: Order[] = [];
  terminated = false;
  postMessage(order: Order): void {
    this.orders.push(order);
  }
  terminate(): void {
    this.terminated = true;
  }
  /** Responds to the latest request. */
  say(message: Report["message"]): void {
    const run = this.orders.at(-1)?.run ?? -1;
    this.onmessage?.call(this as unknown as Worker, { data: { run, message } } as MessageEvent<Report>);
  }
}

let workers: FakeWorker[];
let states: LiveState[];
let session: LiveSession;
const worker = () => workers.at(-1)!;
const text = (line: string) => ({ type: "text", text: line, level: "log" }) as const;
const slider = (value: number) =>
  ({ type: "slider", label: "window", min: 1, max: 9, step: 1, value }) as const;

beforeEach(() => {
  vi.useFakeTimers();
  [workers, states] = [[], []];
  session = new LiveSession(
    {
      createWorker: () => workers[workers.push(new FakeWorker()) - 1]!,
      compile: async (source) => {
        if (source === "bad") throw Object.assign(new Error("Unexpected token"), { line: 2, column: 5 });
        return `compiled ${source}`;
      },
      changed: (state) => states.push(state),
    },
    [text("made beforehand"), slider(4)],
  );
});
afterEach(() => vi.useRealTimers());

test("the output of the build is shown until a run ends, then the run's output", async () => {
  expect(session.state).toMatchObject({
    status: "idle",
    outputs: [text("made beforehand")],
    controls: [slider(4)],
  });
  await session.run("a");
  expect(worker().orders).toEqual([
    { run: expect.any(Number), code: "compiled a", values: {}, device: "js" },
  ]);
  worker().say(text("one"));
  expect(session.state).toMatchObject({ status: "running", outputs: [text("made beforehand")] });
  worker().say({ type: "done" });
  expect(session.state).toMatchObject({ status: "done", outputs: [text("one")], controls: [] });
});

test("a long run shows its output so far", async () => {
  await session.run("a");
  worker().say(text("one"));
  vi.advanceTimersByTime(300);
  expect(session.state.outputs).toEqual([text("one")]);
  worker().say(text("two"));
  expect(session.state).toMatchObject({ status: "running", outputs: [text("one"), text("two")] });
});

test("Stop terminates the worker, keeps the output, and ignores late messages", async () => {
  await session.run("while (true);");
  worker().say(text("one"));
  session.stop();
  expect(worker().terminated).toBe(true);
  worker().say({ type: "done" });
  expect(session.state).toMatchObject({ status: "stopped", outputs: [text("one")] });
});

test("Run starts a new worker; the old one is terminated and ignored", async () => {
  await session.run("a");
  const older = worker();
  await session.run("b");
  expect(older.terminated).toBe(true);
  older.say({ type: "done" });
  expect(session.state.status).toBe("running");
});

test("an error has its line; a compiler error starts no worker", async () => {
  await session.run("bad");
  expect(workers).toEqual([]);
  expect(session.state).toMatchObject({
    status: "error",
    failure: { text: "Unexpected token", line: 2, column: 5 },
  });
  await session.run("a");
  worker().say({ type: "error", text: "TypeError: no", line: 3, column: 1 });
  expect(session.state).toMatchObject({
    status: "error",
    failure: { text: "TypeError: no", line: 3, column: 1 },
  });
});

test("a slider moved during a run takes effect after it, with its latest value only", async () => {
  await session.run("a");
  worker().say(slider(4));
  worker().say({ type: "done" });
  for (const value of [5, 6, 7]) session.move("window", value);
  expect(worker().orders.map(({ values }) => values)).toEqual([{}, { window: 5 }]);
  expect(session.state.controls).toEqual([slider(7)]);
  worker().say(slider(5));
  worker().say({ type: "done" });
  expect(session.state.controls).toEqual([slider(7)]); // it does not jump back while it is dragged
  expect(worker().orders.at(-1)?.values).toEqual({ window: 7 });
  expect(workers.length).toBe(1);
});

test("a run uses the device that it was started on, and so do runs for its controls", async () => {
  await session.run("a", "wasm");
  worker().say(slider(4));
  worker().say({ type: "done" });
  expect(session.state.device).toBe("wasm");
  session.move("window", 5);
  expect(worker().orders.map(({ device }) => device)).toEqual(["wasm", "wasm"]);
  await session.run("a");
  worker().say({ type: "done" });
  expect([worker().orders[0]!.device, session.state.device]).toEqual(["js", "js"]);
});

test("a text field keeps its input, and ignores values of another type", async () => {
  const field = (value: string) => ({ type: "field", label: "text", value }) as const;
  await session.run("a");
  worker().say(field("one"));
  worker().say({ type: "done" });
  session.move("text", "");
  expect(worker().orders.at(-1)?.values).toEqual({ text: "" });
  worker().say(field("one"));
  worker().say({ type: "done" });
  expect(session.state.controls).toEqual([field("")]);
  session.move("text", 3);
  expect(session.state.controls).toEqual([field("")]);
});

test("reset sliders have the values in the code", async () => {
  await session.run("a");
  worker().say({ type: "done" });
  session.move("window", 5);
  expect(session.valuesChanged).toBe(true);
  session.begin({});
  await session.run("a");
  expect(session.valuesChanged).toBe(false);
  expect(worker().orders.at(-1)?.values).toEqual({});
});

test("a run that exceeds the time limit is stopped with a notice; others are not", async () => {
  await session.run("while (true);");
  worker().say(text("one"));
  vi.advanceTimersByTime(limitSeconds * 1000 + 1);
  expect(worker().terminated).toBe(true);
  expect(session.state).toMatchObject({ status: "error", outputs: [text("one")] });
  expect(session.state.failure?.text).toContain(`stopped after ${limitSeconds} seconds`);
  await session.run("a");
  worker().say({ type: "done" });
  vi.advanceTimersByTime(limitSeconds * 1000 + 1);
  expect(session.state).toMatchObject({ status: "done", runs: 2 });
});

test("a worker that floods the page without its gate is limited, rarely rendered, and terminated", async () => {
  await session.run("a");
  vi.advanceTimersByTime(300);
  const before = states.length;
  for (let i = 0; i < 100_000 && !worker().terminated; i++)
    worker().say({ type: "slider", label: `s${i}`, min: 0, max: 1, step: 0.1, value: 0 });
  expect(worker().terminated).toBe(true);
  expect(session.state).toMatchObject({ status: "error", runs: 1 });
  expect(session.state.failure?.text).toMatch(
    /^The example was stopped because it sent more than 1164 messages/,
  );
  expect(session.state.controls.length).toBe(64);
  expect(states.length - before).toBeLessThan(5);
});

test("invalid messages do not reach the page", async () => {
  await session.run("a");
  for (const bad of [
    null,
    1,
    { type: "text", text: {} },
    { type: "slider", label: {}, min: 0 },
    { type: "x" },
  ])
    worker().say(bad as never);
  worker().onmessage?.call(worker() as never, { data: null } as never);
  worker().say(text("one"));
  worker().say({ type: "done" });
  expect(session.state).toMatchObject({ status: "done", outputs: [text("one")], controls: [] });
});

test("many lines in sequence are rendered together, including the last", async () => {
  await session.run("a");
  vi.advanceTimersByTime(1000);
  const before = states.length;
  for (let i = 0; i < 500; i++) worker().say(text(`line ${i}`));
  expect(states.length - before).toBeLessThan(3);
  vi.advanceTimersByTime(60);
  expect(session.state.outputs.length).toBe(500);
  session.stop();
  expect(session.state.outputs.length).toBe(500);
});

test("values of a link are set before the first run, and files are never in a link", async () => {
  session.begin({ window: 5 });
  await session.run("a");
  expect(worker().orders.at(-1)?.values).toEqual({ window: 5 });
  session.move("model", [new File([], "a")]);
  expect(session.values).toEqual({ window: 5 });
});
