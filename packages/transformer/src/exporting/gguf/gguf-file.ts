import { ArgumentError, sizeOf, writeGgufHeader, type GgufField } from "@qkv/core";
import { tokenizerToGguf } from "@qkv/tokenizer";
import type { GgufArchitecture } from "../../architectures/gguf/gguf-architecture.js";
import { ggufTable } from "../../checkpoints/gguf/gguf-table.js";
import { toGgufName } from "../../checkpoints/gguf/gguf-names.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import type { ExportPlan } from "../export-plan.js";
import { isEncoder, type ExportedStack } from "../hugging-face-folder.js";
import {
  chooseArchitecture,
  normalizedConfig,
  refuseStackedLayers,
  violations,
  type Violation,
} from "../architecture-constraints.js";
import { rowChunks } from "../row-chunks.js";
import { ggufDecoders, type GgufDecoder } from "./gguf-decoders.js";
import { ggufDifferences } from "./gguf-differences.js";
import { tableDecoder } from "./table-decoder.js";
import { ggufEncoder } from "./gguf-encoder.js";
import { decoderFields, prefixedFields, ropeFactors, uint32, type GgufFields } from "./gguf-fields.js";
import { chooseGgufStorage, ggufStorages, type GgufStoredType } from "./gguf-storage.js";
import { ggufTensors, type GgufTensor } from "./gguf-tensor.js";

/** The GGUF file of a model. */
export function planGguf(model: ExportedStack, dtype: GgufStoredType): ExportPlan {
  const { fields, tensors } = isEncoder(model)
    ? ggufEncoder(model.config, model.params)
    : ggufDecoder(model.config, model.params);
  const placed = tensors.map((tensor) => {
    const storage = chooseGgufStorage(dtype, tensor.name, tensor.shape);
    const bytes = (sizeOf(tensor.shape) / storage.elements) * storage.bytes;
    return { ...tensor, storage, bytes };
  });
  const header = writeGgufHeader(
    {
      ...fields,
      "general.file_type": uint32(ggufStorages[dtype].fileType),
      "general.quantization_version": uint32(2),
      ...tokenizerFields(model),
    },
    placed.map(({ name, shape, storage, bytes }) => ({
      name,
      dims: [...shape].reverse(),
      type: storage.type,
      bytes,
    })),
  );
  return {
    total: placed.reduce((sum, { bytes }) => sum + bytes, 0),
    async write(folder, onWrite) {
      const file = await folder.open("model.gguf");
      await file.write(header);
      for (const { parts, storage, bytes } of placed) {
        for (const part of parts) {
          for await (const piece of rowChunks(part)) {
            const encoded = storage.encode(piece);
            await file.write(encoded);
            onWrite(encoded.length);
          }
        }
        await file.write(new Uint8Array((32 - (bytes % 32)) % 32));
      }
      await file.close();
    },
  };
}

function ggufDecoder(
  decoderConfig: DecoderConfig,
  params: DecoderParams,
): { fields: GgufFields; tensors: GgufTensor[] } {
  const config = normalizedConfig(decoderConfig, params);
  refusePatches(config);
  const { decoder, table } = chooseTarget(config, params);
  if (table) return tableDecoder(table, config, params);
  const { architecture, names, tied, tensors } = decoder;
  if (tied && params.output) {
    throw new ArgumentError({
      fn: "exportModel",
      argument: "params.output",
      received: "a matrix of its own",
      expected: `nothing: llama.cpp's ${architecture} makes logits with the embedding`,
      fix: 'export to "hf" or "onnx".',
    });
  }
  return {
    fields: {
      "general.architecture": { type: "string", value: architecture },
      ...decoderFields(architecture, config),
    },
    tensors: [
      ...ropeFactors(config),
      ...ggufTensors(tensors(config, params), (name) => toGgufName(names, name)),
    ],
  };
}

/** Refuses models with byte patches, which no architecture of llama.cpp supports. */
function refusePatches({ bytePatches }: DecoderConfig): void {
  if (!bytePatches) return;
  throw new ArgumentError({
    fn: "exportModel",
    argument: "config.bytePatches",
    received: "patches of bytes",
    expected: "nothing: llama.cpp has no architecture that groups bytes into patches (BLT)",
    fix: 'export to "hf".',
  });
}

/** An architecture of llama.cpp: with code for its tensors, or a table. */
type Target =
  | { readonly name: string; readonly decoder: GgufDecoder; readonly table?: undefined }
  | { readonly name: string; readonly decoder?: undefined; readonly table: GgufArchitecture };

/** The first architecture of llama.cpp that can represent a model. */
function chooseTarget(config: DecoderConfig, params: DecoderParams): Target {
  const decoders = ggufDecoders.map((decoder) => ({
    architecture: { name: decoder.name, decoder },
    violations: violations(config, decoder.constraints),
  }));
  // Architectures that need no permuted rows are preferred.
  const permutes = ({ ropeLayout }: GgufArchitecture) => (ropeLayout === config.ropeLayout ? 0 : 1);
  const sorted = ggufTable.toSorted((a, b) => permutes(a) - permutes(b));
  const tables = sorted.map((table) => ({
    architecture: { name: table.name, table },
    violations: ggufDifferences(table, config, params),
  }));
  const targets: { architecture: Target; violations: Violation[] }[] = [...decoders, ...tables];
  // A model with a field that only one architecture supports is compared with that one.
  const specific = targets.filter(
    ({ architecture: { table } }) => table?.exclusiveField && config[table.exclusiveField] !== undefined,
  );
  const candidates = specific.length > 0 ? specific : targets;
  const [nearest] = candidates.toSorted((a, b) => a.violations.length - b.violations.length);
  // Prefer an architecture with the same mixers, so that the error names the differing field.
  if (nearest?.violations.some(({ field }) => field === "layerTypes")) refuseStackedLayers(config);
  return chooseArchitecture(candidates, "llama.cpp");
}

/** Metadata of the tokenizer and of up to three stop ids: `eos`, end of turn (`eot`) and end of message (`eom`). */
function tokenizerFields(model: ExportedStack): GgufFields {
  const { tokenizer, chatTemplate, config } = model;
  const stopIds = "stopIds" in config ? config.stopIds : [];
  const vocabularyFields: GgufFields = tokenizer
    ? tokenizerToGguf(tokenizer, {
        vocabSize: config.vocabSize,
        eosId: tokenizer.eosId ?? stopIds[0],
      })
    : { "tokenizer.ggml.model": { type: "string", value: "no_vocab" } };
  const eos = vocabularyFields["tokenizer.ggml.eos_token_id"]?.value as number | undefined;
  const ids = new Set([...(eos === undefined ? [] : [eos]), ...stopIds]);
  if (ids.size > 3) {
    throw new ArgumentError({
      fn: "exportModel",
      argument: "config.stopIds",
      received: [...ids],
      expected: "three tokens at most, that end texts, turns and messages",
      fix: "leave out those that the model does not end with.",
    });
  }
  const names = ["eos", "eot", "eom"];
  const stopFields = Array.from(ids, (id, i): [string, GgufField] => [`${names[i]}_token_id`, uint32(id)]);
  return {
    ...vocabularyFields,
    ...prefixedFields("tokenizer.ggml", Object.fromEntries(stopFields)),
    ...(chatTemplate !== undefined && { "tokenizer.chat_template": { type: "string", value: chatTemplate } }),
  };
}
