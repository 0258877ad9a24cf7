// The lint of words: the terms of the field, and one meaning for each.
//
//   node scripts/lint/words.mjs           fails for violations in the areas below
//   node scripts/lint/words.mjs --count   counts violations of each rule by area
//   node scripts/lint/words.mjs AREA      lists the violations of an area: packages/tokenizer, scripts
//
// Three rules, for declared names and doc comments; other prose is not checked:
//   words     a declared name contains a word of the table below
//   openings  a doc line begins with What, Whether, How, Where or Which instead of a verb or a noun
//   meanings  one name is exported by two packages
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { allPackages } from "../packages.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Areas in which the rules hold. An area is added when it is clean. */
export const switchedOn = [
  "packages/attention",
  "packages/attention-contract",
  "packages/cli",
  "packages/core",
  "packages/cost",
  "packages/create-qkv",
  "packages/device",
  "packages/gpu",
  "packages/kv-cache",
  "packages/lens",
  "packages/model-tiny",
  "packages/page",
  "packages/react",
  "packages/stores",
  "packages/tensor",
  "packages/test-support",
  "packages/tokenizer",
  "packages/transformer",
  "packages/viz",
  "packages/vue",
  "packages/wasm",
  "packages/webgpu",
  "packages/worker",
  "tests",
  "scripts",
  "conformance",
  "apps/docs/src",
  "apps/docs/examples",
  "benchmarks",
  "interop",
];

/** Words in camelCase names, and the terms to use instead. Operations such as `take`, and `keepFirst`, are terms. */
export const replacements = {
  turn: "rotate, transpose, interleave, swapBytes or message",
  turns: "rotations or messages",
  turned: "rotated or transposed",
  turning: "rotaryFrequencies",
  positionless: "unrotated",
  soften: "onlineSoftmax",
  blend: "accumulate",
  hides: "masks",
  adopt: "fromHost",
  lends: "isDeviceMemory",
  lent: "deviceMemory",
  loose: "evictable",
  crew: "workers",
  silence: "heartbeat",
  board: "workQueue",
  madd: "fma",
  power4: "exp",
  below4: "normalCdf",
  tail4: "erfc",
  guess: "draft",
  guesses: "drafts",
  guessed: "draftTokens",
  said: "generated or prompt",
  reply: "generated",
  breather: "yieldToEventLoop",
  likeness: "architectureConstraints",
  spelled: "normalized",
  louder: "scaled",
  giveback: "free",
};
/** Names that are rejected as a whole, although each word is allowed. */
export const wholeNames = {
  giveBack: "free",
  largestSize: "absmax",
  stayApart: "noMerge",
  byteLetters: "byteToUnicode",
  markedWords: "sentencePiecePreTokenizer",
  sortInputs: "the named call",
  keysOf: "keyTensor",
};
const opening = /^(What|Whether|How|Where|Which)\b/;

/** Names that two packages export deliberately, with reasons. */
export const twoMeanings = {
  ...Object.fromEntries(
    ["GenerateOptions", "LoadOptions", "embed", "generate", "load"].map((name) => [
      name,
      "in this thread; the same in a worker",
    ]),
  ),
  EmbedOptions: "of one call; of a store's embeddings",
  Decoder: "the last stage of a tokenizer, as in Hugging Face's tokenizers; a model that generates",
  Model: "the algorithm of a tokenizer, as in Hugging Face's tokenizers; a decoder with its weights",
  Norm: "a kind of normalization to count the cost of; its layer",
  Operand: "a number or a tensor; a number or an expression",
  Trace: "of each call its own intermediate values",
  norm: "a vector's length, as in PyTorch; the normalization that a model's configuration names",
  pad: "of an axis, as in PyTorch; of a batch of texts, as in Hugging Face's tokenizers",
  run: "an operation; the command",
  UsedGeneration: "in a component of React; of Vue",
  useAttention: "a hook of React; a composable of Vue",
  useEmbedding: "a hook of React; a composable of Vue",
  useGenerate: "a hook of React; a composable of Vue",
  useModel: "a hook of React; a composable of Vue",
  useStore: "a hook of React; a composable of Vue",
};

const folders = [
  ...readdirSync(join(root, "packages")).map((name) => `packages/${name}`),
  ...["scripts", "tests", "conformance", "apps/docs/src", "apps/docs/examples", "benchmarks", "interop"],
];

/** @returns {string[]} Paths of the sources of an area, without ignored files. */
function filesOf(area) {
  const folders = /^packages|conformance$/.test(area) ? ["src", "assembly"] : [""];
  const listed = ["ls-files", "--cached", "--others", "--exclude-standard", "--"];
  const args = [...listed, ...folders.map((folder) => join(area, folder))];
  return (
    execFileSync("git", args, { cwd: root, encoding: "utf8" })
      .split("\n")
      .filter((file) => /\.(ts|tsx|mjs)$/.test(file))
      .map((file) => join(root, file))
      // Skips deleted files, and this file, whose tables contain the words.
      .filter((file) => existsSync(file) && file !== fileURLToPath(import.meta.url))
  );
}

/** The words of a name: `turnByPosition` and `TURN_BY` alike. */
export function wordsOf(name) {
  return name.split(/(?<=[a-z0-9])(?=[A-Z])|[_\W]+/).map((word) => word.toLowerCase());
}

/**
 * Finds violations of `words` and `openings` in a file.
 *
 * @param {string} path
 * @param {string} text
 * @returns {{ rule: string, line: number, message: string }[]}
 */
export function problemsIn(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  // Keyed by position, since the declarations of a statement share its comment.
  const found = new Map();
  const report = (rule, position, message) =>
    found.set(`${rule} ${position}`, {
      rule,
      line: source.getLineAndCharacterOfPosition(position).line + 1,
      message,
    });
  const visit = (node) => {
    const { name } = node;
    if (
      name &&
      ts.isIdentifier(name) &&
      !ts.isImportSpecifier(node) &&
      !ts.isPropertyAccessExpression(node)
    ) {
      const whole = Object.hasOwn(wholeNames, name.text) ? wholeNames[name.text] : undefined;
      const word = wordsOf(name.text).find((one) => Object.hasOwn(replacements, one));
      const better = whole ?? (word && replacements[word]);
      if (better) report("words", name.getStart(), `\`${name.text}\`: the field says ${better}`);
    }
    for (const doc of ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)) {
      const lines = [doc, ...(doc.tags ?? [])];
      for (const one of lines) {
        const comment = (ts.getTextOfJSDocComment(one.comment) ?? "").replace(/^-\s*/, "");
        const [word] = opening.exec(comment) ?? [];
        if (word)
          report(
            "openings",
            one.getStart(),
            `"${comment.split("\n")[0]}" begins with ${word}: begin with a verb or the noun`,
          );
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...found.values()];
}

/** Names that more than one package exports from a module of its own, with the packages. */
export function sharedNames() {
  const by = new Map();
  for (const { name, folder } of allPackages()) {
    const text = readFileSync(join(folder, "src/index.ts"), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, list] of text.matchAll(/^export (?:type )?\{([^}]*)\} from "\./gm)) {
      for (const one of list.split(",")) {
        const exported = one
          .trim()
          .replace(/^type /, "")
          .split(" as ")
          .at(-1);
        if (exported) by.set(exported, (by.get(exported) ?? new Set()).add(name));
      }
    }
  }
  return [...by]
    .filter(([, packages]) => packages.size > 1)
    .map(([name, packages]) => ({ name, packages: [...packages] }));
}

function problemsOf(area) {
  return filesOf(area).flatMap((path) =>
    problemsIn(path, readFileSync(path, "utf8")).map((problem) => ({
      path: relative(root, path),
      ...problem,
    })),
  );
}

function main(args) {
  if (args.includes("--count")) {
    for (const area of folders) {
      const problems = problemsOf(area);
      const count = (rule) => String(problems.filter((one) => one.rule === rule).length).padStart(5);
      console.log(
        `${area.padEnd(30)} words ${count("words")}  openings ${count("openings")}${switchedOn.includes(area) ? "  on" : ""}`,
      );
    }
    for (const { name, packages } of sharedNames())
      console.log(`meanings: ${name} in ${packages.join(", ")}`);
    return 0;
  }
  const problems = (args.length > 0 ? args : switchedOn).flatMap(problemsOf);
  for (const { path, line, message } of problems) console.log(`${path}:${line} ${message}`);
  const shared = sharedNames().filter(({ name }) => !Object.hasOwn(twoMeanings, name));
  for (const { name, packages } of shared) {
    console.log(
      `${name} is exported by ${packages.join(" and ")}: give each meaning its own name, or list it in \`twoMeanings\` with the reason.`,
    );
  }
  if (problems.length + shared.length > 0)
    console.log("Fix: rename, or begin the line with a verb or the noun. STYLE: one word, one meaning.");
  return problems.length + shared.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2));
