import { toolButton } from "../picture-tools.js";
import type { Ask } from "./ask.js";
import { div } from "./figure-controls.js";
import type { FigureChoices } from "./figure.js";

/** Files that a figure takes, and how it draws them. */
export type FileIntakeOptions<Model, Choices extends FigureChoices> = {
  /** The files in words, as "a GPT-2 or Llama-style model folder". */
  accepts: string;
  /** The figure's own numbers in words, as "our small model". */
  own: string;
  /** Choices that do not outlive a change of the files. */
  reset: Partial<Choices>;
  /** Makes of the files what makes the numbers. The words of an error that it throws are shown. */
  open(
    files: readonly File[],
    options: { name: string; signal: AbortSignal; host: HTMLElement },
  ): Promise<Ask<Model, Choices>>;
};

/** A figure's intake of files, which `figureElement` is given. */
export type FileIntake<Model, Choices extends FigureChoices> = FileIntakeOptions<Model, Choices> & {
  /** Makes the line of words and buttons, and hears drops. `give` gets files, or undefined to have the own numbers back. */
  view(host: HTMLElement, signal: AbortSignal, give: (given: GivenFiles | undefined) => void): IntakeView;
};

/** Files that the reader chose, and the name of their folder. */
export type GivenFiles = { files: readonly File[]; name: string };

/** A line of words and buttons to give a figure files, and the drop of files on the figure. */
export type IntakeView = {
  element: HTMLElement;
  /** Says that files are read, what is drawn now, or why they were refused. */
  say(text: string, state: "waiting" | "own" | "given" | "refused"): void;
};

const mostFiles = 1000;

/**
 * Lets a figure draw the reader's own files, dropped on it or chosen with a button. They are read on the device and sent
 * nowhere; files that are refused leave the picture as it was, with the reason in words.
 *
 * @example
 * ```ts
 * import { fileIntake, figureElement, type Figure } from "@qkv/viz/figures";
 *
 * declare const dots: Figure<number, { color: string }>;
 * const intake = fileIntake<number, { color: string }>({
 *   accepts: "a file of dots", own: "our dots", reset: {},
 *   open: async ([file]) => async () => file?.size ?? 0,
 * });
 * if (typeof customElements !== "undefined") {
 *   customElements.define("qkv-dots", figureElement(dots, async () => 3, { intake }));
 * }
 * ```
 */
export function fileIntake<Model, Choices extends FigureChoices>(
  options: FileIntakeOptions<Model, Choices>,
): FileIntake<Model, Choices> {
  return { ...options, view: (host, signal, give) => intakeView(host, options, signal, give) };
}

function intakeView(
  host: HTMLElement,
  { accepts, own }: { accepts: string; own: string },
  signal: AbortSignal,
  give: (given: GivenFiles | undefined) => void,
): IntakeView {
  const element = div("intake");
  const text = document.createElement("p");
  text.setAttribute("role", "status");
  const idle = `Drop ${accepts} here. It is read on your device and sent nowhere.`;
  text.textContent = idle;
  const picker = (label: string, folder: boolean) => {
    const input = Object.assign(document.createElement("input"), {
      type: "file",
      multiple: true,
      hidden: true,
    });
    if (folder) input.webkitdirectory = true;
    input.addEventListener("change", () => {
      const files = [...(input.files ?? [])];
      input.value = ""; // the same choice again is heard again
      if (files.length > 0) give({ files, name: nameOf(files) });
    });
    const button = toolButton(label, () => input.click());
    element.append(input, button);
  };
  element.append(text);
  picker("Choose a folder", true);
  picker("Choose files", false);
  const back = toolButton(`Back to ${own}`, () => give(undefined));
  back.hidden = true;
  element.append(back);

  const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  host.addEventListener(
    "dragover",
    (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      host.toggleAttribute("data-drop", true);
    },
    { signal },
  );
  host.addEventListener(
    "dragleave",
    (event) => {
      if (!host.contains(event.relatedTarget as Node | null)) host.toggleAttribute("data-drop", false);
    },
    { signal },
  );
  host.addEventListener(
    "drop",
    (event) => {
      host.toggleAttribute("data-drop", false);
      if (!event.dataTransfer || !holdsFiles(event)) return;
      event.preventDefault();
      void droppedFiles(event.dataTransfer).then(give, (error: unknown) =>
        view.say(String(error), "refused"),
      );
    },
    { signal },
  );
  const view: IntakeView = {
    element,
    say(words, state) {
      element.dataset["state"] = state;
      text.setAttribute("role", state === "refused" ? "alert" : "status");
      text.textContent = state === "own" ? idle : words;
      back.hidden = state !== "given";
    },
  };
  return view;
}

/** Files of a drop, those in its folders among them. */
export async function droppedFiles(transfer: DataTransfer): Promise<GivenFiles> {
  // Entries are there only while the event is handled.
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (entries.length === 0) {
    const files = [...transfer.files];
    return { files, name: nameOf(files) };
  }
  const files: File[] = [];
  const waiting = [...entries];
  for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
    if (entry.isFile) files.push(await fileOf(entry as FileSystemFileEntry));
    else waiting.push(...(await entriesOf(entry as FileSystemDirectoryEntry)));
    if (files.length + waiting.length > mostFiles)
      throw new Error(`More than ${mostFiles} files: drop the folder of one model.`);
  }
  const folder = entries.length === 1 && entries[0]!.isDirectory ? entries[0]!.name : undefined;
  return { files, name: folder ?? nameOf(files) };
}

const fileOf = (entry: FileSystemFileEntry) =>
  new Promise<File>((resolve, reject) => entry.file(resolve, reject));

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // A reader gives some at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** Name of the folder of files, or of the only file. */
function nameOf(files: readonly File[]): string {
  const folder = files[0]?.webkitRelativePath.split("/")[0];
  return folder || (files.length === 1 ? files[0]!.name : "your model");
}
