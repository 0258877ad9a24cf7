// The check of API reports: changesets that a change of public names requires.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { changesBetween, unannounced } from "../scripts/api/compare.mjs";
import { parseReport, readApi, writeReport } from "../scripts/api/report.mjs";
import { publicPackages } from "../scripts/packages.mjs";

const report = (names: Record<string, string>) => new Map([[".", new Map(Object.entries(names))]]);
const kinds = (before: Record<string, string>, after: Record<string, string>) =>
  changesBetween(report(before), report(after)).map(({ label, kind }) => `${kind} ${label}`);
const changeset = (bump: string, line: string) => `---\n"@qkv/tensor": ${bump}\n---\n\nDid it.\n\n${line}\n`;
const removed = changesBetween(report({ abs: "declare function abs(): void;" }), report({}));
const refused = (version: string, ...changesets: string[]) =>
  unannounced(removed, { name: "@qkv/tensor", version }, changesets).map(({ label }) => label);

test("a removed name requires a changeset with its name and a sufficient bump", () => {
  expect(refused("1.2.0")).toEqual(["abs"]);
  expect(refused("1.2.0", changeset("major", "Something else."))).toEqual(["abs"]);
  expect(refused("1.2.0", changeset("minor", "Breaking: `abs` is gone."))).toEqual(["abs"]);
  expect(refused("1.2.0", changeset("major", "Breaking: `absolute` is gone."))).toEqual(["abs"]);
  expect(refused("1.2.0", changeset("major", "Breaking: `abs` is gone."))).toEqual([]);
  expect(refused("1.2.0", changeset("major", "Breaking: `abs`.").replace("tensor", "core"))).toEqual(["abs"]);
});

test("before version 1, a minor bump is sufficient for a breaking change", () => {
  expect(refused("0.3.0", changeset("minor", "Breaking: `abs` is gone."))).toEqual([]);
  expect(refused("0.3.0", changeset("patch", "Breaking: `abs` is gone."))).toEqual(["abs"]);
});

test("a changed type requires a changeset, of any bump if it declares the type compatible", () => {
  const changes = changesBetween(report({ a: "type a = 1;" }), report({ a: "type a = 1 | 2;" }));
  const left = (line: string) =>
    unannounced(changes, { name: "@qkv/tensor", version: "1.0.0" }, [changeset("patch", line)]).length;
  expect(left("Some text.")).toBe(1);
  expect(left("Compatible: `a` has one more.")).toBe(0);
});

test("additions break nothing: names, optional members and parameters, overloads, members of a class", () => {
  const f = "declare function f(x: number): void;";
  expect(kinds({}, { f })).toEqual(["added f"]);
  expect(kinds({ f }, { f: "declare function f(x: number, y?: string): void;" })).toEqual(["grown f"]);
  expect(kinds({ f }, { f: `${f}\ndeclare function f(x: string): void;` })).toEqual(["grown f"]);
  expect(kinds({ o: "type o = { a: 1; };" }, { o: "type o = { a: 1; b?: 2; };" })).toEqual(["grown o"]);
  expect(kinds({ C: "declare class C { a: 1; }" }, { C: "declare class C { a: 1; b(): void; }" })).toEqual([
    "grown C",
  ]);
});

test.each([
  ["a parameter that must be given", "declare function f(x: number, y: string): void;"],
  ["another type of a parameter", "declare function f(x: string): void;"],
  ["another result", "declare function f(x: number): string;"],
  ["no parameter", "declare function f(): void;"],
])("%s is a break", (_what, after) => {
  expect(kinds({ f: "declare function f(x: number): void;" }, { f: after })).toEqual(["changed f"]);
});

test.each([
  ["a member that must be there", "type o = { a: 1; b: 2; };"],
  ["a member that is gone", "type o = {};"],
  ["a member that may be missing", "type o = { a?: 1; };"],
])("%s is a break", (_what, after) => {
  expect(kinds({ o: "type o = { a: 1; };" }, { o: after })).toEqual(["changed o"]);
});

test("a type that is not exported is reported while a public type uses it", () => {
  expect(kinds({ "~T": "type T = 1;" }, { "~T": "type T = 2;" })).toEqual(["changed ~T"]);
  expect(
    kinds({ "~T": "type T = 1;" }, {}),
    "a type that no public one is made of any more reaches nobody: changesBetween leaves it out",
  ).toEqual([]);
});

test("the report of a built package round-trips, and contains all exports", () => {
  const attention = publicPackages().find(({ name }) => name === "@qkv/attention")!;
  const built = readApi(attention);
  expect(parseReport(attention.name, writeReport(attention.name, built))).toEqual(built);
  const index = readFileSync(join(attention.folder, "dist/index.d.ts"), "utf8");
  const lists = [...index.matchAll(/^export \{ ([^}]*) \};$/gm)].flatMap(([, list]) => list!.split(", "));
  const declared = /^export (?:declare )?(?:function|class|const|type|interface) (\w+)/gm;
  const names = [
    ...lists.map((name) =>
      name
        .replace(/^type /, "")
        .split(" as ")
        .at(-1)!,
    ),
    ...[...index.matchAll(declared)].map(([, name]) => name!),
  ];
  expect(names).toContain("prefix");
  expect([...built.get(".")!.keys()]).toEqual(expect.arrayContaining(names));
  expect(built.get(".")!.get("prefix")).toBe("declare function prefix(length: number): Mask;");
});
