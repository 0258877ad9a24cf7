import { print } from "@qkv/page";
import { englishBytes } from "@qkv/tokenizer/english-bytes";
import {
  globalThreshold,
  patchStarts,
  patchStream,
} from "@qkv/tokenizer/patching";

const bytes = new TextEncoder().encode(
  "The old captain looked at the sea and said nothing.",
);
const [patcher, entropy] = [globalThreshold(2.1), englishBytes()];

// The whole text at once.
const starts = patchStarts(bytes, patcher, entropy);

// The same text as a model generates it, byte by byte. Before each byte, check
// whether a new patch starts there: only then does the large model run.
const stream = patchStream(patcher, entropy);
const asked: number[] = [];
bytes.forEach((byte, at) => {
  if (stream.startsNext) asked.push(at);
  stream.push(Uint8Array.of(byte));
});
print("whole text:  ", starts);
print("byte by byte:", asked);
if (asked.join() !== starts.join()) throw new Error("the patches differ");
