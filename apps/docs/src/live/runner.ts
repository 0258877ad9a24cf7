// The worker behind a live example: imports the code it is sent and reports what it shows, how it ends and where it
// fails. Stop ends the whole worker, so an endless loop needs nothing here.
import { connect, valueText, type ControlValue, type Message } from "@qkv/page";
import { harden } from "./harden";
import type { LiveDevice } from "./live-device";
import { messageGate, type Ending, type MessageGate } from "./message-gate";
import { runningOn } from "./open-device";
import { apply, uncurryGetter, uncurryThis } from "./primordials";

export type { Ending };

/** One run, as the page orders it. `code` is what `compile` made. */
export type Order = { run: number; code: string; values: Record<string, ControlValue>; device: LiveDevice };

/** Message that comes back, marked with the run it belongs to. */
export type Report = { run: number; message: Message | Ending };

const post = self.postMessage as (message: Report) => void;
const dataOf = uncurryGetter(MessageEvent.prototype, "data");
const preventDefault = uncurryThis(Event.prototype.preventDefault);

// This file lies in the folder live/ of the site. Before any code of an example runs, what it has no use for goes.
harden(globalThis, new URL("../", import.meta.url).href);

// A loop that prints without end would fill the page's memory before anybody finds Stop: each run has a gate.
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
  if (!event.isTrusted) return; // live code ordered it, to have another gate
  const data = dataOf(event) as Order;
  const own = (gate = begin(data.run));
  let sent = 0;
  const once = async () => {
    // A repeat begins with what was shown already.
    let shown = 0;
    const pass = (message: unknown) => {
      if (shown++ !== sent) return;
      sent++;
      own.pass(message);
    };
    gate = { pass, end: own.end };
    connect({ post: pass, values: data.values });
    // An address of its own, since a module runs once for each.
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
    own.end({ type: "done" });
  } catch (error) {
    own.end(failure(error));
  }
});

// An error of a timer or a promise that nobody awaits. It ends here: the page is told through the gate alone.
self.addEventListener("error", (event) => {
  preventDefault(event);
  gate?.end(failure(event.error ?? event.message));
});
self.addEventListener("unhandledrejection", (event) => {
  preventDefault(event);
  gate?.end(failure(event.reason));
});

/** The error's text, and the uppermost line of the example in its stack. */
function failure(error: unknown): Ending {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `Thrown: ${valueText(error)}`;
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  // Engines that do not know sourceURL name the blob.
  const [, line, column] = /(?:example\.ts|blob:[^\s)]*?):(\d+):(\d+)/.exec(stack) ?? [];
  return { type: "error", text, ...(line ? { line: Number(line), column: Number(column) } : {}) };
}
