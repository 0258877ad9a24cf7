import { patternNames, type PatternName, type TextQuestion } from "@qkv/lens/session";

type AblationTarget = NonNullable<TextQuestion["without"]>[number];

/** A head or a part of a layer that is switched off: `1.2` a head, `1.a` attention and `1.f` the feed-forward layer of layer 1. */
export type Switched = string;

/** All that a reader chose, as the address of the page has it after `#`. */
export type Place = {
  /** The small model (`""`), or a repository of the hub. Files have no address. */
  readonly model: string;
  readonly text: string;
  /** The text to compare with. */
  readonly source: string;
  /** The head that is looked at; undefined: the one that scores highest. */
  readonly head: { readonly layer: number; readonly head: number } | undefined;
  /** The position of the query, from 0; undefined: the last. */
  readonly query: number | undefined;
  /** The position of the key; undefined: the one of the largest weight. */
  readonly key: number | undefined;
  /** The score by which heads are sorted. */
  readonly score: PatternName;
  readonly off: readonly Switched[];
  /** Columns of the map of patches. */
  readonly by: "position" | "head";
  /** Ids of the tokens whose logits measure a patch, the second subtracted; undefined: the likeliest of both texts. */
  readonly measure: readonly [token: number, minus: number] | undefined;
};

export const beginning: Place = {
  model: "",
  text: "The cat sat on the mat. The cat sat on the",
  source: "The dog sat on the mat. The dog sat on the",
  head: undefined,
  query: undefined,
  key: undefined,
  score: "induction",
  off: [],
  by: "position",
  measure: undefined,
};

const whole = (text: string | null): number | undefined =>
  text !== null && /^\d{1,6}$/.test(text) ? Number(text) : undefined;

/** The place that an address names; what it leaves out, and what is no place, is as in the beginning. */
export function readPlace(hash: string): Place {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const head = /^(\d{1,4})\.(\d{1,4})$/.exec(given.get("head") ?? "");
  const measure = /^(\d{1,7})\.(\d{1,7})$/.exec(given.get("measure") ?? "");
  const score = patternNames.find((name) => name === given.get("score"));
  return {
    model: given.get("model") ?? beginning.model,
    text: given.get("text") ?? beginning.text,
    source: given.get("source") ?? beginning.source,
    head: head ? { layer: Number(head[1]), head: Number(head[2]) } : undefined,
    query: whole(given.get("query")),
    key: whole(given.get("key")),
    score: score ?? beginning.score,
    off: (given.get("off") ?? "").split(",").filter((one) => /^\d{1,4}\.(\d{1,4}|a|f)$/.test(one)),
    by: given.get("by") === "head" ? "head" : "position",
    measure: measure ? [Number(measure[1]), Number(measure[2])] : undefined,
  };
}

/** The address of a place: what is as in the beginning is left out. */
export function writePlace({ head, query, key, off, measure, ...place }: Place): string {
  const written = new URLSearchParams();
  for (const name of ["model", "text", "source", "score", "by"] as const)
    if (place[name] !== beginning[name]) written.set(name, place[name]);
  if (head) written.set("head", `${head.layer}.${head.head}`);
  if (query !== undefined) written.set("query", String(query));
  if (key !== undefined) written.set("key", String(key));
  if (off.length > 0) written.set("off", off.join());
  if (measure) written.set("measure", measure.join("."));
  return written.toString();
}

/** A sort of the heads: it opens the first of its list, also after another head was pressed. */
export const sortedBy = (score: PatternName): Partial<Place> => ({ score, head: undefined, key: undefined });

/** The targets of `ablate` of `@qkv/lens` of what is switched off. */
export function ablationTargets(off: readonly Switched[]) {
  return off.map((one) => {
    const [layer, part] = one.split(".") as [string, string];
    if (part === "a") return { layer: Number(layer), part: "attention" as const };
    if (part === "f") return { layer: Number(layer), part: "feedForward" as const };
    return { layer: Number(layer), head: Number(part) };
  });
}

/** The parts that targets of `ablate` switch off. */
export const switchedIn = (targets: readonly AblationTarget[] = []): readonly Switched[] =>
  targets.map(({ layer, head, part }) => `${layer}.${head ?? (part === "attention" ? "a" : "f")}`);

/** A part that is switched off, in words. */
export function switchedText(one: Switched): string {
  const [layer, part] = one.split(".") as [string, string];
  if (part === "a") return `the attention of layer ${layer}`;
  if (part === "f") return `the feed-forward layer of layer ${layer}`;
  return `layer ${layer}, head ${part}`;
}

/** Parts that are switched off, in words: both of a layer in one. */
export function switchedTexts(off: readonly Switched[]): readonly string[] {
  const isWhole = (layer: string) => off.includes(`${layer}.a`) && off.includes(`${layer}.f`);
  return off.flatMap((one) => {
    const [layer, part] = one.split(".") as [string, string];
    if (!/[af]/.test(part) || !isWhole(layer)) return [switchedText(one)];
    return off.find((other) => [`${layer}.a`, `${layer}.f`].includes(other)) === one
      ? [`the attention and the feed-forward layer of layer ${layer}`]
      : [];
  });
}

/** The list with one part switched the other way. */
export const switchedOver = (off: readonly Switched[], one: Switched): readonly Switched[] =>
  off.includes(one) ? off.filter((other) => other !== one) : [...off, one];
