import { checks, FormatError, type Checks } from "@qkv/core";

/** Special tokens and generation settings of a speech model, from `generation_config.json`. */
export type SpeechTokens = {
  /** Ids of language tokens by code, such as `en`. Absent for models of one language. */
  readonly languages?: Readonly<Record<string, number>>;
  /** Ids of task tokens: `transcribe`, `translate`. */
  readonly tasks?: Readonly<Record<string, number>>;
  /** Id of `<|notimestamps|>`, which timestamp tokens follow. Absent for models without timestamps. */
  readonly noTimestampsId?: number;
  /** Latest start of the first segment. Unit: timestamp tokens, 0.02 s each. */
  readonly maxInitialTimestamp?: number;
  /** Suppressed ids. */
  readonly suppressed: readonly number[];
  /** Ids suppressed as the first generated token. */
  readonly suppressedAtBegin: readonly number[];
  /** Forced ids after the start token, for models without languages: `forced_decoder_ids`. */
  readonly forced: readonly number[];
  /** Alignment heads of cross-attention, each `[layer, head]`. Absent if the file does not list them. */
  readonly alignmentHeads?: readonly (readonly [layer: number, head: number])[];
};

/**
 * Reads special tokens and generation settings of a speech model.
 *
 * @param config - The parsed `generation_config.json`, or a `config.json` that holds the same fields.
 */
export function readSpeechTokens(config: unknown): SpeechTokens {
  const check: Checks<{ argument: string }> = checks(
    "readSpeechTokens",
    { argument: "generation_config.json" },
    FormatError,
  );
  const given = (typeof config === "object" && config !== null ? config : {}) as Record<string, unknown>;
  const refuse = (name: string, expected: string): never =>
    check.refuse({
      received: `\`${name}\` ${JSON.stringify(given[name])}`,
      expected: `\`${name}\` to be ${expected}`,
      fix: `correct \`${name}\` in the file, or download generation_config.json again.`,
    });
  const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  const ids = (name: string): readonly number[] => {
    const list = given[name] ?? [];
    return Array.isArray(list) && list.every(isId) ? list : refuse(name, "a list of token ids");
  };
  const byName = (name: string, rename: (key: string) => string) => {
    const map = given[name];
    if (map === undefined || map === null) return undefined;
    const entries = Object.entries(map);
    if (!entries.every(([, id]) => isId(id))) return refuse(name, "token ids by their names");
    return Object.fromEntries(entries.map(([key, id]) => [rename(key), id as number]));
  };
  const number = (name: string): number | undefined => {
    const value = given[name];
    if (value === undefined || value === null) return undefined;
    return isId(value) ? value : refuse(name, "an integer, 0 or more");
  };
  const languages = byName("lang_to_id", (key) => key.replace(/^<\||\|>$/g, ""));
  const tasks = byName("task_to_id", (key) => key);
  const noTimestampsId = number("no_timestamps_token_id");
  const heads = given["alignment_heads"] ?? undefined;
  const isPair = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every(isId);
  if (heads !== undefined && !(Array.isArray(heads) && heads.every(isPair)))
    refuse("alignment_heads", "a list of heads, each [layer, head]");
  const alignmentHeads = heads as SpeechTokens["alignmentHeads"];
  const maxInitialTimestamp = number("max_initial_timestamp_index");
  return {
    ...(languages && Object.keys(languages).length > 0 && { languages }),
    ...(tasks && { tasks }),
    ...(noTimestampsId !== undefined && { noTimestampsId }),
    ...(maxInitialTimestamp !== undefined && { maxInitialTimestamp }),
    ...(alignmentHeads && alignmentHeads.length > 0 && { alignmentHeads }),
    suppressed: ids("suppress_tokens"),
    suppressedAtBegin: ids("begin_suppress_tokens"),
    forced: forcedIds(given["forced_decoder_ids"], () =>
      refuse("forced_decoder_ids", "a list of places, from 1 on, with their token ids"),
    ),
  };
}

/** Forced ids of positions 1, 2, …, up to the first position without one. */
function forcedIds(given: unknown, refuse: () => never): number[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) return refuse();
  const isPair = (value: unknown) => Array.isArray(value) && value.length === 2 && Number.isInteger(value[0]);
  if (!given.every(isPair)) return refuse();
  const idAtPosition = new Map(given as [number, number | null][]);
  const ids: number[] = [];
  for (let position = 1; typeof idAtPosition.get(position) === "number"; position++)
    ids.push(idAtPosition.get(position)!);
  return ids;
}

/** Writes the fields of a `generation_config.json` for {@link readSpeechTokens}. */
export function speechTokenFields(tokens: SpeechTokens): Record<string, unknown> {
  const { languages, tasks, noTimestampsId, maxInitialTimestamp, suppressed, suppressedAtBegin, forced } =
    tokens;
  const named = Object.entries(languages ?? {}).map(([code, id]) => [`<|${code}|>`, id]);
  return {
    ...(languages && { is_multilingual: true, lang_to_id: Object.fromEntries(named) as object }),
    ...(tasks && { task_to_id: tasks }),
    ...(noTimestampsId !== undefined && { no_timestamps_token_id: noTimestampsId }),
    ...(maxInitialTimestamp !== undefined && { max_initial_timestamp_index: maxInitialTimestamp }),
    ...(tokens.alignmentHeads && { alignment_heads: tokens.alignmentHeads }),
    ...(suppressed.length > 0 && { suppress_tokens: suppressed }),
    ...(suppressedAtBegin.length > 0 && { begin_suppress_tokens: suppressedAtBegin }),
    ...(forced.length > 0 && { forced_decoder_ids: forced.map((id, i) => [i + 1, id]) }),
  };
}
