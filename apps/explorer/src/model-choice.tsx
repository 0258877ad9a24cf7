import { useState, type DragEvent, type ReactNode } from "react";
import type { ModelFacts } from "./protocol";
import styles from "./explorer.module.css";

/** The choice of a model: the small one, one of the hub by its name, or files of the reader. */
export function ModelChoice({
  model,
  first,
  facts,
  chooseName,
  chooseFiles,
}: {
  /** Name of the chosen model in words. */
  model: string;
  /** Name of the one that the page begins with. */
  first: string;
  facts: ModelFacts | undefined;
  /** "" is the one that the page begins with. */
  chooseName: (name: string) => void;
  chooseFiles: (files: readonly File[]) => void;
}): ReactNode {
  const [name, setName] = useState("");
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void droppedFiles(event.dataTransfer).then((files) => files.length > 0 && chooseFiles(files));
  };
  return (
    <div
      className={styles.model}
      data-over={isOver || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <p className={styles.facts}>
        <b>{model}</b>
        {facts &&
          `: ${facts.numLayers} layers, ${facts.numHeads} heads, ${count(facts.parameters)} parameters, ${facts.vocabSize.toLocaleString("en")} tokens in the vocabulary, on ${facts.device}`}
      </p>
      <details>
        <summary>Another model</summary>
        <div className={styles.row}>
          <button type="button" onClick={() => chooseName("")}>
            {first}
          </button>
          <form
            className={styles.row}
            onSubmit={(event) => {
              event.preventDefault();
              if (name.trim() !== "") chooseName(name.trim());
            }}
          >
            <label className={styles.field}>
              <span>Of the Hugging Face Hub</span>
              <input
                value={name}
                placeholder="owner/name"
                spellCheck={false}
                onChange={({ target }) => setName(target.value)}
              />
            </label>
            <button type="submit">Load</button>
          </form>
          <FileChoice label="A GGUF file" accept=".gguf" choose={chooseFiles} />
          <FileChoice label="A folder of safetensors" isFolder choose={chooseFiles} />
        </div>
        <p className={styles.quiet}>
          Or drop a file or a folder here. Files stay on this device. Models of up to some hundred million
          parameters answer in seconds.
        </p>
      </details>
    </div>
  );
}

function FileChoice({
  label,
  accept,
  isFolder = false,
  choose,
}: {
  label: string;
  accept?: string;
  isFolder?: boolean;
  choose: (files: readonly File[]) => void;
}): ReactNode {
  return (
    <label className={styles.field}>
      <span>{label}</span>
      <input
        type="file"
        accept={accept}
        {...(isFolder && { webkitdirectory: "" })}
        onChange={({ target }) => target.files && target.files.length > 0 && choose([...target.files])}
      />
    </label>
  );
}

/** The files that were dropped; those of a folder are found in it. */
async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const filesOf = async (entry: FileSystemEntry | null): Promise<File[]> => {
    if (entry?.isFile)
      return [await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail))];
    if (!entry?.isDirectory) return [];
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    const found: File[] = [];
    for (;;) {
      // A reader gives a hundred entries at a time.
      const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
      if (some.length === 0) return found;
      found.push(...(await Promise.all(some.map(filesOf))).flat());
    }
  };
  return (await Promise.all(entries.map(filesOf))).flat();
}

/** A number as people say it. */
const count = (number: number): string =>
  Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(number);
