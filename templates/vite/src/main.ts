import { generate, load, modelTiny } from "qkv";

const find = <T extends HTMLElement>(selector: string): T => document.querySelector<T>(selector)!;
const form = find<HTMLFormElement>("form");
const prompt = find<HTMLInputElement>("#prompt");
const write = find<HTMLButtonElement>("[type=submit]");
const stop = find<HTMLButtonElement>("#stop");
const status = find("[role=status]");
const bar = find<HTMLProgressElement>("progress");
const output = find<HTMLOutputElement>("output");

// A small model that comes with qkv. Yours, kept in the browser between visits:
// load("Qwen/Qwen3-0.6B", { store: modelStore(), quantize: "int8", onProgress })
const loading = load(await modelTiny(), {
  onProgress({ loaded, total }) {
    if (total) Object.assign(bar, { value: loaded, max: total });
  },
});

let writing: AbortController | undefined;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  writing = new AbortController();
  [write.disabled, stop.disabled] = [true, false];
  output.textContent = prompt.value;
  status.textContent = "Writing. Esc stops.";
  try {
    const options = { maxTokens: 200, sampling: { temperature: 0.7 }, signal: writing.signal };
    for await (const { text } of generate(await loading, prompt.value, options)) output.append(text);
    status.textContent = "Done.";
  } catch (error) {
    status.textContent = writing.signal.aborted ? "Stopped." : String(error);
  }
  [write.disabled, stop.disabled] = [false, true];
});

stop.addEventListener("click", () => writing?.abort());
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") writing?.abort();
});

await loading.then(
  () => {
    status.textContent = "Ready.";
    write.disabled = false;
  },
  (error: unknown) => (status.textContent = String(error)),
);
