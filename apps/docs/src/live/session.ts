import type { ControlValue, Message } from "@qkv/page";
import { bounds, isControl, messageGate, type Control, type Ending, type MessageGate } from "./message-gate";
import type { LiveDevice } from "./live-device";
import type { Order, Report } from "./runner";

export type Output = Extract<Message, { type: "picture" | "text" | "check" }>;
export type Failure = { text: string; line?: number | undefined; column?: number | undefined };

/** Visible state of an example. `timeMs` is the duration of the last run in milliseconds on the reader's device. */
export type LiveState = {
  status: "idle" | "running" | "done" | "stopped" | "error";
  outputs: readonly Output[];
  controls: readonly Control[];
  /** Number of runs that have ended, in any way. */
  runs: number;
  failure?: Failure | undefined;
  timeMs?: number | undefined;
  /** Device of the last successful run. */
  device?: LiveDevice | undefined;
};

/** The part of a worker that a session needs. */
export type RunnerWorker = Pick<Worker, "postMessage" | "terminate" | "onmessage" | "onerror">;

/** Dependencies of a session. `compile` may throw an error with `line` and `column`. */
export type SessionParts = {
  createWorker(): RunnerWorker;
  compile(source: string): Promise<string>;
  changed(state: LiveState): void;
};

/** Time limit of a run. Unit: seconds. Lessons that train take up to one minute on a slow device. */
export const limitSeconds = 180;

const patienceMs = 250; // the old output stays this long while a new run continues, against flicker
const publishMs = 50; // between two updates of the output: a fast run must not block the page
// The worker's gate passes fewer messages: more come from a worker whose gate was circumvented.
const mostMessages = bounds.lines + bounds.controls + 100;

/**
 * Runs an example in a worker, repeatedly. The Run button starts a new worker; a changed control runs the same code in the
 * existing worker, and during a run only the latest values count.
 */
export class LiveSession {
  state: LiveState;
  readonly #parts: SessionParts;
  #worker: RunnerWorker | undefined;
  #run = 0;
  #code = "";
  #device: LiveDevice = "js";
  #values: Record<string, ControlValue> = {};
  #moved = false;
  #started = 0;
  #fresh: { outputs: Output[]; controls: Control[] } = { outputs: [], controls: [] };
  #gate: MessageGate | undefined;
  #heard = 0;
  #published = 0;
  #publishing: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #limit: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: SessionParts, outputs: readonly Message[]) {
    this.#parts = parts;
    this.state = {
      status: "idle",
      runs: 0,
      outputs: outputs.filter((message): message is Output => !isControl(message)),
      controls: outputs.filter(isControl),
    };
  }

  /** Compiles and runs in a new worker, with the current controls, on a device. */
  async run(source: string, device: LiveDevice = "js"): Promise<void> {
    this.#end();
    this.#device = device;
    const run = ++this.#run;
    this.#set({ status: "running", failure: undefined, timeMs: undefined });
    try {
      this.#code = await this.#parts.compile(source);
    } catch (error) {
      const { message, line, column } = error as Error & { line?: number; column?: number };
      if (run === this.#run)
        this.#set({
          status: "error",
          failure: { text: message, line, column },
          outputs: [],
          runs: this.state.runs + 1,
        });
      return;
    }
    if (run !== this.#run) return; // stopped, or run again, while compiling
    this.#worker = this.#parts.createWorker();
    this.#worker.onmessage = ({ data }: MessageEvent<Report>) => this.#hear(data);
    this.#worker.onerror = () =>
      this.#finish({ status: "error", failure: { text: "The example could not start." } });
    this.#order();
  }

  /** Sets a slider, a text field or the files of a button, and runs the code again. */
  move(label: string, value: ControlValue): void {
    this.#values[label] = value;
    this.#set({
      controls: this.state.controls.map((one) => (one.label === label ? withValue(one, value) : one)),
    });
    if (this.state.status === "running") this.#moved = true;
    else if (this.#worker) this.#order();
  }

  /** Terminates the worker. Its output stays. */
  stop(): void {
    if (this.state.status !== "running") return;
    this.#run++;
    this.#publish();
    this.#end();
    this.#set({ status: "stopped", runs: this.state.runs + 1 });
  }

  /** The values of controls that the reader has changed, without files. */
  get values(): Record<string, number | string> {
    const plain = Object.entries(this.#values).filter(([, value]) => typeof value !== "object");
    return Object.fromEntries(plain) as Record<string, number | string>;
  }

  /** Sets values of controls for the next run, from a link or a change; others are reset to the code's. */
  begin(values: Readonly<Record<string, number | string>>): void {
    this.#values = { ...values };
  }

  /** True if a control has another value than in the code. */
  get valuesChanged(): boolean {
    return Object.keys(this.#values).length > 0;
  }

  dispose(): void {
    this.#run++;
    this.#end();
  }

  #order(): void {
    const order: Order = {
      run: ++this.#run,
      code: this.#code,
      values: { ...this.#values },
      device: this.#device,
    };
    this.#moved = false;
    this.#fresh = { outputs: [], controls: [] };
    this.#gate = messageGate((message) => this.#take(message));
    this.#heard = 0;
    clearTimeout(this.#publishing);
    this.#publishing = undefined;
    this.#started = performance.now();
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      this.#patience = undefined;
      this.#publish();
    }, patienceMs);
    clearTimeout(this.#limit);
    this.#limit = setTimeout(() => {
      const text = `The example was stopped after ${limitSeconds} seconds.`;
      this.#end();
      this.#run++;
      this.#finish({ status: "error", failure: { text } });
    }, limitSeconds * 1000);
    this.#set({ status: "running", failure: undefined });
    this.#worker?.postMessage(order);
  }

  #hear(report: Report): void {
    const { run, message } = (report ?? {}) as Partial<Report>;
    if (run !== this.#run) return;
    if (++this.#heard > mostMessages) {
      const text = `The example was stopped because it sent more than ${mostMessages} messages.`;
      this.#end();
      this.#run++;
      return this.#finish({ status: "error", failure: { text } });
    }
    this.#gate?.pass(message);
    this.#gate?.end(message);
  }

  #take(message: Message | Ending): void {
    if (message.type === "done") {
      this.#finish({ status: "done", timeMs: performance.now() - this.#started, device: this.#device });
    } else if (message.type === "error") {
      const { text, line, column } = message;
      this.#finish({ status: "error", failure: { text, line, column } });
    } else {
      if (isControl(message)) this.#fresh.controls.push(message);
      else this.#fresh.outputs.push(message);
      if (this.#patience === undefined) this.#publishSoon();
    }
  }

  #finish(how: Partial<LiveState>): void {
    clearTimeout(this.#limit);
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#publish();
    this.#set({ ...how, runs: this.state.runs + 1 });
    if (this.#moved) this.#order();
  }

  /** Publishes the state now or, shortly after the last time, a little later. */
  #publishSoon(): void {
    const wait = this.#published + publishMs - performance.now();
    if (wait <= 0) this.#publish();
    else this.#publishing ??= setTimeout(() => this.#publish(), wait);
  }

  /** Replaces the output of the last run by that of this run. */
  #publish(): void {
    clearTimeout(this.#publishing);
    this.#publishing = undefined;
    this.#published = performance.now();
    // Values that the reader has changed are kept, although the run began before.
    const controls = this.#fresh.controls.map((one) => withValue(one, this.#values[one.label]));
    this.#set({ outputs: [...this.#fresh.outputs], controls });
  }

  #end(): void {
    clearTimeout(this.#limit);
    clearTimeout(this.#publishing);
    this.#publishing = undefined;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#moved = false;
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #set(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change };
    this.#parts.changed(this.state);
  }
}

/** The control with another value, if it has the right type: the code may have replaced a field by a slider. */
function withValue(control: Control, value: ControlValue | undefined): Control {
  if (control.type === "slider") return typeof value === "number" ? { ...control, value } : control;
  if (control.type === "files") {
    return Array.isArray(value)
      ? { ...control, names: (value as readonly File[]).map(({ name }) => name) }
      : control;
  }
  if (control.type === "choice") {
    return typeof value === "string" && control.options.includes(value) ? { ...control, value } : control;
  }
  return typeof value === "string" ? { ...control, value } : control;
}
