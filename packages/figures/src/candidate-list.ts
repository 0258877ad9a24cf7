import { candidates } from "@qkv/transformer";
import type { GenerationCandidate, OtherCandidates } from "@qkv/viz/figures/generation";

/** A token that is selected instead of sampled, by its id, or by its rank in the probabilities of the model. */
export type Pin = { id: number } | { rank: number };

/** Candidates that get a bar. */
const maxBars = 8;

/**
 * The stages of sampling for one row of logits `[V]`, as in `generate`, and the selected token: the pinned one, or the one
 * selected by the random number.
 */
export function candidateList(
  logits: ArrayLike<number>,
  {
    temperature,
    topP,
    draw,
    pinned,
  }: { temperature: number; topP: number; draw: number; pinned: Pin | undefined },
  tokenText: (id: number) => string,
): { candidates: GenerationCandidate[]; others: OtherCandidates; taken: number } {
  const raw = candidates(logits, { temperature: 1 });
  const tempered = byId(candidates(logits, { temperature }));
  const afterTopP = candidates(logits, { temperature, topP });
  const intervals = new Map<number, { from: number; to: number; probability: number }>();
  // Without top-p, `generate` divides the interval from 0 to 1 in the order of the vocabulary.
  const order = topP < 1 || temperature === 0 ? afterTopP : [...afterTopP].sort((a, b) => a.id - b.id);
  let from = 0;
  let drawn = order.at(-1)!.id;
  let found = false;
  for (const { id, probability } of order) {
    intervals.set(id, { from, to: from + probability, probability });
    from += probability;
    if (found || draw >= from) continue;
    drawn = id;
    found = true;
  }
  const takenId = pinned === undefined ? drawn : "id" in pinned ? pinned.id : raw[pinned.rank]!.id;
  const listed = raw.slice(0, maxBars);
  if (!listed.some(({ id }) => id === takenId)) {
    const taken = raw.find(({ id }) => id === takenId) ?? { id: takenId, probability: 0 };
    listed.splice(-1, 1, taken);
  }
  const list = listed.map(({ id, probability }): GenerationCandidate => {
    const { from = 0, to = 0, probability: part = 0 } = intervals.get(id) ?? {};
    return { id, text: tokenText(id), probability, tempered: tempered.get(id) ?? 0, kept: part, from, to };
  });
  const rest = (name: "probability" | "tempered" | "kept") =>
    Math.max(0, 1 - list.reduce((sum, one) => sum + one[name], 0));
  const keptCount = afterTopP.length - list.filter((one) => one.kept > 0).length;
  const others = {
    count: raw.length - list.length,
    probability: rest("probability"),
    tempered: rest("tempered"),
    kept: keptCount > 0 ? rest("kept") : 0,
    keptCount,
  };
  return { candidates: list, others, taken: list.findIndex(({ id }) => id === takenId) };
}

const byId = (list: readonly { id: number; probability: number }[]) =>
  new Map(list.map(({ id, probability }) => [id, probability]));
