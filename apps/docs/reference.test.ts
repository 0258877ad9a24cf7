import { catalogue } from "@qkv/attention/catalogue";
import * as tensor from "@qkv/tensor";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { packageOrder } from "./src/package-order.mts";
import { attentionPages } from "./src/reference-order";

const site = fileURLToPath(new URL(".", import.meta.url));
const textOf = (folder: string, ending: string) =>
  readdirSync(`${site}/${folder}`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending))
    .map((file) => readFileSync(`${site}/${folder}/${file}`, "utf8"))
    .join("\n");

test("every function of @qkv/tensor is in the table of a family", () => {
  const pages = textOf("reference/tensor", ".mdx");
  const functions = Object.entries(tensor)
    .filter(([name, value]) => typeof value === "function" && name !== "Tensor")
    .map(([name]) => name);
  const missing = functions.filter((name) => !pages.includes(`(/api/@qkv/tensor/#${name.toLowerCase()})`));
  expect(missing).toEqual([]);
});

test.each(catalogue.map(({ name, page, exports }) => ({ name, page, exports })))(
  "$name has a page, which leads to what the package calls it",
  ({ page, exports }) => {
    const file = `${site}/reference/attention/${page}.mdx`;
    expect(existsSync(file), `${page}.mdx`).toBe(true);
    expect(readFileSync(file, "utf8")).toContain(`(/api/@qkv/attention/#${exports[0]?.toLowerCase()})`);
  },
);

test("every example is on a page", () => {
  const pages = ["lessons", "reference", "guides", "proof"]
    .map((folder) => textOf(folder, ".mdx"))
    .join("\n");
  const used = pages + textOf("src", ".tsx");
  const examples = readdirSync(`${site}/examples`).flatMap((file) => file.match(/^(.+)\.ts$/)?.[1] ?? []);
  expect(examples.filter((name) => !used.includes(`example="${name}"`))).toEqual([]);
});

const mechanismPages = readdirSync(`${site}/reference/attention`).flatMap(
  (file) => file.match(/^(.+)\.mdx$/)?.[1] ?? [],
);

test("every page of a mechanism is in the sidebar once", () => {
  const placed = attentionPages.flatMap(({ pages }) => pages);
  expect(
    placed.toSorted(),
    "a page stands where the `page` of a catalogue entry has it, or where src/reference-order.ts lists it",
  ).toEqual(mechanismPages.toSorted());
});

test.each(mechanismPages)("%s has all required sections", (page) => {
  const text = readFileSync(`${site}/reference/attention/${page}.mdx`, "utf8");
  const parts = ["What to notice", "Cost", "Limitations", "Source", "API"].map((part) => `**${part}.**`);
  const at = parts.map((part) => text.indexOf(part));
  for (const [i, part] of parts.entries()) expect(at[i], `${part} is missing`).toBeGreaterThan(0);
  expect(text).toMatch(/^# .*\?$/m);
  const examples = [...text.matchAll(/<Live example="([\w-]+)"/g)].map(([, example]) => example!);
  expect(
    examples.some((example) => existsSync(`${site}/changes/${example}.ts`)),
    "an example of the page has a change to try",
  ).toBe(true);
});

test("every published package is in the sidebars", () => {
  const folder = `${site}/../../packages`;
  const published = readdirSync(folder).filter(
    (name) =>
      existsSync(`${folder}/${name}/package.json`) &&
      !JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")).private,
  );
  expect(packageOrder.toSorted(), "src/package-order.mts lists the folders").toEqual(published.toSorted());
});
