import { autocompletion, type CompletionContext } from "@codemirror/autocomplete";
import { linter, type Diagnostic } from "@codemirror/lint";
import type { Extension } from "@codemirror/state";
import { hoverTooltip } from "@codemirror/view";
import { askTypes } from "./types-client";

const kinds: Record<string, string> = {
  function: "function",
  method: "method",
  const: "constant",
  let: "variable",
  var: "variable",
  property: "property",
  interface: "interface",
  type: "type",
  class: "class",
  module: "namespace",
  keyword: "keyword",
};

/** Shows TypeScript's information in an editor: completions, types under the pointer, and problems. */
export function typesOfEditor(addresses: { worker: string; types: string }): Extension {
  return [
    autocompletion({
      override: [
        async (context: CompletionContext) => {
          const typed = context.matchBefore(/[\w$.]+$/);
          if (!typed && !context.explicit) return null;
          const code = context.state.doc.toString();
          const { completions = [], from } = await askTypes(addresses, {
            type: "complete",
            code,
            at: context.pos,
          });
          if (context.aborted || completions.length === 0) return null;
          return {
            from: from ?? context.pos,
            options: completions.map(({ name, kind }) => ({ label: name, type: kinds[kind] ?? "text" })),
            validFor: /^[\w$]*$/,
          };
        },
      ],
    }),
    hoverTooltip(async (view, pos) => {
      const code = view.state.doc.toString();
      const { hover } = await askTypes(addresses, { type: "hover", code, at: pos });
      if (!hover) return null;
      return {
        pos: hover.from,
        end: hover.to,
        above: true,
        create: () => {
          const dom = document.createElement("div");
          dom.className = "cm-type";
          const [type, doc] = [document.createElement("code"), document.createElement("p")];
          type.textContent = hover.text;
          doc.textContent = hover.doc;
          dom.append(type, ...(hover.doc ? [doc] : []));
          return { dom };
        },
      };
    }),
    // Only requested after an edit: the build has checked the code of pages.
    linter(
      async (view): Promise<Diagnostic[]> => {
        const code = view.state.doc.toString();
        const { problems = [] } = await askTypes(addresses, { type: "problems", code });
        const end = view.state.doc.length;
        return problems.map(({ text, from, to }) => ({
          from: Math.min(from, end),
          to: Math.min(Math.max(to, from), end),
          severity: "warning",
          message: text,
        }));
      },
      { delay: 600, needsRefresh: null },
    ),
  ];
}
