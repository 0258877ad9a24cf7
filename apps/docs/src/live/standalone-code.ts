/**
 * Definitions of the names of `@qkv/page` outside of a page: results are printed, and controls have their initial
 * values.
 */
const definitions: Readonly<Record<string, string>> = {
  check: 'const check = (what, holds) => (console.log(holds ? "✓" : "✗", what), holds);',
  choice: "const choice = (label, options, { value = options[0] } = {}) => value;",
  fileField: "const fileField = () => [];",
  print: "const print = console.log;",
  show: "const show = console.log;",
  slider: "const slider = (label, { value }) => value;",
  textField: "const textField = (label, { value }) => value;",
};

/**
 * The code of an example outside of the site: imports of `@qkv/page`, which is not published, are replaced by
 * definitions.
 */
export function standaloneCode(code: string): string {
  return code.replace(/^import \{([^}]*)\} from "@qkv\/page";$/gm, (_, names: string) =>
    names
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean)
      .map((name) => definitions[name])
      .join("\n"),
  );
}
