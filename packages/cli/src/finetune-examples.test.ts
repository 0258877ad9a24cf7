import {
  composeTokenizer,
  decodeSteps,
  joinWithSpacesStep,
  whitespaceSplit,
  wordLevel,
} from "@qkv/tokenizer";
import { chatTemplate } from "@qkv/tokenizer/chat";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { finetuneExamples } from "./finetune-examples.js";

test("a conversation without an answer is refused with its record", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qkv-examples-"));
  const path = join(folder, "chats.jsonl");
  const answered = [
    { role: "user", content: "hi" },
    { role: "assistant", content: "hello" },
  ];
  writeFileSync(
    path,
    [answered, answered.slice(0, 1)].map((messages) => `${JSON.stringify({ messages })}\n`).join(""),
  );
  const tokenizer = composeTokenizer({
    preTokenizers: [whitespaceSplit],
    model: wordLevel({ vocab: ["user", "assistant", "hi", "hello"] }),
    decoder: decodeSteps([joinWithSpacesStep]),
  });
  const template = chatTemplate(
    "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}{% if add_generation_prompt %}assistant {% endif %}",
  );
  const examples = finetuneExamples(path, { tokenizer, template, answers: "all" })(0);
  expect((await examples.next()).value).toEqual({ ids: [0, 2, 1], targets: [-100, -100, 3] });
  await expect(examples.next()).rejects.toThrow(
    /^qkv: `data: record 2: messages` is .*, expected one message of the assistant or more/,
  );
  rmSync(folder, { recursive: true });
});
