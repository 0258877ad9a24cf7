/** The names of `@qkv/page` where there is no page: results are printed, and controls have the value that they begin with. */
const definitions: Readonly<Record<string, string>> = {
  check: 'const check = (what, holds) => (console.log(holds ? "✓" : "✗", what), holds);',
  choice: "const choice = (label, options, { value = options[0] } = {}) => value;",
  fileField: "const fileField = () => [];",
  print: "const print = console.log;",
  show: "const show = console.log;",
  slider: "const slider = (label, { value }) => value;",
  textField: "const textField = (label, { value }) => value;",
};

/** The code of an example as it runs outside of the site: `@qkv/page`, which is not published, gives way to what it does there. */
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
