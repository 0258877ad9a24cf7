import { toolButton } from "../picture-tools.js";
import type { Ask } from "./ask.js";
import { div } from "./figure-controls.js";
import type { FigureChoices } from "./figure.js";

/** Files that a figure accepts, and the function that draws them. */
export type FileIntakeOptions<Model, Choices extends FigureChoices> = {
  /** The files in words, as "a GPT-2 or Llama-style model folder". */
  accepts: string;
  /** The figure's own numbers in words, as "our small model". */
  own: string;
  /** Choices that are reset when other files are drawn. */
  reset: Partial<Choices>;
  /** Opens the files and returns the function that computes models from them. The message of an error is shown. */
  open(
    files: readonly File[],
    options: { name: string; signal: AbortSignal; host: HTMLElement },
  ): Promise<Ask<Model, Choices>>;
};

/** Files of the reader for a figure, as an option of `figureElement`. */
export type FileIntake<Model, Choices extends FigureChoices> = FileIntakeOptions<Model, Choices> & {
  /** Builds the line of text and buttons, and listens for drops. `give` gets files, or undefined for the own model again. */
  view(host: HTMLElement, signal: AbortSignal, give: (given: GivenFiles | undefined) => void): IntakeView;
};

/** Files that the reader chose, and the name of their folder. */
export type GivenFiles = { files: readonly File[]; name: string };

/** A line of text and buttons with which the reader chooses files. */
export type IntakeView = {
  element: HTMLElement;
  /** Writes that files are being read, which are drawn, or why they were refused. */
  say(text: string, state: "waiting" | "own" | "given" | "refused"): void;
};

const maxFiles = 1000;

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
      input.value = ""; // choosing the same files again fires `change` again
      if (files.length > 0) give({ files, name: folderName(files) });
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

/** Files of a drop, including those in its folders. */
export async function droppedFiles(transfer: DataTransfer): Promise<GivenFiles> {
  // Entries can be read only while the event is handled, before the first await.
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (entries.length === 0) {
    const files = [...transfer.files];
    return { files, name: folderName(files) };
  }
  const files: File[] = [];
  const waiting = [...entries];
  for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
    if (entry.isFile) files.push(await entryFile(entry as FileSystemFileEntry));
    else waiting.push(...(await folderEntries(entry as FileSystemDirectoryEntry)));
    if (files.length + waiting.length > maxFiles)
      throw new Error(`More than ${maxFiles} files: drop the folder of one model.`);
  }
  const folder = entries.length === 1 && entries[0]!.isDirectory ? entries[0]!.name : undefined;
  return { files, name: folder ?? folderName(files) };
}

const entryFile = (entry: FileSystemFileEntry) =>
  new Promise<File>((resolve, reject) => entry.file(resolve, reject));

async function folderEntries(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  // `readEntries` returns a batch at a time, and an empty one at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return entries;
    entries.push(...some);
  }
}

/** Name of the folder of some files, or of the only file. */
function folderName(files: readonly File[]): string {
  const folder = files[0]?.webkitRelativePath.split("/")[0];
  return folder || (files.length === 1 ? files[0]!.name : "your model");
}
