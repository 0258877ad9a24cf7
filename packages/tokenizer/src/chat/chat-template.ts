import { ArgumentError, FormatError, checks } from "@qkv/core";
import { checkList } from "../check-arguments.js";
import { renderBounded, parseTemplate, type Program } from "./render-bounded.js";

/** A message of a conversation. Further fields that a template reads (`tool_calls`, `name`) may be added. */
export type ChatMessage = {
  readonly role: string;
  readonly content: unknown;
  readonly [field: string]: unknown;
};

export type ChatTextOptions = {
  /** Ends the text at the start of the assistant's message. Default false. */
  addGenerationPrompt?: boolean;
  /** Tools that the model may call, as their JSON schemas. Default: none. */
  tools?: readonly unknown[];
  /** Further variables of the template, by name (`enable_thinking`). */
  variables?: Readonly<Record<string, unknown>>;
  /** The date for templates that contain it. Default: now. */
  now?: Date;
};

/** A chat template: formats messages as the one text that a model was trained on. */
export type ChatTemplate = {
  /**
   * The text of a conversation with its special tokens: encode it with `specialTokens: "allowed"` and
   * `addSpecialTokens: false`. Messages of users can contain special tokens too.
   *
   * @throws {ArgumentError} If the template raises an error, with its message, or does not terminate within the limit of steps.
   */
  render(messages: readonly ChatMessage[], options?: ChatTextOptions): string;
};

export type ChatTemplateOptions = {
  /** The name of one of several templates in a file. Default `"default"`. */
  name?: string;
};

/**
 * The chat template of a model, in Jinja: the text of `chat_template.jinja`, or a parsed `tokenizer_config.json`, whose
 * `bos_token`, `eos_token` and others the template may read. It runs without access to anything but the conversation, and for a
 * bounded number of steps.
 *
 * @throws {FormatError} If there is no template (with that name), or it is not valid Jinja; the error names the position.
 * @see transformers, "Chat templates"
 *
 * @example
 * ```ts
 * import { chatTemplate } from "@qkv/tokenizer/chat";
 *
 * const template = chatTemplate({
 *   eos_token: "</s>",
 *   chat_template:
 *     "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{{ eos_token }}{% endfor %}" +
 *     "{% if add_generation_prompt %}<|assistant|>{% endif %}",
 * });
 * const conversation = [{ role: "user", content: "Hello" }];
 * template.render(conversation, { addGenerationPrompt: true }); // => "<|user|>Hello</s><|assistant|>"
 * ```
 */
export function chatTemplate(
  source: string | Readonly<Record<string, unknown>>,
  options: ChatTemplateOptions = {},
): ChatTemplate {
  const check = checks("chatTemplate");
  const { name = "default" } = check.options(options, ["name"]);
  check.each(
    { source },
    (value) =>
      typeof value === "string" || (typeof value === "object" && value !== null && !Array.isArray(value)),
    "a template's text, or a parsed tokenizer_config.json",
  );
  const [text, tokens] =
    typeof source === "string"
      ? [source, {}]
      : [templateFromConfig(source, name), specialTokensFromConfig(source)];
  const program = parseOrRefuse(text);
  return {
    render(messages, options) {
      const check = checks("render");
      const {
        addGenerationPrompt = false,
        tools,
        variables,
        now = new Date(),
      } = check.options(options, ["addGenerationPrompt", "tools", "variables", "now"]);
      check.type({ addGenerationPrompt }, "boolean");
      if (tools !== undefined) check.list({ tools }, "JSON schemas");
      const isObject = () => typeof variables === "object" && variables !== null;
      if (variables !== undefined) check.each({ variables }, isObject, "an object of values by name");
      checkList(check, { messages }, isMessage, "a list of messages with their `role` and `content`");
      try {
        return renderBounded(
          program,
          {
            ...tokens,
            messages,
            add_generation_prompt: addGenerationPrompt,
            tools: tools ?? null,
            ...variables,
          },
          now,
        );
      } catch (cause) {
        throw new ArgumentError({
          fn: "render",
          argument: "messages",
          received: messages.map(({ role }) => role),
          expected: `a conversation that the template accepts; its message: ${errorMessage(cause)}`,
          fix: "order and name the messages as the model was trained: mostly user and assistant alternately, after one system message at most.",
          cause,
        });
      }
    },
  };
}

/** True for a role with content; a message that calls tools may have none. */
function isMessage(value: unknown): boolean {
  const { role, content, tool_calls: calls } = (value ?? {}) as Partial<ChatMessage>;
  return typeof role === "string" && (content !== undefined || calls !== undefined);
}

/** The template of a `tokenizer_config.json`: one, or several with names. */
function templateFromConfig(config: Readonly<Record<string, unknown>>, name: string): string {
  const { chat_template: field } = config;
  if (typeof field === "string") return field;
  const templates = Array.isArray(field) ? (field as { name?: unknown; template?: unknown }[]) : [];
  const found = templates.find((template) => template?.name === name)?.template;
  if (typeof found === "string") return found;
  const names = templates.flatMap((template) => (typeof template?.name === "string" ? [template.name] : []));
  return refuseTemplate(
    "chat_template",
    field === undefined ? undefined : names,
    names.length > 0 ? `a template named ${name}` : "a template, or a list of them with names",
  );
}

/** Special tokens by the name that templates have for them. A token is its text, or an object that holds it. */
function specialTokensFromConfig(config: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([name, value]) => {
      if (!name.endsWith("_token")) return [];
      const text = (value as { content?: unknown } | null)?.content ?? value;
      return typeof text === "string" ? [[name, text]] : [];
    }),
  );
}

function parseOrRefuse(text: string): Program {
  try {
    return parseTemplate(text);
  } catch (cause) {
    return refuseTemplate("chat_template", text.slice(0, 60), `valid Jinja: ${errorMessage(cause)}`, cause);
  }
}

const errorMessage = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function refuseTemplate(argument: string, received: unknown, expected: string, cause?: unknown): never {
  return checks("chatTemplate").refuse(
    {
      argument,
      received,
      expected,
      fix: "give `chat_template.jinja`, or the `tokenizer_config.json` that came with the model; models without instruction tuning have none.",
      cause,
    },
    FormatError,
  );
}
