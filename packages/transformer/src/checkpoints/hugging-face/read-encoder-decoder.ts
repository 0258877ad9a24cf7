import type { ConfigFields } from "../../architectures/config-fields.js";
import type { EncoderDecoderArchitecture } from "../../architectures/encoder-decoders/encoder-decoder-architecture.js";
import { readStored, stored, under, type StoredTensor } from "../../architectures/stored-tensor.js";
import type { Weights } from "../../loading/weights.js";
import type { EncoderDecoderParams } from "../../models/encoder-decoder.js";
import type { TaskHeadConfig } from "../../models/task-head.js";
import type { Checkpoint } from "./family.js";
import { ignoredFields } from "./fields-without-effect.js";
import { readLabels, headScores } from "./read-encoder.js";

/** Reads an encoder–decoder, with its head if the file has one. */
export async function readEncoderDecoder(
  architecture: EncoderDecoderArchitecture,
  type: string,
  fields: ConfigFields,
  weights: Weights,
): Promise<Checkpoint> {
  const { path, embeddingName } = findEmbedding(architecture, weights);
  const model = architecture.read(fields, { type, embeddingName, has: weights.has });
  const head = readHead(architecture, fields, weights);
  fields.finish(ignoredFields("tie_word_embeddings", ...architecture.ignored));
  const entries = [
    under("", path.replace(/\.$/, ""), model.tensors),
    ...model.output,
    ...(head ? headTensors(architecture, head, model.config.embedDim) : []),
  ];
  const params = (await readStored(entries, weights)) as EncoderDecoderParams;
  weights.finish(architecture.ignoredTensors);
  return {
    kind: "encoder-decoder",
    config: head ? { ...model.config, head } : model.config,
    params,
  };
}

/** The prefix of the tensor names in a file, and the name of its embedding matrix. */
function findEmbedding(
  { prefixes, embeddingNames }: EncoderDecoderArchitecture,
  weights: Weights,
): { path: string; embeddingName: string } {
  for (const embeddingName of embeddingNames)
    for (const path of ["", ...prefixes])
      if (weights.has(path + embeddingName)) return { path, embeddingName };
  return { path: prefixes[0] ?? "", embeddingName: embeddingNames[0] };
}

/** The head of the class in `architectures`. A class with an unsupported head is refused. */
function readHead(
  { sequenceHead }: EncoderDecoderArchitecture,
  fields: ConfigFields,
  weights: Weights,
): TaskHeadConfig | undefined {
  const name = String(fields.list("architectures")?.[0] ?? "");
  if (!/For(SequenceClassification|TokenClassification|QuestionAnswering)$/.test(name)) return undefined;
  if (!name.endsWith("ForSequenceClassification") || !sequenceHead) {
    return fields.unsupported("architectures", "a class whose head is known in this architecture");
  }
  const output = `${sequenceHead.output}.weight`;
  return {
    task: "sequence",
    labels: readLabels(output, fields, weights),
    ...(sequenceHead.activation && { activation: sequenceHead.activation }),
    ...headScores("sequence", fields, weights.shape(output)?.[0]),
  };
}

function headTensors(
  { sequenceHead }: EncoderDecoderArchitecture,
  { labels }: TaskHeadConfig,
  embedDim: number,
): StoredTensor[] {
  const { dense, output } = sequenceHead!;
  // Heads are computed in floats: their matrices are not quantized on loading.
  const headLinear = (param: string, name: string, out: number) => [
    stored(`${param}.weight`, `${name}.weight`, [out, embedDim]),
    stored(`${param}.bias`, `${name}.bias`, [out]),
  ];
  return [
    ...(dense === undefined ? [] : headLinear("head.dense", dense, embedDim)),
    ...(output === undefined ? [] : headLinear("head.output", output, labels.length)),
  ];
}
