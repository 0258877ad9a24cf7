import { architectures } from "../architectures/architectures.js";
import { encoderDecoderArchitectures } from "../architectures/encoder-decoders/encoder-decoder-architectures.js";
import { encoderArchitectures } from "../architectures/encoders/encoder-architectures.js";
import { speechArchitectures } from "../architectures/speech/speech-architectures.js";
import { ggufArchitectures } from "./gguf/gguf-names.js";
import { ggufTable } from "./gguf/gguf-table.js";
import { families } from "./hugging-face/families.js";
import { imageLoaders } from "./hugging-face/image-loaders.js";

/** A kind of checkpoint that this package loads. */
export type KnownCheckpoint = {
  /** File that names the architecture: a `config.json` beside safetensors files, or a GGUF file. */
  readonly format: "config.json" | "gguf";
  /** Name of the architecture: `model_type` of a `config.json`, `general.architecture` of a GGUF file. */
  readonly name: string;
  /** Function that loads it. */
  readonly loader:
    "load" | "loadEncoder" | "loadEncoderDecoder" | "loadSpeech" | "loadVision" | "loadDualEncoder";
};

/**
 * Lists all kinds of checkpoints that this package loads. `qkv checkpoints` prints the list.
 *
 * @example
 * ```ts
 * import { knownCheckpoints } from "@qkv/transformer";
 *
 * const bert = knownCheckpoints().filter(({ name }) => name === "bert");
 * bert.map(({ format, loader }) => `${format}: ${loader}`); // => ["config.json: loadEncoder", "gguf: loadEncoder"]
 * ```
 */
export function knownCheckpoints(): readonly KnownCheckpoint[] {
  const types = (tables: readonly { readonly modelTypes: readonly string[] }[]) =>
    tables.flatMap(({ modelTypes }) => modelTypes);
  const named = (
    format: KnownCheckpoint["format"],
    loader: KnownCheckpoint["loader"],
    names: readonly string[],
  ): KnownCheckpoint[] => [...new Set(names)].map((name) => ({ format, name, loader }));
  const gguf = [...Object.keys(ggufArchitectures), ...ggufTable.map(({ name }) => name)];
  return [
    ...named("config.json", "load", types([...families, ...architectures])),
    ...named("config.json", "loadEncoder", types(encoderArchitectures)),
    ...named("config.json", "loadEncoderDecoder", types(encoderDecoderArchitectures)),
    ...named("config.json", "loadSpeech", types(speechArchitectures)),
    ...Object.entries(imageLoaders).flatMap(([name, loader]) => named("config.json", loader, [name])),
    ...named(
      "gguf",
      "load",
      gguf.filter((name) => name !== "bert"),
    ),
    ...named("gguf", "loadEncoder", ["bert"]),
  ];
}
