// Measures a row: first compares all outputs, then times the contenders round-robin, A B C A B C, so that drift of the
// machine affects all equally.

/** A contender that is slower than the best by this factor after the first round is not run again. */
const tooSlow = 10;

/**
 * @param row - As run.mjs describes it.
 * @param options - `open(contender)` starts one and returns `{ prepare(), output(), figure(), close() }`, all of which
 *   return promises; `open("expected")` opens `row.expected`. `figure()` is the time of one call in milliseconds, or a value
 *   that the contender measured itself if `prepare()` returned `measures`.
 * @returns {Promise<any>} One entry of `cases` in the JSON.
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
        const { threads, measures, note } = await entry.opened.prepare();
        Object.assign(entry, { threads, measures, note });
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
  const results = running.map(
    ({ contender: { name, kind, resident, rival }, threads, figures, wrong, stopped, note }) => ({
      name,
      kind,
      ...(resident && { resident }),
      threads,
      median: median(figures),
      min: Math.min(...figures),
      best: extreme(figures, better),
      ...(rival && { rival }),
      ...(wrong && { wrong: true, difference: wrong }),
      ...(stopped && { stopped: true }),
      ...(note && { note }),
    }),
  );
  return {
    id,
    unit,
    better,
    results,
    ...(failed.length > 0 && { failed }),
    ...ratios(results, better, aim),
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
    const bestOf = (kinds, like) => {
      const racing = running.filter(
        ({ contender, wrong }) =>
          kinds.includes(contender.kind) && contender.resident === like.resident && !wrong,
      );
      return extreme(
        racing.map(({ figures }) => figures[0]),
        better,
      );
    };
    const rivals = { peer: ["ours", "peer"], native: ["ours", "peer"], ours: ["ours"] };
    for (const entry of running) {
      const kinds = rivals[entry.contender.kind];
      const best = kinds && bestOf(kinds, entry.contender);
      if (best === undefined || !(ahead(best, entry.figures[0], better) > tooSlow)) continue;
      entry.stopped = true;
      await entry.opened.close();
    }
  }
}

/** The best figure, or undefined without any. */
function extreme(figures, better) {
  if (figures.length === 0) return undefined;
  return better === "low" ? Math.min(...figures) : Math.max(...figures);
}

/** The ratio of two figures: above 1 if the first is better. */
function ahead(figure, other, better) {
  return better === "low" ? other / figure : figure / other;
}

/**
 * Our ratios to peers, native libraries, rivals and limits; below 1 means slower. Each other contender is compared with our
 * best one of the same `resident` value, so that both copy as much in and out; the smallest ratio of a kind counts. Without
 * such a contender there is no ratio. A limit copies nothing: it is compared with our best contender.
 *
 * @returns `{ ratios, pairs }`: numbers, and the names of the compared contenders, ours first.
 */
function ratios(results, better, aim) {
  const right = results.filter(({ wrong }) => !wrong);
  const ours = right.filter(({ kind, rival }) => kind === "ours" && !rival);
  const smallest = (belongs, alike) => {
    const compared = right.filter(belongs).flatMap((other) => {
      const like = ours.filter((one) => alike(one, other));
      const figure = extreme(
        like.map(({ median }) => median),
        better,
      );
      const best = like.find(({ median }) => median === figure);
      return best ? [{ ratio: ahead(best.median, other.median, better), pair: [best.name, other.name] }] : [];
    });
    return compared.toSorted((a, b) => a.ratio - b.ratio)[0];
  };
  const sameResident = (one, other) => one.resident === other.resident;
  const known = Object.entries({
    peer: smallest(({ kind }) => kind === "peer", sameResident),
    rival: smallest(({ rival }) => rival, sameResident),
    native: smallest(({ kind }) => kind === "native", sameResident),
    limit: smallest(
      ({ kind }) => kind === "limit",
      () => true,
    ),
  }).filter(([, found]) => found !== undefined);
  return {
    ratios: {
      ...Object.fromEntries(known.map(([kind, { ratio }]) => [kind, ratio])),
      ...(aim !== undefined && { aim }),
    },
    pairs: Object.fromEntries(known.map(([kind, { pair }]) => [kind, pair])),
  };
}

/** The expected output, computed by a process of its own. */
async function once(open) {
  const opened = await open("expected");
  try {
    await opened.prepare();
    return await opened.output();
  } finally {
    await opened.close();
  }
}

/** The difference between two outputs as text; undefined if they agree. */
export function difference(output, expected, tolerance) {
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
