// An ESLint rule: sources import only packages that their own package.json declares, tests also devDependencies. The
// type check would find the same, with a longer message.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const manifests = new Map();

/** The nearest package.json above a file, cached. */
function manifestOf(folder) {
  if (!manifests.has(folder)) {
    const path = join(folder, "package.json");
    const above = dirname(folder);
    const found = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
    manifests.set(folder, found ?? (above === folder ? {} : manifestOf(above)));
  }
  return manifests.get(folder);
}

export default {
  meta: {
    type: "problem",
    docs: { description: "Packages import what they declare." },
    messages: {
      undeclared:
        "{{from}} does not import {{to}}: packages import downwards only (docs/architecture.md). Take the value as an " +
        "argument, or move the code to a package that may import both. If the arrow itself is what you add, declare it in " +
        "package.json, the references of tsconfig.json and `allowedImports` in tests/boundaries.test.ts.",
    },
    schema: [],
  },
  create(context) {
    const json = manifestOf(dirname(context.filename));
    const test = /\.test\.ts$/.test(context.filename);
    // Tests share unpublished code.
    const shared = test ? ["@qkv/test-support"] : [];
    const declared = shared.concat(
      Object.keys({
        ...json.dependencies,
        ...json.peerDependencies,
        ...json.optionalDependencies,
        ...(test && json.devDependencies),
      }),
    );
    const check = (node) => {
      const to = /^(@qkv\/[a-z-]+|qkv)(\/|$)/.exec(node.source?.value ?? "")?.[1];
      if (to && to !== json.name && !declared.includes(to)) {
        context.report({ node: node.source, messageId: "undeclared", data: { from: json.name, to } });
      }
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};
