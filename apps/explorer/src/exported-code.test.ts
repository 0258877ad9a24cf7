import { lensSession } from "@qkv/lens/session";
import { modelTiny } from "@qkv/model-tiny";
import { load } from "@qkv/transformer";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { casesByTier } from "../../../scripts/tier.mjs";
import { exportedCode, type Selection } from "./exported-code";
import { ablationTargets, beginning, type Place } from "./place";

const selection: Selection = {
  ...{ head: { layer: 2, head: 1 }, query: 4, key: 1, next: [1156, 1277], model: undefined },
};

/** The output of exported code in Node, on the packages of this workspace. */
function run(place: Place, looked: Partial<Selection> = {}): string {
  const code = exportedCode(place, { ...selection, ...looked });
  // In this folder, whose packages it imports.
  const folder = mkdtempSync(fileURLToPath(new URL("../.code-", import.meta.url)));
  try {
    const file = join(folder, "explorer.mjs");
    writeFileSync(file, code);
    return execFileSync(process.execPath, [file], { encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// As `qkv lens` names it, too.
test.each(casesByTier([undefined, "@qkv/model-tiny"], (name) => name !== undefined))(
  "code on the small model, named %s, prints the page's numbers",
  async (name) => {
    const place: Place = { ...beginning, off: ["1.2", "3.f"], by: "head" };
    const printed = run(place, { model: name, patches: { measure: [1156, 1277] } });
    const { text, source } = place;
    const session = lensSession(await load(await modelTiny()));
    const without = ablationTargets(place.off);
    const shown = (next: readonly { text: string; probability: number }[]) =>
      next
        .slice(0, 5)
        .map(({ text, probability }) => `${JSON.stringify(text)} ${(100 * probability).toFixed(1)}%`)
        .join(", ");
    const own = await session.run({ text, without });
    const whole = await session.run({ text });
    expect(shown(own.next)).not.toBe(shown(whole.next));
    expect(printed).toContain(`next: ${shown(own.next)}\n`);
    expect(printed).toContain(`next, with nothing switched off: ${shown(whole.next)}\n`);
    // All that follows is without them, too.
    expect(printed).toContain(`after layer 3: ${shown(own.next)}\n`);
    const { unpatched, values } = await session.attributionPatching({
      ...{ text, source, without, by: "head", token: 1156, minus: 1277 },
    });
    expect(Number(/minus that of .*: (-?[\d.]+), after the other text/.exec(printed)![1])).toBeCloseTo(
      unpatched,
      4,
    );
    expect(printed).toContain(
      `layers.0.attention.heads ${[...values.subarray(0, 4)].map((x) => x.toFixed(2)).join(" ")}\n`,
    );
    expect(printed).toMatch(/score -?\d+\.\d+, of which/);
  },
);

test("patches that the page shows exactly are computed exactly, the others are called estimates", async () => {
  const place: Place = { ...beginning, off: ["1.2"] };
  const exact = [
    { name: "layers.1.output", position: 1 },
    { name: "layers.2.output", position: 11 },
  ];
  const patches = { measure: [1156, 1277] as const, exact };
  const printed = run(place, { patches });
  const session = lensSession(await load(await modelTiny()));
  const { text, source } = place;
  const question = { text, source, without: ablationTargets(place.off), token: 1156, minus: 1277 };
  const map = await session.attributionPatching(question);
  for (const one of exact) {
    const value = Number(
      new RegExp(`^${one.name}, position ${one.position}, exact: (.*)$`, "m").exec(printed)![1],
    );
    expect(value).toBeCloseTo(await session.patch({ ...question, place: one }), 4);
    const estimate = map.values[map.names.indexOf(one.name) * map.columns + one.position]!;
    expect(Math.abs(value - estimate)).toBeGreaterThan(0.01);
  }
  const code = exportedCode(place, { ...selection, patches });
  expect(code).toMatch(
    /are estimates, from one gradient \(attribution patching\); the page's exact ones follow\.\n/,
  );
  const estimated = exportedCode(place, selection);
  expect(estimated).toMatch(
    /are estimates, from one gradient \(attribution patching\), as the page shows them\.\n/,
  );
  expect(estimated).not.toContain("session.patch(");
});

test("code of a text of one token, without another to compare with, runs, too", () => {
  const place = { ...beginning, text: "The", source: "", score: "firstToken" as const };
  expect(run(place, { head: { layer: 0, head: 0 }, query: 0, key: 0 })).toMatch(/after layer 3: "/);
});

test("code on the model of bytes, which has other layers, runs", () => {
  const printed = run(beginning, { model: "@qkv/model-tiny/bytes", next: undefined });
  expect(printed).toMatch(/^next: " " [\d.]+%/);
  expect(printed).toMatch(/after layer 2: "/);
});

test.each([
  ["owner/name", false, 'load("owner/name")', "@huggingface/hub @qkv/lens @qkv/transformer"],
  ["https://a.b/c.gguf", false, 'load("https://a.b/c.gguf")', "@qkv/lens @qkv/transformer"],
  ["/models/own", false, 'load("/models/own")', "@qkv/lens @qkv/transformer"],
  ["own.gguf", true, 'load("./own.gguf")', "@qkv/lens @qkv/transformer"],
  ["@qkv/model-tiny", false, "load(await modelTiny())", "@qkv/lens @qkv/model-tiny @qkv/transformer"],
  ["@qkv/model-tiny", true, 'load("./@qkv/model-tiny")', "@qkv/lens @qkv/transformer"],
])("the model %s, opened by the reader: %s, is loaded", (model, isOpened, call, packages) => {
  const code = exportedCode(beginning, { ...selection, model, isOpened });
  expect(code).toContain(`await ${call};`);
  expect(code).toContain(`//   npm install ${packages}\n`);
  expect(code.includes("import { modelTiny }")).toBe(call.includes("modelTiny"));
});

test("the first line tells what is computed, and texts are quoted", () => {
  const code = exportedCode({ ...beginning, text: 'a "b"\n`c`', off: ["1.a"] }, selection);
  expect(code.split("\n")[0]).toBe(
    '// Computes what the explorer of qkv shows of "a \\"b\\"\\n`c`", without the attention of layer 1:',
  );
  expect(code).toContain('const text = "a \\"b\\"\\n`c`";');
});
