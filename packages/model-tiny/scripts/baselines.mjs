// Baselines for the bytes model: `node baselines.mjs TEXT [HELD_BACK]`. A 5-gram model of bytes, counted on the first nine
// tenths of the text and measured on the last tenth, and gzip on that tenth, which is also written to HELD_BACK for `qkv eval`.
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const [path, out] = process.argv.slice(2);
const text = readFileSync(path, "utf8");
const cut = Math.floor(text.length * 0.9);
const [learned, heldBack] = [text.slice(0, cut), text.slice(cut)].map((part) => Buffer.from(part));
if (out) writeFileSync(out, heldBack);

const gzipNats = gzipSync(heldBack, { level: 9 }).length * 8 * Math.LN2;
const result = {
  bytes: heldBack.length,
  natsPerByte: { fiveGram: fiveGram(learned, heldBack), gzip: gzipNats / heldBack.length },
};
console.log(JSON.stringify(result));

/** Witten–Bell smoothing: the weight of the shorter context is the number of distinct bytes that followed the longer one. */
function fiveGram(learned, heldBack) {
  const longest = 4;
  // For each context, by length and by its bytes as one number: the count of each following byte.
  const contexts = Array.from({ length: longest + 1 }, () => new Map());
  for (let at = 0; at < learned.length; at++) {
    for (let length = 0; length <= Math.min(longest, at); length++) {
      const key = contextKey(learned, at, length);
      let seen = contexts[length].get(key);
      if (!seen) contexts[length].set(key, (seen = { total: 0, followers: new Map() }));
      seen.total += 1;
      seen.followers.set(learned[at], (seen.followers.get(learned[at]) ?? 0) + 1);
    }
  }
  let nats = 0;
  for (let at = 0; at < heldBack.length; at++) {
    let p = 1 / 256;
    for (let length = 0; length <= Math.min(longest, at); length++) {
      const seen = contexts[length].get(contextKey(heldBack, at, length));
      if (!seen) break;
      const kinds = seen.followers.size;
      p = ((seen.followers.get(heldBack[at]) ?? 0) + kinds * p) / (seen.total + kinds);
    }
    nats -= Math.log(p);
  }
  return nats / heldBack.length;
}

/** The bytes before a position as one number. */
function contextKey(bytes, at, length) {
  let key = 0;
  for (let i = at - length; i < at; i++) key = key * 256 + bytes[i];
  return key;
}
