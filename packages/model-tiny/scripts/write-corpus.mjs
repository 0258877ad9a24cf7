// Writes the text that the model is trained on: `node write-corpus.mjs OUT [SEED] [MEGABYTES] [FILES…]`.
//
// Its last tenth is for evaluation: sentences and stories, and every tenth block of each file. A story is one line.
import { readFileSync, writeFileSync } from "node:fs";
import { randomNumbers } from "./random.mjs";
import { clauses } from "./clauses.mjs";
import { everyday } from "./sentences.mjs";
import { story } from "./stories.mjs";

const [out, seed = "1", megabytes = "21", ...files] = process.argv.slice(2);
const random = randomNumbers(Number(seed));

/** Lines for training, then lines for the last tenth of the file. */
const grammar = [];
for (let length = 0; length < Number(megabytes) * 1e6; length += grammar.at(-1).length) {
  const kind = random();
  grammar.push(`${(kind < 0.25 ? everyday : kind < 0.5 ? clauses : story)(random)}\n`);
}

/** Splits a text into blocks of about 4000 characters that end with a line. */
const splitBlocks = (text) => text.match(/[^]{1,4000}[^\n]*\n?/g) ?? [];
const blocks = files.flatMap((file) =>
  splitBlocks(readFileSync(file, "utf8").replaceAll("\r\n", "\n")).map((text, i) => ({
    text,
    held: i % 10 === 9,
  })),
);
const joined = (held) => blocks.flatMap((block) => (block.held === held ? [block.text] : [])).join("");
const [learned, held] = [joined(false), joined(true)];

writeFileSync(out, learned + grammar.join("") + held);
