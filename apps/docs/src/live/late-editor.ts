import type { Extension } from "@codemirror/state";
import type { CodeEditor } from "./code-editor";

/** An editor that is loaded on demand: most readers only read. */
export type LateEditor = CodeEditor & {
  /** Loads it immediately. */
  load(): Promise<CodeEditor | undefined>;
};

/**
 * Static code in an element until the reader uses pointer or keyboard on it, other code than the page’s own is set, or a line
 * is marked; then an editor replaces it, with the caret at the position of the click.
 */
export function lateEditor(
  parent: HTMLElement,
  options: {
    code: string;
    label: string;
    changed(code: string): void;
    run(): void;
    types(): Promise<Extension>;
    /** Called when the editor is loaded: the static code can be removed. */
    ready(): void;
  },
): LateEditor {
  let code = options.code;
  let view: CodeEditor | undefined;
  let loading: Promise<CodeEditor | undefined> | undefined;
  let gone = false;

  const load = () => (loading ??= begin());
  async function begin(): Promise<CodeEditor | undefined> {
    const { createCodeEditor } = await import("./code-editor");
    if (gone) return undefined;
    for (const event of reaches) parent.removeEventListener(event, reach);
    const focused = parent.contains(document.activeElement);
    view = createCodeEditor(parent, { ...options, code });
    options.ready();
    if (focused) view.focus(pressed);
    return view;
  }

  let pressed: { x: number; y: number } | undefined;
  const reach = (event: Event) => {
    if (event.type === "pointerdown") {
      const { clientX: x, clientY: y } = event as PointerEvent;
      pressed = { x, y };
    }
    void load();
  };
  const reaches = ["pointerenter", "pointerdown", "focusin"];
  for (const event of reaches) parent.addEventListener(event, reach);

  return {
    load,
    code: () => view?.code() ?? code,
    setCode(next) {
      if (view) return view.setCode(next);
      if (next === code) return;
      code = next;
      options.changed(next);
      void load();
    },
    markError(line) {
      if (view || line !== undefined) void load().then((editor) => editor?.markError(line));
    },
    markChanged(lines) {
      if (view || lines.length > 0) void load().then((editor) => editor?.markChanged(lines));
    },
    goTo: (line) => void load().then((editor) => editor?.goTo(line)),
    focus: (at) => void load().then((editor) => editor?.focus(at)),
    destroy() {
      gone = true;
      for (const event of reaches) parent.removeEventListener(event, reach);
      view?.destroy();
    },
  };
}
