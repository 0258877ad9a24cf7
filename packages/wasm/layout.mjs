// Generates assembly/layout.ts and src/binaries/layout.ts from schema.mjs.
import { constants, enumerations, lists, structures } from "./schema.mjs";

const axes = ["Batch", "Head", "Row", "Column"];
const fieldsOf = ({ fields }) =>
  Object.entries(fields).map(([name, field]) => {
    const [type, about] = [field].flat();
    const [kind, count] = type.split(" ");
    return { name, kind, about, strides: kind === "strided" ? axes.slice(0, Number(count)) : [] };
  });
const comment = (about, indent = "") => (about ? `${indent}/** ${about} */\n` : "");
const upper = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
const lower = (name) => name[0].toLowerCase() + name.slice(1);
const each = (of, text) => Object.entries(of).map(text).join("\n");
const origin = "// Generated from schema.mjs by build-binaries.mjs.\n";

const readerClass = ([name, structure]) => `
${comment(structure.about)}@unmanaged
export class ${name} {
${fieldsOf(structure)
  .map(({ name, kind, about, strides }) => {
    const own = `${comment(about, "  ")}  ${name}: ${kind === "strided" ? "usize" : kind};`;
    return [own, ...strides.map((axis) => `  ${name}${axis}: i32;`)].join("\n");
  })
  .join("\n")}
}`;

/** AssemblyScript source: a class to read each structure. */
export const readers = () => `${origin}${each(structures, readerClass)}

${each(
  enumerations,
  ([name, members]) =>
    `export const enum ${name} { ${Object.entries(members)
      .map((pair) => pair.join(" = "))
      .join(", ")} }`,
)}

${each(constants, ([name, [value, about]]) => `${comment(about)}export const ${upper(name)}: i32 = ${value};`)}
`;

const tsType = { i32: "number", f32: "number", usize: "number", strided: "Strided | undefined" };
const words = ({ name, kind, strides }) => {
  if (kind === "f32") return [`float32Bits(fields.${name})`];
  if (kind !== "strided") return [`fields.${name}`];
  return [`fields.${name}?.pointer ?? 0`, ...strides.map((_, n) => `fields.${name}?.strides[${n}] ?? 0`)];
};
const writer = ([name, structure]) => `
${comment(structure.about)}export type ${name} = {
${fieldsOf(structure)
  .map(({ name, kind, about }) => `${comment(about, "  ")}  readonly ${name}: ${tsType[kind]};`)
  .join("\n")}
};

/** The words of a {@link ${name}} in memory. */
export function ${lower(name)}Words(fields: ${name}): number[] {
  return [
${fieldsOf(structure)
  .flatMap(words)
  .map((word) => `    ${word},`)
  .join("\n")}
  ];
}`;

/** TypeScript source: a type for each structure, and a function that encodes it. */
export const writers = () => `${origin}import { float32Bits } from "../call.js";

/** A tensor in memory: the address of its first element, and its strides in elements. */
export type Strided = { readonly pointer: number; readonly strides: readonly number[] };
${each(structures, writer)}

${each(enumerations, ([name, members]) => `export const ${lower(name)} = ${JSON.stringify(members)} as const;`)}

${each(constants, ([name, [value, about]]) => `${comment(about)}export const ${name} = ${value};`)}

${each(lists, ([name, names]) => `export const ${name} = ${JSON.stringify(names)} as const;`)}
`;
