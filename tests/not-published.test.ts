// Until the first release, each README that opens with an install line says that the packages are not on npm.
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { asPublished, published, readmes } from "../scripts/not-published.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

test.each(readmes.map((readme) => ({ ...readme, name: relative(root, readme.path) })))(
  "$name says whether the packages are on npm, as `published` of package.json does",
  ({ path, line }) => {
    const text = readFileSync(path, "utf8");
    expect(text.split(line).length - 1, "run `node scripts/not-published.mjs`").toBe(published ? 0 : 1);
    expect(text).toBe(asPublished(text, line, published));
  },
);

test("the line is above the first command, and is removed without a trace", () => {
  const text = "# a\n\nAbout.\n\n```sh\nnpm install a\n```\n\n```sh\na\n```\n";
  const before = asPublished(text, "> Not yet.", false);
  expect(before).toBe("# a\n\nAbout.\n\n> Not yet.\n\n```sh\nnpm install a\n```\n\n```sh\na\n```\n");
  expect(asPublished(before, "> Not yet.", false)).toBe(before);
  expect(asPublished(before, "> Not yet.", true)).toBe(text);
});
