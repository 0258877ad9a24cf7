import { QkvError } from "@qkv/core";
import type { Architecture } from "../../architectures/architecture.js";
import { readFields } from "../../architectures/config-entry.js";
import { configFields } from "../../architectures/config-fields.js";
import type { ReadFile } from "../../loading/open-file.js";
import { ignoredFields } from "./fields-without-effect.js";
import { commonFields } from "./read-architecture.js";

/** An architecture as another one's `config.json` reads: fields that it does not understand, and the first that it misses. */
export type Distance = {
  readonly name: string;
  readonly unread: readonly string[];
  readonly missing?: string;
};

/**
 * The architecture whose table understands most of a `config.json`: one that it reads to the end, with the fewest fields left,
 * before one that stops at a field.
 */
export function nearestArchitecture(
  json: unknown,
  file: ReadFile,
  architectures: readonly Architecture[],
): Distance {
  const distances = architectures.map((architecture): Distance => {
    const fields = configFields(json, file);
    const ignored = ignoredFields(
      commonFields,
      architecture.ignored ?? "",
      "model_type tie_word_embeddings eos_token_id",
    );
    const name = architecture.modelTypes[0];
    try {
      readFields(architecture.config(), fields.withDefaults(architecture.defaults ?? {}));
      return { name, unread: fields.unread(ignored) };
    } catch (error) {
      if (!(error instanceof QkvError)) throw error;
      return { name, unread: fields.unread(ignored), missing: error.message.split("\n")[0]! };
    }
  });
  const far = ({ unread, missing }: Distance) => unread.length + (missing === undefined ? 0 : 1000);
  return distances.reduce((nearest, one) => (far(one) < far(nearest) ? one : nearest));
}

/** The distance in a sentence, for whom a model is refused. */
export function inWords({ name, unread, missing }: Distance): string {
  const left =
    unread.length === 0
      ? "which understands all of its fields, and may compute something else"
      : `which does not understand ${unread.join(", ")}`;
  return `its fields are nearest to those of ${name}, ${missing === undefined ? left : `where ${missing}`}`;
}
