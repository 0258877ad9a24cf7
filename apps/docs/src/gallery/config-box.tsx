import { readConfig } from "@qkv/cost";
import { isQkvError } from "@qkv/core";
import { useEffect, useId, useRef, useState, type DragEvent, type ReactNode } from "react";
import { findField, type FieldPlace } from "./find-field";
import styles from "./gallery.module.css";

type Refusal = { message: string; place: FieldPlace | undefined };

/** A field to paste or drop a `config.json`. Errors are shown beside it. */
export function ConfigBox({
  given,
  note,
  onConfig,
}: {
  /** Initial text, from a link. */
  given: string | undefined;
  /** Help text below the field. */
  note: string | undefined;
  onConfig: (config: string) => void;
}): ReactNode {
  const [text, setText] = useState("");
  const [over, setOver] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const id = useId();
  const latestOnConfig = useRef(onConfig);
  useEffect(() => {
    latestOnConfig.current = onConfig;
  }, [onConfig]);

  useEffect(() => {
    if (given !== undefined) setText(given);
  }, [given]);

  // No errors while the user is typing.
  useEffect(() => {
    if (text.trim() === "") {
      setRefusal(undefined);
      return;
    }
    const later = setTimeout(() => {
      const refused = refusalOf(text);
      setRefusal(refused);
      if (!refused) latestOnConfig.current(text);
    }, 350);
    return () => clearTimeout(later);
  }, [text]);

  const readFile = async (file: File | undefined) => {
    if (file) setText(await file.text());
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file) void readFile(file);
    else setText(event.dataTransfer.getData("text"));
  };
  return (
    <div
      className={styles.box}
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <div className={styles.boxHead}>
        <label htmlFor={id}>
          <strong>Your model.</strong> Paste the text of a <code>config.json</code> from Hugging Face, or drop
          the file here.
        </label>
        <label className={styles.file}>
          Choose a file
          <input
            type="file"
            accept=".json,application/json"
            onChange={({ target }) => void readFile(target.files?.[0])}
          />
        </label>
      </div>
      <textarea
        id={id}
        rows={text === "" ? 2 : 6}
        spellCheck={false}
        placeholder={'{ "model_type": "llama", "hidden_size": 4096, … }'}
        value={text}
        onChange={({ target }) => setText(target.value)}
        aria-invalid={refusal !== undefined}
        aria-describedby={`${id}-refusal`}
      />
      <div id={`${id}-refusal`} role="alert">
        {refusal && (
          <>
            {refusal.place && (
              <pre className={styles.excerpt}>
                {refusal.place.lines.map((line, i) => (
                  <span key={i} data-refused={i === refusal.place!.index}>
                    {`${String(refusal.place!.line - refusal.place!.index + i).padStart(4)}  ${line}\n`}
                  </span>
                ))}
              </pre>
            )}
            <p className={styles.refusal}>{refusal.message}</p>
          </>
        )}
      </div>
      {note !== undefined && !refusal && (
        <p className={styles.note} role="status">
          {note}
        </p>
      )}
    </div>
  );
}

function refusalOf(text: string): Refusal | undefined {
  try {
    readConfig(text);
    return undefined;
  } catch (error) {
    if (!isQkvError(error)) throw error;
    const { argument, received } = error as { argument?: string; received?: unknown };
    return {
      message: error.message.replace(/^readConfig: /, ""),
      place: argument === undefined ? undefined : findField(text, argument, received),
    };
  }
}
