import type { TypesAnswer, TypesQuestion } from "./types-worker";

let worker: Worker | undefined;
let count = 0;
const waiting = new Map<number, (answer: TypesAnswer) => void>();

/** Asks TypeScript. Its worker is one for the page and starts with the first question; where it cannot, the answer is none. */
export function askTypes(
  addresses: { worker: string; types: string },
  question: TypesQuestion,
): Promise<TypesAnswer> {
  if (!worker) {
    worker = new Worker(addresses.worker, { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<{ id: number; answer?: TypesAnswer }>) => {
      waiting.get(data.id)?.(data.answer ?? {});
      waiting.delete(data.id);
    };
    worker.onerror = () => {
      waiting.forEach((done) => done({}));
      waiting.clear();
    };
  }
  const id = ++count;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    worker!.postMessage({ id, types: addresses.types, question });
  });
}
