import type { Checks } from "@qkv/core";
import { logSoftmax } from "./log-softmax.js";
import { applyProcessors, type LogitsProcessor } from "./processors/logits-processor.js";
import { refuseLogits, topLogprobs } from "./sampling.js";

/** A token of a sequence, with its log-probability. */
export type SequenceToken = {
  id: number;
  /** The natural logarithm of the token's probability, before processors change it. */
  logprob: number;
  /** With `logprobs`: the likeliest tokens, the likeliest first. */
  top?: { id: number; logprob: number }[];
};

/** A sequence that beam search found. */
export type BeamSequence = {
  /** Generated ids, without the stop id. */
  ids: number[];
  /** Text of the generated ids, without a stop text and what follows; "" for a model without a tokenizer. */
  text: string;
  /** Sum of the processed log-probabilities, that of the stop id included, over length to the power `lengthPenalty`. */
  score: number;
  /** Reason of the end: a stop id or text, `maxTokens`, or a full context. */
  reason: "stop" | "length" | "context";
  /** The stop id or text that ended the sequence; absent for other reasons. */
  stoppedBy?: number | string;
  /** One for each of `ids`. */
  tokens: SequenceToken[];
};

/** A sequence of a search: running, or ended. */
export type Beam = {
  /** Generated ids, without the stop id. */
  readonly ids: readonly number[];
  readonly tokens: readonly SequenceToken[];
  /** Sum of the processed log-probabilities. */
  readonly sum: number;
  /** Index, among the running beams of the step before, of the one that it continues. */
  readonly parent: number;
};

/** A sequence that has ended. */
type Finished = Beam & Pick<BeamSequence, "score"> & End;

type End = Pick<BeamSequence, "reason" | "stoppedBy">;

export type BeamSearcherOptions = {
  readonly check: Checks;
  readonly prompt: number;
  /** The prompt as processors see it. */
  readonly promptIds: readonly number[];
  readonly numBeams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | "never";
  readonly numReturnSequences: number;
  readonly processors: readonly LogitsProcessor[];
  readonly logprobs: number;
  readonly stopIds: ReadonlySet<number>;
  readonly stopTexts: readonly string[];
  /** At most this many new tokens, with the stop id. */
  readonly tokenLimit: number;
  readonly limitReason: "length" | "context";
  /** Text of generated ids, up to a stop text, and that one. */
  readonly textOf: (ids: readonly number[]) => { text: string; stopText?: string | undefined };
};

/** The search for one prompt. */
export type BeamSearcher = {
  readonly prompt: number;
  /** Beams that the next step continues, the best first; none when the search has ended. */
  readonly running: readonly Beam[];
  /** One step, with a row of logits for each running beam. */
  step(logits: readonly ArrayLike<number>[]): void;
  /** Beams that may still begin the best sequence: the best that has ended, and those that run. */
  contenders(): readonly Beam[];
  /** The sequences found, the best first. */
  sequences(): BeamSequence[];
};

/** A search that begins with an empty beam. */
export function beamSearcher(options: BeamSearcherOptions): BeamSearcher {
  const { check, prompt, promptIds, numBeams, lengthPenalty, earlyStopping, tokenLimit } = options;
  const { stopIds, stopTexts, textOf, processors } = options;
  const sequence = {
    prompt,
    promptLength: promptIds.length,
    stopIds: [...stopIds],
    maxLength: promptIds.length + tokenLimit,
  };
  // As many as leave `numBeams` to run where each beam may end by each stop id.
  const count = Math.max(2, 1 + stopIds.size) * numBeams;
  let running: readonly Beam[] = [{ ids: [], tokens: [], sum: 0, parent: 0 }];
  let finished: Finished[] = [];
  let length = 0; // of the running beams

  /** The end of a candidate, if it has one. */
  const endOf = (beam: Beam, id: number): End | undefined => {
    if (stopIds.has(id)) return { reason: "stop", stoppedBy: id };
    const stopText = stopTexts.length > 0 ? textOf(beam.ids).stopText : undefined;
    if (stopText !== undefined) return { reason: "stop", stoppedBy: stopText };
    return length === tokenLimit ? { reason: options.limitReason } : undefined;
  };

  const canImprove = () => {
    if (finished.length < numBeams) return true;
    if (earlyStopping === true || running.length === 0) return false;
    const best = earlyStopping === "never" && lengthPenalty > 0 ? tokenLimit : length;
    return running[0]!.sum / best ** lengthPenalty > finished.at(-1)!.score;
  };

  return {
    prompt,
    get running() {
      return running;
    },
    step(logits) {
      length += 1;
      const logProbs = logits.map((row) => {
        const own = logSoftmax(row);
        if (Number.isNaN(own[0])) refuseLogits(check, row);
        return own;
      });
      const scores = logProbs.map((row, i) =>
        processors.length === 0
          ? row
          : applyProcessors(processors, row, { ...sequence, ids: [...promptIds, ...running[i]!.ids] }),
      );
      const before = running;
      const next: Beam[] = [];
      candidates(before, scores, count).forEach(({ parent, id, sum }, rank) => {
        const { ids, tokens } = before[parent]!;
        const top = options.logprobs > 0 && { top: topLogprobs(logits[parent]!, options.logprobs) };
        const token = { id, logprob: logProbs[parent]![id]!, ...top };
        const beam: Beam = { ids: [...ids, id], tokens: [...tokens, token], sum, parent };
        const end = endOf(beam, id);
        if (!end) next.push(beam);
        // Of what ends, only the best candidates count.
        else if (rank < numBeams) {
          const ended = stopIds.has(id) ? { ...beam, ids, tokens } : beam;
          finished.push({ ...ended, ...end, score: sum / length ** lengthPenalty });
        }
      });
      finished = finished.sort((a, b) => b.score - a.score).slice(0, numBeams);
      running = next.slice(0, numBeams);
      if (!canImprove()) running = [];
      if (running.length > 0 || finished.length > 0) return;
      check.refuse({
        argument: "processors",
        received: processors.map(({ name }) => name),
        expected: "processors that leave a token for one of the beams",
        fix: "leave out one that removes all tokens.",
      });
    },
    contenders: () => [...finished.slice(0, 1), ...running],
    sequences: () =>
      finished.slice(0, options.numReturnSequences).map(({ ids, tokens, score, reason, stoppedBy }) => ({
        ids: [...ids],
        text: textOf(ids).text,
        score,
        reason,
        ...(stoppedBy !== undefined && { stoppedBy }),
        tokens: [...tokens],
      })),
  };
}

/** The best continuations of all beams, the best first. Those that processors removed are none. */
function candidates(
  beams: readonly Beam[],
  scores: readonly Float64Array[],
  count: number,
): { parent: number; id: number; sum: number }[] {
  const best: { parent: number; id: number; sum: number }[] = [];
  beams.forEach((beam, parent) => {
    const own = scores[parent]!;
    for (let id = 0; id < own.length; id++) {
      const sum = beam.sum + own[id]!;
      if (sum === -Infinity || (best.length === count && !(sum > best[count - 1]!.sum))) continue;
      if (best.length === count) best.pop();
      let at = best.length;
      while (at > 0 && best[at - 1]!.sum < sum) at -= 1;
      best.splice(at, 0, { parent, id, sum });
    }
  });
  return best;
}
