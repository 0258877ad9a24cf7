import type { WorkerMessage, PageMessage } from "./messages";

const find = <T extends HTMLElement>(selector: string): T => document.querySelector<T>(selector)!;
const prompt = find<HTMLInputElement>("#prompt");
const write = find<HTMLButtonElement>("[type=submit]");
const stop = find<HTMLButtonElement>("#stop");
const status = find("[role=status]");
const bar = find<HTMLProgressElement>("progress");
const output = find<HTMLOutputElement>("output");

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const ask = (request: PageMessage) => worker.postMessage(request);
let seed = 0;

find<HTMLFormElement>("form").addEventListener("submit", (event) => {
  event.preventDefault();
  [write.disabled, stop.disabled] = [true, false];
  output.textContent = prompt.value;
  status.textContent = "Writing. Esc stops.";
  ask({ type: "write", prompt: prompt.value, seed: seed++ });
});

stop.addEventListener("click", () => ask({ type: "stop" }));
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") ask({ type: "stop" });
});

worker.addEventListener("message", ({ data }: MessageEvent<WorkerMessage>) => {
  if (data.type === "progress") Object.assign(bar, { value: data.loaded, max: data.total });
  else if (data.type === "text") output.append(data.text);
  else {
    status.textContent = data.type === "ready" ? "Ready." : data.status;
    [write.disabled, stop.disabled] = [false, true];
  }
});
worker.addEventListener("error", ({ message }) => (status.textContent = message));
