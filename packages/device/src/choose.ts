import { asyncDisposable, DeviceError } from "@qkv/core";
import type { Device, Tensor } from "@qkv/tensor";
import type { Candidate } from "./candidates.js";
import type { Attempt, BestDevice, Choice } from "./choice.js";
import { compiledWork } from "./sample-work.js";
import type { StoredChoices } from "./stored-choices.js";

/** Inputs of {@link choose} besides the candidates. */
export type ChooseOptions = {
  readonly stored: StoredChoices;
  /** Name of the graphics adapter, if there is one. */
  readonly adapter: string | undefined;
  /** Candidates that must not be opened: the reason, by name. */
  readonly refused: ReadonlyMap<string, string>;
  /** Longest wait for GPU candidates to compile their shaders. Unit: milliseconds. */
  readonly timeoutMs: number;
  /** Prepares the work whose time is compared. */
  readonly work: (device: Device) => () => Tensor;
  /** Current time. Unit: milliseconds. */
  readonly clock: () => number;
};

type Opened = {
  readonly candidate: Candidate;
  readonly device: Awaited<ReturnType<Candidate["open"]>>;
  /** Runs the work, and returns its time in milliseconds. */
  readonly time: () => Promise<number>;
};
type Failed = { readonly candidate: Candidate; readonly reason: string };

const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0]!;

/**
 * Chooses among the candidates: those that open, run the work and are ready within `timeoutMs` are timed, and the fastest
 * is returned. A GPU candidate that is not ready in time may follow as `better`.
 *
 * @throws {DeviceError} If no candidate opens.
 */
export async function choose(candidates: readonly Candidate[], options: ChooseOptions): Promise<BestDevice> {
  const { stored, refused, timeoutMs, clock, adapter } = options;
  const start = clock();
  const attempts = new Map<string, Attempt>();
  const record = (name: string, outcome: Attempt["outcome"], reason: string, milliseconds?: number) =>
    attempts.set(name, { name, outcome, reason, ...(milliseconds !== undefined && { milliseconds }) });
  const open = async (candidate: Candidate): Promise<Opened | Failed> => {
    try {
      const device = await candidate.open();
      try {
        return { candidate, device, time: await compiledWork(device, options.work, clock) };
      } catch (error) {
        device.close?.();
        return { candidate, reason: firstLine(error) };
      }
    } catch (error) {
      return { candidate, reason: firstLine(error) };
    }
  };
  const bestDevice = (
    { candidate: { name }, device }: Opened,
    why: string,
    more: { remembered?: boolean; better?: Promise<BestDevice | undefined> },
  ): BestDevice => {
    record(name, "chosen", why, attempts.get(name)?.milliseconds);
    const choice: Choice = {
      name,
      why,
      attempts: candidates.map(
        (candidate) =>
          attempts.get(candidate.name) ?? {
            name: candidate.name,
            outcome: "skipped",
            reason: "another device was chosen before it was opened",
          },
      ),
      ...(adapter !== undefined && { adapter }),
      remembered: more.remembered ?? false,
    };
    const { close = () => undefined } = device;
    return Object.assign(device, {
      choice,
      ...(more.better && { better: more.better }),
      close,
      ...asyncDisposable(async () => close()),
    });
  };

  for (const [name, reason] of refused) record(name, "refused", reason);
  let allowed = candidates.filter(({ name }) => !refused.has(name));

  // A stored choice is opened first, and without a measurement.
  const earlier = stored.get(allowed.map(({ name }) => name));
  let opening: Promise<Opened | Failed> | undefined;
  if (earlier) {
    const candidate = allowed.find(({ name }) => name === earlier.name)!;
    opening = open(candidate);
    const opened = candidate.kind === "gpu" ? await withTimeout(opening, timeoutMs) : await opening;
    if (opened && "device" in opened) {
      for (const [name, ms] of Object.entries(earlier.milliseconds))
        if (name !== earlier.name) record(name, "slower", "measured earlier on this adapter", ms);
        else record(name, "chosen", "", ms);
      return bestDevice(opened, "it was the fastest here before", { remembered: true });
    }
    if (opened) {
      record(candidate.name, "refused", opened.reason);
      allowed = allowed.filter((other) => other !== candidate);
      opening = undefined;
    }
  }

  // GPU candidates compile their shaders while the CPU candidates open.
  const gpuCandidates = allowed
    .filter(({ kind }) => kind === "gpu")
    .map((candidate) => ({
      candidate,
      opened: opening && candidate.name === earlier?.name ? opening : open(candidate),
    }));
  const ready: Opened[] = [];
  const addReady = (result: Opened | Failed) => {
    if ("device" in result) ready.push(result);
    else record(result.candidate.name, "refused", result.reason);
  };
  for (const result of await Promise.all(allowed.filter(({ kind }) => kind === "cpu").map(open)))
    addReady(result);
  const pending: typeof gpuCandidates = [];
  for (const gpuCandidate of gpuCandidates) {
    const result = await withTimeout(gpuCandidate.opened, timeoutMs - (clock() - start));
    if (result) addReady(result);
    else pending.push(gpuCandidate);
  }
  // The fallback, `js`, is the slowest: it is opened only if no other is ready.
  if (ready.length === 0) {
    for (const result of await Promise.all(allowed.filter(({ kind }) => kind === "fallback").map(open)))
      addReady(result);
  }
  // If nothing is ready, the GPU candidates are awaited, however long they take.
  if (ready.length === 0) for (const { opened } of pending.splice(0)) addReady(await opened);
  if (ready.length === 0) {
    const reasons = candidates.map(({ name }) => `${name}: ${attempts.get(name)?.reason ?? "not opened"}`);
    throw new DeviceError({
      fn: "device",
      argument: "prefer",
      received: reasons.join("; "),
      expected: "a device that opens here",
      fix: 'add "js" to `prefer`: it runs everywhere.',
    });
  }

  const measures = ready.length > 1 || pending.length > 0;
  const times = new Map<Opened, number>();
  if (measures) for (const opened of ready) times.set(opened, await opened.time());
  const best = fastest(ready, times);
  const milliseconds = () =>
    Object.fromEntries([...times].map(([{ candidate }, ms]) => [candidate.name, Math.round(ms * 100) / 100]));
  for (const opened of ready) {
    const ms = times.get(opened);
    if (opened === best) continue;
    record(
      opened.candidate.name,
      "slower",
      `${formatMs(ms!)}, and ${best.candidate.name} ${formatMs(times.get(best)!)}`,
      ms,
    );
    opened.device.close?.();
  }
  if (times.has(best)) record(best.candidate.name, "chosen", "", times.get(best));
  for (const { candidate } of pending)
    record(candidate.name, "pending", `its shaders were not ready within ${timeoutMs} ms`);
  if (pending.length === 0) {
    if (measures) stored.set(best.candidate.name, milliseconds());
    return bestDevice(best, reason(), {});
  }
  return bestDevice(best, reason(), { better: fasterPending() });

  function reason(): string {
    if (ready.length > 1) return `it is the fastest here: ${formatMs(times.get(best)!)}`;
    if (pending.length === 0) return "no other device of the preferences opens here";
    return `it is ready, and ${pending.map(({ candidate }) => candidate.name).join(", ")} not yet`;
  }

  /** Times the pending candidates once they are ready, and returns the fastest one if it is faster than `best`. */
  async function fasterPending(): Promise<BestDevice | undefined> {
    const results = await Promise.all(pending.map(({ opened }) => opened));
    const opened = results.filter((result) => "device" in result);
    try {
      for (const other of opened) times.set(other, await other.time());
    } catch {
      for (const { device } of opened) device.close?.();
      return undefined;
    }
    const winner = fastest([best, ...opened], times);
    stored.set(winner.candidate.name, milliseconds());
    for (const other of opened) if (other !== winner) other.device.close?.();
    if (winner === best) return undefined;
    record(best.candidate.name, "slower", formatMs(times.get(best)!), times.get(best));
    record(winner.candidate.name, "chosen", "", times.get(winner));
    return bestDevice(winner, `it is the fastest here: ${formatMs(times.get(winner)!)}`, {});
  }
}

const formatMs = (ms: number) => `${ms.toFixed(2)} ms`;

/** The candidate with the shortest time; the first of several equal ones. */
function fastest(opened: readonly Opened[], times: ReadonlyMap<Opened, number>): Opened {
  return opened.reduce((best, other) => ((times.get(other) ?? 0) < (times.get(best) ?? 0) ? other : best));
}

/** The result of a promise, or undefined if it takes longer than `ms` milliseconds. */
async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, ms));
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
