import type { ConfigFields } from "../../architectures/config-fields.js";
import type { EncoderDecoderArchitecture } from "../../architectures/encoder-decoders/encoder-decoder-architecture.js";
import { readStored, stored, under, type StoredTensor } from "../../architectures/stored-tensor.js";
import type { Weights } from "../../loading/weights.js";
import type { EncoderDecoderParams } from "../../models/encoder-decoder.js";
import type { TaskHeadConfig } from "../../models/task-head.js";
import type { Checkpoint } from "./family.js";
import { ignoredFields } from "./fields-without-effect.js";
import { labelsOf, scoresOf } from "./read-encoder.js";

/** An encoder–decoder from the fields and weights of its architecture, with the head that its file was saved with. */
export async function readEncoderDecoder(
  architecture: EncoderDecoderArchitecture,
  type: string,
  fields: ConfigFields,
  weights: Weights,
): Promise<Checkpoint> {
  const { path, table } = placeOf(architecture, weights);
  const found = architecture.read(fields, { type, table, has: weights.has });
  const head = headOf(architecture, fields, weights);
  fields.finish(ignoredFields("tie_word_embeddings", ...architecture.ignored));
  const entries = [
    under("", path.replace(/\.$/, ""), found.tensors),
    ...found.output,
    ...(head ? headTensors(architecture, head, found.config.embedDim) : []),
  ];
  const params = (await readStored(entries, weights)) as EncoderDecoderParams;
  weights.finish(architecture.ignoredTensors);
  return {
    kind: "encoder-decoder",
    config: head ? { ...found.config, head } : found.config,
    params,
  };
}

/** The path in front of a file's names, and its table of embeddings. */
function placeOf(
  { paths, tables }: EncoderDecoderArchitecture,
  weights: Weights,
): { path: string; table: string } {
  for (const table of tables)
    for (const path of ["", ...paths]) if (weights.has(path + table)) return { path, table };
  return { path: paths[0] ?? "", table: tables[0] };
}

/** The head that the class of a file names; a class with another one is refused. */
function headOf(
  { sequenceHead }: EncoderDecoderArchitecture,
  fields: ConfigFields,
  weights: Weights,
): TaskHeadConfig | undefined {
  const name = String(fields.list("architectures")?.[0] ?? "");
  if (!/For(SequenceClassification|TokenClassification|QuestionAnswering)$/.test(name)) return undefined;
  if (!name.endsWith("ForSequenceClassification") || !sequenceHead) {
    return fields.refuse("architectures", "a class whose head is known in this architecture");
  }
  const output = `${sequenceHead.output}.weight`;
  return {
    task: "sequence",
    labels: labelsOf(output, fields, weights),
    ...(sequenceHead.activation && { activation: sequenceHead.activation }),
    ...scoresOf("sequence", fields, weights.shape(output)?.[0]),
  };
}

function headTensors(
  { sequenceHead }: EncoderDecoderArchitecture,
  { labels }: TaskHeadConfig,
  embedDim: number,
): StoredTensor[] {
  const { dense, output } = sequenceHead!;
  // A head computes in floats: its matrices are not rounded as they are read.
  const map = (place: string, name: string, out: number) => [
    stored(`${place}.weight`, `${name}.weight`, [out, embedDim]),
    stored(`${place}.bias`, `${name}.bias`, [out]),
  ];
  return [
    ...(dense === undefined ? [] : map("head.dense", dense, embedDim)),
    ...(output === undefined ? [] : map("head.output", output, labels.length)),
  ];
}
