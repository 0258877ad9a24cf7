// The worker behind a live example: imports the code it is sent and reports what it shows, how it ends and where it
// fails. Stop ends the whole worker, so an endless loop needs nothing here.
import { connect, valueText, type ControlValue, type Message } from "@qkv/page";
import { harden } from "./harden";

/** One run, as the page orders it. `code` is what `compile` made. */
export type Order = { run: number; code: string; values: Record<string, ControlValue> };

/** How a run ended. Lines and columns count from 1; an error from outside of the example's text has none. */
export type Ending = { type: "done" } | { type: "error"; text: string; line?: number; column?: number };

/** What comes back, marked with the run it belongs to. */
export type Report = { run: number; message: Message | Ending };

// This file lies in the folder live/ of the site. Before any code of an example runs, what it has no use for goes.
harden(globalThis, new URL("../", import.meta.url).href);

// A loop that prints without end would fill the page's memory before anybody finds Stop.
const most = 1000;
let [current, shown] = [0, 0];

const send = (message: Message | Ending) => self.postMessage({ run: current, message } satisfies Report);

function report(message: Message | Ending): void {
  if (message.type === "text" || message.type === "picture" || message.type === "check") shown++;
  if (shown <= most || message.type === "done" || message.type === "error") {
    send(message);
  } else if (shown === most + 1) {
    const text = `More than ${most} lines: the rest is not shown.`;
    send({ type: "text", text, level: "warn" });
  }
}

for (const level of ["log", "info", "debug", "warn", "error"] as const) {
  const as = level === "warn" || level === "error" ? level : "log";
  console[level] = (...values: unknown[]) =>
    report({ type: "text", text: values.map(valueText).join(" "), level: as });
}

self.addEventListener("message", async ({ data }: MessageEvent<Order>) => {
  [current, shown] = [data.run, 0];
  connect({ post: report, values: data.values });
  const url = URL.createObjectURL(
    new Blob([`${data.code}\n//# sourceURL=example.ts`], { type: "text/javascript" }),
  );
  try {
    await import(url);
    report({ type: "done" });
  } catch (error) {
    report(failure(error));
  } finally {
    URL.revokeObjectURL(url);
  }
});

// What a timer or a promise throws that nobody waits for.
self.addEventListener("error", (event) => report(failure(event.error ?? event.message)));
self.addEventListener("unhandledrejection", (event) => report(failure(event.reason)));

/** The error's text, and the uppermost line of the example in its stack. */
function failure(error: unknown): Ending {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `Thrown: ${valueText(error)}`;
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  // Engines that do not know sourceURL name the blob.
  const [, line, column] = /(?:example\.ts|blob:[^\s)]*?):(\d+):(\d+)/.exec(stack) ?? [];
  return { type: "error", text, ...(line ? { line: Number(line), column: Number(column) } : {}) };
}
