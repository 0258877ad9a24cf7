import { existsSync } from "node:fs";
import { join } from "node:path";
import { visit } from "unist-util-visit";

/**
 * Fills in `<Live example="name" />`: the text of examples/name.ts, its output from the build, and the devices that it cannot
 * run on. All are imports, so a name that does not exist fails the build, and an edit reloads the page. If they exist,
 * changes/name.ts adds suggested changes, and exercises/name.ts the help with an exercise.
 */
export default function liveExample() {
  return (tree: { children: unknown[] }): void => {
    const imports: unknown[] = [];
    visit(tree as never, { type: "mdxJsxFlowElement", name: "Live" }, (node: JsxElement) => {
      const example = node.attributes.find(({ name }) => name === "example")?.value;
      if (typeof example !== "string")
        throw new Error('<Live> needs the name of a file: <Live example="name" />.');
      const id = imports.length;
      for (const [name, source] of [
        ["code", `!!raw-loader!@site/examples/${example}.ts`],
        ...(process.env.NODE_ENV === "development" ? [] : built(example)),
        ...optional("changes", "changes", example),
        ...optional("exercise", "exercises", example),
      ] as const) {
        imports.push(importOf(`${name}${id}`, source));
        node.attributes.push(attributeOf(name, `${name}${id}`));
      }
    });
    tree.children.unshift(...imports);
  };
}

/** Attributes from the build. Under `npm start`, the page asks the server for them. */
const built = (example: string) =>
  [
    ["output", `@site/.cache/output/${example}.json`],
    ["unfit", `@site/.cache/unfit/${example}.json`],
  ] as const;

/** An attribute from an optional file. */
const optional = (attribute: string, folder: string, example: string) =>
  existsSync(join(__dirname, "../..", folder, `${example}.ts`))
    ? [[attribute, `@site/${folder}/${example}`] as const]
    : [];

type Attribute = { type: string; name: string; value: unknown };
type JsxElement = { attributes: Attribute[] };

// MDX requires the syntax trees of JavaScript.
const program = (statement: object) => ({
  estree: { type: "Program", sourceType: "module", body: [statement] },
});
const identifier = (name: string) => ({ type: "Identifier", name });

const importOf = (name: string, source: string) => ({
  type: "mdxjsEsm",
  value: "",
  data: program({
    type: "ImportDeclaration",
    attributes: [],
    specifiers: [{ type: "ImportDefaultSpecifier", local: identifier(name) }],
    source: { type: "Literal", value: source, raw: JSON.stringify(source) },
  }),
});

const attributeOf = (name: string, variable: string): Attribute => ({
  type: "mdxJsxAttribute",
  name,
  value: {
    type: "mdxJsxAttributeValueExpression",
    value: variable,
    data: program({ type: "ExpressionStatement", expression: identifier(variable) }),
  },
});
