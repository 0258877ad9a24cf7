import type { PatternName } from "@qkv/lens/session";
import { copiesClearly, readsNoTokenBefore, type RankedHead } from "./head-ranking";
import { decimals } from "./text-of";

/** Attention to the keys of a pattern, in words. */
const attendsWords: Record<PatternName, readonly [one: string, more: string]> = {
  induction: ["attends to the token after an earlier copy", "attend to the token after an earlier copy"],
  previousToken: ["attends to the token before", "attend to the token before"],
  firstToken: ["attends to the first token of the text", "attend to the first token of the text"],
  sameToken: ["attends to an earlier copy of its token", "attend to an earlier copy of their token"],
};

/** Heads that a verdict names; of more it gives the number. */
const mostNamed = 3;

/** The heads of a ranking that show its pattern clearly, in a sentence, and for induction those that attend but do not copy. */
export function headVerdict(
  name: PatternName,
  ranked: readonly RankedHead[],
  {
    tried,
    isRandom,
  }: {
    /** Tokens whose copying was tried: without any, induction has no verdict. */
    readonly tried: number;
    /** True: the text is random words, repeated, which nothing but induction goes on with. */
    readonly isRandom: boolean;
  },
): { readonly clear: readonly RankedHead[]; readonly verdict: string; readonly details: readonly string[] } {
  const isInduction = name === "induction";
  const clear = ranked.filter((head) => (isInduction ? copiesClearly(head, tried) : !head.isWeak));
  const [one, more] = attendsWords[name];
  const verb = clear.length === 1 ? (isInduction ? "copies" : one) : isInduction ? "copy" : more;
  const on = isRandom ? "random words" : "this text";
  const none = isInduction
    ? `No head of this model copies clearly on ${on}${isRandom ? ": this model has no induction head" : ""}.`
    : `No head ${one} clearly on ${on}.`;
  const details = isInduction
    ? ranked
        .filter((head) => !head.isWeak && head.copied !== undefined && tried > 0 && !clear.includes(head))
        .slice(0, mostNamed)
        .map((head) => {
          const attends = `${nameOf(head)} ${one} (${decimals(head.score)})`;
          return readsNoTokenBefore(head)
            ? `${attends}, but not by induction: in layer 0 a key does not know the token before it yet.`
            : `${attends}, but its output does not raise that token (copies ${head.copied} of ${tried}): it does not copy${head.copied === 0 ? "" : " clearly"}.`;
        })
    : [];
  return {
    clear,
    verdict: clear.length === 0 ? none : `${named(clear)} ${verb} clearly on ${on}.`,
    details,
  };
}

const nameOf = ({ layer, head }: RankedHead): string => `Layer ${layer}, head ${head}`;

function named(heads: readonly RankedHead[]): string {
  const names = heads.slice(0, mostNamed).map(nameOf);
  if (names.length === heads.length) return names.length === 2 ? names.join(" and ") : names.join("; ");
  return `${names.join("; ")} and ${heads.length - mostNamed} more ${heads.length === mostNamed + 1 ? "head" : "heads"}`;
}
