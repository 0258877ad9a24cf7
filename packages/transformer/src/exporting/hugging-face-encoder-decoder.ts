import { ArgumentError } from "@qkv/core";
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

/** An encoder–decoder under the names of the architecture whose fields say all of its configuration. */
export function encoderDecoderCheckpoint(
  { head, ...config }: EncoderDecoderConfig,
  params: EncoderDecoderParams,
): { fields: Record<string, unknown>; tensors: TensorToWrite[] } {
  for (const architecture of encoderDecoderArchitectures) {
    for (const type of architecture.modelTypes) {
      const fields = architecture.write(config, type);
      const table = tableOf(architecture, type, fields, params);
      if (!table || !isSameStack(complete(table.config), complete(config, table.config))) continue;
      if (head && !architecture.sequenceHead) continue;
      const path = (architecture.paths[0] ?? "").replace(/\.$/, "");
      const named = architecture.classes[type]!;
      const entries: StoredTensor[] = [
        under("", path, table.tensors),
        ...table.output,
        ...(head ? headTensors(architecture) : []),
      ];
      return {
        fields: {
          architectures: [
            head ? named.replace("ForConditionalGeneration", "ForSequenceClassification") : named,
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
    expected: `one as ${encoderDecoderArchitectures.flatMap(({ modelTypes }) => modelTypes).join(", ")} has them`,
    fix: "keep the traits of one of these; others have no place in a config.json.",
  });
}

/** The table that an architecture reads of its own fields; undefined where it refuses them. */
function tableOf(
  architecture: EncoderDecoderArchitecture,
  type: string,
  fields: Readonly<Record<string, unknown>>,
  params: EncoderDecoderParams,
): EncoderDecoderTable | undefined {
  const own: Readonly<Record<string, unknown>> = {
    "lm_head.weight": params.output?.weight,
    final_logits_bias: params.output?.bias,
  };
  const has = (name: string) => own[name] !== undefined;
  try {
    const read = configFields(fields, { name: "config.json", fn: "exportModel" });
    return architecture.read(read, { type, table: architecture.tables[0], has });
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

/** A configuration with all that its encoder may leave to the decoder. `like`: one whose encoder says it. */
function complete(config: EncoderDecoderConfig, like = config): object {
  const ofDecoder = Object.keys(like.encoder ?? {}).map((name) => [
    name,
    config[name as keyof typeof config],
  ]);
  return { ...config, encoder: { ...Object.fromEntries(ofDecoder), ...config.encoder } };
}
