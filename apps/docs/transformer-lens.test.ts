import {
  transformerLensFunctions,
  transformerLensHooks,
  type NameInTransformerLens,
} from "@qkv/lens/transformer-lens";
import { expect, test } from "vitest";

/** Rows of a Markdown table. */
const table = (heads: readonly string[], names: readonly NameInTransformerLens[]) =>
  [
    `| ${heads.join(" | ")} |`,
    `| ${heads.map(() => "---").join(" | ")} |`,
    ...names.map(({ theirs, ours, note }) => `| \`${theirs}\` | ${ours ? `\`${ours}\`` : "–"} | ${note} |`),
  ].join("\n");

test("the tables of the guide equal those of the package", async () => {
  const text = [
    "<!-- Written by apps/docs/transformer-lens.test.ts from the package: run it with `-u`. -->",
    "## Tensors",
    table(["hook point", "full name", "differences"], transformerLensHooks),
    "## Functions",
    table(["TransformerLens", "qkv", "differences"], transformerLensFunctions),
  ];
  await expect(`${text.join("\n\n")}\n`).toMatchFileSnapshot("./guides/_transformer-lens-names.md");
});
