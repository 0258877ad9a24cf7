import { modelTiny } from "qkv";
import { generate, load } from "qkv/worker";

const find = <T extends HTMLElement>(selector: string): T => document.querySelector<T>(selector)!;
const prompt = find<HTMLInputElement>("#prompt");
const write = find<HTMLButtonElement>("[type=submit]");
const stop = find<HTMLButtonElement>("#stop");
const status = find("[role=status]");
const bar = find<HTMLProgressElement>("progress");
const output = find<HTMLOutputElement>("output");

const say = (text: unknown) => (status.textContent = String(text));

// A small model that comes with qkv. Yours, kept in the browser between visits:
// load("Qwen/Qwen3-0.6B", { store: {}, quantize: "int8", onProgress })
const loading = modelTiny().then((files) =>
  load(files, {
    onProgress: ({ loaded, total }) => total && Object.assign(bar, { value: loaded, max: total }),
  }),
);
loading.then(() => {
  say("Ready.");
  write.disabled = false;
}, say);

let writing: AbortController | undefined;

find<HTMLFormElement>("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { signal } = (writing = new AbortController());
  [write.disabled, stop.disabled] = [true, false];
  output.textContent = prompt.value;
  say("Writing. Esc stops.");
  try {
    const options = { maxTokens: 200, sampling: { temperature: 0.7 }, signal };
    for await (const { text } of generate(await loading, prompt.value, options)) output.append(text);
    say("Done.");
  } catch (error) {
    say(signal.aborted ? "Stopped." : error);
  }
  [write.disabled, stop.disabled] = [false, true];
});

stop.addEventListener("click", () => writing?.abort());
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") writing?.abort();
});
