import { generate, load, modelTiny } from "qkv";
import type { WorkerMessage, PageMessage } from "./messages";

const tell = (answer: WorkerMessage) => postMessage(answer);

// A small model that comes with qkv. Yours, kept in the browser between visits:
// load("Qwen/Qwen3-0.6B", { store: modelStore(), quantize: "int8", onProgress })
const loading = modelTiny().then((files) =>
  load(files, { onProgress: ({ loaded, total }) => total && tell({ type: "progress", loaded, total }) }),
);
loading.then(
  () => tell({ type: "ready" }),
  (error: unknown) => tell({ type: "end", status: String(error) }),
);

let writing: AbortController | undefined;

addEventListener("message", async ({ data }: MessageEvent<PageMessage>) => {
  if (data.type === "stop") return writing?.abort();
  const { signal } = (writing = new AbortController());
  try {
    const options = { maxTokens: 200, sampling: { temperature: 0.7, seed: data.seed }, signal };
    for await (const { text } of generate(await loading, data.prompt, options)) tell({ type: "text", text });
    tell({ type: "end", status: "Done." });
  } catch (error) {
    tell({ type: "end", status: signal.aborted ? "Stopped." : String(error) });
  }
});
