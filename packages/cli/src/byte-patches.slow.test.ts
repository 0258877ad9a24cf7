import { modelTinyBytes } from "@qkv/model-tiny/bytes";
import { byteNgramModel, byteEntropies, globalThreshold } from "@qkv/tokenizer/patching";
import { patchStarts, patchStream } from "@qkv/tokenizer/patching";
import { englishBytes } from "@qkv/tokenizer/english-bytes";
import { trainByteNgrams } from "@qkv/tokenizer/training";
import { load } from "@qkv/transformer";
import { byteModel } from "@qkv/transformer/patching";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "qkv-bytes-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Text that the grammar generates from a seed. The model was trained on seed 1. */
function written(seed: number, megabytes: number): string {
  const out = join(folder, `${seed}.txt`);
  const script = fileURLToPath(new URL("../../model-tiny/scripts/write-corpus.mjs", import.meta.url));
  execFileSync(process.execPath, [script, out, String(seed), String(megabytes)]);
  return readFileSync(out, "utf8");
}
const encodeUtf8 = (text: string) => new TextEncoder().encode(text);
const bitsPerByte = (model: { predict(before: Uint8Array): Float64Array }, bytes: Uint8Array) =>
  bytes.reduce((sum, byte, at) => sum - Math.log2(model.predict(bytes.subarray(0, at))[byte]!), 0) /
  bytes.length;
const isLetter = (byte: number | undefined) => byte !== undefined && /[a-z]/i.test(String.fromCharCode(byte));

test("on unseen text the byte model has fewer bits per byte than byte counts, and patches start at words", async () => {
  const model = byteModel(await load(await modelTinyBytes()));
  const held = encodeUtf8(written(2, 0.001));
  expect(held.length).toBeGreaterThan(900);

  // Counts of as much of the same sentences as fit into 200 kB, and counts of other sentences.
  const counts = byteNgramModel(trainByteNgrams(written(1, 1), { order: 5 }));
  const own = bitsPerByte(model, held);
  expect(own).toBeLessThan(0.75 * bitsPerByte(counts, held));
  expect(own).toBeLessThan(0.5 * bitsPerByte(englishBytes(), held));

  // At the start of a word many bytes are likely; inside it few.
  const entropies = byteEntropies(held, model);
  const letters = [...held.keys()].filter((at) => isLetter(held[at]));
  const mean = (places: number[]) => places.reduce((sum, at) => sum + entropies[at]!, 0) / places.length;
  const begins = (at: number) => !isLetter(held[at - 1]);
  expect(mean(letters.filter(begins))).toBeGreaterThan(2 * mean(letters.filter((at) => !begins(at))));

  const patcher = globalThreshold(1);
  const starts = patchStarts(held, patcher, model);
  expect(held.length / starts.length).toBeGreaterThan(3);
  const share = (places: readonly number[]) => places.filter((at) => begins(at)).length / places.length;
  expect(share(starts)).toBeGreaterThan(1.5 * share([...held.keys()]));

  // As it arrives, a piece at a time, it is cut in the same places.
  const stream = patchStream(patcher, model);
  const patches = [stream.push(held.subarray(0, 101)), stream.push(held.subarray(101)), stream.end()].flat();
  let at = 0;
  expect(patches.map((patch) => (at += patch.length) - patch.length)).toEqual(starts);
});
