// How a row is measured: all outputs are compared first, then contenders are timed in turn, A B C A B C, so that what
// drifts in the machine meets all alike.

/** A contender this many times slower than the best after the first round is not run again. */
const tooSlow = 10;

/**
 * @param row - As run.mjs describes it.
 * @param options - `open(contender)` starts one and returns `{ prepare(), output(), figure(), close() }`, all of which
 *   return promises; `open("expected")` stands for `row.expected`. `figure()` is milliseconds of one call, or what the
 *   contender measured itself when `prepare()` said `measures`.
 * @returns One entry of `cases` in the JSON.
 */
export async function measure(row, { rounds, open, say = () => {} }) {
  const { id, unit, better, contenders, tolerance = 0, aim } = row;
  const [running, failed] = [[], []];
  let expected = row.expected && (await once(open));
  try {
    for (const contender of contenders) {
      say(`${id}: ${contender.name}`);
      const entry = { contender, figures: [] };
      try {
        entry.opened = await open(contender);
        const { threads, measures } = await entry.opened.prepare();
        Object.assign(entry, { threads, measures });
        const output = await entry.opened.output();
        if (output !== undefined) {
          expected ??= output;
          entry.wrong = difference(output, expected, tolerance);
          if (entry.wrong) say(`${id}: ${contender.name} is wrong: ${entry.wrong}`);
        }
        running.push(entry);
      } catch (error) {
        await fail(entry, error);
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const entry of running.filter(({ stopped }) => !stopped)) {
        try {
          const got = await entry.opened.figure();
          entry.figures.push(entry.measures || row.work === undefined ? got : row.work / (got / 1000));
        } catch (error) {
          await fail(entry, error);
          running.splice(running.indexOf(entry), 1);
        }
      }
      if (round === 0) await stopSlow();
      say(`${id}: round ${round + 1} of ${rounds}`);
    }
  } finally {
    await Promise.all(running.map(({ opened }) => opened.close()));
  }
  const results = running.map(({ contender: { name, kind }, threads, figures, wrong, stopped }) => ({
    name,
    kind,
    threads,
    median: median(figures),
    min: Math.min(...figures),
    best: better === "low" ? Math.min(...figures) : Math.max(...figures),
    ...(wrong && { wrong: true, difference: wrong }),
    ...(stopped && { stopped: true }),
  }));
  return {
    id,
    unit,
    better,
    results,
    ...(failed.length > 0 && { failed }),
    ratios: ratios(results, better, aim),
  };

  async function fail({ contender, opened }, error) {
    const reason = String(error?.message ?? error)
      .split("\n")[0]
      .slice(0, 300);
    say(`${id}: ${contender.name} failed: ${reason}`);
    failed.push({ name: contender.name, kind: contender.kind, reason });
    await opened?.close();
  }

  async function stopSlow() {
    const racing = running.filter(({ contender, wrong }) => contender.kind !== "limit" && !wrong);
    const figures = racing
      .filter(({ contender }) => contender.kind !== "native")
      .map(({ figures }) => figures[0]);
    if (figures.length === 0) return;
    const best = better === "low" ? Math.min(...figures) : Math.max(...figures);
    for (const entry of running) {
      if (entry.contender.kind === "limit" || entry.contender.kind === "ours") continue;
      const times = better === "low" ? entry.figures[0] / best : best / entry.figures[0];
      if (!(times > tooSlow)) continue;
      entry.stopped = true;
      await entry.opened.close();
    }
  }
}

/** Ours, the best of it, to the best peer that is right, and to the highest limit; above 1 is ahead. */
function ratios(results, better, aim) {
  const best = (kind) => {
    const right = results
      .filter((result) => result.kind === kind && !result.wrong)
      .map(({ median }) => median);
    if (right.length > 0) return better === "low" ? Math.min(...right) : Math.max(...right);
    return undefined;
  };
  const [ours, peer, native, limit] = ["ours", "peer", "native", "limit"].map(best);
  const to = (other) =>
    ours === undefined || other === undefined ? undefined : better === "low" ? other / ours : ours / other;
  return Object.fromEntries(
    Object.entries({ peer: to(peer), native: to(native), limit: to(limit), aim }).filter(
      ([, ratio]) => ratio !== undefined,
    ),
  );
}

/** What is right, computed by a run of its own. */
async function once(open) {
  const opened = await open("expected");
  try {
    await opened.prepare();
    return await opened.output();
  } finally {
    await opened.close();
  }
}

/** Undefined where two outputs agree, else how they differ. */
function difference(output, expected, tolerance) {
  if (output.length !== expected.length) return `${output.length} values, expected ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    const [got, right] = [output[i], expected[i]];
    if (Object.is(got, right)) continue;
    const apart =
      typeof got === "number" || typeof got === "bigint" ? Math.abs(Number(got) - Number(right)) : NaN;
    if (!(apart <= tolerance)) return `value ${i} is ${got}, expected ${right} within ${tolerance}`;
  }
  return undefined;
}

function median(figures) {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
