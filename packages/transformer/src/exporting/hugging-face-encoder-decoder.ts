import { ArgumentError, knownNames } from "@qkv/core";
import { checkpointsCommand } from "../checkpoints/checkpoints-command.js";
import { configFields } from "../architectures/config-fields.js";
import type {
  EncoderDecoderArchitecture,
  EncoderDecoderTable,
} from "../architectures/encoder-decoders/encoder-decoder-architecture.js";
import { encoderDecoderArchitectures } from "../architectures/encoder-decoders/encoder-decoder-architectures.js";
import { stored, under, writeStored, type StoredTensor } from "../architectures/stored-tensor.js";
import type { TensorToWrite } from "../architectures/tensor-to-write.js";
import type { EncoderDecoderConfig, EncoderDecoderParams } from "../models/encoder-decoder.js";
import { labelFields } from "./hugging-face-encoder.js";
import { isSameStack } from "./same-stack.js";

/** Exports an encoder–decoder with the names of the first architecture that can represent its configuration. */
export function encoderDecoderCheckpoint(
  { head, ...config }: EncoderDecoderConfig,
  params: EncoderDecoderParams,
): { fields: Record<string, unknown>; tensors: TensorToWrite[] } {
  for (const architecture of encoderDecoderArchitectures) {
    for (const type of architecture.modelTypes) {
      const fields = architecture.write(config, type);
      const table = readTable(architecture, type, fields, params);
      if (!table || !isSameStack(complete(table.config), complete(config, table.config))) continue;
      if (head && !architecture.sequenceHead) continue;
      const path = (architecture.prefixes[0] ?? "").replace(/\.$/, "");
      const className = architecture.classes[type]!;
      const entries: StoredTensor[] = [
        under("", path, table.tensors),
        ...table.output,
        ...(head ? headTensors(architecture) : []),
      ];
      return {
        fields: {
          architectures: [
            head ? className.replace("ForConditionalGeneration", "ForSequenceClassification") : className,
          ],
          model_type: type,
          is_encoder_decoder: true,
          ...fields,
          ...(head && labelFields(head)),
        },
        tensors: writeStored(entries, params),
      };
    }
  }
  throw new ArgumentError({
    fn: "exportModel",
    argument: "config",
    received: "an encoder–decoder with traits of several architectures",
    expected: `one as ${knownNames(
      undefined,
      encoderDecoderArchitectures.flatMap(({ modelTypes }) => modelTypes),
      checkpointsCommand,
    )} has them`,
    fix: "keep the traits of one of these; others have no place in a config.json.",
  });
}

/** Reads the fields that an architecture has written; undefined if it refuses them. */
function readTable(
  architecture: EncoderDecoderArchitecture,
  type: string,
  fields: Readonly<Record<string, unknown>>,
  params: EncoderDecoderParams,
): EncoderDecoderTable | undefined {
  const outputTensors: Readonly<Record<string, unknown>> = {
    "lm_head.weight": params.output?.weight,
    final_logits_bias: params.output?.bias,
  };
  const has = (name: string) => outputTensors[name] !== undefined;
  try {
    const parsed = configFields(fields, { name: "config.json", fn: "exportModel" });
    return architecture.read(parsed, { type, embeddingName: architecture.embeddingNames[0], has });
  } catch {
    return undefined;
  }
}

function headTensors({ sequenceHead }: EncoderDecoderArchitecture): StoredTensor[] {
  const { dense, output } = sequenceHead!;
  return [
    ["dense", dense],
    ["output", output],
  ].flatMap(([part, name]) =>
    name === undefined
      ? []
      : ["weight", "bias"].map((kind) => stored(`head.${part}.${kind}`, `${name}.${kind}`, [])),
  );
}

/** Adds to the encoder the fields that default to those of the decoder. `like`: a configuration in which the encoder has them. */
function complete(config: EncoderDecoderConfig, like = config): object {
  const decoderEntries = Object.keys(like.encoder ?? {}).map((name) => [
    name,
    config[name as keyof typeof config],
  ]);
  return { ...config, encoder: { ...Object.fromEntries(decoderEntries), ...config.encoder } };
}
