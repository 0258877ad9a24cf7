import type { Template, TemplateItem } from "../../template.js";
import type { JsonField } from "../json-field.js";

/** The fourth stage of a `tokenizer.json`: `post_processor`. */
export type PostProcessor = {
  readonly template?: Template;
  /** Removes the white space of a token from its offsets (`trim_offsets`); the first space only if the text had one. */
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
        .reduce((merged, processor) => ({ ...merged, ...processor }), {});
    case "ByteLevel":
      return readTrimOffsets(field);
    case "BertProcessing":
      return { template: bertTemplate(field, 1) };
    case "RobertaProcessing":
      return { template: robertaTemplate(field), ...readTrimOffsets(field) };
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
      return type.unsupported(
        "a post-processor: Sequence, ByteLevel, BertProcessing, RobertaProcessing, TemplateProcessing",
      );
  }
}

function readTrimOffsets(field: JsonField): PostProcessor {
  const trim = field.get("trim_offsets").boolean(true);
  return trim ? { trimOffsets: { addedSpace: field.get("add_prefix_space").boolean(true) } } : {};
}

/** The most special tokens of a template; real templates have some ten. */
const maxItems = 1000;
/** The most times that a template repeats its texts; real templates have each once. */
const maxTexts = 32;

function readItems(
  field: JsonField,
  specialTokens: JsonField,
  names: readonly ("A" | "B")[],
): TemplateItem[] {
  let [remaining, texts] = [maxItems, maxTexts];
  return field.list().flatMap((item): TemplateItem[] => {
    const sequence = item.get("Sequence");
    if (!sequence.isMissing) {
      const name = sequence.get("id").string();
      const text = names.find((each) => each === name) ?? sequence.get("id").fail(names.join(" or "));
      if (texts-- === 0) field.fail(`a template of at most ${maxTexts} texts`);
      return [{ sequence: text, typeId: sequence.get("type_id").count(0) }];
    }
    const special = item.get("SpecialToken");
    const typeId = special.get("type_id").count(0);
    const token = specialTokens.get(special.get("id").string());
    const ids = token.get("ids").list();
    // One special token may expand to many ids, and occur often.
    remaining -= ids.length;
    if (remaining < 0) field.fail(`a template of at most ${maxItems} tokens`);
    return ids.map((id) => ({ id: id.count(), typeId }));
  });
}

const endTokenId = (field: JsonField, key: "cls" | "sep") => {
  const id = field.get(key).list()[1];
  return id ? id.count() : field.get(key).fail("a token and its id");
};

function bertTemplate(field: JsonField, second: number): Template {
  const [cls, sep] = [endTokenId(field, "cls"), endTokenId(field, "sep")];
  const single: TemplateItem[] = [
    { id: cls, typeId: 0 },
    { sequence: "A", typeId: 0 },
    { id: sep, typeId: 0 },
  ];
  return { single, pair: [...single, { sequence: "B", typeId: second }, { id: sep, typeId: second }] };
}

/** `<s> A </s></s> B </s>`, all of type 0. */
function robertaTemplate(field: JsonField): Template {
  const { single } = bertTemplate(field, 0);
  const sep: TemplateItem = { id: endTokenId(field, "sep"), typeId: 0 };
  return { single, pair: [...single, sep, { sequence: "B", typeId: 0 }, sep] };
}
