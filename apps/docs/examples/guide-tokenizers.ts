import { modelTiny } from "@qkv/model-tiny";
import { print, textField } from "@qkv/page";
import { loadTokenizer } from "@qkv/tokenizer";
import { trainBpe } from "@qkv/tokenizer/training";

// The files of a model by name. In Node: await loadTokenizer("a/folder").
const files: Record<string, Uint8Array> = {};
for (const file of await modelTiny())
  files[file.name] = new Uint8Array(await file.arrayBuffer());
const tokenizer = loadTokenizer(files);

const text = textField("text", { value: "The cat sat on the mat. ☕" });
const ids = Array.from(tokenizer.encode(text));
print("tokens:", ids.length, "of", tokenizer.vocabSize);
print(ids.map((id) => tokenizer.token(id)).join(" "));

// As ids arrive: a character appears once its last byte is there.
const stream = tokenizer.decodeStream();
const written = ids.map((id) => stream.push(id));
print("pieces:", JSON.stringify(written));
if (written.join("") + stream.end() !== tokenizer.decode(ids))
  throw new Error("the stream lost a character");

// A vocabulary of your own, from texts or from a stream of texts.
const trained = await trainBpe([text, text], { vocabSize: 264 });
print("merges:", trained.merges.map((pair) => pair.join("+")).join(" "));
