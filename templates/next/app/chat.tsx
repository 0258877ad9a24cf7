"use client";

import { useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import type { AnswerLine } from "./api/chat/answer";

type Message = { prompt: string; answer: string; attention?: string; status?: string };

export function Chat() {
  const [messages, setMessages] = useState<Message[]>([]);
  const [prompt, setPrompt] = useState("Once upon a time");
  const [writing, setWriting] = useState<AbortController>();
  const end = useRef<HTMLDivElement>(null);

  /** Changes the message that is being written. */
  const change = (changed: (message: Message) => Message) =>
    setMessages((all) => [...all.slice(0, -1), changed(all.at(-1)!)]);

  async function send(event: FormEvent) {
    event.preventDefault();
    const controller = new AbortController();
    setWriting(controller);
    setMessages((all) => [...all, { prompt, answer: "" }]);
    try {
      for await (const line of ask(prompt, controller.signal)) {
        if ("error" in line) throw new Error(line.error);
        if ("attention" in line) change((message) => ({ ...message, attention: line.attention }));
        else change((message) => ({ ...message, answer: message.answer + line.text }));
        end.current?.scrollIntoView({ block: "end" });
      }
    } catch (error) {
      const status = controller.signal.aborted ? "Stopped." : String(error);
      change((message) => ({ ...message, status }));
    }
    setWriting(undefined);
  }

  const stopAtEscape = ({ key }: KeyboardEvent) => {
    if (key === "Escape") writing?.abort();
  };

  return (
    <div onKeyDown={stopAtEscape}>
      <ol aria-live="polite">
        {messages.map(({ prompt, answer, attention, status }, i) => (
          <li key={i}>
            <p>
              <strong>{prompt}</strong>
              <span className="answer">{answer}</span>
            </p>
            {status && <p role="status">{status}</p>}
            {attention && (
              <details open>
                <summary>Attention, by head: rows look at columns</summary>
                <img
                  src={`data:image/svg+xml,${encodeURIComponent(attention)}`}
                  alt={`Attention weights of “${prompt}${answer}”`}
                />
              </details>
            )}
          </li>
        ))}
      </ol>
      <div ref={end} />
      <form onSubmit={send}>
        <label htmlFor="prompt">Beginning of a story</label>
        <input
          id="prompt"
          value={prompt}
          onChange={({ target }) => setPrompt(target.value)}
          required
          autoComplete="off"
        />
        <button type="submit" disabled={writing !== undefined}>
          Send
        </button>
        <button type="button" disabled={!writing} onClick={() => writing?.abort()}>
          Stop
        </button>
      </form>
      {writing && <progress aria-label="Writing" />}
    </div>
  );
}

/** Sends a prompt, and gives the lines of the answer as they come. */
async function* ask(prompt: string, signal: AbortSignal): AsyncGenerator<AnswerLine> {
  const response = await fetch("/api/chat", { method: "POST", body: JSON.stringify({ prompt }), signal });
  if (!response.ok || !response.body) throw new Error(`The server answered ${response.status}.`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line) as AnswerLine;
  }
}
