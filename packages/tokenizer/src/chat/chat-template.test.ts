import fc from "fast-check";
import { expect, test } from "vitest";
import { chatTemplate, type ChatMessage } from "./chat-template.js";
import { strftime } from "./strftime.js";

const talk: ChatMessage[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello" },
  { role: "assistant", content: "Hi!" },
  { role: "user", content: " How are you? " },
];

// The layout of ChatML, written out by hand.
const chatMl =
  "{%- for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>' + '\\n' }}{%- endfor %}" +
  "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}";

test("golden: messages, and the beginning of the assistant's message", () => {
  const template = chatTemplate(chatMl);
  const prompt =
    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n" +
    "<|im_start|>assistant\nHi!<|im_end|>\n<|im_start|>user\nHow are you?<|im_end|>\n";
  expect(template.render(talk)).toBe(prompt);
  expect(template.render(talk, { addGenerationPrompt: true })).toBe(`${prompt}<|im_start|>assistant\n`);
});

test("a template can read special tokens, tools, variables and the date", () => {
  const template = chatTemplate({
    bos_token: { content: "<s>", lstrip: false },
    eos_token: "</s>",
    pad_token: null,
    chat_template:
      "{{ bos_token }}{% if tools is not none %}{{ tools | length }} tools, {{ tools[0].name }};{% endif %}" +
      "{% if thinking %}think;{% endif %}{{ strftime_now('%d %b %Y') }}{{ eos_token }}",
  });
  const now = new Date(2024, 1, 3);
  expect(template.render(talk, { now })).toBe("<s>03 Feb 2024</s>");
  expect(template.render(talk, { now, tools: [{ name: "add" }], variables: { thinking: true } })).toBe(
    "<s>1 tools, add;think;03 Feb 2024</s>",
  );
});

test("a template of a list is selected by name", () => {
  const config = {
    chat_template: [
      { name: "default", template: "plain" },
      { name: "tool_use", template: "tools" },
    ],
  };
  expect(chatTemplate(config).render(talk)).toBe("plain");
  expect(chatTemplate(config, { name: "tool_use" }).render(talk)).toBe("tools");
  expect(() => chatTemplate(config, { name: "rag" })).toThrow(
    /`chat_template` is \["default", "tool_use"\], expected a template named rag/,
  );
});

test("a configuration without a template, and a template that is not Jinja, are refused", () => {
  expect(() => chatTemplate({ model_type: "llama" })).toThrow(
    /chatTemplate: `chat_template` is undefined[^]*Fix: give `chat_template.jinja`/,
  );
  expect(() => chatTemplate("{% for m in messages %}")).toThrow(/expected valid Jinja: /);
});

test("an error raised by a template contains the template's message", () => {
  const template = chatTemplate(
    "{% if messages[0].role != 'user' %}{{ raise_exception('Talks begin with the user.') }}{% endif %}ok",
  );
  expect(template.render(talk.slice(1))).toBe("ok");
  expect(() => template.render(talk)).toThrow(
    /`messages` is \["system", "user", "assistant", "user"\], expected a conversation that the template accepts; its message: Talks begin with the user\./,
  );
});

test("messages without content, and options of a wrong type, are refused, since a template silently omits missing values", () => {
  const template = chatTemplate("{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}");
  const render = (message: object, options?: object) => template.render([message as never], options as never);
  expect(() => render({ role: "user", text: "Hello" })).toThrow(
    /^render: `messages` is \[an object with keys role, text\], expected a list of messages with their `role` and `content`/,
  );
  expect(render({ role: "assistant", tool_calls: [{}] })).toBe("assistant: ");
  const hello = { role: "user", content: "Hello" };
  expect(() => render(hello, { addGenerationPrompt: "false" })).toThrow(/`addGenerationPrompt` is "false"/);
  expect(() => render(hello, { tools: {} })).toThrow(
    /`tools` is an object.*, expected a list of JSON schemas/,
  );
  expect(() => render(hello, { variables: "x" })).toThrow(
    /`variables` is "x", expected an object of values by name/,
  );
});

test("a template that would not terminate is refused after the maximum number of steps", () => {
  const loops = [
    "{% for i in range(1000000000) %}x{% endfor %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}",
    "{% for a in range(0, 10, 1 / 1000000000) %}x{% endfor %}",
    `${"{% for a in [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] %}".repeat(9)}x${"{% endfor %}".repeat(9)}`,
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
  ];
  for (const source of loops) {
    expect(() => chatTemplate(source).render(talk), source).toThrow(/^render: `messages` is/);
  }
});

test("a very long run of white space is refused, because the library would need quadratic time", () => {
  for (const source of [
    " ".repeat(100_000),
    `a${"\n\t".repeat(501)}{{ x }}`,
    `{% if x -%}${" ".repeat(1001)}{%- endif %}`,
  ])
    expect(() => chatTemplate(source)).toThrow(
      /valid Jinja: more than 1000 characters of white space in a row/,
    );
  expect(chatTemplate(`a${" ".repeat(1000)}b`).render([])).toBe(`a${" ".repeat(1000)}b`);
});

test("a template whose values would exceed the memory limit is refused before they are created", () => {
  const double = (first: string, twice: string) =>
    `{% set ns = namespace(x=${first}) %}{% for i in range(40) %}{% set ns.x = ${twice} %}{% endfor %}`;
  for (const source of [
    `${double("'ab'", "ns.x ~ ns.x")}{{ ns.x }}`,
    `${double("[1]", "ns.x + ns.x")}{{ ns.x | length }}`,
    `${double("[1]", "[ns.x, ns.x]")}{{ ns.x }}`,
    `${double("[1]", "{'a': ns.x, 'b': ns.x}")}{{ ns.x | tojson }}`,
    `${double("'aaaa'", "ns.x.replace('a', ns.x)")}{{ ns.x }}`,
    `${double("'aaaa'", "ns.x | replace('a', ns.x)")}{{ ns.x }}`,
    `${double("'aaaa'", "[ns.x, ns.x, ns.x] | join(ns.x)")}{{ ns.x }}`,
    "{{ ('a\n' ~ 'b') | indent(999999999) }}",
    "{{ messages | tojson(indent=999999999) }}",
  ]) {
    expect(() => chatTemplate(source).render(talk), source).toThrow(
      /its message: it makes or compares texts and lists of more than \d+ characters/,
    );
  }
});

test("namespaces that grow later, and cyclic values, are measured when they are converted to text", () => {
  const forty = Array.from({ length: 40 }, (_, i) => i);
  const nested = [
    ...forty.map((i) => `{% set n${i} = namespace() %}`),
    ...forty.slice(1).flatMap((i) => [`{% set n${i}.a = n${i - 1} %}`, `{% set n${i}.b = n${i - 1} %}`]),
  ].join("");
  const itself = "{% set n = namespace() %}{% set n.a = [n, n] %}";
  for (const source of [
    `${nested}{{ n39 }}`,
    `${nested}{{ n39 ~ '' }}`,
    `${nested}{{ 'a' + n39 }}`,
    `${nested}{{ n39 | tojson }}`,
    `${nested}{{ [n39] | string }}`,
    `${nested}{{ [n39] == 'a' }}`,
    `${nested}{{ range([n39]) }}`,
    `${nested}{{ strftime_now([n39]) }}`,
    `${nested}{% set list = [n39] %}{{ list }}`,
    `${itself}{{ n }}`,
    `${itself}{{ n.a ~ 'x' }}`,
  ]) {
    expect(() => chatTemplate(source).render(talk), source).toThrow(
      /its message: (it makes or compares texts and lists of more than \d+ characters|`(range|strftime_now)` takes)/,
    );
  }
  const deep = "{% set n = namespace(x=[]) %}{% for i in range(2000) %}{% set n.x = [n.x] %}{% endfor %}";
  expect(() => chatTemplate(`${deep}{{ n.x }}`).render(talk)).toThrow(/more than 1000 deep/);
  expect(chatTemplate("{% set n = namespace(a=1) %}{% set n.b = [n.a] %}{{ n }}").render(talk)).toBe(
    '{"a": 1, "b": [1]}',
  );
});

test("comparisons, loops and filters count the characters and items that they visit as steps", () => {
  const big = "{% set n = namespace(x=['a']) %}{% for i in range(19) %}{% set n.x = n.x + n.x %}{% endfor %}";
  const long = "{% set n = namespace(x='a') %}{% for i in range(20) %}{% set n.x = n.x + n.x %}{% endfor %}";
  const often = (expression: string) =>
    `{% for i in range(90000) %}{% if ${expression} %}{% endif %}{% endfor %}`;
  for (const source of [
    `${big}${often("'b' in n.x")}`,
    `${big}${often("'b' not in n.x")}`,
    `${big}${often("n.x == 'b'")}`,
    `${big}${often("'b' != n.x")}`,
    `${big}${often("(n.x | unique | length) == 2")}`,
    `${big}${often("(n.x | reverse | length) == 2")}`,
    `${big}{% set all = n.x %}${"{% for a in [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] %}".repeat(3)}{% for b in all %}{% endfor %}${"{% endfor %}".repeat(3)}`,
    `${long}${often("'b' in n.x")}`,
    `${long}${often("n.x == n.x ~ ''")}`,
    `${long}${often("n.x is upper")}`,
    `${long}${often("n.x[5:6] == 'b'")}`,
    `${long}${often("n.x.upper() == 'b'")}`,
    `${long}${often("(n.x | trim | length) == 1")}`,
    `${long}{{ n.x[:500000] in n.x }}`,
    `${big}{{ n.x | map(attribute='${"a.".repeat(2000)}') }}`,
    "{% for i in range(1000) %}{{ strftime_now('%B%B%B') }}{% endfor %}",
  ]) {
    expect(() => chatTemplate(source).render(talk), source).toThrow(
      /its message: it (makes or compares texts and lists of|takes) more than \d+ (characters|steps)/,
    );
  }
  const spread = `${big}{% macro f() %}{{ varargs | length }}{% endmacro %}{% set all = n.x %}`;
  expect(() => chatTemplate(`${spread}{{ f(*all) }}`).render(talk)).toThrow(/more than \d+ steps/);
});

test("an argument with a side effect is evaluated once", () => {
  const template = chatTemplate(
    "{% set n = namespace(x=0) %}{% macro bump() %}{% set n.x = n.x + 1 %}b{% endmacro %}" +
      "{{ 'aa'.replace('a', bump()) }}{{ 'aa' | replace('a', bump()) }}{{ n.x }}",
  );
  expect(template.render(talk)).toBe("bbbb2");
});

test("`first` of an empty list is undefined", () => {
  expect(chatTemplate("[{{ [] | first }}]").render(talk)).toBe("[]");
});

test("trim_blocks and lstrip_blocks: the line break after a block and the spaces before it are removed", () => {
  // As jinja2 writes it with both options, which transformers sets; without them the text begins "\n  " and so on.
  expect(chatTemplate("{% if true %}\n  a\n{% endif %}\nb").render(talk)).toBe("  a\nb");
  expect(chatTemplate("a\n   {% if true %}b{% endif %}\nc").render(talk)).toBe("a\nbc");
  expect(chatTemplate("a\n\t {# note #}\nb").render(talk)).toBe("a\nb");
  expect(chatTemplate("a {% if true %}b{% endif %} c").render(talk)).toBe("a b c");
});

test("a conversation of many messages is rendered", () => {
  const long = Array.from({ length: 2000 }, (_, i) => ({
    role: i % 2 ? "assistant" : "user",
    content: "word ".repeat(500),
  }));
  const template = chatTemplate(
    "{% for m in messages %}{{ '<' ~ m.role ~ '>' ~ (m.content | trim | replace('word', 'w')) }}{% endfor %}",
  );
  expect(template.render(long).length).toBe(1000 * ("<user><assistant>".length + 2 * 999));
});

test("property: the contents of messages are unchanged, whatever they contain", () => {
  const template = chatTemplate("{% for m in messages %}[{{ m.content }}]{% endfor %}");
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 4 }), (contents) => {
      const messages = contents.map((content) => ({ role: "user", content }));
      expect(template.render(messages)).toBe(contents.map((content) => `[${content}]`).join(""));
    }),
  );
});

test("dates are formatted with strftime's directives", () => {
  const date = new Date(2024, 6, 4, 15, 5, 9);
  expect(strftime(date, "%A %a %d %e %B %b %m %Y %y %H:%M:%S %I%p %F %T 100%% %Q")).toBe(
    "Thursday Thu 04  4 July Jul 07 2024 24 15:05:09 03PM 2024-07-04 15:05:09 100% %Q",
  );
});
