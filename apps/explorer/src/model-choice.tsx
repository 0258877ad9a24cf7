import { useEffect, useRef, useState, type ReactNode } from "react";
import { chosenFiles, droppedFiles, type ModelFiles } from "./model-files";
import type { ModelFacts } from "./protocol";
import { deviceText } from "./text-of";
import styles from "./explorer.module.css";

/** The choice of a model: the small one, one of the hub by its name, or files of the reader, which may be dropped anywhere on the page. */
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
  chooseFiles: (files: ModelFiles) => void;
}): ReactNode {
  const [name, setName] = useState("");
  const [isOver, setOver] = useState(false);
  const [failure, setFailure] = useState<string>();
  const choose = useRef(chooseFiles);
  choose.current = chooseFiles;
  useEffect(() => {
    const ends = new AbortController();
    const isOfFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files") === true;
    const over = (event: DragEvent) => {
      // A text that is dragged into a field stays the field's.
      if (!isOfFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = ({ relatedTarget }: DragEvent) => relatedTarget === null && setOver(false);
    const drop = (event: DragEvent) => {
      if (!isOfFiles(event)) return;
      event.preventDefault();
      setOver(false);
      setFailure(undefined);
      droppedFiles(event.dataTransfer!).then(
        (dropped) => {
          if (dropped && dropped.files.length > 0) choose.current(dropped);
          else
            setFailure("No file was found in what you dropped. Drop a GGUF file, or the folder of a model.");
        },
        (error: Error) => setFailure(error.message),
      );
    };
    for (const [event, listener] of Object.entries({ dragover: over, dragleave: leave, drop }))
      addEventListener(event, listener as EventListener, { signal: ends.signal });
    return () => ends.abort();
  }, []);
  const give = (files: readonly File[]) => {
    setFailure(undefined);
    try {
      chooseFiles(chosenFiles(files));
    } catch (error) {
      setFailure((error as Error).message);
    }
  };
  const load = (text: string) => {
    const isName = /^[\w-][\w.-]*\/[\w-][\w.-]*$|^https?:\/\//.test(text);
    setFailure(
      isName
        ? undefined
        : `“${text}” is no repository of the hub. Write owner/name, such as openai-community/gpt2.`,
    );
    if (isName) chooseName(text);
  };
  return (
    <div className={styles.model} data-model={model} data-over={isOver || undefined}>
      <p className={styles.facts}>
        <b>{model}</b>
        {facts && (
          <>
            : {facts.numLayers} layers with {facts.numHeads} heads each, {count(facts.parameters)} parameters.
            It runs in this tab,{" "}
            <abbr
              title={`device ${facts.device}; ${facts.vocabSize.toLocaleString("en")} tokens in the vocabulary, texts of up to ${facts.contextLength.toLocaleString("en")}`}
            >
              {deviceText(facts.device)}
            </abbr>
            .
          </>
        )}
      </p>
      <details>
        <summary>Another model</summary>
        <div className={styles.row}>
          <button
            type="button"
            onClick={() => {
              setFailure(undefined);
              chooseName("");
            }}
          >
            {first}
          </button>
          <form
            className={styles.row}
            onSubmit={(event) => {
              event.preventDefault();
              load(name.trim());
            }}
          >
            <label className={styles.field}>
              <span>From the Hugging Face Hub</span>
              <input
                value={name}
                placeholder="owner/name"
                spellCheck={false}
                onChange={({ target }) => setName(target.value)}
              />
            </label>
            <button type="submit">Load</button>
          </form>
          <FileChoice label="A GGUF file" accept=".gguf" choose={give} />
          <FileChoice label="A folder with config.json and safetensors" isFolder choose={give} />
        </div>
        <p className={styles.quiet}>
          Or drop a GGUF file or a folder anywhere on this page. Files stay on this device. Models of up to a
          few hundred million parameters answer in seconds.
        </p>
      </details>
      {failure !== undefined && (
        <p role="alert" className={styles.failure}>
          {failure}
        </p>
      )}
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

/** A number as people say it. */
const count = (number: number): string =>
  Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(number);
