import type { Checks } from "@qkv/core";
import { logSoftmax } from "./log-softmax.js";
import { applyProcessors, type LogitsProcessor } from "./processors/logits-processor.js";
import { refuseLogits, topLogprobs } from "./sampling.js";

/** A token of a sequence, with its log-probability. */
export type SequenceToken = {
  id: number;
  /** Log-probability of the token, before processors. Unit: nats. */
  logprob: number;
  /** With `logprobs`: the most likely tokens, in descending order. */
  top?: { id: number; logprob: number }[];
};

/** A sequence found by beam search. */
export type BeamSequence = {
  /** Generated ids, without the stop id. */
  ids: number[];
  /** Text of the generated ids, without a stop text and what follows; "" for a model without a tokenizer. */
  text: string;
  /** Sum of the processed log-probabilities, including the stop id, divided by `length ** lengthPenalty`. */
  score: number;
  /** Stop reason: a stop id or text, `maxTokens`, or a full context. */
  reason: "stop" | "length" | "context";
  /** The stop id or text that ended the sequence; absent for other reasons. */
  stoppedBy?: number | string;
  /** Tokens with log-probabilities, one per id. */
  tokens: SequenceToken[];
};

/** A sequence of a search: running, or ended. */
export type Beam = {
  /** Generated ids, without the stop id. */
  readonly ids: readonly number[];
  readonly tokens: readonly SequenceToken[];
  /** Sum of the processed log-probabilities. */
  readonly sum: number;
  /** Index of the beam that it continues, among the running beams of the previous step. */
  readonly parent: number;
};

/** A sequence that has ended. */
type Finished = Beam & Pick<BeamSequence, "score"> & End;

type End = Pick<BeamSequence, "reason" | "stoppedBy">;

export type BeamSearcherOptions = {
  readonly check: Checks;
  readonly prompt: number;
  /** The prompt for processors, with padding if there is any. */
  readonly promptIds: readonly number[];
  readonly numBeams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | "never";
  readonly numReturnSequences: number;
  readonly processors: readonly LogitsProcessor[];
  readonly logprobs: number;
  readonly stopIds: ReadonlySet<number>;
  readonly stopTexts: readonly string[];
  /** Maximum number of new tokens, including the stop id. */
  readonly tokenLimit: number;
  readonly limitReason: "length" | "context";
  /** Decodes generated ids up to a stop text. Returns the text and the stop text, if one was found. */
  readonly decodeText: (ids: readonly number[]) => { text: string; stopText?: string | undefined };
};

/** The search for one prompt. */
export type BeamSearcher = {
  readonly prompt: number;
  /** The beams to continue, the best first. Empty when the search has ended. */
  readonly running: readonly Beam[];
  /** Performs one step, with one row of logits per running beam. */
  step(logits: readonly ArrayLike<number>[]): void;
  /** Candidates for the best sequence: the best ended beam, and the running ones. */
  contenders(): readonly Beam[];
  /** The sequences found, the best first. */
  sequences(): BeamSequence[];
};

/** Starts a search with an empty beam. */
export function beamSearcher(options: BeamSearcherOptions): BeamSearcher {
  const { check, prompt, promptIds, numBeams, lengthPenalty, earlyStopping, tokenLimit } = options;
  const { stopIds, stopTexts, decodeText, processors } = options;
  const sequence = {
    prompt,
    promptLength: promptIds.length,
    stopIds: [...stopIds],
    maxLength: promptIds.length + tokenLimit,
  };
  // Enough candidates that `numBeams` can continue even if each beam ends with each stop id.
  const count = Math.max(2, 1 + stopIds.size) * numBeams;
  let running: readonly Beam[] = [{ ids: [], tokens: [], sum: 0, parent: 0 }];
  let finished: Finished[] = [];
  let length = 0; // of the running beams

  /** The stop reason of a candidate; undefined if it continues. */
  const findEnd = (beam: Beam, id: number): End | undefined => {
    if (stopIds.has(id)) return { reason: "stop", stoppedBy: id };
    const stopText = stopTexts.length > 0 ? decodeText(beam.ids).stopText : undefined;
    if (stopText !== undefined) return { reason: "stop", stoppedBy: stopText };
    return length === tokenLimit ? { reason: options.limitReason } : undefined;
  };

  const canImprove = () => {
    if (finished.length < numBeams) return true;
    if (earlyStopping === true || running.length === 0) return false;
    // Log-probabilities are negative, so with a positive penalty the score is highest at the greatest length.
    const scoredLength = earlyStopping === "never" && lengthPenalty > 0 ? tokenLimit : length;
    return running[0]!.sum / scoredLength ** lengthPenalty > finished.at(-1)!.score;
  };

  return {
    prompt,
    get running() {
      return running;
    },
    step(logits) {
      length += 1;
      const logProbs = logits.map((row) => {
        const rowLogProbs = logSoftmax(row);
        if (Number.isNaN(rowLogProbs[0])) refuseLogits(check, row);
        return rowLogProbs;
      });
      const scores = logProbs.map((row, i) =>
        processors.length === 0
          ? row
          : applyProcessors(processors, row, { ...sequence, ids: [...promptIds, ...running[i]!.ids] }),
      );
      const parents = running;
      const next: Beam[] = [];
      candidates(parents, scores, count).forEach(({ parent, id, sum }, rank) => {
        const { ids, tokens } = parents[parent]!;
        const top = options.logprobs > 0 && { top: topLogprobs(logits[parent]!, options.logprobs) };
        const token = { id, logprob: logProbs[parent]![id]!, ...top };
        const beam: Beam = { ids: [...ids, id], tokens: [...tokens, token], sum, parent };
        const end = findEnd(beam, id);
        if (!end) next.push(beam);
        // An ended sequence counts only if it is among the best candidates.
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
        text: decodeText(ids).text,
        score,
        reason,
        ...(stoppedBy !== undefined && { stoppedBy }),
        tokens: [...tokens],
      })),
  };
}

/** The best continuations of all beams, the best first, without tokens that processors removed. */
function candidates(
  beams: readonly Beam[],
  scores: readonly Float64Array[],
  count: number,
): { parent: number; id: number; sum: number }[] {
  const best: { parent: number; id: number; sum: number }[] = [];
  beams.forEach((beam, parent) => {
    const beamScores = scores[parent]!;
    for (let id = 0; id < beamScores.length; id++) {
      const sum = beam.sum + beamScores[id]!;
      if (sum === -Infinity || (best.length === count && !(sum > best[count - 1]!.sum))) continue;
      if (best.length === count) best.pop();
      let rank = best.length;
      while (rank > 0 && best[rank - 1]!.sum < sum) rank -= 1;
      best.splice(rank, 0, { parent, id, sum });
    }
  });
  return best;
}
