import type { Extension } from "@codemirror/state";
import type { CodeEditor } from "./code-editor";

/** An editor that is loaded when it is needed: most readers read. */
export type LateEditor = CodeEditor & {
  /** Loads it now. */
  load(): Promise<CodeEditor | undefined>;
};

/**
 * Code that stands still in an element until the reader reaches for it with pointer or keyboard, code comes that is not
 * the page’s own, or a line is to be marked; then an editor takes its place, and a click is where the caret goes.
 */
export function lateEditor(
  parent: HTMLElement,
  options: {
    code: string;
    label: string;
    changed(code: string): void;
    run(): void;
    types(): Promise<Extension>;
    /** The editor is there: what stood in its place can go. */
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
