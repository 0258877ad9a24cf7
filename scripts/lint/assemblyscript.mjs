// Lets prettier format AssemblyScript. Its syntax is that of TypeScript, except that functions may be decorated, which
// the parser of TypeScript refuses: a decorator on a line of its own is read as a comment, and written as it was.
import { printers as estree } from "prettier/plugins/estree";
import { parsers as typescript } from "prettier/plugins/typescript";

export const parsers = {
  assemblyscript: {
    ...typescript.typescript,
    astFormat: "assemblyscript",
    preprocess: (text) => text.replace(/^@\w+$/gm, "//$&"),
  },
};

export const printers = {
  assemblyscript: {
    ...estree.estree,
    printComment(path, options) {
      const { value } = path.node;
      return /^@\w+$/.test(value) ? value : estree.estree.printComment(path, options);
    },
  },
};
