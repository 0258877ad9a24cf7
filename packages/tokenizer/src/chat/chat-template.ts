import { ArgumentError, FormatError, checks } from "@qkv/core";
import { checkList } from "../check-arguments.js";
import { boundedRun, parsed, type Program } from "./bounded-run.js";

/** A turn of a talk. What else a template reads of it (`tool_calls`, `name`) may stand beside. */
export type ChatMessage = {
  readonly role: string;
  readonly content: unknown;
  readonly [field: string]: unknown;
};

export type ChatTextOptions = {
  /** Whether the text ends where the model's turn begins. Default false. */
  addGenerationPrompt?: boolean;
  /** Tools that the model may call, as their JSON schemas. Default: none. */
  tools?: readonly unknown[];
  /** What else the template reads, by name (`enable_thinking`). */
  variables?: Readonly<Record<string, unknown>>;
  /** The date for templates that tell it. Default: now. */
  now?: Date;
};

/** How the turns of a talk become one text that a model was trained on. */
export type ChatTemplate = {
  /**
   * The text of a talk, special tokens written out: encode it with `specialTokens: "allowed"` and
   * `addSpecialTokens: false`. Texts of people can hold such writings too.
   *
   * @throws {ArgumentError} If the template refuses the talk, with its reason, or would not end.
   */
  text(messages: readonly ChatMessage[], options?: ChatTextOptions): string;
};

export type ChatTemplateOptions = {
  /** Which one, where a file has several. Default `"default"`. */
  name?: string;
};

/**
 * The chat template of a model, in Jinja: the text of `chat_template.jinja`, or a parsed `tokenizer_config.json`, whose
 * `bos_token`, `eos_token` and others the template may read. It runs without access to anything but the talk, and for a
 * bounded number of steps.
 *
 * @throws {FormatError} If there is no template (of that name), or it is no Jinja; the place is named.
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
 * const talk = [{ role: "user", content: "Hello" }];
 * template.text(talk, { addGenerationPrompt: true }); // => "<|user|>Hello</s><|assistant|>"
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
    typeof source === "string" ? [source, {}] : [templateOf(source, name), tokensOf(source)];
  const program = programOf(text);
  return {
    text(messages, given) {
      const check = checks("text");
      const {
        addGenerationPrompt = false,
        tools,
        variables,
        now = new Date(),
      } = check.options(given, ["addGenerationPrompt", "tools", "variables", "now"]);
      const isMessage = (one: unknown) => typeof (one as ChatMessage | null)?.role === "string";
      checkList(check, { messages }, isMessage, "a list of messages with their `role` and `content`");
      try {
        return boundedRun(
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
          fn: "text",
          argument: "messages",
          received: messages.map(({ role }) => role),
          expected: `a talk that the template takes, and it says: ${reasonOf(cause)}`,
          fix: "order and name the turns as the model was trained: mostly user and assistant in turn, behind one system message at most.",
          cause,
        });
      }
    },
  };
}

/** The template of a `tokenizer_config.json`: one, or several with names. */
function templateOf(config: Readonly<Record<string, unknown>>, name: string): string {
  const { chat_template: given } = config;
  if (typeof given === "string") return given;
  const several = Array.isArray(given) ? (given as { name?: unknown; template?: unknown }[]) : [];
  const found = several.find((one) => one?.name === name)?.template;
  if (typeof found === "string") return found;
  const names = several.flatMap((one) => (typeof one?.name === "string" ? [one.name] : []));
  return refuseTemplate(
    "chat_template",
    given === undefined ? undefined : names,
    names.length > 0 ? `a template named ${name}` : "a template, or a list of them with names",
  );
}

/** Special tokens by the name that templates have for them. A token is its text, or an object that holds it. */
function tokensOf(config: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([name, value]) => {
      if (!name.endsWith("_token")) return [];
      const text = (value as { content?: unknown } | null)?.content ?? value;
      return typeof text === "string" ? [[name, text]] : [];
    }),
  );
}

function programOf(text: string): Program {
  try {
    return parsed(text);
  } catch (cause) {
    return refuseTemplate("chat_template", text.slice(0, 60), `valid Jinja: ${reasonOf(cause)}`, cause);
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function refuseTemplate(argument: string, received: unknown, expected: string, cause?: unknown): never {
  return checks("chatTemplate").refuse(
    {
      argument,
      received,
      expected,
      fix: "give `chat_template.jinja`, or the `tokenizer_config.json` that came with the model; models that were not trained to talk have none.",
      cause,
    },
    FormatError,
  );
}
