// The worker of a live example: imports the code it is sent, and reports its output, its end and the position of an
// error. The Stop button terminates the worker, so endless loops need no handling here.
import { connect, valueText, type ControlValue, type Message } from "@qkv/page";
import { harden } from "./harden";
import type { LiveDevice } from "./live-device";
import { messageGate, type Ending, type MessageGate } from "./message-gate";
import { runningOn } from "./open-device";
import { apply, uncurryGetter, uncurryThis } from "./primordials";

export type { Ending };

/** A request to run code that `compile` returned. */
export type Order = { run: number; code: string; values: Record<string, ControlValue>; device: LiveDevice };

/** A message to the page, with the number of its run. */
export type Report = { run: number; message: Message | Ending };

const post = self.postMessage as (message: Report) => void;
const dataOf = uncurryGetter(MessageEvent.prototype, "data");
const preventDefault = uncurryThis(Event.prototype.preventDefault);

// This file is in the folder live/ of the site. APIs that live code must not use are removed before any of it runs.
harden(globalThis, new URL("../", import.meta.url).href);

// An endless loop of output would fill the page's memory: each run has a gate.
let gate: MessageGate | undefined;

function begin(run: number): MessageGate {
  return messageGate((message) => apply(post, self, [{ run, message }]));
}

for (const level of ["log", "info", "debug", "warn", "error"] as const) {
  const as = level === "warn" || level === "error" ? level : "log";
  console[level] = (...values: unknown[]) =>
    gate?.pass({ type: "text", text: values.map(valueText).join(" "), level: as });
}

self.addEventListener("message", async (event: MessageEvent<Order>) => {
  if (!event.isTrusted) return; // sent by live code, to get another gate
  const data = dataOf(event) as Order;
  const runGate = (gate = begin(data.run));
  let sent = 0;
  const once = async () => {
    // A repeated run emits the same messages again: those already sent are skipped.
    let shown = 0;
    const pass = (message: unknown) => {
      if (shown++ !== sent) return;
      sent++;
      runGate.pass(message);
    };
    gate = { pass, end: runGate.end };
    connect({ post: pass, values: data.values });
    // A unique URL, since a module runs once per URL.
    const text = `${data.code}\n//# sourceURL=example.ts`;
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    try {
      await import(url);
    } finally {
      URL.revokeObjectURL(url);
    }
  };
  try {
    await (
      await runningOn(data.device)
    )(once);
    runGate.end({ type: "done" });
  } catch (error) {
    runGate.end(failure(error));
  }
});

// An error of a timer or of a promise without a handler. It is only reported through the gate.
self.addEventListener("error", (event) => {
  preventDefault(event);
  gate?.end(failure(event.error ?? event.message));
});
self.addEventListener("unhandledrejection", (event) => {
  preventDefault(event);
  gate?.end(failure(event.reason));
});

/** The error's text, and the topmost line of the example in its stack. */
function failure(error: unknown): Ending {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `Thrown: ${valueText(error)}`;
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  // Engines that ignore sourceURL use the URL of the blob.
  const [, line, column] = /(?:example\.ts|blob:[^\s)]*?):(\d+):(\d+)/.exec(stack) ?? [];
  return { type: "error", text, ...(line ? { line: Number(line), column: Number(column) } : {}) };
}
