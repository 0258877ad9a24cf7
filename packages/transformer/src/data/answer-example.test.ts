import {
  composeTokenizer,
  decodeSteps,
  joinWithSpacesStep,
  whitespaceSplit,
  wordLevel,
} from "@qkv/tokenizer";
import { chatTemplate } from "@qkv/tokenizer/chat";
import { expect, test } from "vitest";
import { answerExample } from "./answer-example.js";

const words = "user assistant system end a b c d e f".split(" ");
const tokenizer = composeTokenizer({
  preTokenizers: [whitespaceSplit],
  model: wordLevel({ vocab: words }),
  decoder: decodeSteps([joinWithSpacesStep]),
});
const template = chatTemplate(
  "{% for m in messages %}{{ m.role }} {{ m.content }} end {% endfor %}" +
    "{% if add_generation_prompt %}assistant {% endif %}",
);
const conversation = [
  { role: "system", content: "a" },
  { role: "user", content: "b" },
  { role: "assistant", content: "c d" },
  { role: "user", content: "e" },
  { role: "assistant", content: "f" },
  { role: "user", content: "a" },
];
const decodeWords = (ids: ArrayLike<number>) => Array.from(ids, (id) => (id < 0 ? "-" : words[id])).join(" ");

test("the text is that of the template, and answers with their ends are targets", () => {
  const { ids, targets } = answerExample(conversation, { template, tokenizer });
  expect(decodeWords(ids)).toBe("system a end user b end assistant c d end user e end assistant f");
  expect(decodeWords(targets)).toBe("- - - - - - c d end - - - - f end");
});

test("the last answer alone has the same text", () => {
  const { ids, targets } = answerExample(conversation, { template, tokenizer, answers: "last" });
  expect(decodeWords(ids)).toBe("system a end user b end assistant c d end user e end assistant f");
  expect(decodeWords(targets)).toBe("- - - - - - - - - - - - - f end");
});

test("a template that rewrites earlier answers is refused, with the way that it allows", () => {
  const forgets = chatTemplate(
    "{% for m in messages %}{{ m.role }} {% if loop.last or m.role == 'user' %}{{ m.content }} {% endif %}end {% endfor %}" +
      "{% if add_generation_prompt %}assistant {% endif %}",
  );
  expect(() => answerExample(conversation, { template: forgets, tokenizer })).toThrow(
    /writes messages before message 4 in another way.*\nFix: train on the last answer alone: `answers: "last"`/,
  );
  const { targets } = answerExample(conversation, { template: forgets, tokenizer, answers: "last" });
  expect(decodeWords(targets).endsWith("f end")).toBe(true);
  const thinks = chatTemplate(
    "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}{% if add_generation_prompt %}system {% endif %}",
  );
  expect(() => answerExample(conversation, { template: thinks, tokenizer })).toThrow(
    /message 2 does not begin with its generation prompt/,
  );
});

test("a conversation without an answer is refused", () => {
  expect(() => answerExample(conversation.slice(0, 2), { template, tokenizer })).toThrow(
    /`messages` is "the roles system, user", expected one message of the assistant or more/,
  );
});
