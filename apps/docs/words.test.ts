import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { pages } from "./scripts/pages.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const readmes = globSync("packages/*/README.md", { cwd: root }).map((file) => ({
  file,
  text: readFileSync(`${root}/${file}`, "utf8"),
}));
const written = [...pages(), ...readmes].map(({ file, text }) => ({ file, text }));

/** Words that read like a translation, with the words of technical writers. */
const rather: Record<string, string> = {
  "Where it fails": "Limitations",
  "Where it stops": "Limitations",
  "Look up": "Reference, API",
  "What it holds to": "Guarantees",
  "put right": "corrected",
};

test.each(Object.entries(rather))("no page says “%s”: rather %s", (words) => {
  expect(written.filter(({ text }) => text.includes(words)).map(({ file }) => file)).toEqual([]);
});

describe("pages", () => {
  test("use components instead of HTML strings", () => {
    expect(written.filter(({ text }) => text.includes("dangerouslySetInnerHTML"))).toEqual([]);
  });

  test("have plain text in answers of predictions: they are attributes, in which Markdown is not rendered", () => {
    const choices = written.flatMap(({ file, text }) =>
      [...text.matchAll(/<Choice says="([^"]*)"/g)].map(([, says]) => `${file}: ${says}`),
    );
    expect(choices.length).toBeGreaterThan(20);
    expect(choices.filter((says) => /[`*$]|(?<!\w)_|_(?!\w)/.test(says))).toEqual([]);
  });
});
