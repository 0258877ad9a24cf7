import type { ShownPatches } from "./patch-map";
import { ablationTargets, switchedTexts, type Place } from "./place";

/** The selection of the page, and its results that the code needs. */
export type Selection = {
  readonly head: { readonly layer: number; readonly head: number };
  readonly query: number;
  readonly key: number;
  /** Ids of the two likeliest next tokens. */
  readonly next: readonly [number, number] | undefined;
  /** The patches that the page shows. Their tokens are by default the choice of the session. */
  readonly patches?: ShownPatches;
  /** The name of the model: a package, a path, an address or a repository. Default: the small model. */
  readonly model: string | undefined;
  /** True: files that the reader opened, whose path the page does not know. */
  readonly isOpened?: boolean;
};

const tiny = "@qkv/model-tiny";

/** Functions of packages that give the files of a model, by the name that `qkv lens` takes. */
const packaged: Readonly<Record<string, string>> = {
  [tiny]: "modelTiny",
  [`${tiny}/bytes`]: "modelTinyBytes",
};

/** A module for Node that computes again what the page shows, with what is switched off. */
export function exportedCode(
  place: Place,
  {
    head,
    query,
    key,
    next,
    patches: { measure, exact = [] } = {},
    model = tiny,
    isOpened = false,
  }: Selection,
): string {
  const quoted = (value: unknown) => JSON.stringify(value);
  const files = isOpened ? undefined : packaged[model];
  const isHub = !isOpened && !files && /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(model);
  const packages = [
    ...(isHub ? ["@huggingface/hub"] : []),
    "@qkv/lens",
    ...(files ? [tiny] : []),
    "@qkv/transformer",
  ];
  const compares = place.source !== "" && place.source !== place.text;
  const targets = ablationTargets(place.off);
  const isOff = targets.length > 0;
  // A head has the weights and scores that the layers below it give it.
  const below = targets.filter(({ layer }) => layer < head.layer);
  const of = (...more: readonly (string | false | undefined)[]) =>
    `{ ${["text", isOff && "without", ...more].filter(Boolean).join(", ")} }`;
  const ofHead = (...more: readonly string[]) =>
    `{ ${["text", ...(below.length > 0 ? [`without: ${quoted(below)}`] : []), `layer: ${head.layer}`, `head: ${head.head}`, ...more].join(", ")} }`;
  const lines = [
    `// Computes what the explorer of qkv shows of ${quoted(place.text)}${isOff ? `, without ${switchedTexts(place.off).join("; ")}` : ""}:`,
    `// next tokens, scores of heads, the attention of layer ${head.layer}, head ${head.head}, and the parts of a score, direct logit attribution,`,
    `// the logit lens${compares ? `, and activation patching from ${quoted(place.source)}` : ""}.`,
    `//   npm install ${packages.join(" ")}`,
    `//   node explorer.mjs`,
    `import { lensSession } from "@qkv/lens/session";`,
    ...(files ? [`import { ${files} } from ${quoted(model)};`] : []),
    `import { load } from "@qkv/transformer";`,
    ``,
    ...(isOpened ? [`// The file or folder that you opened: write its path.`] : []),
    `const model = await load(${files ? `await ${files}()` : quoted(isOpened ? `./${model}` : model)});`,
    `const session = lensSession(model);`,
    `const text = ${quoted(place.text)};`,
    ...(isOff
      ? [
          `// Switched off, in all numbers below: ${switchedTexts(place.off).join("; ")}.`,
          `const without = ${quoted(targets)};`,
        ]
      : []),
    `const percent = (part) => \`\${(100 * part).toFixed(1)}%\`;`,
    `const likeliest = (next) =>`,
    `  next.slice(0, 5).map(({ text, probability }) => \`\${JSON.stringify(text)} \${percent(probability)}\`).join(", ");`,
    `const fixed = (numbers) => Array.from(numbers, (x) => x.toFixed(2)).join(" ");`,
    ``,
    `// The next token.`,
    `const run = await session.run(${of()});`,
    `console.log("next:", likeliest(run.next));`,
    ...(isOff
      ? [`console.log("next, with nothing switched off:", likeliest((await session.run({ text })).next));`]
      : []),
    ``,
    `// Scores of all heads: ${place.score}. A text that cannot show the pattern has none.`,
    `const scores = run.scores.${place.score};`,
    `if (scores)`,
    `  run.layers.forEach((layer, row) =>`,
    "    console.log(`layer ${layer}:`, fixed(scores.subarray(row * run.numHeads, (row + 1) * run.numHeads))),",
    `  );`,
    ``,
    `// The weights of layer ${head.layer}, head ${head.head}, of token ${query}.`,
    `const { weights } = await session.head(${ofHead()});`,
    `run.tokens.forEach((token, i) => {`,
    `  const weight = weights[${query} * run.tokens.length + i];`,
    "  if (weight > 0.05) console.log(`  ${JSON.stringify(token)} ${weight.toFixed(2)}`);",
    `});`,
    ``,
    `// Why it attends to token ${key}: the parts of the score.`,
    `const { dot, pairs } = await session.scoreParts(${ofHead(`query: ${query}`, `key: ${key}`)});`,
    "console.log(`score ${dot.toFixed(3)}, of which`);",
    `console.table(pairs.slice(0, 8).map(({ query, key, value }) => ({ query: query.name, key: key.name, value })));`,
    ``,
    `// Direct logit attribution: the parts of the logit of a next token${next ? ", minus that of another" : ""}.`,
    `const { parts } = await session.logitParts(${of(next && `token: ${next[0]}`, next && `minus: ${next[1]}`)});`,
    `console.table(parts.slice(0, 8));`,
    ``,
    `// Next tokens after each layer: the logit lens.`,
    `const last = run.tokens.length - 1;`,
    `for (const { layer, top } of await session.logitLens(${of("positions: [last]")}))`,
    '  console.log(`after ${layer < 0 ? "the embedding" : `layer ${layer}`}:`, likeliest(top));',
  ];
  if (compares) {
    const measured = measure && [`token: ${measure[0]}`, `minus: ${measure[1]}`];
    lines.push(
      ``,
      `// Activation patching from a text with the same number of tokens: rows are layers, columns ${place.by}s.`,
      `// The numbers of the map are estimates, from one gradient (attribution patching)${exact.length > 0 ? "; the page's exact ones follow" : ", as the page shows them"}.`,
      `const source = ${quoted(place.source)};`,
      `if ((await session.tokens({ text: source })).length === run.tokens.length) {`,
      `  const patched = await session.attributionPatching(${of("source", `by: ${quoted(place.by)}`, ...(measured ?? []))});`,
      `  const { names, columns, values, token, minus } = patched;`,
      `  console.log("next after the other text:", likeliest(patched.sourceNext));`,
      "  console.log(`logit of ${JSON.stringify(token.text)} minus that of ${JSON.stringify(minus?.text)}: ${patched.unpatched}, after the other text ${patched.source}`);",
      `  names.forEach((name, i) => console.log(name, fixed(values.subarray(i * columns, (i + 1) * columns))));`,
      ...(exact.length > 0
        ? [
            `  // Exact: a pass with each patch.`,
            `  for (const place of ${quoted(exact)}) {`,
            `    const patch = ${of("source", `by: ${quoted(place.by)}`, "token: token.id", "minus: minus.id", "place")};`,
            "    console.log(`${place.name}, " +
              place.by +
              " ${place." +
              place.by +
              "}, exact: ${await session.patch(patch)}`);",
            `  }`,
          ]
        : []),
      `}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
