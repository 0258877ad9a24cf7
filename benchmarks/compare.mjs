// Compares two commits of ours in paired rounds: the speed of the current one relative to the other.
import { difference } from "./measure.mjs";

/** Measurement cycles in a round: starting the processes takes far longer. */
const cycles = 5;

/**
 * Each round opens both commits in new processes, since the memory layout of a process affects times, and measures them in
 * turn: this, the other, the other, this, five times; the next round begins with the other. The result of a round is the
 * median of its five ratios.
 *
 * @param row - As run.mjs describes it.
 * @param options - `open(state, contender)` with state "this" or "other"; as for measure.mjs.
 * @returns {Promise<any>} One entry of `cases` in the JSON: for each of ours, the ratio and its bounds.
 */
export async function compare(row, { rounds, open, say = () => {} }) {
  const { id, unit, better, tolerance = 0, contenders } = row;
  const states = [];
  const ours = contenders.filter(({ kind, rival }) => kind === "ours" && !rival);
  // Copies in and out are the same for both: if we have a resident contender, only that is compared.
  const resident = ours.filter((each) => each.resident === "all");
  for (const contender of resident.length > 0 ? resident : ours) {
    const { name } = contender;
    const logs = [];
    const figures = { this: [], other: [] };
    let failed;
    try {
      for (let round = 0; round < rounds; round++) {
        const pair = await openPair(contender, open);
        try {
          if (round === 0) {
            const [mine, theirs] = [await pair.this.output(), await pair.other.output()];
            const apart = mine && theirs && difference(mine, theirs, 2 * tolerance);
            if (apart) throw new Error(`the two states differ: ${apart}`);
          }
          const [first, second] = round % 2 === 0 ? ["this", "other"] : ["other", "this"];
          // A figure is in milliseconds, unless the contender measures one of its own.
          const low = pair.measures ? better === "low" : true;
          const ofRound = [];
          for (let cycle = 0; cycle < cycles; cycle++) {
            const taken = { this: [], other: [] };
            for (const state of [first, second, second, first]) taken[state].push(await pair[state].figure());
            const [mine, theirs] = [geometricMean(taken.this), geometricMean(taken.other)];
            ofRound.push(Math.log(low ? theirs / mine : mine / theirs));
            figures.this.push(mine);
            figures.other.push(theirs);
          }
          logs.push(middle(ofRound));
          say(`${id}: ${name}: round ${round + 1} of ${rounds}: ${Math.exp(logs.at(-1)).toFixed(2)}`);
        } finally {
          await Promise.all([pair.this.close(), pair.other.close()]);
        }
      }
    } catch (error) {
      failed = String(error?.message ?? error).split("\n")[0];
      say(`${id}: ${name} failed: ${failed}`);
    }
    states.push(
      failed
        ? { name, failed }
        : { name, ...pairedRatio(logs), this: middle(figures.this), other: middle(figures.other) },
    );
  }
  return { id, unit, better, states };
}

const middle = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

async function openPair(contender, open) {
  const pair = { this: await open("this", contender) };
  try {
    pair.other = await open("other", contender);
    const { measures } = await pair.this.prepare();
    await pair.other.prepare();
    return { ...pair, measures };
  } catch (error) {
    await Promise.all(Object.values(pair).map((opened) => opened.close()));
    throw error;
  }
}

const geometricMean = (numbers) =>
  Math.exp(numbers.reduce((sum, x) => sum + Math.log(x), 0) / numbers.length);

/** Minimum number of rounds for 95 % bounds. */
export const fewestRounds = 6;

/**
 * The Hodges–Lehmann estimate of a ratio from the logarithms of paired ratios (the median of all pairwise means), with the
 * 95 % confidence interval of Wilcoxon's signed-rank test. Both are robust against outliers.
 *
 * @param {readonly number[]} logs - Six or more.
 * @returns {{ ratio: number, low: number, high: number }}
 */
export function pairedRatio(logs) {
  const n = logs.length;
  const means = [];
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) means.push((logs[i] + logs[j]) / 2);
  means.sort((a, b) => a - b);
  const count = means.length;
  const spread = 1.96 * Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
  const rank = Math.max(0, Math.floor(count / 2 - spread));
  const middle = count % 2 ? means[count >> 1] : (means[count / 2 - 1] + means[count / 2]) / 2;
  return {
    ratio: Math.exp(middle),
    low: Math.exp(means[rank]),
    high: Math.exp(means[count - 1 - rank]),
  };
}

/** One compared row as text. */
export function comparisonTable({ id, states }) {
  const width = Math.max(...states.map(({ name }) => name.length));
  const lines = states.map(({ name, failed, ratio, low, high }) =>
    failed
      ? `  ${name.padEnd(width)}  failed: ${failed}`
      : `  ${name.padEnd(width)}  ${ratio.toFixed(3)} times as fast, 95 % bounds ${low.toFixed(3)} to ${high.toFixed(3)}`,
  );
  return [id, ...lines].join("\n");
}
