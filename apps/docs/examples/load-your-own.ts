import { fileField, print, show, slider, textField } from "@qkv/page";
import { candidates, generate, load } from "@qkv/transformer";
import { bars } from "@qkv/viz";

// config.json, tokenizer.json and model.safetensors of a small model, or one
// GGUF file.
const files = fileField("your model's files");
const prompt = textField("text to continue", { value: "Once upon a time" });
const temperature = slider("temperature", {
  min: 0,
  max: 2,
  step: 0.1,
  value: 0,
});

// Until you choose files: a model of one layer with all weights 0, for which
// every token is equally likely.
const header = Int32Array.of(8, 16, 1, 2, 1, 5, 64); // a llama2.c checkpoint: width, hidden, layers, heads, …
const blank = new Uint8Array(
  4 * (7 + 5 * 8 + 8 + 64 + 32 + 32 + 64 + 8 + 3 * 128 + 8 + 64 * 4),
);
blank.set(new Uint8Array(header.buffer));

const source =
  files.length === 0 ? blank : files.length === 1 ? files[0]! : files;
const model = await load(source);
const { numLayers, embedDim, numHeads, numKvHeads } = model.config;
print("layers:", numLayers, " embedding size:", embedDim);
print("heads:", numHeads, " key-value heads:", numKvHeads);

const ids = model.tokenizer?.encode(prompt) ?? [1, 2, 3];
const logits = await model.apply(model.params, ids, { last: 1 }).read();
const likely = candidates(logits, { temperature: 1 }).slice(0, 8);
const data = likely.map(({ probability }) => probability);
const labels = likely.map(
  ({ id }) => model.tokenizer?.token(id) ?? `token ${id}`,
);
show(
  bars({ data, shape: [data.length] }, { labels, title: "next token", max: 1 }),
);

let text = model.tokenizer ? prompt : "";
for await (const token of generate(model, ids, {
  maxTokens: 24,
  sampling: { temperature },
}))
  text += token.text;
if (text !== "") print(text);
if (files.length === 0 && Math.max(...data) - Math.min(...data) > 1e-6)
  throw new Error("a model of zeros prefers a token");
