import { connect, type Message } from "@qkv/page";
import { afterEach, expect, test } from "vitest";

// The files of the pages, as they are, in plain Node. scripts/run-examples.mjs runs them through the pages themselves.
const examples = import.meta.glob<unknown>("./examples/*.ts");

afterEach(() => connect(undefined));

test("there are examples", () => expect(Object.keys(examples).length).toBeGreaterThan(2));

test.each(Object.entries(examples))("%s runs and shows something", async (_, load) => {
  const messages: Message[] = [];
  connect({ post: (message) => messages.push(message), values: {} });
  await load();
  expect(messages.filter(({ type }) => type === "picture" || type === "text").length).toBeGreaterThan(0);
});
