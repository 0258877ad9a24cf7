import { check, print } from "@qkv/page";
import { byteLevelBpe } from "@qkv/tokenizer";
import { trainBpe } from "@qkv/tokenizer/training";

// Change the training text.
const corpus = "a cat and a dog and a cat and a dog";

// 256 bytes, and room for 14 merged pairs.
const model = await trainBpe([corpus], { vocabSize: 270 });
const tokenizer = byteLevelBpe(model);
const pieces = (text: string) =>
  tokenizer.encode(text).map((id) => tokenizer.decode([id]));
print("a banana:", pieces("a banana"));
print("an apple:", pieces("an apple"));

check("“ banana” is one token", pieces("a banana").includes(" banana"));
check("“ apple” is one token", pieces("an apple").includes(" apple"));
check(
  "unknown words still decode correctly",
  pieces("zebra").join("") === "zebra",
);
