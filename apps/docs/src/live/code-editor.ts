import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import {
  bracketMatching,
  codeFolding,
  foldEffect,
  foldedRanges,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
  unfoldEffect,
} from "@codemirror/language";
import {
  Compartment,
  EditorState,
  Prec,
  StateEffect,
  StateField,
  type Extension,
  type Text,
} from "@codemirror/state";
import {
  Decoration,
  drawSelection,
  EditorView,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { importLines, importsLabel } from "./import-lines";
import { meaningOf, meaningful } from "./meaningful-names";

// Colors are CSS custom properties of the site, so the editor follows its theme.
const colors = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--code-comment)" },
  { tag: [tags.typeName, tags.className], color: "var(--code-type)" },
]);

/** Marks whole lines: the one with an error, or those that a change has edited. Undefined removes the marks. */
function lineMarks(mark: Decoration) {
  const set = StateEffect.define<readonly number[]>();
  const field = StateField.define<DecorationSet>({
    create: () => Decoration.none,
    update(marks, transaction) {
      // An edit removes the marks.
      let next = transaction.docChanged ? Decoration.none : marks;
      for (const effect of transaction.effects) {
        if (!effect.is(set)) continue;
        const { doc } = transaction.state;
        const lines = effect.value.filter((line) => line >= 1 && line <= doc.lines);
        next = Decoration.set(lines.map((line) => mark.range(doc.line(line).from)));
      }
      return next;
    },
    provide: (field) => EditorView.decorations.from(field),
  });
  return { field, set: (lines: readonly number[]) => set.of(lines) };
}
const errorLine = lineMarks(
  Decoration.line({ class: "cm-error-line", attributes: { "aria-invalid": "true" } }),
);
const changedLines = lineMarks(Decoration.line({ class: "cm-changed-line" }));

// query, key and value have the same colors in code as everywhere.
const names = new MatchDecorator({
  regexp: meaningful,
  decoration: ([name]) => Decoration.mark({ class: `means-${meaningOf(name ?? "")}` }),
});
const nameColors = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = names.createDeco(view);
    }
    update(update: ViewUpdate) {
      this.decorations = names.updateDeco(update, this.decorations);
    }
  },
  { decorations: ({ decorations }) => decorations },
);

/** Folded imports, as a line that unfolds on click. */
const folding = codeFolding({
  preparePlaceholder: (state, { from, to }) => importsLabel(state.sliceDoc(from, to)),
  placeholderDOM(_view, open, label: string) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cm-imports";
    button.textContent = label;
    button.onclick = open;
    return button;
  },
});

/** The effect that folds the imports at the start of a document. */
function foldImports(doc: Text): StateEffect<unknown>[] {
  const lines = importLines(doc.toString());
  return lines === 0 ? [] : [foldEffect.of({ from: 0, to: doc.line(lines).to })];
}

/** Effects that unfold the ranges that contain one of the lines. */
function unfoldAt(state: EditorState, lines: readonly number[]): StateEffect<unknown>[] {
  const effects: StateEffect<unknown>[] = [];
  foldedRanges(state).between(0, state.doc.length, (from, to) => {
    const last = state.doc.lineAt(to).number;
    if (lines.some((line) => line <= last)) effects.push(unfoldEffect.of({ from, to }));
  });
  return effects;
}

export type CodeEditor = {
  code(): string;
  setCode(code: string): void;
  markError(line: number | undefined): void;
  markChanged(lines: readonly number[]): void;
  goTo(line: number): void;
  /** Focuses the editor, with the caret at a point of the window. */
  focus(at?: { x: number; y: number }): void;
  destroy(): void;
};

/**
 * Creates an editor in an element. Ctrl-Enter or Cmd-Enter runs; Tab moves the focus to the next element, so that keyboard
 * users can leave the editor.
 */
export function createCodeEditor(
  parent: HTMLElement,
  options: {
    code: string;
    label: string;
    changed(code: string): void;
    run(): void;
    /** Requested once, on the first edit or focus: completion and type checking. */
    types(): Promise<Extension>;
  },
): CodeEditor {
  const types = new Compartment();
  const run = () => {
    options.run();
    return true;
  };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: options.code,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        folding,
        javascript({ typescript: true }),
        syntaxHighlighting(colors),
        Prec.high(nameColors),
        errorLine.field,
        changedLines.field,
        types.of([]),
        Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
        keymap.of([...defaultKeymap, ...historyKeymap, ...foldKeymap]),
        EditorView.contentAttributes.of({ "aria-label": options.label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  view.dispatch({ effects: foldImports(view.state.doc) });
  // An editor whose lines are longer than it is wide scrolls, so it must be focusable with the keyboard.
  view.scrollDOM.tabIndex = 0;
  view.scrollDOM.setAttribute("role", "group");
  view.scrollDOM.setAttribute("aria-label", "Code, scrolls sideways");
  const begin = async () => {
    for (const event of begins) parent.removeEventListener(event, begin);
    view.dispatch({ effects: types.reconfigure(await options.types()) });
  };
  const begins = ["focusin", "pointerdown"];
  for (const event of begins) parent.addEventListener(event, begin);
  return {
    code: () => view.state.doc.toString(),
    setCode(code) {
      const areFolded = foldedRanges(view.state).size > 0;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: code } });
      if (areFolded) view.dispatch({ effects: foldImports(view.state.doc) });
    },
    markError(line) {
      const lines = line === undefined ? [] : [line];
      view.dispatch({ effects: [errorLine.set(lines), ...unfoldAt(view.state, lines)] });
    },
    markChanged: (lines) =>
      view.dispatch({ effects: [changedLines.set(lines), ...unfoldAt(view.state, lines)] }),
    goTo(line) {
      const { from } = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
      view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
      view.focus();
    },
    focus(at) {
      const position = at && view.posAtCoords(at);
      if (position) view.dispatch({ selection: { anchor: position } });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
