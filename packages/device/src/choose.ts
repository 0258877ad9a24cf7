import { asyncDisposable, DeviceError } from "@qkv/core";
import type { Device, Tensor } from "@qkv/tensor";
import type { Candidate } from "./candidates.js";
import type { Attempt, BestDevice, Choice } from "./choice.js";
import type { Remembered } from "./remembered.js";
import { warmed } from "./sample-work.js";

/** Everything that a choice depends on beside the candidates. */
export type Surroundings = {
  readonly remembered: Remembered;
  readonly adapter: string | undefined;
  /** Reasons not to open a candidate, by name. */
  readonly refused: ReadonlyMap<string, string>;
  readonly patienceMs: number;
  readonly work: (device: Device) => () => Tensor;
  readonly clock: () => number;
};

type Opened = {
  readonly candidate: Candidate;
  readonly device: Awaited<ReturnType<Candidate["open"]>>;
  /** Times the work. */
  readonly time: () => Promise<number>;
};
type Failed = { readonly candidate: Candidate; readonly reason: string };

const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0]!;

/**
 * The best of the candidates: those that open, compute and are ready in time are timed, and the fastest is taken. What is
 * not ready in time comes later, as `better`.
 *
 * @throws {DeviceError} If none opens.
 */
export async function choose(candidates: readonly Candidate[], given: Surroundings): Promise<BestDevice> {
  const { remembered, refused, patienceMs, clock, adapter } = given;
  const start = clock();
  const attempts = new Map<string, Attempt>();
  const note = (name: string, outcome: Attempt["outcome"], reason: string, milliseconds?: number) =>
    attempts.set(name, { name, outcome, reason, ...(milliseconds !== undefined && { milliseconds }) });
  const open = async (candidate: Candidate): Promise<Opened | Failed> => {
    try {
      const device = await candidate.open();
      try {
        return { candidate, device, time: await warmed(device, given.work, clock) };
      } catch (error) {
        device.close?.();
        return { candidate, reason: firstLine(error) };
      }
    } catch (error) {
      return { candidate, reason: firstLine(error) };
    }
  };
  const chosen = (
    { candidate: { name }, device }: Opened,
    why: string,
    more: { remembered?: boolean; better?: Promise<BestDevice | undefined> },
  ): BestDevice => {
    note(name, "chosen", why, attempts.get(name)?.milliseconds);
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

  for (const [name, reason] of refused) note(name, "refused", reason);
  let allowed = candidates.filter(({ name }) => !refused.has(name));

  const earlier = remembered.get(allowed.map(({ name }) => name));
  let opening: Promise<Opened | Failed> | undefined;
  if (earlier) {
    const candidate = allowed.find(({ name }) => name === earlier.name)!;
    opening = open(candidate);
    const opened = candidate.kind === "late" ? await within(opening, patienceMs) : await opening;
    if (opened && "device" in opened) {
      for (const [name, ms] of Object.entries(earlier.milliseconds))
        if (name !== earlier.name) note(name, "slower", "measured earlier on this adapter", ms);
        else note(name, "chosen", "", ms);
      return chosen(opened, "it was the fastest here before", { remembered: true });
    }
    if (opened) {
      note(candidate.name, "refused", opened.reason);
      allowed = allowed.filter((one) => one !== candidate);
      opening = undefined;
    }
  }

  const late = allowed.filter(({ kind }) => kind === "late");
  const pending = late.map((candidate) => ({
    candidate,
    opened: opening && candidate.name === earlier?.name ? opening : open(candidate),
  }));
  const ready: Opened[] = [];
  const take = (result: Opened | Failed) => {
    if ("device" in result) ready.push(result);
    else note(result.candidate.name, "refused", result.reason);
  };
  for (const result of await Promise.all(allowed.filter(({ kind }) => kind === "host").map(open)))
    take(result);
  const waiting: typeof pending = [];
  for (const one of pending) {
    const result = await within(one.opened, patienceMs - (clock() - start));
    if (result) take(result);
    else waiting.push(one);
  }
  // The plain device is the slowest: it is opened only if no other is ready.
  if (ready.length === 0) {
    for (const result of await Promise.all(allowed.filter(({ kind }) => kind === "last").map(open)))
      take(result);
  }
  // Without a host device among the candidates, the late ones are awaited.
  if (ready.length === 0) for (const one of waiting.splice(0)) take(await one.opened);
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

  const measure = ready.length > 1 || waiting.length > 0;
  const times = new Map<Opened, number>();
  if (measure) for (const one of ready) times.set(one, await one.time());
  const best = fastest(ready, times);
  const milliseconds = () =>
    Object.fromEntries([...times].map(([{ candidate }, ms]) => [candidate.name, Math.round(ms * 100) / 100]));
  for (const one of ready) {
    const ms = times.get(one);
    if (one === best) continue;
    note(
      one.candidate.name,
      "slower",
      `${formatMs(ms!)}, and ${best.candidate.name} ${formatMs(times.get(best)!)}`,
      ms,
    );
    one.device.close?.();
  }
  if (times.has(best)) note(best.candidate.name, "chosen", "", times.get(best));
  for (const { candidate } of waiting)
    note(candidate.name, "pending", `its shaders were not ready within ${patienceMs} ms`);
  const alone = ready.length === 1;
  const why = alone
    ? waiting.length > 0
      ? `it is ready, and ${waiting.map(({ candidate }) => candidate.name).join(", ")} not yet`
      : "no other device of the preferences opens here"
    : `it is the fastest here: ${formatMs(times.get(best)!)}`;
  if (waiting.length === 0) {
    if (measure) remembered.set(best.candidate.name, milliseconds());
    return chosen(best, why, {});
  }
  return chosen(best, why, { better: later() });

  /** Times the late devices once they are ready, and returns the fastest if it beats the current one. */
  async function later(): Promise<BestDevice | undefined> {
    const now = best;
    const opened = (await Promise.all(waiting.map((one) => one.opened))).filter((one) => "device" in one);
    try {
      for (const one of opened) times.set(one, await one.time());
    } catch {
      for (const { device } of opened) device.close?.();
      return undefined;
    }
    const winner = fastest([now, ...opened], times);
    remembered.set(winner.candidate.name, milliseconds());
    for (const one of opened) if (one !== winner) one.device.close?.();
    if (winner === now) return undefined;
    note(now.candidate.name, "slower", formatMs(times.get(now)!), times.get(now));
    note(winner.candidate.name, "chosen", "", times.get(winner));
    return chosen(winner, `it is the fastest here: ${formatMs(times.get(winner)!)}`, {});
  }
}

const formatMs = (ms: number) => `${ms.toFixed(2)} ms`;

/** The shortest time; of equal ones the first. */
function fastest(opened: readonly Opened[], times: ReadonlyMap<Opened, number>): Opened {
  return opened.reduce((best, one) => ((times.get(one) ?? 0) < (times.get(best) ?? 0) ? one : best));
}

/** The result of a promise within some time; undefined if it takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, ms));
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
