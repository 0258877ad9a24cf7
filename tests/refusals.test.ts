// Every function of every published package throws an error with its name for wrong arguments, within a second and 64
// MiB. New exports are included automatically. The reference shows the messages.
import { expect, test } from "vitest";
import { callAllWrongly, judge, pagesOf, readPage } from "../scripts/refusals.mjs";

const calls = await callAllWrongly();
const { problems, unneeded } = judge(calls);

test("every export throws a QkvError with its name for wrong arguments", () => {
  expect(calls.length).toBeGreaterThan(3000);
  expect(
    problems,
    "an export takes an argument that it cannot mean, or refuses it without naming itself. Check its arguments with " +
      "`checks()` of @qkv/core; a call that is right as it is goes into scripts/refusals/legal.mjs, with the reason",
  ).toEqual([]);
});

test("no message is longer than 600 characters, exceptions included", () => {
  const messages = calls.flatMap(({ error }) => (error ? [error.message] : []));
  expect(messages.length).toBeGreaterThan(3000);
  expect(messages.filter((message) => message.length > 600)).toEqual([]);
});

test("every exception of the table is needed", () => {
  expect(
    unneeded,
    "these exceptions excuse nothing any more: take them out of scripts/refusals/legal.mjs",
  ).toEqual([]);
});

test("the reference shows the messages of each function: npm run refusals writes it", () => {
  for (const [file, text] of pagesOf(calls)) expect(readPage(file), file).toBe(text);
});
