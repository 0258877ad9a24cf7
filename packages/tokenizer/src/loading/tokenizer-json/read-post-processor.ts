import type { Template, TemplateItem } from "../../template.js";
import type { JsonField } from "../json-field.js";

/** The fourth stage of a `tokenizer.json`: `post_processor`. */
export type PostProcessor = {
  readonly template?: Template;
  /** Whether the white space of a token is taken from its offsets; the first space only if text had one before. */
  readonly trimOffsets?: { readonly addedSpace: boolean };
};

export function readPostProcessor(field: JsonField): PostProcessor {
  if (field.isMissing) return {};
  const type = field.get("type");
  switch (type.string()) {
    case "Sequence":
      return field
        .get("processors")
        .list()
        .map(readPostProcessor)
        .reduce((all, one) => ({ ...all, ...one }), {});
    case "ByteLevel":
      return trimOf(field);
    case "BertProcessing":
      return { template: bertTemplate(field, 1) };
    case "RobertaProcessing":
      return { template: robertaTemplate(field), ...trimOf(field) };
    case "TemplateProcessing": {
      const ids = field.get("special_tokens");
      return {
        template: {
          single: readItems(field.get("single"), ids, ["A"]),
          pair: readItems(field.get("pair"), ids, ["A", "B"]),
        },
      };
    }
    default:
      return type.fail(
        "a post-processor: Sequence, ByteLevel, BertProcessing, RobertaProcessing, TemplateProcessing",
      );
  }
}

function trimOf(field: JsonField): PostProcessor {
  const trim = field.get("trim_offsets").boolean(true);
  return trim ? { trimOffsets: { addedSpace: field.get("add_prefix_space").boolean(true) } } : {};
}

/** How many tokens stand around a text at most; real templates have some ten. */
const mostItems = 1000;

function readItems(
  field: JsonField,
  specialTokens: JsonField,
  texts: readonly ("A" | "B")[],
): TemplateItem[] {
  let room = mostItems;
  return field.list().flatMap((item): TemplateItem[] => {
    const sequence = item.get("Sequence");
    if (!sequence.isMissing) {
      const name = sequence.get("id").string();
      const text = texts.find((each) => each === name) ?? sequence.get("id").fail(texts.join(" or "));
      return [{ text, type: sequence.get("type_id").count(0) }];
    }
    const special = item.get("SpecialToken");
    const type = special.get("type_id").count(0);
    const token = specialTokens.get(special.get("id").string());
    const ids = token.get("ids").list();
    // A token may stand for many, and stand there often.
    if ((room -= ids.length) < 0) field.fail(`a template of at most ${mostItems} tokens`);
    return ids.map((id) => ({ id: id.count(), type }));
  });
}

const endOf = (field: JsonField, key: "cls" | "sep") => {
  const id = field.get(key).list()[1];
  return id ? id.count() : field.get(key).fail("a token and its id");
};

function bertTemplate(field: JsonField, second: number): Template {
  const [cls, sep] = [endOf(field, "cls"), endOf(field, "sep")];
  const single: TemplateItem[] = [
    { id: cls, type: 0 },
    { text: "A", type: 0 },
    { id: sep, type: 0 },
  ];
  return { single, pair: [...single, { text: "B", type: second }, { id: sep, type: second }] };
}

/** `<s> A </s></s> B </s>`, all of type 0. */
function robertaTemplate(field: JsonField): Template {
  const { single } = bertTemplate(field, 0);
  const sep: TemplateItem = { id: endOf(field, "sep"), type: 0 };
  return { single, pair: [...single, sep, { text: "B", type: 0 }, sep] };
}
