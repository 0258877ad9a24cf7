// Lets prettier format AssemblyScript. It is TypeScript with decorators on functions, which TypeScript's parser
// rejects: a decorator on a line of its own is parsed as a comment, and printed unchanged.
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
