import { connect, type Message } from "@qkv/page";
import { afterEach, expect, test } from "vitest";
import { isExercise } from "./src/live/is-exercise";
import { tier } from "../../scripts/tier.mjs";

// Runs the example files in plain Node. scripts/run-examples.mjs runs them in their pages.
const examples = import.meta.glob<unknown>("./examples/*.ts");

afterEach(() => connect(undefined));

test("there are examples", () => expect(Object.keys(examples).length).toBeGreaterThan(2));

/** With a tier one example: CI runs each in Node as it builds the site, and in its page. */
const run = Object.entries(examples).filter(
  ([file]) => tier === undefined || file === "./examples/causal.ts",
);

test.each(run)("%s runs and shows something", async (file, load) => {
  const messages: Message[] = [];
  connect({ post: (message) => messages.push(message), values: {} });
  await load();
  expect(messages.filter(({ type }) => type === "picture" || type === "text").length).toBeGreaterThan(0);
  if (isExercise(file.replace("./examples/", ""))) return;
  for (const message of messages)
    if (message.type === "check") expect(message).toMatchObject({ holds: true });
});
