import { attentionMap, generate, load, modelTiny, type Model, type Tensor } from "qkv";
import type { AnswerLine } from "./answer";

// A small model that comes with qkv. Yours: load("Qwen/Qwen3-0.6B", { quantize: "int8" }), or a folder, or a GGUF file.
const loading = modelTiny().then((files) => load(files));
const layer = 1;

export async function POST(request: Request): Promise<Response> {
  const { prompt } = (await request.json().catch(() => ({}))) as { prompt?: unknown };
  if (typeof prompt !== "string" || prompt === "")
    return Response.json({ error: "send { prompt }" }, { status: 400 });
  const lines = new TransformStream<AnswerLine, string>({
    transform: (line, controller) => controller.enqueue(`${JSON.stringify(line)}\n`),
  });
  void write(prompt, request.signal, lines.writable.getWriter());
  return new Response(lines.readable.pipeThrough(new TextEncoderStream()), {
    headers: { "Content-Type": "application/x-ndjson; charset=utf-8", "Cache-Control": "no-store" },
  });
}

async function write(prompt: string, signal: AbortSignal, out: WritableStreamDefaultWriter<AnswerLine>) {
  try {
    const model = await loading;
    let story = prompt;
    const options = { maxTokens: 24, sampling: { temperature: 0.7 }, signal };
    for await (const { text } of generate(model, prompt, options)) {
      story += text;
      await out.write({ text });
    }
    await out.write({ attention: picture(model, story) });
    await out.close();
  } catch (error) {
    // Who left reads no more.
    await out.write({ error: String(error) }).catch(() => undefined);
    await out.close().catch(() => undefined);
  }
}

/** The attention weights of a layer over a text: rows are queries, columns are keys, a map for each head. */
function picture(model: Model, text: string): string {
  const ids = Array.from(model.tokenizer!.encode(text));
  const tensors: Record<string, Tensor> = {};
  model.apply(model.params, ids, { trace: { names: ["weights"], tensors } });
  const labels = ids.map((id) => model.tokenizer!.decode([id]));
  const weights = tensors[`layers.${layer}.attention.weights`]!;
  return attentionMap(weights, { rowLabels: labels, columnLabels: labels });
}
