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

test("ids are the text of the template up to the last answer, and targets are the answers with their ends", () => {
  const { ids, targets } = answerExample(conversation, { template, tokenizer });
  expect(decodeWords(ids)).toBe("system a end user b end assistant c d end user e end assistant f");
  expect(decodeWords(targets)).toBe("- - - - - - c d end - - - - f end");
});

test('with `answers: "last"`, ids are the same and targets are the last answer', () => {
  const { ids, targets } = answerExample(conversation, { template, tokenizer, answers: "last" });
  expect(decodeWords(ids)).toBe("system a end user b end assistant c d end user e end assistant f");
  expect(decodeWords(targets)).toBe("- - - - - - - - - - - - - f end");
});

test('a template that rewrites earlier messages is refused, except with `answers: "last"`', () => {
  const rewritingTemplate = chatTemplate(
    "{% for m in messages %}{{ m.role }} {% if loop.last or m.role == 'user' %}{{ m.content }} {% endif %}end {% endfor %}" +
      "{% if add_generation_prompt %}assistant {% endif %}",
  );
  expect(() => answerExample(conversation, { template: rewritingTemplate, tokenizer })).toThrow(
    /writes messages before message 4 in another way.*\nFix: train on the last answer alone: `answers: "last"`/,
  );
  const { targets } = answerExample(conversation, {
    template: rewritingTemplate,
    tokenizer,
    answers: "last",
  });
  expect(decodeWords(targets).endsWith("f end")).toBe(true);
  const templateWithoutPrompt = chatTemplate(
    "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}{% if add_generation_prompt %}system {% endif %}",
  );
  expect(() => answerExample(conversation, { template: templateWithoutPrompt, tokenizer })).toThrow(
    /message 2 does not begin with its generation prompt/,
  );
});

test("a conversation without an answer is refused", () => {
  expect(() => answerExample(conversation.slice(0, 2), { template, tokenizer })).toThrow(
    /`messages` is "the roles system, user", expected one message of the assistant or more/,
  );
});
