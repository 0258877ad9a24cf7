import { ablationTargets, switchedText, type Place } from "./place";

/** The selection of the page, and its results that the code needs. */
export type Selection = {
  readonly head: { readonly layer: number; readonly head: number };
  readonly query: number;
  readonly key: number;
  /** Ids of the two likeliest next tokens. */
  readonly next: readonly [number, number] | undefined;
  /** Ids of the tokens that patches are measured by. Default: the two likeliest. */
  readonly measure?: readonly [number, number] | undefined;
  /** The name of the model for `load`: a path, an address or a repository. Default: the small model. */
  readonly model: string | undefined;
};

/** A module for Node that computes again what the page shows. */
export function notebook(place: Place, { head, query, key, next, measure = next, model }: Selection): string {
  const small = model === undefined;
  const quoted = (value: unknown) => JSON.stringify(value);
  const packages = ["@qkv/attention", "@qkv/lens", "@qkv/transformer", ...(small ? ["@qkv/model-tiny"] : [])];
  const compares = place.source !== "" && place.source !== place.text && measure !== undefined;
  const names = [
    ...(place.off.length > 0 ? ["ablate"] : []),
    ...(compares ? ["attributionPatching"] : []),
    "headScores",
    ...(compares ? ["logitDifference"] : []),
    "logitLens",
    "logitParts",
    "runWithTrace",
    "scoreParts",
  ];
  const lines = [
    `// Made by the explorer of qkv: it computes again what the page shows.`,
    `//   npm install ${packages.join(" ")}`,
    `//   node notebook.mjs`,
    `import { ${place.score} } from "@qkv/attention";`,
    `import { ${names.join(", ")} } from "@qkv/lens";`,
    ...(small ? [`import { modelTiny } from "@qkv/model-tiny";`] : []),
    `import { candidates, decoder, load } from "@qkv/transformer";`,
    ``,
    small ? `const model = await load(await modelTiny());` : `const model = await load(${quoted(model)});`,
    `const text = ${quoted(place.text)};`,
    `const ids = model.tokenizer.encode(text, { addSpecialTokens: false });`,
    `const textOf = (id) => JSON.stringify(model.tokenizer.decode([id]));`,
    `const likeliest = (row) =>`,
    `  candidates(row, { temperature: 1 })`,
    `    .slice(0, 5)`,
    "    .map(({ id, probability }) => `${textOf(id)} ${(100 * probability).toFixed(1)} %`)",
    `    .join(", ");`,
    `const lastRow = (logits) => logits.data.slice(-model.config.vocabSize);`,
    ``,
    `// The next token.`,
    `const { logits, tensors } = runWithTrace(model, ids, { names: ["weights"] });`,
    `console.log("next:", likeliest(lastRow(logits)));`,
    ``,
    `// Scores of all heads: ${place.score}.`,
    `const repeats = new Set(ids).size < ids.length;`,
    `if (ids.length > 1 && (repeats || ${quoted(/Token$/.test(place.score) && place.score !== "sameToken")})) {`,
    `  const { layers, values } = headScores(model, ids, ${place.score});`,
    '  layers.forEach((layer, row) => console.log(`layer ${layer}:`, values.toNested()[row].map((x) => x.toFixed(2)).join(" ")));',
    `}`,
    ``,
    `// The weights of layer ${head.layer}, head ${head.head}, of token ${query}.`,
    `const weights = tensors["layers.${head.layer}.attention.weights"];`,
    `const row = weights.toNested()[0][${head.head}][${query}];`,
    "ids.forEach((id, i) => row[i] > 0.05 && console.log(`  ${textOf(id)} ${row[i].toFixed(2)}`));",
    ``,
    `// Why it attends to token ${key}: the parts of the score.`,
    `const place = { layer: ${head.layer}, head: ${head.head}, query: ${query}, key: ${key} };`,
    `const { dot, values, querySources, keySources } = scoreParts(model, ids, place);`,
    `const pairs = querySources.flatMap((q, i) =>`,
    `  keySources.map((k, j) => ({ query: q.name, key: k.name, value: values.toNested()[i][j] })),`,
    `);`,
    "console.log(`score ${dot.toFixed(3)}, of which`);",
    `console.table(pairs.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 8));`,
    ``,
    `// Direct logit attribution: the parts of the logit of a next token${next ? ", minus that of another" : ""}.`,
    `const { parts } = logitParts(model, ids${next ? `, { token: ${next[0]}, minus: ${next[1]} }` : ""});`,
    `console.table(parts.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 8));`,
    ``,
    `// Next tokens after each layer: the logit lens.`,
    'logitLens(decoder(model.config), model.params, ids).forEach((x, i) => console.log(`after ${i === 0 ? "the embedding" : `layer ${i - 1}`}:`, likeliest(lastRow(x))));',
  ];
  if (place.off.length > 0) {
    lines.push(
      ``,
      `// All above is of the model with nothing switched off. Without ${place.off.map(switchedText).join("; ")}.`,
      `const hooks = ablate(${quoted(ablationTargets(place.off))});`,
      `console.log("without them:", likeliest(lastRow(runWithTrace(model, ids, { names: [], hooks }).logits)));`,
    );
  }
  if (compares) {
    const by = place.by === "head" ? `, names: ["heads"], by: "head"` : "";
    lines.push(
      ``,
      `// Patches from another text of as many tokens, estimated: rows are layers, columns ${place.by}s.`,
      `const source = ${quoted(place.source)};`,
      `if (model.tokenizer.encode(source, { addSpecialTokens: false }).length === ids.length) {`,
      `  const metric = logitDifference({ token: ${measure[0]}, minus: ${measure[1]} });`,
      `  const patched = await attributionPatching(model, text, source, { metric${by} });`,
      `  console.log("logit difference:", patched.unpatched, "of the source:", patched.source);`,
      '  patched.names.forEach((name, i) => console.log(name, patched.values.toNested()[i].map((x) => x.toFixed(2)).join(" ")));',
      `}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
