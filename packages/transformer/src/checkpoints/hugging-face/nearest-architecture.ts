import { QkvError } from "@qkv/core";
import type { Architecture } from "../../architectures/architecture.js";
import { readFields } from "../../architectures/config-entry.js";
import { configFields } from "../../architectures/config-fields.js";
import type { ReadFile } from "../../loading/open-file.js";
import { ignoredFields } from "./fields-without-effect.js";
import { commonFields } from "./read-architecture.js";

/** The result of reading a `config.json` as another architecture: unknown fields, and the first missing field. */
export type Distance = {
  readonly name: string;
  readonly unread: readonly string[];
  readonly missing?: string;
};

/**
 * The architecture that fits a `config.json` best: one that reads it without errors and with the fewest unknown
 * fields, before one with an error or with defaults for missing fields.
 */
export function nearestArchitecture(
  json: unknown,
  file: ReadFile,
  architectures: readonly Architecture[],
): Distance {
  const distances = architectures.map((architecture) => {
    const withoutDefaults = distanceTo(architecture, json, file, {});
    const isComplete = withoutDefaults.missing === undefined;
    const distance = isComplete
      ? withoutDefaults
      : distanceTo(architecture, json, file, architecture.defaults ?? {});
    return { distance, penalty: distance.unread.length + (isComplete ? 0 : incompletePenalty) };
  });
  return distances.reduce((nearest, candidate) => (candidate.penalty < nearest.penalty ? candidate : nearest))
    .distance;
}

/** Penalty of an architecture whose required fields are missing, more than of any number of unknown fields. */
const incompletePenalty = 1000;

function distanceTo(
  architecture: Architecture,
  json: unknown,
  file: ReadFile,
  defaults: Readonly<Record<string, unknown>>,
): Distance {
  const fields = configFields(json, file);
  const ignored = ignoredFields(
    commonFields,
    architecture.ignored ?? "",
    "model_type tie_word_embeddings eos_token_id",
  );
  const name = architecture.modelTypes[0];
  try {
    readFields(architecture.config(), fields.withDefaults(defaults));
    return { name, unread: fields.unread(ignored) };
  } catch (error) {
    if (!(error instanceof QkvError)) throw error;
    return { name, unread: fields.unread(ignored), missing: error.message.split("\n")[0]! };
  }
}

/** A sentence about the nearest architecture, for error messages. */
export function describeDistance({ name, unread, missing }: Distance): string {
  const unreadFields =
    unread.length === 0
      ? "which has all of them, but may compute another result"
      : `which does not have ${unread.slice(0, 3).join(", ")}${unread.length > 3 ? ` and ${unread.length - 3} more` : ""}`;
  return `Its fields are nearest to those of ${name}, ${missing === undefined ? unreadFields : `where ${missing}`}`;
}
